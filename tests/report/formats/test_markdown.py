"""Markdown, as it stands in a pull request."""

from __future__ import annotations

from pathlib import Path

from polylane.report.formats import markdown
from tests.report.formats.made import failed, finished, task


def test_the_verdict_stands_first(tmp_path: Path) -> None:
    """Then the figures."""
    text = markdown.render(finished(tmp_path, task("a:b:c"), failed("a:b:d"))).decode()
    lines = text.splitlines()
    assert lines[0] == "## ❌ qa: 1 passed, 1 failed"
    assert "wall **1.00 s** · work 2.00 s" in lines[2]
    assert "saved 1.00 s (50 %, estimated)" in lines[2]


def test_a_failure_shows_the_end_of_its_log_and_no_log_ends_its_block(tmp_path: Path) -> None:
    """The fence is longer than any in the log."""
    run = finished(tmp_path, failed("a:b:c"), logs={"a:b:c": b"\x1b[1mwhy\n````\n</details>\n"})
    text = markdown.render(run).decode()
    assert "\n`````text\nwhy\n````\n</details>\n`````\n" in text


def test_names_mean_nothing_to_markdown(tmp_path: Path) -> None:
    """A folder may be called anything: a cell, a tag, a link, two lines."""
    name = "a:|<b>[x](y)`\n*:c"
    text = markdown.render(finished(tmp_path, failed(name))).decode()
    row = text.splitlines()[-1]
    assert row.count("|") == 8
    assert not set("<[`*") & set(row)
    assert "&#60;b&#62;" in row
    assert "\\n" in text.replace("&#92;", "\\")


def test_of_many_tasks_the_slowest_and_those_that_did_not_pass_are_listed(tmp_path: Path) -> None:
    """And how many more there are; GitHub takes 1 MiB."""
    tasks = [task(f"a:p{number}:x", 0, number / 1000) for number in range(1000)]
    bad = [failed(f"t:p{number}:x", log="log") for number in range(1000)]
    (tmp_path / "log").write_bytes(b"`x" * 100_000)
    few = markdown.render(finished(tmp_path, *tasks, bad[0])).decode()
    assert "981 more are in" in few
    assert "a:p999:x".replace(":", "&#58;") in few
    assert len(markdown.render(finished(tmp_path, *tasks, *bad))) < 2**20
