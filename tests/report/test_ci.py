"""What hosts of continuous integration are told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from polylane.describe.config import CIHost, ci_host
from polylane.model import Claim, Task
from polylane.outcome import Outcome, TaskResult
from polylane.report.ci import CODE_QUALITY, Groups, code_quality, commands
from polylane.report.plain import Screen
from polylane.report.problems import Problem
from tests.integrations.repository import Repository

GITHUB, GITLAB = CIHost("github"), CIHost("gitlab")


def task(name: str) -> Task:
    return Task(name, "all", "root", "", "t", ("true",), ".", Claim())


def result(name: str, outcome: Outcome = Outcome.PASSED) -> TaskResult:
    return TaskResult(name, outcome, exit_code=0, started_s=0.0, wall_s=1.5, log=f"{name}.log")


def shown(
    folder: Path, capfd: pytest.CaptureFixture[str], host: CIHost, outcome: Outcome, log: str
) -> str:
    (folder / "a.log").write_text(log, encoding="utf-8")
    Groups(Screen(colour=False), folder, host).finished(task("a"), result("a", outcome))
    return re.sub(r":\d+:polylane_\d+_", ":0:polylane_", capfd.readouterr().out)


class TestHosts:
    """Who started us, by the environment."""

    def test_they_are_told_by_their_own_variables(self) -> None:
        """With the folder that they checked out, and where a summary goes."""
        github = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/w", "GITHUB_STEP_SUMMARY": "/s"}
        assert ci_host(github) == CIHost("github", "/w", "/s")
        assert ci_host({"GITLAB_CI": "true", "CI_PROJECT_DIR": "/w"}) == CIHost("gitlab", "/w")
        assert ci_host({"CI": "true"}) == CIHost("")


class TestGroups:
    """Output that can be folded."""

    def test_github_folds_what_passed(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """One group a task."""
        text = shown(tmp_path, capfd, GITHUB, Outcome.PASSED, "out\n")
        assert text == "::group::== a passed (1.50 s)\nout\n::endgroup::\n"

    def test_github_shows_what_failed(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Groups are always closed there, so it has none."""
        text = shown(tmp_path, capfd, GITHUB, Outcome.FAILED, "out\n")
        assert text == "== a failed with exit code 0 (1.50 s)\nout\n"

    def test_gitlab_folds_all_and_opens_what_failed(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """By the option ``collapsed``."""
        passed = shown(tmp_path, capfd, GITLAB, Outcome.PASSED, "out\n")
        assert passed == (
            "\x1b[0Ksection_start:0:polylane_1[collapsed=true]\r\x1b[0K== a passed (1.50 s)\n"
            "out\n\x1b[0Ksection_end:0:polylane_1\r\x1b[0K\n"
        )
        failed = shown(tmp_path, capfd, GITLAB, Outcome.FAILED, "out\n")
        assert "section_start:0:polylane_1\r" in failed

    def test_a_task_that_said_nothing_has_no_group(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Only its line."""
        assert shown(tmp_path, capfd, GITHUB, Outcome.PASSED, "") == "== a passed (1.50 s)\n"


class TestTexts:
    """Marks at lines."""

    def test_commands_are_escaped(self) -> None:
        """As GitHub's toolkit does it: more in properties than in the text."""
        told = {
            "lint:a:b": [Problem("x,y.py", 3, 7, "50% of: a, b", "E1"), Problem("z", 1, None, "w")]
        }
        assert list(commands(told)) == [
            "::error file=x%2Cy.py,line=3,title=lint%3Aa%3Ab E1,col=7::50%25 of: a, b",
            "::error file=z,line=1,title=lint%3Aa%3Ab::w",
        ]

    def test_a_warning_is_one(self) -> None:
        """By the command's name."""
        (line,) = commands({"a": [Problem("z", 1, None, "w", warning=True)]})
        assert line.startswith("::warning file=z")

    def test_code_quality(self) -> None:
        """The keys that GitLab asks for; each entry has a fingerprint of its own."""
        told = {"a": [Problem("z.py", 1, 2, "w", "E1"), Problem("z.py", 3, 2, "w", warning=True)]}
        first, second = json.loads(code_quality(told))
        assert first.pop("fingerprint") != second.pop("fingerprint")
        assert first == {
            "description": "w",
            "check_name": "E1",
            "severity": "major",
            "location": {"path": "z.py", "lines": {"begin": 1}},
        }
        assert (second["check_name"], second["severity"]) == ("a", "minor")


class TestRuns:
    """Real runs under a host."""

    def repository(self, folder: Path) -> Repository:
        made = Repository(folder / "checkout" / "below")
        made.write({"sub/a.py": "1\n", "../outside.py": "1\n"})
        lines = r"a.py:1: error: no  [misc]\n../../outside.py:1: error: x\ngone.py:1: error: y\n"
        fails = {"command": f"printf '{lines}'; exit 1", "shell": True, "cwd": "sub"}
        return made.tasks(bad=fails, good="echo fine")

    def test_github(self, tmp_path: Path) -> None:
        """Annotations by paths of the checkout, for files that are there; a summary in Markdown."""
        page = tmp_path / "summary.md"
        done = self.repository(tmp_path).inv(
            "all",
            GITHUB_ACTIONS="true",
            GITHUB_WORKSPACE=str(tmp_path / "checkout"),
            GITHUB_STEP_SUMMARY=str(page),
        )
        assert done.code == 1
        marks = [line for line in done.out.splitlines() if line.startswith("::error")]
        assert marks == [
            "::error file=below/sub/a.py,line=1,title=all%3Aroot%3Abad misc::no",
            "::error file=outside.py,line=1,title=all%3Aroot%3Abad::x",
        ]
        assert "::group::== all:root:good passed" in done.out
        text = page.read_text(encoding="utf-8")
        assert "`below/sub/a.py:1`" in text
        assert "| all:root:bad | failed with exit code 1" in text
        assert "sequential: 1 passed, 1 failed" in text

    def test_gitlab(self, tmp_path: Path) -> None:
        """A report for its Code Quality, and the lines for people."""
        repository = self.repository(tmp_path)
        folder = str(repository.folder)
        done = repository.inv("all", GITLAB_CI="true", CI_PROJECT_DIR=folder)
        assert "sub/a.py:1: no (all:root:bad misc)" in done.out
        report = repository.folder / ".polylane" / CODE_QUALITY
        (entry,) = json.loads(report.read_text(encoding="utf-8"))
        assert entry["location"] == {"path": "sub/a.py", "lines": {"begin": 1}}

    def test_a_run_inside_a_task_leaves_it_to_the_run_around_it(self, tmp_path: Path) -> None:
        """Groups cannot be nested, and nothing shall be marked twice."""
        repository = self.repository(tmp_path)
        done = repository.inv("all", GITHUB_ACTIONS="true", POLYLANE_RUN="/some/run")
        assert "::" not in done.out

    def test_without_a_host_nothing_is_told(self, tmp_path: Path) -> None:
        """Output as ever."""
        assert "::" not in self.repository(tmp_path).inv("all", GITHUB_ACTIONS="").out
