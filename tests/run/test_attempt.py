"""How an attempt ends, and that nothing is left of it: with real and hostile processes."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from polylane.run import tree
from polylane.run.attempt import Attempt
from tests.support import (
    FORKS,
    STUBBORN,
    in_fork,
    is_alive,
    is_gone,
    job,
    kill_left,
    lanes,
    pids_in,
    python,
    reports,
    run,
    state,
    wait_for,
    wait_gone,
)

pytestmark = FORKS

#: A tree of five: main, plain, TERM-ignoring, in a session of its own, double-forked daemon. Main
#: starts nothing while it waits: a shell whose child is stopped before its exec never is itself.
HOSTILE = """
trap '' TERM
mkfifo hold
echo $$ >> pids
sleep 300 & echo $! >> pids
(trap '' TERM; exec sleep 300) & echo $! >> pids
setsid sleep 300 & echo $! >> pids
(setsid sh -c 'echo $$ >> pids; exec sleep 300' &)
read x < hold
"""

#: Exits with 3 once its background process, which names itself in ``pids``, is up.
LEAVING = "{ %s & } ; while ! [ -s pids ]; do :; done; exit 3"

LEFTOVERS = {
    "plain": "sh -c 'echo $$ >> pids; exec sleep 300'",
    "session": "setsid sh -c 'echo $$ >> pids; exec sleep 300'",
    "daemon": "(setsid sh -c 'echo $$ >> pids; exec sleep 300' & exit)",
    "stubborn": "sh -c 'trap \"\" TERM; echo $$ >> pids; exec sleep 300'",
    "stopped": "sh -c 'echo $$ >> pids; kill -STOP $$; exec sleep 300'",
}


class TestExit:
    """The exit code is that of the main process, and of no other."""

    def test_every_exit_code_is_kept(self, tmp_path: Path) -> None:
        """0 to 255."""
        ended = run(*(job(tmp_path, f"exit {code}") for code in range(256)))
        assert [report.exit_code for report in ended] == list(range(256))
        assert {(report.kind, report.signal) for report in ended} == {("exited", None)}

    @pytest.mark.parametrize("number", [1, 2, 3, 6, 9, 10, 11, 13, 14, 15])
    def test_death_by_a_signal(self, tmp_path: Path, number: int) -> None:
        """The signal is told, and the exit code is the one that shells give."""
        [report] = run(job(tmp_path, f"ulimit -c 0; kill -{number} $$"))
        assert (report.kind, report.exit_code, report.signal) == ("exited", 128 + number, number)

    @pytest.mark.parametrize(
        "script",
        [
            "(exit 9) & (exit 7) & wait; exit 3",
            "(exit 9) & (exit 7) & exit 3",
            "(while kill -0 $$ 2>&-; do :; done; exit 9) & exit 3",
            "((exit 9) &) ; exit 3",
        ],
        ids=["before", "meanwhile", "afterwards", "orphans"],
    )
    def test_no_child_takes_its_exit_code(self, tmp_path: Path, script: str) -> None:
        """Whenever children end, the main process's status is reaped as its own."""
        ended = run(*[job(tmp_path, script)] * 25)
        assert [report.exit_code for report in ended] == [3] * 25

    def test_usage_counts_the_whole_tree(self, tmp_path: Path) -> None:
        """CPU time of orphans is counted, and memory as a process had it at its peak.

        The peak must be larger than that of this test's own process, which it cannot tell from it.
        """
        burn = "import os; os.fork() or sum(range(3_000_000)); b = bytearray(400_000_000)"
        [report] = run(job(tmp_path, *python(burn)))
        assert report.cpu_s > 0.03
        assert report.max_rss_bytes is not None
        assert report.max_rss_bytes > 400_000_000


