"""The peak memory of process trees: what they share counts once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from polylane.run import peak, tree
from polylane.run.peak import Peak
from tests.support import FORKS, job, kill_left, python, run, wait_for

pytestmark = FORKS

MB = 1_000_000


@contextmanager
def forks(count: int, *, own: int = 0) -> Iterator[list[int]]:
    """Forks of this process that are there until the end, each with so many bytes of its own."""
    ready, told = os.pipe()
    pids = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            block = b"x" * own
            os.write(told, b"." if len(block) == own else b"")
            signal.pause()  # until it is killed
        pids.append(pid)
    try:
        for _ in pids:
            assert os.read(ready, 1) == b"."
        yield pids
    finally:
        kill_left(pids)
        os.close(ready)
        os.close(told)


def test_what_forks_share_counts_once() -> None:
    """Four of them are hardly larger than one, and not four times as large."""
    block = b"x" * (100 * MB)
    with forks(4) as pids:
        assert tree.resident_bytes(pids) > 4 * len(block)
        found = Peak()
        found.look(lambda: pids)
        assert 4 / 5 * len(block) - 10 * MB < found.sampled < tree.resident_bytes(pids) / 3


def test_what_each_has_of_its_own_counts_each() -> None:
    """All of it together."""
    with forks(3, own=50 * MB) as pids:
        found = Peak()
        found.look(lambda: pids)
    assert 150 * MB < found.sampled < 400 * MB


def test_shares_are_asked_for_only_where_they_may_be_a_new_peak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are dear: not for one process, nor where the resident memory is below the peak."""
    asked: list[int] = []

    def shared(pids: list[int]) -> int:
        asked.append(len(pids))
        return 10**12

    monkeypatch.setattr(peak, "shared_bytes", shared)
    with forks(2) as pids:
        found = Peak()
        found.look(lambda: pids[:1])
        assert asked == []
        found.look(lambda: pids)
        found.look(lambda: pids)
    assert asked == [2]


def test_shares_of_a_tree_that_does_not_grow_are_asked_for_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They take a five-hundredth of a core; of one that grows, and later, they are asked again."""
    asked: list[int] = []
    now = 1000.0

    def shared(pids: list[int]) -> int:
        begun = time.thread_time()
        wait_for(lambda: time.thread_time() - begun > 0.002, "two milliseconds of CPU time")
        asked.append(len(pids))
        return MB

    monkeypatch.setattr(peak, "shared_bytes", shared)
    found = Peak(clock=lambda: now)
    with forks(2) as pids:
        for _ in range(3):
            found.look(lambda: pids)
        assert asked == [2]
        now += 0.9
        found.look(lambda: pids)
        assert asked == [2]
        with forks(1) as more:
            found.look(lambda: [*pids, *more])
            assert asked == [2, 3]
        now += 60
        found.look(lambda: pids)
    assert asked == [2, 3, 2]


def test_pages_that_are_shared_no_more_are_seen() -> None:
    """Forks that write into what they had from their parent: each has it for itself then."""
    block = bytearray(50 * MB)
    write, told = os.pipe()
    ready, done = os.pipe()
    pids = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            os.read(write, 1)
            block[:] = b"y" * len(block)
            os.write(done, b".")
            signal.pause()  # until it is killed
        pids.append(pid)
    try:
        found = Peak()
        found.look(lambda: pids)
        shared = found.sampled
        os.write(told, b"...")
        for _ in pids:
            assert os.read(ready, 1) == b"."

        def seen() -> bool:
            found.look(lambda: pids)
            return found.sampled > shared + 90 * MB

        wait_for(seen, "what each has of its own")
    finally:
        kill_left(pids)


def test_the_largest_look_counts() -> None:
    """What has ended since was there."""
    found = Peak()
    found.look(lambda: [os.getpid()])
    seen = found.sampled
    found.look(list)
    assert found.sampled == seen > 0


def test_a_process_that_hides_its_shares_counts_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of another user, or one that is gone, which has nothing."""
    monkeypatch.setattr(peak, "open", _refused, raising=False)
    own = os.getpid()
    assert peak.shared_bytes([own]) == pytest.approx(tree.resident_bytes([own]), rel=0.2)
    with forks(1) as pids:
        pass
    assert peak.shared_bytes(pids) == 0


def _refused(*_: object) -> object:
    raise PermissionError


def test_looking_takes_at_most_a_two_hundredth_of_a_core() -> None:
    """What took long is not done again soon."""

    def slowly() -> list[int]:
        begun = time.thread_time()
        wait_for(lambda: time.thread_time() - begun > 0.01, "ten milliseconds of CPU time")
        return []

    assert Peak().look(slowly) > 2.0
    assert Peak().look(lambda: [os.getpid()]) < 0.5


def test_the_larger_of_samples_and_reaped_processes_is_known() -> None:
    """A sample may miss the peak; a small maximum may be that of our own fork."""
    found = Peak()
    assert found.known(tree.own_peak()) is None
    assert found.known(2 * tree.own_peak()) == 2 * tree.own_peak()
    found.sampled = 5
    assert found.known(0) == 5


def test_a_tasks_peak_is_that_of_its_whole_tree(tmp_path: Path) -> None:
    """Of three children that are large at one time, and share nothing."""
    child = "x = b'x' * 60_000_000; print(flush=True); input()"
    program = (
        "import subprocess, sys, time\n"
        f"words = [sys.executable, '-I', '-S', '-c', {child!r}]\n"
        "pipe = subprocess.PIPE\n"
        "all = [subprocess.Popen(words, stdin=pipe, stdout=pipe) for _ in range(3)]\n"
        "for each in all: each.stdout.readline()\n"
        "time.sleep(1)\n"  # a task that is large for four times as long as looks are apart
        "for each in all: each.communicate(b'\\n')\n"
    )
    (report,) = run(job(tmp_path, *python(program)))
    assert report.exit_code == 0
    assert report.max_rss_bytes is not None
    assert 180 * MB < report.max_rss_bytes < 260 * MB
