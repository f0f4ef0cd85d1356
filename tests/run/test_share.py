"""Runs inside tasks, runs that are stopped, and what runs agree on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from polylane.run.share import Unshared, Wish, join
from polylane.run.slot_file import SlotFile, Use
from tests.run.sharing import Clock, Enter, Run, clock, enter
from tests.support import FORKS, descriptors, wait_for

__all__ = ["clock", "enter"]

pytestmark = FORKS


class TestInside:
    """A run inside a task of another run."""

    def test_the_first_task_uses_the_slot_of_the_outer_one(self, enter: Enter) -> None:
        """Further ones need slots of their own."""
        outer, inner = enter(1), enter(1, inside=True)
        assert [outer.start(), inner.start(), inner.start()] == [1, 1, 0]
        assert [inner.end_and_start(0), inner.start()] == [1, 0]

    def test_it_is_not_given_to_others(self, enter: Enter) -> None:
        """It is not the inner run's to give."""
        outer, inner, other = enter(1), enter(1, inside=True), enter(1)
        assert [outer.start(), inner.start(), other.start()] == [1, 1, 0]
        inner.end()
        assert other.start() == 0

    def test_two_of_them_do_not_wait_for_each_other(self, enter: Enter) -> None:
        """Each wants two slots, and both outer tasks have one: each goes on with that one."""
        outer = enter(2)
        inner = [enter(2, inside=True), enter(2, inside=True)]
        assert [outer.start(), outer.start()] == [1, 1]
        assert [run.start(2) for run in inner] == [1, 1]


class TestLending:
    """Slots for jobs inside tasks."""

    def test_what_is_free_is_lent(self, enter: Enter) -> None:
        """And is not free then, until it is back."""
        one, two = enter(3), enter(3)
        one.start()
        assert one.share.lend(5) == 2
        assert two.start() == 0
        one.share.give_back(2)
        assert two.has_rung
        assert two.start(2) == 2

    def test_who_wants_what_is_lent_is_heard(self, enter: Enter) -> None:
        """The lender is rung, knows how many they want, and what it gives back is theirs."""
        one, two = enter(3), enter(3)
        one.start()
        assert (one.share.lend(2), one.share.wanted()) == (2, 0)
        assert two.start() == 0
        assert (one.has_rung, one.share.wanted()) == (True, 1)
        one.share.give_back(1)
        assert two.start() == 1
        assert one.share.wanted() == 0
        one.share.look()
        assert not one.has_rung
        one.share.give_back(1)
        assert not one.rings

    def test_nothing_while_others_wait(self, enter: Enter) -> None:
        """Whole tasks come first."""
        one, two = enter(2), enter(2)
        assert [one.start(), two.start(2)] == [1, 0]
        assert one.share.lend(1) == 0


class TestStopped:
    """A run that Ctrl-Z stops."""

    def test_its_slots_are_free(self, enter: Enter) -> None:
        """Who forgot it in the background holds up nobody."""
        one, two = enter(2), enter(2)
        assert [one.start(), one.start(), two.start()] == [1, 1, 0]
        one.share.suspend()
        assert two.has_rung
        assert two.start() == 1

    def test_it_has_them_again_when_it_goes_on(self, enter: Enter) -> None:
        """Those that are still there; what is lost comes back with the next task."""
        one, two = enter(2), enter(2)
        assert [one.start(), one.start()] == [1, 1]
        one.share.suspend()
        assert two.start() == 1
        one.share.resume()
        assert two.start() == 0
        two.share.look()
        two.share.settle()
        one.share.ended(0)
        one.share.ended(1)
        assert [one.start(), one.start()] == [1, 0]


class TestAgreement:
    """How many slots the machine has."""

    def test_the_first_says_it(self, enter: Enter) -> None:
        """Where it is said in a configuration; who says another number is told."""
        said: list[str] = []
        one, two = enter(1, said=True), enter(3, said=True, tell=said.append)
        assert [one.start(), two.start()] == [1, 0]
        assert said == [
            "this machine's number of slots is 1 until the runs on it have ended, not 3"
        ]

    def test_who_may_use_more_cores_raises_it(self, enter: Enter) -> None:
        """A run on one core does not keep all others to one."""
        few, many = enter(1), enter(3)
        assert [few.start(), many.start(), many.start(), many.start()] == [1, 1, 1, 0]

    def test_it_holds_until_all_have_ended(self, tmp_path: Path) -> None:
        """Then the next run says it."""
        for slots in (3, 2):
            share = join(Wish(slots, said=True, folder=tmp_path), pytest.fail)
            run = Run(share)
            assert [run.start() for _ in range(4)] == [1] * slots + [0] * (4 - slots)
            share.close()

    def test_a_file_that_something_else_wrote_is_agreed_on_anew(
        self, enter: Enter, tmp_path: Path
    ) -> None:
        """A later version's, or a damaged one."""
        (tmp_path / "slots").write_bytes(os.urandom(100_000))
        one, two = enter(1), enter(1)
        assert [one.start(), two.start()] == [1, 0]


