"""The page of a run, as text; `test_browser` opens it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polylane.report.formats import html
from tests.report.formats.made import failed, finished, task


def test_nothing_becomes_markup(tmp_path: Path) -> None:
    """Neither a log, nor a name, a command, a reason or what a sandbox refused."""
    evil = "</script><script>alert(1)</script>"
    said = {"argv": [evil], "reason": evil, "refused": [evil], "leftover_processes": [evil]}
    run = finished(
        tmp_path,
        failed(f"a:{evil}:c", log="log", **said),
        protection={"why_not": evil},
        selection=[evil],
    )
    (tmp_path / "log").write_text(f"\x1b[31m{evil}")
    page = html.render(run).decode()
    assert "<script>alert" not in page
    assert page.count("alert(1)") > 8
    assert len(re.findall("<script", page)) == 2


def test_it_loads_nothing(tmp_path: Path) -> None:
    """No address of any kind stands in it, and a policy forbids to follow one."""
    page = html.render(finished(tmp_path, task("a:b:c"))).decode()
    assert not re.search(r"(?:https?:)?//[a-z]", page)
    assert "default-src 'none'" in page


def test_a_run_without_tasks_has_a_page(tmp_path: Path) -> None:
    """There is nothing to draw."""
    page = html.render(finished(tmp_path)).decode()
    assert "nothing to do" in page
    assert 'id="timeline"' not in page


def test_keys_that_older_results_lack_are_nothing(tmp_path: Path) -> None:
    """``refused`` and ``memory`` came later."""
    old = task("a:b:c")
    del old["refused"], old["waited_for"]
    assert b"a:b:c" in html.render(finished(tmp_path, old))


def test_a_log_that_was_removed_is_empty(tmp_path: Path) -> None:
    """So is one of a name that leads out of the run's folder."""
    tasks = task("a:b:c"), task("a:b:d", log="../secret")
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").write_text("s3cret")
    page = html.render(finished(tmp_path / "run", *tasks)).decode()
    assert "It printed nothing." in page
    assert "s3cret" not in page


@pytest.mark.parametrize("line", [b"x" * 99 + b"\n", b"<" * 99 + b"\n", b"\x1b[31mx\x1b[32my"])
def test_a_page_of_a_thousand_long_logs_is_small(tmp_path: Path, line: bytes) -> None:
    """Under 5 MB, whatever they hold; failures keep more than the rest."""
    tasks = [task(f"a:p{number}:x", number, log="log") for number in range(990)]
    bad = [failed(f"b:p{number}:x", start=number, log="log") for number in range(10)]
    (tmp_path / "log").write_bytes(line * 20_000)
    page = html.render(finished(tmp_path, *tasks, *bad))
    assert len(page) < 5_000_000
    assert page.count(b"left out") > 1000


def test_what_lasted_a_moment_is_not_drawn(tmp_path: Path) -> None:
    """Between two tasks a lane is free for a moment: a chart full of that says nothing."""
    tasks = [task(f"a:p{number}:x", number * 1.0001, 1) for number in range(100)]
    page = html.render(finished(tmp_path, *tasks)).decode()
    paths = re.findall(r'<path d="(.*?)"', page)
    assert len(paths) == 3
    assert all(len(path) < 4000 for path in paths)
    assert paths[0].count("V100.0") <= 1
