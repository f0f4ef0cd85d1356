"""How text becomes a document."""

import pytest

from opencode_config import MalformedDocumentError, parse


def test_json_is_parsed() -> None:
    """A well-formed text gives its values."""
    assert parse('{"theme": "nord", "instructions": ["AGENTS.md"]}') == {
        "theme": "nord",
        "instructions": ["AGENTS.md"],
    }


def test_a_syntax_error_says_where() -> None:
    """Line and column point at the first character that cannot be."""
    with pytest.raises(MalformedDocumentError, match=r"^line 2, column 3: not JSON: "):
        parse('{\n  theme: "nord"\n}')


def test_a_repeated_key_is_refused() -> None:
    """`json` alone would silently keep the second value."""
    with pytest.raises(MalformedDocumentError, match=r'^key "edit" is given twice'):
        parse('{"permission": {"edit": "deny", "edit": "allow"}}')


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_lacks_are_refused(constant: str) -> None:
    """The default of `json` would read them."""
    with pytest.raises(MalformedDocumentError, match=f"^not JSON: {constant} is no number"):
        parse(f'{{"temperature": {constant}}}')


@pytest.mark.parametrize("text", ["[" * 101 + "]" * 101, "[" * 100_000])
def test_endless_nesting_is_refused(text: str) -> None:
    """A hostile file gives a message, not a traceback."""
    with pytest.raises(MalformedDocumentError, match=r"^nested more than 100 deep"):
        parse(text)


def test_deep_nesting_is_parsed() -> None:
    """The limit itself is allowed."""
    parse("[" * 100 + "]" * 100)