class TestWithoutOthers:
    """Where nothing is shared."""

    def test_off_counts_nothing(self, tmp_path: Path) -> None:
        """And makes no file."""
        share = join(Wish(None, folder=tmp_path), pytest.fail)
        assert isinstance(share, Unshared)
        assert [share.take(i, "x", 1, 3) for i in range(9)] == [3] * 9
        assert share.lend(4) == 4
        assert not list(tmp_path.iterdir())

    def test_a_folder_that_is_missing_is_said(self, tmp_path: Path) -> None:
        """And the run goes on as if alone."""
        said: list[str] = []
        share = join(Wish(1, folder=tmp_path / "none"), said.append)
        assert isinstance(share, Unshared)
        path = tmp_path / "none" / "slots"
        assert said == [
            f"other runs on this machine are not seen: {path}: No such file or directory"
        ]

    def test_a_run_inside_says_nothing(self, tmp_path: Path) -> None:
        """The outer one did, or may have been told not to share."""
        wish = Wish(1, inside=True, folder=tmp_path / "none")
        assert isinstance(join(wish, pytest.fail), Unshared)

    def test_a_stopped_run_that_holds_the_gate_is_said(
        self, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has it for microseconds, unless it is stopped right there."""
        from polylane.run.slot_file import GATE

        def pass_time(seconds: float) -> None:
            clock.now += seconds

        monkeypatch.setattr(time, "sleep", pass_time)
        stopped = SlotFile(tmp_path)
        assert stopped.lock(GATE)
        said: list[str] = []
        assert isinstance(join(Wish(1, folder=tmp_path), said.append), Unshared)
        assert "a stopped run holds up all others" in said[0]
        stopped.close()


def test_a_run_with_nothing_says_that_it_waits(enter: Enter, clock: Clock) -> None:
    """Once, and not at once: people wonder why nothing happens."""
    said: list[str] = []
    one, two = enter(1), enter(1, tell=said.append)
    one.start()
    for _ in range(40):
        two.start()
        clock.now += 0.1
    assert said == [
        (
            "waiting for other runs on this machine, which have all of its slots (1):"
            " inv lanes.slots shows them"
        )
    ]


def test_a_closed_run_leaves_nothing(enter: Enter, tmp_path: Path) -> None:
    """No slot, no record, no open file."""
    before = descriptors()
    share = join(Wish(1, folder=tmp_path), pytest.fail)
    other = join(Wish(1, folder=tmp_path), pytest.fail)
    one, two = Run(share), Run(other)
    assert [one.start(), two.start()] == [1, 0]
    other.close()
    share.close()
    assert not two.rings
    assert descriptors() == before
    assert enter(1).start() == 1


def test_a_fork_keeps_what_a_killed_runner_had(tmp_path: Path) -> None:
    """A lane, until its task's tree has ended: then the slot is free."""
    ready, say_ready = os.pipe()
    until, end = os.pipe()
    runner = os.fork()
    if runner == 0:
        os.close(end)
        Run(join(Wish(1, folder=tmp_path), print)).start()
        if os.fork() == 0:  # the lane
            os.write(say_ready, b".")
            os.read(until, 1)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(runner, 0)
    assert os.read(ready, 1) == b"."
    other = Run(join(Wish(1, folder=tmp_path), print))
    assert other.start() == 0
    os.close(end)
    wait_for(other.start, "free slot")
    other.share.close()
    for descriptor in (ready, say_ready, until):
        os.close(descriptor)


def test_what_a_slot_is_used_for_can_be_read(enter: Enter, tmp_path: Path) -> None:
    """The task's id, and whose it is."""
    one = enter(2)
    one.start()
    file = SlotFile(tmp_path, write=False)
    found = file.use(0)
    assert isinstance(found, Use)
    assert (found.task, found.run) == ("all:root:0", 0)
    file.close()
