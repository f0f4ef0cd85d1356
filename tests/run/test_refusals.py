"""What confined tasks were refused: found in logs or by tracing, and explained; real processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from polylane.model import Claim, Task
from polylane.run import sandbox
from polylane.run.protocol import Assignment, Report
from polylane.run.refusals import Explainer, in_log, may_be, refuses
from polylane.run.sandbox import Confinement
from polylane.run.tracing import tracer
from tests.support import FORKS, job, run

pytestmark = [
    FORKS,
    pytest.mark.skipif(bool(sandbox.why_not()), reason=sandbox.why_not() or "-"),
]

TRACED = pytest.mark.skipif(bool(tracer.available()), reason=tracer.available() or "-")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two projects in a workspace."""
    folder = tmp_path / "w"
    for name in ("api", "web", ".git"):
        (folder / name).mkdir(parents=True)
    return folder.resolve()


def confined(workspace: Path, script: str, **changes: Any) -> Assignment:
    """A command that may write to ``api`` only; its log lies outside."""
    confinement = tuple(sandbox.confine(workspace, ["api"]))
    return job(workspace.parent, script, cwd=str(workspace), confinement=confinement, **changes)


def failed(workspace: Path, script: str, **changes: Any) -> Report:
    """Run it, which fails."""
    [report] = run(confined(workspace, script, **changes))
    assert (report.kind, report.exit_code) == ("exited", 1)
    return report


class TestFound:
    """Which paths a task was refused."""

    def test_a_path_that_the_log_names(self, workspace: Path) -> None:
        """Relative to where the task ran; nothing was written, and what it may write is no news."""
        report = failed(workspace, "touch api/mine; touch web/x; touch web/y || exit 1")
        assert report.refused == (f"{workspace}/web/x", f"{workspace}/web/y")
        assert not list((workspace / "web").iterdir())
        assert (workspace / "api" / "mine").exists()

    @TRACED
    def test_a_path_that_only_a_trace_finds(self, workspace: Path) -> None:
        """A known verb's task is run once more; that run's log does not stay."""
        script = "(echo x > web/x) 2>/dev/null || { echo INTERNAL ERROR; exit 1; }"
        report = failed(workspace, script, again=True)
        assert report.refused == (f"{workspace}/web/x",)
        assert (workspace.parent / "log").read_text() == "INTERNAL ERROR\n"
        assert not (workspace.parent / "log.again").exists()

    def test_what_may_have_effects_elsewhere_is_run_once(self, workspace: Path) -> None:
        """A verb of the user's own may publish something."""
        script = "echo ran >> api/times; echo INTERNAL ERROR; exit 1"
        assert failed(workspace, script, again=False).refused == ()
        assert (workspace / "api" / "times").read_text() == "ran\n"

    def test_a_failure_without_a_sign_is_run_once(self, workspace: Path) -> None:
        """Most failures are about the code."""
        failed(workspace, "echo ran >> api/times; echo 2 errors; exit 1", again=True)
        assert (workspace / "api" / "times").read_text() == "ran\n"

    def test_a_task_that_is_free_is_not_asked(self, workspace: Path) -> None:
        """Whatever its log says."""
        said = confined(workspace, "echo ran >> api/times; echo EACCES; exit 1", again=True)
        [report] = run(said._replace(confinement=None))
        assert report.refused == ()
        assert (workspace / "api" / "times").read_text() == "ran\n"


@pytest.mark.parametrize(
    "line",
    [
        "touch: cannot touch 'web/x': Permission denied",
        'Error: EACCES: permission denied, open "{w}/web/x"',
        "error: could not lock web/x: Operation not permitted",
        "PermissionError: [Errno 13] Permission denied: '{w}/web/x'",
        "cp: cannot create regular file `web/x': Read-only file system",
    ],
)
def test_messages_name_paths_in_many_ways(workspace: Path, line: str) -> None:
    """Quoted or bare, absolute or relative."""
    said = confined(workspace, "true")
    Path(said.log).write_text(line.replace("{w}", str(workspace)) + "\nweb/other is no news\n")
    assert may_be(said.log)
    assert in_log(said) == (f"{workspace}/web/x",)


def test_the_middle_of_a_long_log_is_not_searched(workspace: Path) -> None:
    """A log may have gigabytes."""
    said = confined(workspace, "true")
    filler = b"fine\n" * 100_000
    Path(said.log).write_bytes(filler + b"permission denied: web/x\n" + filler)
    assert not may_be(said.log)
    Path(said.log).write_bytes(filler + b"permission denied: web/x\n")
    assert in_log(said) == (f"{workspace}/web/x",)
    assert not may_be("")
    assert not may_be(str(workspace / "none"))


