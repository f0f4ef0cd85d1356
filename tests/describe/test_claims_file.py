"""The file of observed claims: what it may say, and how it is written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from polylane.describe import claims_file, config, toml_text
from polylane.describe.claims_file import FILE, SaidClaim
from polylane.errors import UserError


def load(folder: Path, text: str) -> dict[str, SaidClaim]:
    """The claims of a workspace with that file, as a new process reads them."""
    (folder / FILE).write_text(text, encoding="utf-8")
    toml_text.parse.cache_clear()
    return dict(config.load(folder, {}).claims)


def test_claims_are_read_by_task_and_key(tmp_path: Path) -> None:
    """What is not said is None; paths are made plain, as in the configuration."""
    text = '[tasks."lint:api:ruff"]\nreads = ["./api//src", "!a/../b"]\nlocks = ["db"]\n'
    assert load(tmp_path, text) == {
        "lint:api:ruff": SaidClaim(reads=("api/src", "!b"), locks=("db",))
    }


def test_without_the_file_there_are_no_claims(tmp_path: Path) -> None:
    """And nothing is loaded for it."""
    assert config.load(tmp_path, {}).claims == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tasks\n", "polylane.claims.toml: is not valid TOML: "),
        ("\nversion = 1\n", "polylane.claims.toml:2: version: unknown key; known keys: tasks"),
        (
            '[tasks."lint:api:ruff"]\nread = []\n',
            'polylane.claims.toml:2: tasks."lint:api:ruff".read: unknown key; did you mean \'rea',
        ),
        (
            '[tasks."lint:api:ruff"]\nreads = [\n  "../x",\n]\n',
            "polylane.claims.toml:2: tasks.\"lint:api:ruff\".reads = '../x': must be a path inside",
        ),
        ('[tasks."lint:api"]\n', 'polylane.claims.toml:1: tasks."lint:api": a task\'s id must be'),
    ],
)
def test_what_cannot_be_right_is_one_line_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    """As in the configuration."""
    with pytest.raises(UserError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    """What is remembered of it stands apart from the configuration's."""
    (tmp_path / ".polylane").mkdir()
    text = '[tasks."lint:api:ruff"]\nreads = ["{}"]\n'
    (tmp_path / "polylane.toml").write_text("jobs = 3\n", encoding="utf-8")
    for name in ("a", "b", "a"):
        assert load(tmp_path, text.format(name))["lint:api:ruff"].reads == (name,)
        assert config.load(tmp_path, {}).jobs == 3


def test_an_unchanged_file_is_not_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm start reads what was remembered, of the configuration and of the claims."""
    (tmp_path / ".polylane").mkdir()
    (tmp_path / "polylane.toml").write_text("jobs = 3\n", encoding="utf-8")
    text = '[tasks."lint:api:ruff"]\nreads = ["a"]\n'
    before = load(tmp_path, text)
    monkeypatch.setattr(tomllib, "loads", None)
    assert load(tmp_path, text) == before


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Sorted by task, with only the keys that are said, and a header that says what it is."""
    claims = {
        "test:b:x": SaidClaim(("b/*", '"\n'), (), ("c",), ("tcp 80",)),
        "test:a:x": SaidClaim(writes=("a/out",)),
    }
    claims_file.write(tmp_path, claims, "2030-01-02", "1.2.3")
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert load(tmp_path, text) == claims
    assert text.index("test:a:x") < text.index("test:b:x")
    assert "2030-01-02 with polylane 1.2.3" in text.partition("[tasks")[0]
    assert "None" not in text
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_without_claims_the_file_is_removed(tmp_path: Path) -> None:
    """An empty one would only ask to be reviewed."""
    load(tmp_path, "")
    claims_file.write(tmp_path, {}, "", "")
    claims_file.write(tmp_path, {}, "", "")
    assert not (tmp_path / FILE).exists()


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """And leaves nothing behind."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(UserError, match=r"polylane\.claims\.toml: cannot be written: "):
        claims_file.write(tmp_path, {"a:b:c": SaidClaim(writes=())}, "", "")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
