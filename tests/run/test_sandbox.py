"""From plain data to a confined start: what is outside, what is kept, and who stays free."""

from __future__ import annotations

import errno
import marshal
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from polylane.run import sandbox
from polylane.run.landlock import Ruleset, abi
from polylane.run.sandbox import Confinement, Sandbox, confine, why_not
from polylane.run.surroundings import outside
from tests.support import FORKS, LIMIT_S, descriptors, in_fork, is_alive, wait_for

pytestmark = FORKS
CONFINES = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """A workspace with two projects."""
    for name in ("own", "other"):
        (tmp_path / "ws" / name).mkdir(parents=True)
    return tmp_path / "ws"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A sandbox that leaves nothing open."""
    made = Sandbox()
    yield made
    made.close()


def shell(script: str, folder: Path, **how: Any) -> Callable[[], subprocess.Popen[bytes]]:
    """What starts a script in a folder."""
    return lambda: subprocess.Popen(["/bin/sh", "-c", script], cwd=folder, **how)


def code(box: Sandbox, confinement: Confinement, script: str, folder: Path) -> int:
    """The exit code of a confined script."""
    with (folder / "said").open("wb") as said:
        return box.start(confinement, shell(script, folder, stderr=said)).wait(timeout=60)


def _never_changes(_: object) -> list[int]:
    """For times of folders above a test's, in which others make what they like."""
    return []


def _refused(path: Path) -> bool:
    try:
        path.touch()
    except PermissionError:
        return True
    return False


def threads() -> set[str]:
    """Those of this process by the kernel's word; one that was ended may still be among them."""
    return {each.name for each in Path("/proc/self/task").iterdir()}


