"""A lane by itself: what it answers, and how it ends."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from pathlib import Path
from typing import cast

from polylane.run import protocol, tree
from polylane.run.lane import Lane
from polylane.run.launch import Launcher
from polylane.run.protocol import Assignment, Report
from tests.support import FORKS, in_fork, is_alive, job, lanes, pids_in, reports, wait_gone

pytestmark = FORKS


class BrokenLauncher:
    """Starts a process, and says that it started another one."""

    def start(self, job: Assignment, *_: object) -> int:
        os.posix_spawnp("sleep", ["sleep", "300"], {"PATH": os.environ["PATH"]})
        return -7

    def ended(self, *, cleanly: bool) -> None:
        pass


def test_a_defect_of_ours_is_told_as_a_crash(tmp_path: Path) -> None:
    """Plain data, never a raised exception; nothing is left, and the lane goes on."""

    def look() -> list[object]:
        ours, theirs = socket.socketpair()
        lane = Lane(theirs, cast("Launcher", BrokenLauncher()))
        serving = threading.Thread(target=lane.serve)
        serving.start()
        said: list[object] = []
        for _ in range(2):
            protocol.send(ours, protocol.RUN, tuple(job(tmp_path, "true")))
            report = Report(*protocol.receive(ours) or ())
            said += [report.kind, report.reason.split(" (")[0], len(tree.children())]
        ours.close()
        serving.join()
        theirs.close()
        return said

    crash = ["crashed", "BUG: OSError: [Errno 22] Invalid argument", 0]
    assert in_fork(look) == crash * 2


def test_requests_without_a_task_mean_nothing(tmp_path: Path) -> None:
    """They crossed the report on its way, and the next task is not theirs."""
    with lanes() as pool:
        pool.assign(0, job(tmp_path, "true"))
        handle = pool._busy[next(iter(pool._busy))][0]
        reports(pool)
        for request in (protocol.CANCEL, protocol.KILL, protocol.STOP, protocol.CONTINUE):
            protocol.send(handle.channel, request)
        pool.assign(1, job(tmp_path, "exit 3"))
        report = reports(pool)[1]
    assert (report.kind, report.exit_code) == ("exited", 3)


def test_term_ends_a_lane_with_its_tree(tmp_path: Path) -> None:
    """The lane itself does it, before its channel ends."""
    with lanes() as pool:
        pool.assign(0, job(tmp_path, "trap '' TERM; echo $$ > pids; echo $PPID > lane; sleep 300"))
        [pid], [lane] = pids_in(tmp_path / "pids"), pids_in(tmp_path / "lane")
        handle = pool._busy[next(iter(pool._busy))][0]
        os.kill(lane, signal.SIGTERM)
        assert select.select([handle.channel], [], [], 30)[0]
        assert not is_alive(pid)
        assert reports(pool)[0].kind == "crashed"
        wait_gone([lane])


def test_a_signal_to_the_runners_group_does_not_reach_it(tmp_path: Path) -> None:
    """A lane has a session of its own."""
    with lanes() as pool:
        pool.assign(0, job(tmp_path, "echo $PPID > lane; exit 3"))
        [lane] = pids_in(tmp_path / "lane")
        assert os.getsid(lane) == os.getpgid(lane) == lane
        assert reports(pool)[0].exit_code == 3
