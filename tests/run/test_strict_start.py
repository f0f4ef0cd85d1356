"""Strict tasks start, run and end as others do: commands and Python bodies."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from polylane.run import sandbox
from polylane.run.protocol import Report
from tests.run.strict_workspace import Workspace, views, workspace
from tests.support import FORKS, forbid, in_fork, job, lanes, python, reports, run

pytestmark = [FORKS, pytest.mark.usefixtures("views")]

__all__ = ["views", "workspace"]


def _without_libc(said: str) -> str:
    """Without 32 and 33, which the C library has a program ignore that it starts, and a mark."""

    def cleared(line: re.Match[str]) -> str:
        return f"SigIgn:\t{int(line[1], 16) & ~(0b11 << 31):016x}"

    return re.sub(r"SigIgn:\t([0-9a-f]+)", cleared, said.replace("-outside", ""))


class TestAsOutside:
    """A task starts and ends as it does without a view."""

    def both(self, workspace: Workspace, *argv: str, **changes: Any) -> list[tuple[Report, str]]:
        """Run it outside and in a view, in one lane; their reports and logs."""
        inside = workspace.job(*argv, **changes)
        outside = inside._replace(view=None, log=f"{inside.log}-outside")
        ended = run(outside, inside)
        logs = [Path(each.log) for each in (outside, inside)]
        said = [path.read_text() if path.exists() else "" for path in logs]
        return list(zip(ended, said, strict=True))

    def test_what_it_inherits(self, workspace: Workspace) -> None:
        """Signals, rights, descriptors, limits, environment, folder and streams."""
        script = (
            "grep -E '^(Sig[BIC]|Cap|NoNew|Seccomp|Groups|Uid|Gid)' /proc/self/status;"
            "ls /proc/self/fd; ulimit -a; umask; env | sort; pwd; readlink /proc/self/cwd;"
            "cat /proc/self/oom_score_adj; nice; readlink /proc/self/fd/0; cat"
        )

        def look() -> bool:
            os.dup2(os.open("/dev/null", os.O_RDONLY), 200)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.signal(signal.SIGUSR2, lambda *_: None)
            (_, outside), (_, inside) = self.both(workspace, "/bin/sh", "-c", script)
            assert _without_libc(inside) == _without_libc(outside)
            return "SigIgn" in inside

        assert in_fork(look)

    def test_it_leads_a_session_and_a_group(self, workspace: Workspace) -> None:
        """In pids of its own."""
        (_, outside), (_, inside) = self.both(workspace, "cut -d' ' -f 5-6 /proc/$$/stat; echo $$")
        assert len(set(outside.split())) == 1
        assert inside.split() == ["2", "2", "2"]

    @pytest.mark.parametrize(
        "argv",
        [
            ("no-such-program",),
            ("./no-such-file",),
            ("/etc",),
            ("./not-executable",),
            ("./no-interpreter",),
            ("./no-format",),
        ],
        ids=lambda argv: argv[0],
    )
    def test_what_cannot_be_started(self, workspace: Workspace, argv: tuple[str, ...]) -> None:
        """Is reported in the same words, with the exit code of a shell."""
        workspace.write(**{"not-executable": "", "no-interpreter": "#!/no/such", "no-format": "x"})
        for name in ("no-interpreter", "no-format"):
            (workspace.folder / name).chmod(0o755)
        (outside, _), (inside, _) = self.both(workspace, *argv, shell=False)
        assert outside.kind == "not-started"
        assert inside[:4] == outside[:4]

    def test_a_folder_that_is_not_there(self, workspace: Workspace) -> None:
        """To run in."""
        (outside, _), (inside, _) = self.both(workspace, "true", cwd=str(workspace.folder / "no"))
        assert outside.kind == "not-started"
        assert inside[:4] == outside[:4]

    @pytest.mark.parametrize("script", ["exit 0", "exit 255", "kill -SEGV $$", "kill -KILL $$"])
    def test_how_it_ends(self, workspace: Workspace, script: str) -> None:
        """Its exit code, or its signal."""
        (outside, _), (inside, _) = self.both(workspace, script)
        assert inside[:4] == outside[:4]

    def test_words_with_a_null_are_refused(self, workspace: Workspace) -> None:
        """Not a traceback."""
        (outside, _), (inside, log) = self.both(workspace, "a\0b", shell=False)
        assert inside[:3] == outside[:3]
        assert "null" in inside.reason
        assert log == ""

    def test_what_it_uses(self, workspace: Workspace) -> None:
        """Memory and time of its tree, with little for the view itself."""
        program = (
            "import time\nx = b'x' * (200 << 20)\nend = time.process_time() + 0.5\n"
            "while time.process_time() < end: pass\nprint(time.process_time())"
        )
        (outside, _), (inside, own) = self.both(workspace, *python(program))
        assert inside.max_rss_bytes is not None
        assert outside.max_rss_bytes is not None
        assert abs(inside.max_rss_bytes - outside.max_rss_bytes) < 20e6
        # By its own clock: twice the same work takes twice as long on a busy machine.
        assert -0.1 < inside.cpu_s - float(own) < 0.3

    def test_our_own_processes_are_not_its_memory(self, workspace: Workspace) -> None:
        """The two that keep the view, and the one that becomes the command."""
        ended = run(*(workspace.job("sleep", "0.05", shell=False) for _ in range(5)))
        assert all((report.max_rss_bytes or 0) < 10e6 for report in ended)

    def test_what_was_refused_is_named(self, workspace: Workspace) -> None:
        """What its confinement protects outside of the workspace, by its log."""
        if why := sandbox.why_not():
            pytest.skip(why)
        git = workspace.folder.parent / "git"
        git.mkdir()
        confinement = sandbox.confine(workspace.folder, (".",), protected=(str(git),))
        script = f"echo x > mine && echo x > {git}/config"
        changes: dict[str, Any] = {"confinement": tuple(confinement), "again": True}
        report = workspace.run(script, writes=("mine",), **changes)
        assert report.refused == (f"{git}/config",)
        assert (list(git.iterdir()), workspace.tree()) == ([], {"mine": "x\n"})

    def test_what_failed_is_not_run_again(self, workspace: Workspace) -> None:
        """Where its log has a sign of a refusal: a second run would be in no view."""
        if why := sandbox.why_not():
            pytest.skip(why)
        confinement = sandbox.confine(workspace.folder, (".",), protected=("/no/git",))
        changes: dict[str, Any] = {"confinement": tuple(confinement), "again": True}
        script = "echo ran >> times; echo INTERNAL ERROR; exit 1"
        report = workspace.run(script, writes=("times",), **changes)
        assert (report.exit_code, report.refused) == (1, ())
        assert workspace.tree() == {"times": "ran\n"}


def _fails(_: tuple[str, ...]) -> NoReturn:
    Path("kept").touch()
    raise RuntimeError("broken")


def _exits(_: tuple[str, ...]) -> NoReturn:
    sys.exit("a reason")


def _makes_temporary(_: tuple[str, ...]) -> int:
    with tempfile.NamedTemporaryFile() as file:
        print(Path(file.name).parent)
    return 0


def _writes(words: tuple[str, ...]) -> int:
    Path(words[0]).touch()
    return 3


def _is_busy(_: tuple[str, ...]) -> int:
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    return 0


class TestBodies:
    """Python bodies have views too."""

    def body(self, workspace: Workspace, body: Callable[..., int], **changes: Any) -> Report:
        assignment = workspace.job(writes=("kept",), shell=False, **changes)
        [report] = run(assignment, bodies={assignment.id: body})
        return report

    def test_its_writes_and_its_exit_code(self, workspace: Workspace) -> None:
        """As a command's."""
        report = self.body(workspace, _writes, words=("kept",))
        assert (report.exit_code, report.unclaimed) == (3, ())
        report = self.body(workspace, _writes, words=("other",))
        assert (report.exit_code, report.unclaimed) == (3, ("other",))
        assert workspace.tree() == {"kept": ""}

    def test_its_memory_is_its_own(self, workspace: Workspace) -> None:
        """Without the two processes that keep the view, which are as large."""
        inside = workspace.job()
        outside = inside._replace(view=None, log=f"{inside.log}-outside")
        peaks = [
            each.max_rss_bytes or 0 for each in run(outside, inside, bodies={inside.id: _is_busy})
        ]
        assert abs(peaks[1] - peaks[0]) < 20e6

    def test_its_exception_is_its_failure(self, workspace: Workspace) -> None:
        """The traceback is in its log; what it claims is kept."""
        report = self.body(workspace, _fails)
        assert (report.kind, report.exit_code) == ("exited", 1)
        assert "RuntimeError: broken" in workspace.log()
        assert workspace.tree() == {"kept": ""}

    def test_its_exit_may_have_a_reason(self, workspace: Workspace) -> None:
        """As a program's."""
        assert self.body(workspace, _exits).exit_code == 1
        assert workspace.log() == "a reason\n"

    def test_its_temporary_files_are_private(self, workspace: Workspace) -> None:
        """Also where this process has asked before where they lie."""
        tempfile.gettempdir()
        folder = workspace.folder.parent
        assert self.body(workspace, _makes_temporary, env=(("TMPDIR", str(folder)),)).exit_code == 0
        assert workspace.log() == f"{folder}\n"


class TestRefused:
    """Where there can be no view."""

    def test_a_view_that_is_refused_is_said(self, workspace: Workspace) -> None:
        """It is not started; the lane goes on, and nothing is left."""

        def look() -> Any:
            forbid("unshare")
            with lanes() as pool:
                pool.assign(0, workspace.job("true"))
                report = reports(pool)[0]
                pool.assign(1, job(workspace.folder.parent, "exit 5"))
                return report.kind, report.exit_code, report.reason, reports(pool)[1].exit_code

        kind, code, reason, other = in_fork(look)
        assert (kind, code, other) == ("not-started", 126, 5)
        assert "cannot start true: no private view: " in reason
        assert workspace.left() == []

    def test_scratch_folders_that_cannot_be_made(self, workspace: Workspace) -> None:
        """In words, and the lane goes on."""
        (workspace.folder.parent / "beside" / "temporary1").mkdir()
        report = workspace.run("true")
        assert (report.kind, report.reason) == ("not-started", "cannot start true: File exists")
        assert workspace.run("exit 6").exit_code == 6
