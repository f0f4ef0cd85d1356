"""Whether a file holds something else than the last time that it was asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylane.describe import contents
from polylane.describe.contents import Contents


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.write_text("1", encoding="utf-8")
    return made


def test_the_first_time_counts_as_a_change(file: Path) -> None:
    """Nobody knows what it held before; unless it was learned."""
    seen = Contents()
    assert seen.changed(str(file))
    other = Contents()
    other.learn(file)
    assert not other.changed(str(file))


def test_the_same_content_is_no_change(file: Path) -> None:
    """Whatever its times say; another content is, and so is the right to run it."""
    seen = Contents()
    seen.learn(file)
    os.utime(file, (1, 1))
    assert not seen.changed(str(file))
    file.write_text("2", encoding="utf-8")
    assert seen.changed(str(file))
    file.chmod(0o755)
    assert seen.changed(str(file))


def test_what_came_and_went_is_no_change(tmp_path: Path) -> None:
    """A file that was there before, and is gone, is one."""
    assert not Contents().changed(str(tmp_path / "gone"), appeared=True)
    assert Contents().changed(str(tmp_path / "gone"))


def test_a_file_that_goes_and_comes_changes_twice(file: Path) -> None:
    """Even with the same content: who looked meanwhile found none."""
    seen = Contents()
    seen.learn(file)
    file.unlink()
    assert seen.changed(str(file))
    file.write_text("1", encoding="utf-8")
    assert seen.changed(str(file))


def test_a_folder_is_no_change_until_it_is_gone(tmp_path: Path) -> None:
    """What lies in it has paths of its own."""
    folder = tmp_path / "folder"
    folder.mkdir()
    seen = Contents()
    assert not seen.changed(str(folder), appeared=True)
    folder.rmdir()
    assert seen.changed(str(folder))


def test_a_link_is_where_it_leads(file: Path, tmp_path: Path) -> None:
    """Not what lies there."""
    link = tmp_path / "link"
    link.symlink_to("file")
    seen = Contents()
    seen.learn(link)
    file.write_text("2", encoding="utf-8")
    assert not seen.changed(str(link))
    link.unlink()
    link.symlink_to("other")
    assert seen.changed(str(link))


def test_of_large_files_the_times_are_compared(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To read them would take too long."""
    monkeypatch.setattr(contents, "_LARGE", 0)
    seen = Contents()
    seen.learn(file)
    assert not seen.changed(str(file))
    os.utime(file, (1, 1))
    assert seen.changed(str(file))