def rulesets() -> int:
    """How many this process has open."""
    links = [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sum("[landlock-ruleset]" in str(each.readlink()) for each in links)


class TestConfine:
    """Plain data from paths as people write them."""

    def test_it_passes_through_marshal(self, ws: Path) -> None:
        """As a tuple, which is how an assignment travels."""
        made = confine(ws, ["own"], protected=[str(ws)])
        assert Confinement(*marshal.loads(marshal.dumps(tuple(made)))) == made

    def test_paths_are_real_and_absolute(self, ws: Path) -> None:
        """A workspace that is reached by a link is the one that it leads to."""
        (ws.parent / "link").symlink_to(ws)
        made = confine(ws.parent / "link", ["own/", "own", "."], protected=[f"{ws}/../ws/.git"])
        assert made == Confinement(str(ws), (str(ws / "own"), str(ws)), (str(ws / ".git"),))

    def test_a_temporary_folder_is_granted(self, ws: Path) -> None:
        """Also in the workspace; not where the workspace lies in it."""
        inside = confine(ws, [], temporary=str(ws / "tmp"))
        assert inside.writable == (str(ws / "tmp"),)
        assert confine(ws, [], temporary=str(ws.parent)).writable == ()


@CONFINES
class TestStart:
    """Starts that are confined."""

    def test_only_its_own_paths_and_the_outside_can_be_written(
        self, ws: Path, box: Sandbox
    ) -> None:
        """And nothing beside them in the workspace."""
        (ws.parent / "outside").mkdir()
        own = confine(ws, ["own"])
        assert code(box, own, "touch x && touch ../../outside/x", ws / "own") == 0
        assert code(box, own, "touch ../other/x", ws / "own") != 0
        assert code(box, own, "touch ../x", ws / "own") != 0
        assert code(box, own, "touch ../../x", ws / "own") != 0

    def test_the_whole_workspace_can_be_granted(self, ws: Path, box: Sandbox) -> None:
        """For a project at its root."""
        assert code(box, confine(ws, ["."]), "touch x other/x", ws) == 0

    def test_a_protected_path_outside_is_refused(self, ws: Path, box: Sandbox) -> None:
        """What lies beside it is not."""
        git = ws.parent / "main" / ".git"
        git.mkdir(parents=True)
        (ws.parent / "main" / "src").mkdir()
        own = confine(ws, ["own"], protected=[str(git)])
        assert code(box, own, "touch ../../main/src/x", ws / "own") == 0
        assert code(box, own, "touch ../../main/.git/x", ws / "own") != 0

    def test_a_link_in_the_place_of_a_path_gives_nothing(self, ws: Path, box: Sandbox) -> None:
        """Neither the last name nor one before it."""
        (ws / "own" / "dist").symlink_to(ws / "other")
        (ws / "other" / "deep").mkdir()
        for path in ("own/dist", "own/dist/deep"):
            assert code(box, confine(ws, [path]), f"touch '{ws}/other/deep/x'", ws / "own") != 0

    def test_the_log_can_be_opened_again(self, ws: Path, box: Sandbox) -> None:
        """Programs write to /dev/stdout by its name."""
        logs = ws / ".polylane" / "runs" / "1"
        logs.mkdir(parents=True)
        own = confine(ws, ["own", ".polylane"])
        with (logs / "log").open("ab") as log:
            script = "echo one > /dev/stdout && echo two | tee -a /dev/stderr"
            started = box.start(own, shell(script, ws / "own", stdout=log, stderr=log))
            assert started.wait(timeout=60) == 0
        assert (logs / "log").read_bytes().split() == [b"one", b"two", b"two"]

    def test_we_stay_free(self, ws: Path, box: Sandbox) -> None:
        """And may gain privileges; the child may not."""
        own = confine(ws, ["own"])
        assert code(box, own, "grep -q 'NoNewPrivs:.1' /proc/self/status", ws / "own") == 0
        (ws / "other" / "x").touch()
        assert "NoNewPrivs:\t0" in Path("/proc/self/status").read_text()
        assert subprocess.run(["touch", str(ws / "other" / "y")], check=False).returncode == 0

    def test_the_process_is_our_child(self, ws: Path, box: Sandbox) -> None:
        """It can be awaited by its pid, and signalled, though it may not signal us."""
        process = box.start(confine(ws, []), shell("kill -0 $PPID || exec sleep 300", ws))
        process.send_signal(signal.SIGTERM)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = 0
        assert os.waitstatus_to_exitcode(status) == (-signal.SIGTERM if abi() >= 6 else 0)

    def test_a_program_that_cannot_start_says_why(self, ws: Path, box: Sandbox) -> None:
        """The error is that of `Popen`, and the next start is as any."""
        with pytest.raises(FileNotFoundError) as caught:
            box.start(confine(ws, []), lambda: subprocess.Popen(["/no/such/program"]))
        assert caught.value.filename == "/no/such/program"
        assert code(box, confine(ws, ["own"]), "true", ws / "own") == 0

    def test_it_outlives_the_thread_that_a_child_listens_to(self, ws: Path, box: Sandbox) -> None:
        """A child that asks for KILL at the end of its parent lives through other starts."""
        program = (
            "import ctypes, os, signal; ctypes.CDLL(None).prctl(1, 9); os.write(1, b'!');"
            " signal.pause()"
        )
        asks = [sys.executable, "-I", "-S", "-c", program]
        process = box.start(confine(ws, []), lambda: subprocess.Popen(asks, stdout=subprocess.PIPE))
        try:
            assert process.stdout is not None
            assert process.stdout.read(1) == b"!"
            assert code(box, confine(ws, ["own"]), "true", ws / "own") == 0
            assert is_alive(process.pid)
        finally:
            process.kill()
            process.communicate()

    def test_an_interrupt_comes_through(self, ws: Path, box: Sandbox) -> None:
        """A handler that raises while a start is under way: the start is over by then."""
        main = threading.get_ident()
        interrupted, came_through = threading.Event(), threading.Event()
        early, started = [], []

        def popen() -> subprocess.Popen[bytes]:
            signal.pthread_kill(main, signal.SIGUSR1)
            assert interrupted.wait(LIMIT_S)
            early.append(came_through.wait(0.1))
            started.append(shell("true", ws)())
            return started[0]

        def handler(*_: object) -> None:
            interrupted.set()
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGUSR1, handler)
        try:
            with pytest.raises(KeyboardInterrupt):
                box.start(confine(ws, []), popen)
            came_through.set()
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert early == [False]
        assert started[0].wait(timeout=LIMIT_S) == 0

    def test_no_thread_is_an_error_as_of_fork(
        self, ws: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lane reports it as a task that could not be started."""

        def refuse(*_: object) -> int:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr("_thread.start_new_thread", refuse)
        with pytest.raises(OSError, match="can't start new thread") as caught:
            box.start(confine(ws, []), shell("true", ws))
        assert caught.value.errno == errno.EAGAIN


@CONFINES
class TestSelf:
    """A Python body confines its own process."""

    def test_it_is_bound_for_good_and_holds_nothing(self, ws: Path, box: Sandbox) -> None:
        """What the lane had open for others is closed in it."""
        code(box, confine(ws, ["other"]), "true", ws / "other")
        box.rest()

        def body() -> tuple[bool, bool, int]:
            box.confine_self(confine(ws, ["own"]))
            (ws / "own" / "x").touch()
            return _refused(ws / "other" / "x"), (ws / "own" / "x").exists(), rulesets()

        assert in_fork(body) == (True, True, 0)
        assert code(box, confine(ws, ["other"]), "touch x", ws / "other") == 0

    def test_what_it_needs_can_be_built_before_the_fork(
        self, ws: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Then the child builds nothing."""
        monkeypatch.setattr(sandbox._Outside, "_now", _never_changes)
        own = confine(ws, ["own"])
        box.ready(own)

        def body() -> bool:
            monkeypatch.setattr(sandbox, "Ruleset", None)
            box.confine_self(own)
            return _refused(ws / "other" / "x")

        assert in_fork(body) is True


@CONFINES
class TestReuse:
    """What is kept between starts."""

    def test_a_ruleset_is_built_once(
        self, ws: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For each confinement, while nothing changes."""
        built = []

        class Counted(Ruleset):
            def __init__(self, *paths: Any, **how: Any) -> None:
                built.append(paths)
                super().__init__(*paths, **how)

        monkeypatch.setattr(sandbox, "Ruleset", Counted)
        monkeypatch.setattr(sandbox._Outside, "_now", _never_changes)
        for _ in range(3):
            for name in ("own", "other"):
                assert code(box, confine(ws, [name]), "touch x", ws / name) == 0
        assert len(built) == 2

    def test_a_folder_that_was_made_anew_is_granted(self, ws: Path, box: Sandbox) -> None:
        """Rules follow inodes, so that the old ruleset would refuse it."""
        own = confine(ws, ["own"])
        for i in range(2):
            assert code(box, own, "touch x", ws / "own") == 0
            (ws / "own").rename(ws / str(i))
            (ws / "own").mkdir()
        (ws / "own").rmdir()
        with pytest.raises(FileNotFoundError):
            box.start(own, shell("true", ws / "own"))
        (ws / "own").mkdir()
        assert code(box, own, "touch x", ws / "own") == 0

    def test_what_comes_to_be_outside_is_granted(self, ws: Path, box: Sandbox) -> None:
        """A new sibling of a folder above, at the next start."""
        own = confine(ws, ["own"])
        assert code(box, own, "touch ../../new/x", ws / "own") != 0
        (ws.parent / "new").mkdir()
        assert code(box, own, "touch ../../new/x", ws / "own") == 0

    def test_there_is_a_bound_on_what_stays_open(
        self, ws: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On rulesets and threads; the places outside are open once; `close` gives all back."""
        monkeypatch.setattr(sandbox, "_PLACES", 10_000)
        monkeypatch.setattr(sandbox, "_THREADS", 4)
        monkeypatch.setattr(sandbox._Outside, "_now", _never_changes)
        before = descriptors(), threads()
        box = Sandbox(kept=3)
        for i in range(12):
            (ws / f"p{i}").mkdir()
            assert code(box, confine(ws, [f"p{i}"]), "touch x", ws / f"p{i}") == 0
        assert rulesets() == 3
        places = len(outside(str(ws)))
        assert abs(descriptors() - before[0] - 3 - places) < 50  # others make files above, too
        wait_for(lambda: len(threads() - before[1]) == 4, "end of the threads before the last four")
        box.close()
        assert descriptors() == before[0]

    def test_many_siblings_are_not_kept_open(self, ws: Path, box: Sandbox) -> None:
        """A lane of a thousand descriptors at most still works."""
        for i in range(300):
            (ws.parent / f"sibling{i}").mkdir()
        before = descriptors()
        assert code(box, confine(ws, ["own"]), "touch x ../../sibling299/x", ws / "own") == 0
        assert descriptors() == before + 1

    def test_after_a_rest_it_starts_again(self, ws: Path, box: Sandbox) -> None:
        """No thread is left for a fork to lose."""
        before = threads()
        for _ in range(2):
            assert code(box, confine(ws, ["own"]), "touch x", ws / "own") == 0
            assert len(threads() - before) == 1
            box.rest()
            wait_for(lambda: not threads() - before, "end of the thread")


class TestMachine:
    """Whether this machine can."""

    @pytest.mark.parametrize(
        ("version", "reason"), [(0, "no Landlock"), (1, "forbids moving"), (2, ""), (7, "")]
    )
    def test_it_says_why_not(
        self, version: int, reason: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a few words, and nothing where it can."""
        monkeypatch.setattr(sandbox, "abi", lambda: version)
        assert (reason in why_not()) is bool(reason) or why_not() == reason


@CONFINES
@pytest.mark.skipif(abi() < 6, reason="this kernel's Landlock scopes no signals")
class TestFree:
    """Nothing that is written is refused; signals to others are."""

    def test_anything_may_be_written(self, ws: Path, box: Sandbox) -> None:
        """In the workspace and beside it."""
        free = confine(ws, ["."])
        assert free.is_free
        assert code(box, free, "echo x > other/y && echo x > ../z", ws) == 0

    def test_what_is_protected_outside_makes_it_no_longer_free(self, ws: Path) -> None:
        """A linked worktree's git folder, say."""
        assert not confine(ws, ["."], protected=[str(ws.parent / "git")]).is_free
        assert not confine(ws, ["own"]).is_free

    def test_signals_reach_what_it_started_and_nobody_else(self, ws: Path, box: Sandbox) -> None:
        """The process that started it is somebody else."""
        free = confine(ws, ["."])
        assert code(box, free, "sleep 300 & kill $! && ! kill -0 $PPID", ws) == 0

    def test_a_body_is_bound_too(self, ws: Path) -> None:
        """It is a fork, which binds itself."""

        def look() -> str:
            Sandbox().confine_self(confine(ws, ["."]))
            try:
                os.kill(os.getppid(), 0)
            except PermissionError:
                return "refused"
            return "allowed"

        assert in_fork(look) == "refused"
