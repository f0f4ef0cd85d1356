"""``--report``, ``lanes.report`` and ``lanes.stats`` as people type them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from polylane.integrations.offers import Offer
from polylane.integrations.posargs import split
from tests.integrations.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two tasks, of which one fails."""
    return Repository(tmp_path).tasks(good=["true"], bad=["sh", "-c", "echo why; exit 3"])


def test_a_run_writes_its_reports_and_keeps_its_exit_code(repository: Repository) -> None:
    """Several, relative to where it was typed; the JSON one is ``result.json``."""
    done = repository.inv(
        *("all-parallel", "--report", "out/r.json", "--report", "out/r.xml", "--report", "r.html")
    )
    assert done.code == 1
    written = json.loads((repository.folder / "out" / "r.json").read_bytes())
    assert written == repository.result()
    root = ET.parse(repository.folder / "out" / "r.xml").getroot()
    assert root.findtext(".//failure") == "why\n"
    assert b"why" in (repository.folder / "r.html").read_bytes()


def test_a_wrong_path_ends_the_run_before_it_starts(repository: Repository) -> None:
    """In one line, with exit code 2."""
    done = repository.inv("all", "--report", "r.htm")
    assert done.code == 2
    assert done.all.count("\n") == 1
    assert "did you mean '.html'" in done.all
    assert not (repository.folder / ".polylane" / "last").exists()


def test_a_report_is_written_later(repository: Repository) -> None:
    """Of the newest run, or of the one that is named."""
    repository.inv("all")
    first = repository.result()["run"]
    repository.inv("all")
    for words, run in (((), repository.result()["run"]), (("--run", first), first)):
        done = repository.inv("lanes.report", *words, "--report", "r.json")
        assert done.code == 0, done.all
        assert json.loads((repository.folder / "r.json").read_bytes())["run"] == run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--run", "2026", "--report", "r.md"), "--run 2026: there is no such run; the newest: {}"),
        ((), "give --report PATH; its ending says the format"),
        (("--report", "r.txt"), "--report r.txt: its ending says no format"),
    ],
)
def test_what_cannot_be_reported_is_one_line(
    repository: Repository, words: tuple[str, ...], said: str
) -> None:
    """With exit code 2; an unknown run names the newest ones."""
    repository.inv("all")
    done = repository.inv("lanes.report", *words)
    assert done.code == 2
    assert done.all.count("\n") == 1
    assert said.format(repository.result()["run"]) in done.all


def test_without_a_run_there_is_no_report(repository: Repository) -> None:
    """It says so."""
    done = repository.inv("lanes.report", "--report", "r.md")
    assert (done.code, done.err) == (2, "no run has ended yet\n")


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2}'])
def test_a_result_that_is_none_is_one_line(repository: Repository, text: str) -> None:
    """A damaged file, or one of a newer version."""
    repository.inv("all")
    (repository.folder / ".polylane" / "last" / "result.json").write_text(text)
    done = repository.inv("lanes.report", "--report", "r.md")
    assert done.code == 2
    assert "result.json: is " in done.err
    assert done.err.count("\n") == 1


def test_what_runs_took_is_shown(repository: Repository) -> None:
    """In both modes, for the selection and each task; as a page too."""
    assert "nothing is known yet" in repository.inv("lanes.stats").out
    repository.inv("all")
    repository.inv("all-parallel")
    done = repository.inv("lanes.stats", "--html", "stats.html")
    assert done.code == 0, done.all
    lines = [line.split() for line in done.out.splitlines()]
    place = next(i for i, line in enumerate(lines) if line[:1] == ["all:root:bad"])
    assert lines[place][1:] == ["parallel", "1", "–", "–", "0", "%"]  # noqa: RUF001
    assert lines[place + 1] == ["sequence", "1", "–", "–", "0", "%"]  # noqa: RUF001
    assert {"all", "all:root:good"} <= {line[0] for line in lines if line}
    assert "<polyline" in (repository.folder / "stats.html").read_text(encoding="utf-8")


def test_a_history_that_cannot_be_read_is_one_line(repository: Repository) -> None:
    """With exit code 2."""
    repository.inv("all")
    (repository.folder / ".polylane" / "history.sqlite3").write_bytes(b"no database" * 100)
    done = repository.inv("lanes.stats")
    assert done.code == 2
    assert "history.sqlite3: cannot be read" in done.err


def test_a_session_of_nox_takes_the_flag(tmp_path: Path) -> None:
    """Several times, as Invoke does."""
    said = split(["--report", f"{tmp_path}/a.md", f"--report={tmp_path}/b.xml"], Offer("x", "", ()))
    assert said.request()["reports"] == (tmp_path / "a.md", tmp_path / "b.xml")