def test_what_a_confinement_refuses() -> None:
    """Other projects, what is protected, and new names in the folders above."""
    confinement = Confinement("/no/w", ("/no/w/api",), ("/no/git",))
    for path in ("/no/w", "/no/w/web/x", "/no/w/apis", "/no/git/config", "/no/new", "/new-name"):
        assert refuses(confinement, path), path
    for path in ("/no/w/api", "/no/w/api/x", "/usr", "/usr/new"):
        assert not refuses(confinement, path), path


class TestExplained:
    """What people read."""

    def of(self, workspace: Path, *paths: str, table: str = "") -> tuple[str, ...]:
        claim = Claim(writes=("api/**",))
        task = Task("lint:api:ruff", "lint", "api", "python", "ruff", ("ruff",), "api", claim)
        explain = Explainer(workspace, {"api": "api", "web": "web"}, table).refused
        return explain(task, tuple(os.path.normpath(workspace / path) for path in paths))

    def test_whose_it_is_and_what_would_allow_it(self, workspace: Path) -> None:
        """A file that is not there yet needs its folder."""
        (workspace / "web" / "old").touch()
        assert self.of(workspace, "web/old", "web/new/x", table="tool.polylane.") == (
            "it was refused to write web/old, which is project web's",
            "it was refused to write web/new/x, which is project web's",
            (
                'to allow it: [tool.polylane.tasks."lint:api:ruff"]'
                ' writes = ["api/**", "web/old", "web/**"]'
            ),
        )

    @pytest.mark.parametrize(
        ("path", "owner"),
        [
            (".git/config", "git's"),
            ("new-at-the-top", "no project's"),
            ("../x", "git's, or lies in a folder that holds the workspace"),
        ],
    )
    def test_what_no_claim_can_allow(self, workspace: Path, path: str, owner: str) -> None:
        """Only the sandbox as a whole can be switched off."""
        first, last = self.of(workspace, path)
        assert first.endswith(f", which is {owner}")
        assert last == 'to allow it: [tasks."lint:api:ruff"] sandbox = "off"'

    def test_many_paths_are_counted(self, workspace: Path) -> None:
        """Three are named."""
        lines = self.of(workspace, *(f"web/{i}" for i in range(5)))
        assert len(lines) == 5
        assert lines[3] == "and 2 more paths"

    def test_the_line_allows_it(self, workspace: Path) -> None:
        """What is claimed so is granted."""
        [report] = run(confined(workspace, "touch web/x"))
        said = Explainer(workspace, {}, "").refused(
            Task("a:b:c", "a", "b", "", "c", (), ".", Claim(writes=("api/**",))), report.refused
        )[-1]
        assert said.endswith('writes = ["api/**", "web/**"]')
        confinement = tuple(sandbox.confine(workspace, ["api", "web"]))
        [report] = run(confined(workspace, "touch web/x")._replace(confinement=confinement))
        assert report.exit_code == 0


class TestUnclaimed:
    """What is said of a write set that is not claimed."""

    def of(self, workspace: Path, *paths: str) -> tuple[str, ...]:
        task = Task("lint:api:ruff", "lint", "api", "", "ruff", ("ruff",), "api", Claim())
        return Explainer(workspace, {"api": "api", "web": "web"}, "").unclaimed(task, paths)

    def test_what_lies_in_a_named_folder_is_counted(self, workspace: Path) -> None:
        """A name that only begins as the folder's does not lie in it."""
        assert self.of(workspace, "web/a-b", "web/a/x", "web/a", "web/a/x/y") == (
            "it wrote web/a and 2 more in it, which is project web's: not claimed, so not kept",
            "it wrote web/a-b, which is project web's: not claimed, so not kept",
            'to allow it: [tasks."lint:api:ruff"] writes = ["web/a", "web/a-b"]',
        )

    def test_of_many_the_folders_are_to_be_claimed(self, workspace: Path) -> None:
        """Three paths are named; ten thousand take no time."""
        paths = [f"web/{folder}/{name}" for folder in range(10) for name in range(1000)]
        *lines, more, allow = self.of(workspace, *paths, "api/x")
        assert len(lines) == 3
        assert more == "and 9998 more paths"
        assert allow == 'to allow it: [tasks."lint:api:ruff"] writes = ["api", "web"]'
