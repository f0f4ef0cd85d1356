"""Reading script bodies."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylane.describe.languages.node.command import Body, Command, parse


def test_a_single_command_is_split_into_words() -> None:
    """Quotes hold words together, and vanish."""
    assert parse("eslint 'src/**/*.ts' --ext \".ts\"") == Body(
        (Command("eslint", ("src/**/*.ts", "--ext", ".ts")),), chained=True
    )


@pytest.mark.parametrize(
    "body",
    [
        "eslint src/**/*.ts",
        "eslint $DIR",
        "eslint `pwd`",
        "echo hi > out.txt",
        "(tsc)",
        "rm {a,b}",
        "eslint ~/x",
        'eslint "$DIR"',
        "cd web",
        "prettier src\\ folder",
    ],
)
def test_what_a_shell_expands_is_not_plain(body: str) -> None:
    """Such a command would mean something else without a shell."""
    parsed = parse(body)
    assert parsed is not None
    assert not parsed.commands[0].plain


def test_variables_before_a_command_become_its_environment() -> None:
    """As a shell has it, and as cross-env has it."""
    parsed = parse("A=1 cross-env B=two vitest run")
    assert parsed is not None
    assert parsed.only == Command("vitest", ("run",), (("A", "1"), ("B", "two")))


def test_words_that_only_find_the_program_are_dropped() -> None:
    """``npx`` and its kin, and the path of node_modules/.bin."""
    for runner in ("npx ", "npx --no-install ", "pnpm exec ", "./node_modules/.bin/", "bunx "):
        parsed = parse(f"{runner}eslint .")
        assert parsed is not None
        assert parsed.only == Command("eslint", (".",)), runner


def test_npx_with_options_stays() -> None:
    """It may fetch another version."""
    parsed = parse("npx -y eslint@9 .")
    assert parsed is not None
    assert parsed.commands[0].program == "npx"


def test_chained_commands_are_told_from_others() -> None:
    """Only ``&&`` means that each must pass."""
    both = parse("tsc && node build.js")
    either = parse("bun audit || true")
    assert both is not None
    assert either is not None
    assert ([c.program for c in both.commands], both.chained) == (["tsc", "node"], True)
    assert (len(either.commands), either.chained, either.only) == (2, False, None)


@pytest.mark.parametrize("body", ["", "   ", "eslint 'open", "A=1", "a && B=1", "&&", '"'])
def test_what_only_a_shell_can_tell_is_not_parsed(body: str) -> None:
    """An open quote, or no command at all."""
    assert parse(body) is None


@settings(deadline=None)
@given(st.text(alphabet="ab '\"\\&|;\n=$#-"))
def test_any_text_is_read(body: str) -> None:
    """A script that makes no sense is no reason to fail."""
    parsed = parse(body)
    assert parsed is None or parsed.commands


@settings(deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1).filter(lambda words: "=" not in words[0]))
def test_quoted_words_come_back(words: list[str]) -> None:
    """Whatever is quoted for a shell comes back as the same words, plain or not."""
    parsed = parse("run " + shlex.join(words))
    assert parsed is not None
    assert parsed.only is not None
    assert parsed.only.args == tuple(words)
