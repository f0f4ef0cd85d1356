"""A parsed TOML text is remembered beside the text, and never served for another one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from polylane.describe import toml_text


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace in which polylane has been before."""
    (tmp_path / ".polylane").mkdir()
    toml_text.parse.cache_clear()
    return tmp_path


def again(workspace: Path, text: str) -> dict[str, object]:
    """Parse as a new process does."""
    toml_text.parse.cache_clear()
    return toml_text.parse(workspace, text)


def test_a_known_text_is_not_parsed_again(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table is what was remembered."""
    assert again(workspace, "a = [1, 'b']") == {"a": [1, "b"]}
    monkeypatch.setattr(tomllib, "loads", None)
    assert again(workspace, "a = [1, 'b']") == {"a": [1, "b"]}


def test_another_text_is_parsed(workspace: Path) -> None:
    """Even one of the same length: the text itself is the key."""
    again(workspace, "a = 1")
    assert again(workspace, "a = 2") == {"a": 2}
    assert again(workspace, "a = 1") == {"a": 1}


@pytest.mark.parametrize("keep", [0, 10, -1])
def test_a_broken_file_is_as_good_as_none(workspace: Path, keep: int) -> None:
    """Cut short, or with a wrong byte at its end."""
    again(workspace, "a = 1")
    file = workspace / ".polylane" / toml_text.FILE
    file.write_bytes(file.read_bytes()[:keep] + b"\0")
    assert again(workspace, "a = 1") == {"a": 1}


def test_what_cannot_be_remembered_is_parsed_each_time(workspace: Path) -> None:
    """Such as a date."""
    assert again(workspace, "a = 2024-01-01")["a"] == again(workspace, "a = 2024-01-01")["a"]
    assert not (workspace / ".polylane" / toml_text.FILE).exists()


def test_no_folder_is_made_for_it(tmp_path: Path) -> None:
    """Whoever only reads leaves nothing."""
    assert again(tmp_path, "a = 1") == {"a": 1}
    assert list(tmp_path.iterdir()) == []


def test_a_bad_text_is_an_error_each_time(workspace: Path) -> None:
    """It is never remembered."""
    for _ in range(2):
        with pytest.raises(ValueError, match="Invalid"):
            again(workspace, "a = [")