class TestLeftovers:
    """What a task leaves behind."""

    @pytest.mark.parametrize("kind", LEFTOVERS)
    def test_is_ended_and_named(self, tmp_path: Path, kind: str) -> None:
        """It is gone when the report comes; the exit code is kept; the next task runs."""
        report, after = run(
            job(tmp_path, LEAVING % LEFTOVERS[kind]), job(tmp_path, "exit 4", name="next")
        )
        assert not any(map(is_alive, pids_in(tmp_path / "pids")))
        assert (report.kind, report.exit_code, report.left) == ("exited", 3, ())
        assert report.leftovers[0].startswith("sh -c" if kind == "stopped" else "sleep 300")
        assert (after.exit_code, after.leftovers) == (4, ())

    def test_all_are_counted(self, tmp_path: Path) -> None:
        """Each process has its line."""
        script = "for i in 1 2 3; do sleep 30$i & done; exit 0"
        [report] = run(job(tmp_path, script))
        assert sorted(report.leftovers) == ["sleep 301", "sleep 302", "sleep 303"]

    def test_zombies_are_not_counted(self, tmp_path: Path) -> None:
        """What a leftover has not reaped has ended by itself."""
        parent = python("import os, time; os.fork() or os._exit(0); time.sleep(300)")
        script = (
            f"{shlex.join(parent)} &"
            " until grep -q . /proc/$!/task/$!/children 2>&-; do :; done; exit 3"
        )
        [report] = run(job(tmp_path, script))
        assert report.exit_code == 3
        assert len(report.leftovers) == 1

    def test_what_ends_while_the_task_runs_is_reaped_meanwhile(self, tmp_path: Path) -> None:
        """Its process id is free again, its CPU time counts, and the task's exit code is kept."""
        busy = f"{shlex.quote(sys.executable)} -I -S -c 'sum(range(5_000_000))'"
        daemon = f"(setsid {busy} & echo $! > gone)"
        with lanes() as pool:
            pool.assign(0, job(tmp_path, f"{daemon}; mkfifo go; read _ < go; exit 3"))
            (pid,) = pids_in(tmp_path / "gone")
            wait_for(lambda: is_gone(pid), "end of what was left, reaped")
            (tmp_path / "go").write_text("\n")
            report = reports(pool)[0]
        assert (report.exit_code, report.leftovers) == (3, ())
        assert report.cpu_s > 0.03

    def test_what_ends_with_its_parent_is_none(self, tmp_path: Path) -> None:
        """A process that ends by itself just after the main one was not left behind."""
        script = "(while kill -0 $$ 2>&-; do :; done) & exit 0"
        assert [report.leftovers for report in run(*[job(tmp_path, script)] * 5)] == [()] * 5

    def test_grace_is_kept_for_leftovers(self, tmp_path: Path) -> None:
        """They get TERM first, and time to clean up."""
        polite = (
            'sh -c \'trap "rm made; exit" TERM; touch made; echo $$ >> pids;'
            " while :; do sleep 0.01; done'"
        )
        run(job(tmp_path, LEAVING % polite, grace=20.0))
        assert not (tmp_path / "made").exists()

    def test_kill_ends_the_grace_of_leftovers(self, tmp_path: Path) -> None:
        """While a lane waits for stubborn leftovers it listens to its runner."""
        script = LEAVING % f"sh -c 'echo $$ >> pids; {STUBBORN.replace(chr(39), chr(34))}'"
        with lanes() as pool:
            pool.assign(0, job(tmp_path, f"echo $$ > main; {script}", grace=500.0))
            wait_gone([*pids_in(tmp_path / "main")])
            pool.cancel(kill=True)
            report = reports(pool)[0]
        assert not any(map(is_alive, pids_in(tmp_path / "pids")))
        assert (report.kind, report.exit_code) == ("exited", 3)

    def test_a_daemon_does_not_delay_the_report(self, tmp_path: Path) -> None:
        """It holds the output open, and lives on where the task may leave it."""
        with lanes() as pool:
            pool.assign(0, job(tmp_path, LEAVING % LEFTOVERS["daemon"], leave=True))
            report = reports(pool)[0]
            [pid] = pids_in(tmp_path / "pids")
            pool.assign(0, job(tmp_path, "exit 4", name="next"))
            after = reports(pool)[0]
            assert is_alive(pid)
        assert is_alive(pid)
        kill_left([pid])
        assert (report.exit_code, report.leftovers, after.exit_code) == (3, (), 4)

    def test_leave_keeps_every_kind(self, tmp_path: Path) -> None:
        """Plain and daemonised processes survive the pool; later leftovers in the lane do not."""
        with lanes() as pool:
            for kind in ("plain", "session", "daemon"):
                folder = tmp_path / kind
                folder.mkdir()
                pool.assign(0, job(folder, LEAVING % LEFTOVERS[kind], leave=True))
                reports(pool)
            pool.assign(0, job(tmp_path, LEAVING % LEFTOVERS["daemon"]))
            later = reports(pool)[0]
        kept = [pids_in(tmp_path / kind / "pids")[0] for kind in ("plain", "session", "daemon")]
        alive = [is_alive(pid) for pid in kept]
        kill_left(kept)
        assert alive == [True] * 3
        assert later.leftovers == ("sleep 300",)
        assert not is_alive(pids_in(tmp_path / "pids")[0])


class TestTimeOut:
    """A task that takes too long is ended with all below it."""

    def test_term_grace_and_kill(self, tmp_path: Path) -> None:
        """A tree that ignores TERM is killed when the grace is over."""
        [report] = run(job(tmp_path, HOSTILE, timeout=1.0, grace=0.2))
        assert not any(map(is_alive, pids_in(tmp_path / "pids", 5)))
        assert (report.kind, report.exit_code, report.signal) == ("timed-out", 137, 9)
        assert report.reason == "no end within 1 s"
        assert report.wall_s >= 1.2

    def test_term_is_enough_for_the_polite(self, tmp_path: Path) -> None:
        """Who ends by itself on TERM keeps its exit code and what it writes, at once."""
        script = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done"
        [report] = run(job(tmp_path, script, timeout=1.0, grace=60.0))
        assert (report.kind, report.exit_code, report.signal) == ("timed-out", 7, None)
        assert (tmp_path / "log").read_text().endswith("bye\n")
        assert report.wall_s < 30

    def test_a_stopped_task_times_out(self, tmp_path: Path) -> None:
        """A process that has stopped itself still gets its TERM."""
        [report] = run(job(tmp_path, "kill -STOP $$", timeout=0.2, grace=60.0))
        assert (report.kind, report.signal) == ("timed-out", 15)


