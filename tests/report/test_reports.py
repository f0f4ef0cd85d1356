"""What ``--report PATH`` takes, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polylane.errors import UserError
from polylane.report import reports
from tests.report.formats.made import finished, task


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("r.htm", "its ending says no format.*did you mean '.html'"),
        ("report", "its ending says no format: .trace.json, .json, .xml, .md, .html$"),
        ("folder.md", "cannot be written: it is a folder"),
        ("file/r.md", "cannot be written: .*file is no folder"),
    ],
)
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, name: str, words: str) -> None:
    """In one line, before anything runs."""
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=words):
        reports.check([str(tmp_path / name)])


def test_a_path_twice_is_refused(tmp_path: Path) -> None:
    """One would be lost."""
    with pytest.raises(UserError, match="asked for twice"):
        reports.check([f"{tmp_path}/a.md", f"{tmp_path}/b.md", f"{tmp_path}/a.md"])


def test_every_format_is_written_by_its_ending(tmp_path: Path) -> None:
    """Into folders that are made; capitals count too; nothing else is left beside them."""
    names = ["r.json", "r.trace.json", "r.xml", "r.md", "r.HTML"]
    paths = reports.check([f"{tmp_path}/new/{name}" for name in names])
    run = finished(tmp_path, task("a:b:c"))
    assert reports.write(run.result, tmp_path, paths) == []
    begins = {path.name: path.read_bytes()[:12] for path in (tmp_path / "new").iterdir()}
    assert begins == {
        "r.json": b'{"version": ',
        "r.trace.json": b'{"traceEvent',
        "r.xml": b"<?xml versio",
        "r.md": "## ✅ qa: 1".encode(),
        "r.HTML": b"<!doctype ht",
    }
    assert json.loads(paths[0].read_bytes()) == run.result


def test_a_report_replaces_the_older_one_also_through_a_link(tmp_path: Path) -> None:
    """The link stays, and the file has the rights that new files get."""
    (tmp_path / "link.md").symlink_to(tmp_path / "file.md")
    (tmp_path / "file.md").write_text("old")
    fresh = tmp_path / "fresh"
    fresh.touch()
    reports.put(tmp_path / "link.md", b"new")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "file.md").read_text() == "new"
    assert (tmp_path / "file.md").stat().st_mode == fresh.stat().st_mode


def test_what_cannot_be_written_is_a_line_and_the_others_are_written(tmp_path: Path) -> None:
    """A folder may have become a file since."""
    (tmp_path / "file").touch()
    paths = [tmp_path / "file" / "r.md", tmp_path / "r.md"]
    lines = reports.write(finished(tmp_path, task("a:b:c")).result, tmp_path, paths)
    assert len(lines) == 1
    assert f"{paths[0]}: cannot be written" in lines[0]
    assert paths[1].exists()
