"""Process trees, with real processes: each test looks from a forked child, which has no others."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from polylane.run import tree
from tests.support import FORKS, STUBBORN, in_fork, is_alive, pids_in, python, state, wait_for

pytestmark = FORKS


def _start(script: str, **said: object) -> int:
    process = subprocess.Popen(["/bin/sh", "-c", script], **said)  # type: ignore[call-overload]
    process.returncode = 0
    pid: int = process.pid
    return pid


def test_descendants_are_found_parents_first(tmp_path: Path) -> None:
    """Children and what is below them, whatever their session."""
    script = f"echo $$ > {tmp_path}/a; setsid sh -c 'echo $$ > {tmp_path}/b; sleep 300' & wait"

    def look() -> bool:
        pid = _start(script)
        pids = [*pids_in(tmp_path / "a"), *pids_in(tmp_path / "b")]
        wait_for(lambda: len(tree.descendants()) == 3, "grandchild")
        found = tree.descendants()
        tree.end_all(tree.Usage(), grace=0.0)
        return found[0] == pid and found[:2] == pids and tree.descendants() == []

    assert in_fork(look)


def test_a_process_that_is_gone_has_nothing() -> None:
    """No question about a process that has ended raises."""

    def look() -> list[object]:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        tree.signal_all([pid], 9)
        return [
            tree.children(pid),
            tree.command_line(pid),
            tree.is_zombie(pid),
            tree.resident_bytes([pid]),
            tree.session(pid),
        ]

    assert in_fork(look) == [[], "", True, 0, -1]


def _words(line: str) -> str:
    return "" if line.startswith("[") else line


def test_command_lines() -> None:
    """Words with spaces between; a process that has none is shown by its name."""

    def look() -> list[str]:
        process = subprocess.Popen(["sleep", "300"])
        # The kernel lets our Popen go a moment before the new program's words can be read.
        wait_for(lambda: tree.command_line(process.pid).startswith("sleep"), "words")
        named = tree.command_line(process.pid)
        process.kill()
        wait_for(lambda: state(process.pid) == "Z", "zombie")
        zombie = tree.command_line(process.pid)
        process.wait()
        return [named, zombie]

    assert in_fork(look) == ["sleep 300", "[sleep]"]


def test_a_zombie_does_not_live() -> None:
    """Ended, but not yet reaped."""

    def look() -> bool:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return tree.is_zombie(pid) and not tree.is_zombie(os.getpid())

    assert in_fork(look)


def test_memory_is_that_of_the_processes() -> None:
    """In bytes; now and at its peak (the kernel counts in batches for each CPU)."""
    assert 4 << 20 < tree.resident_bytes([os.getpid()]) < tree.own_peak() + (4 << 20)


def test_being_a_subreaper_says_what_was_before() -> None:
    """So that a host which is one remains one."""

    def look() -> list[bool]:
        return [tree.become_subreaper(on=on) for on in (False, False, True, True)]

    assert in_fork(look) == [True, False, False, True]


class TestEndAll:
    """TERM, a grace, KILL, until the kernel says that nothing is left."""

    def test_the_polite_end_by_term(self) -> None:
        """Without waiting for the end of the grace."""

        def look() -> tuple[bool, bool]:
            _start("exec sleep 300")
            begun = time.monotonic()
            ended = tree.end_all(tree.Usage(), grace=60.0)
            return ended, time.monotonic() - begun < 50

        assert in_fork(look) == (True, True)

    def test_the_stubborn_are_killed(self, tmp_path: Path) -> None:
        """When the grace is over."""

        def look() -> bool:
            _start(f"echo $$ > {tmp_path}/pids; {STUBBORN}")
            wait_for(lambda: tree.command_line(tree.children()[0]) == "sleep 300", "sleep")
            return tree.end_all(tree.Usage(), grace=0.05)

        assert in_fork(look)
        assert not is_alive(pids_in(tmp_path / "pids")[0])

    def test_who_forks_all_the_time_is_caught(self, tmp_path: Path) -> None:
        """A chain in which each process starts the next one and ends."""
        program = (
            "import os\n"
            "while True:\n"
            "    if os.fork(): os._exit(0)\n"
            f"    open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        )

        def look() -> bool:
            subprocess.Popen(python(program)).returncode = 0
            pids_in(tmp_path / "pids", 20)
            return tree.end_all(tree.Usage(), grace=0.0)

        assert in_fork(look)
        assert not any(map(is_alive, pids_in(tmp_path / "pids", 20)))

    def test_sessions_are_spared(self) -> None:
        """Their processes live, with those that they start meanwhile."""

        def look() -> bool:
            spared = _start("exec sleep 300", start_new_session=True)
            other = _start("exec sleep 300", start_new_session=True)
            ended = tree.end_all(tree.Usage(), grace=0.0, spare={spared})
            result = ended and is_alive(spared) and not is_alive(other)
            return result and tree.end_all(tree.Usage(), grace=0.0)

        assert in_fork(look)

    def test_a_hurry_ends_the_grace(self) -> None:
        """The pause says when there is no more time."""

        def look() -> bool:
            _start(STUBBORN)
            wait_for(lambda: tree.command_line(tree.children()[0]) == "sleep 300", "sleep")
            return tree.end_all(tree.Usage(), grace=500.0, pause=lambda _: True)

        assert in_fork(look)

    def test_what_cannot_be_killed_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a limit, since a process in uninterruptible sleep has no end."""
        monkeypatch.setattr(tree, "KILL_LIMIT_S", 0.05)
        monkeypatch.setattr(tree, "signal_all", lambda *_: None)

        def look() -> bool:
            pid = _start("exec sleep 300")
            ended = tree.end_all(tree.Usage(), grace=0.01)
            os.kill(pid, 9)
            return ended

        assert in_fork(look) is False


def test_usage_of_reaped_processes_is_summed() -> None:
    """CPU seconds of all, and the largest memory."""

    def look() -> tuple[bool, bool]:
        for _ in range(2):
            if os.fork() == 0:
                sum(range(2_000_000))
                os._exit(0)
        usage = tree.Usage()
        return tree.settles(usage, within_s=60.0), usage.cpu_s > 0.02 and usage.max_rss_bytes > 0

    assert in_fork(look) == (True, True)


def test_freezing_reaches_all_and_thawing_too(tmp_path: Path) -> None:
    """State T for each, and back."""

    def look() -> list[str]:
        _start("sleep 300 & sleep 301 & setsid sleep 302 & wait")
        wait_for(lambda: len(tree.descendants()) == 4, "tree")
        pids = tree.descendants()
        tree.freeze()
        wait_for(lambda: {state(pid) for pid in pids} == {"T"}, "stop")
        tree.thaw()
        wait_for(lambda: "T" not in {state(pid) for pid in pids}, "going on")
        tree.signal_all(pids, signal.SIGKILL)
        return ["ended"] if tree.settles(tree.Usage(), within_s=60.0) else []

    assert in_fork(look) == ["ended"]