class TestUnkillable:
    """A process in uninterruptible sleep, or of another user, cannot be ended."""

    @pytest.fixture
    def channel(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
        """A runner that says nothing, in a world without signals."""
        monkeypatch.setattr(tree, "signal_all", lambda *_: None)
        monkeypatch.setattr(tree, "KILL_LIMIT_S", 0.05)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            yield theirs

    def test_a_main_process_is_told(self, tmp_path: Path, channel: socket.socket) -> None:
        """The lane goes on without its status."""

        def look() -> list[object]:
            pid = subprocess.Popen(["sleep", "300"]).pid
            said = job(tmp_path, "x", timeout=0.05, grace=0.05)
            report = Attempt(said, pid, channel, set(), time.monotonic()).see_through()
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            return [pid, report.kind, report.exit_code, report.reason]

        pid, *said = in_fork(look)
        reason = f"no end within 0.05 s; process {pid} cannot be killed"
        assert said == ["timed-out", None, reason]

    def test_leftovers_are_told(self, tmp_path: Path, channel: socket.socket) -> None:
        """Their names say so."""

        def look() -> list[object]:
            main = subprocess.Popen(["sh", "-c", "sleep 300 & exit 3"])
            main.returncode = 0
            said = job(tmp_path, "x", grace=0.05)
            report = Attempt(said, main.pid, channel, set(), time.monotonic()).see_through()
            [left] = tree.children()
            os.kill(left, 9)
            os.waitpid(left, 0)
            return [report.exit_code, *report.leftovers]

        assert in_fork(look) == [3, "sleep 300 (cannot be killed)"]


class TestCancel:
    """The runner wants an end."""

    def test_the_whole_tree_ends(self, tmp_path: Path) -> None:
        """TERM, the grace, KILL."""
        with lanes() as pool:
            pool.assign(0, job(tmp_path, HOSTILE))
            pids = pids_in(tmp_path / "pids", 5)
            pool.cancel()
            report = reports(pool)[0]
        assert not any(map(is_alive, pids))
        assert (report.kind, report.signal) == ("cancelled", 9)

    def test_a_second_time_kills(self, tmp_path: Path) -> None:
        """Nobody waits for a long grace after a second request."""
        with lanes() as pool:
            pool.assign(0, job(tmp_path, HOSTILE, grace=500.0))
            pids = pids_in(tmp_path / "pids", 5)
            pool.cancel()
            pool.cancel(kill=True)
            report = reports(pool)[0]
        assert not any(map(is_alive, pids))
        assert (report.kind, report.signal) == ("cancelled", 9)

    def test_the_lane_takes_further_tasks(self, tmp_path: Path) -> None:
        """A request that comes when its task has ended means nothing to the next one."""
        with lanes() as pool:
            pool.assign(0, job(tmp_path, "echo $$ > pids; exit 0"))
            wait_gone(pids_in(tmp_path / "pids"))
            pool.cancel()
            reports(pool)
            pool.assign(1, job(tmp_path, "exit 3"))
            assert reports(pool)[1].exit_code == 3


class TestStop:
    """Ctrl-Z stops everything, and its end continues it."""

    def test_every_process_stops_and_goes_on(self, tmp_path: Path) -> None:
        """All of a tree, also what has a session of its own."""
        with lanes() as pool:
            pool.assign(0, job(tmp_path, HOSTILE))
            pids = pids_in(tmp_path / "pids", 5)
            pool.suspend()
            wait_for(lambda: {state(pid) for pid in pids} == {"T"}, "stop")
            pool.resume()
            wait_for(lambda: {state(pid) for pid in pids} <= {"S", "R"}, "going on")

    def test_a_stopped_task_ends_when_it_is_cancelled(self, tmp_path: Path) -> None:
        """TERM reaches it although it is stopped."""
        with lanes() as pool:
            pool.assign(0, job(tmp_path, "echo $$ > pids; exec sleep 300", grace=500.0))
            [pid] = pids_in(tmp_path / "pids")
            pool.suspend()
            wait_for(lambda: state(pid) == "T", "stop")
            pool.cancel()
            assert reports(pool)[0].signal == 15

    def test_stopped_time_does_not_count(self, tmp_path: Path) -> None:
        """The time-out is of the time in which the task could run."""
        os.mkfifo(tmp_path / "go")
        with lanes() as pool:
            begun = time.monotonic()
            pool.assign(0, job(tmp_path, "echo $$ > pids; read x < go; exit 3", timeout=1.5))
            pids_in(tmp_path / "pids")
            pool.suspend()
            assert pool.wait(begun + 2.0 - time.monotonic()) == []
            pool.resume()
            (tmp_path / "go").write_text("now\n")
            report = reports(pool)[0]
        assert (report.kind, report.exit_code) == ("exited", 3)
