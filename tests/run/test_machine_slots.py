"""Which run gets the machine's slots, and when: several runs in one process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from polylane.run.machine_slots import MachineSlots
from polylane.run.share import Wish
from polylane.run.slot_file import SlotFile, slot_place
from tests.run.sharing import Clock, Enter, clock, enter

__all__ = ["clock", "enter"]

GB = 1_000_000_000


class TestTaking:
    """How many slots there are."""

    def test_no_more_than_there_are(self, enter: Enter) -> None:
        """Whichever run asks."""
        one, two = enter(), enter()
        assert [one.start(), two.start(), one.start(), two.start()] == [1, 1, 0, 0]

    def test_an_ended_task_frees_its_slot(self, enter: Enter) -> None:
        """For the other run."""
        one, two = enter(1), enter(1)
        assert [one.start(), two.start()] == [1, 0]
        one.end()
        assert two.start() == 1

    def test_a_wide_task_takes_all_of_its_slots_or_none(self, enter: Enter) -> None:
        """What it cannot use yet it does not hold."""
        one, two = enter(3), enter(3)
        assert [one.start(2), two.start(2)] == [2, 0]
        one.end()
        assert two.start(2) == 2

    def test_a_wide_task_that_waits_keeps_others_out(self, enter: Enter, clock: Clock) -> None:
        """Or narrow ones would take each slot that comes free."""
        one, two, three = enter(2), enter(2), enter(2)
        assert [one.start(), one.start(), two.start(2)] == [1, 1, 0]
        clock.now += 0.5
        assert three.start() == 0
        one.end(0)
        assert [two.start(2), three.start()] == [0, 0]
        one.end(1)
        assert [three.start(), two.start(2), three.start()] == [0, 2, 0]

    def test_two_runs_with_one_slot_each_that_want_two_do_not_wait_for_each_other(
        self, enter: Enter
    ) -> None:
        """Each can go on when its own task has ended."""
        one, two = enter(2), enter(2)
        assert [one.start(), two.start(), one.start(2), two.start(2)] == [1, 1, 0, 0]
        one.end()
        two.end()
        assert sorted([one.start(2), two.start(2)]) == [0, 2]

    def test_more_than_the_machine_means_all_of_it(self, enter: Enter) -> None:
        """A task that is as wide as a larger machine runs here too."""
        assert enter(2).start(8) == 2

    def test_an_elastic_task_takes_what_there_is(self, enter: Enter) -> None:
        """Between what it must have and what it could use."""
        one, two = enter(4), enter(4)
        assert one.start() == 1
        assert two.start(2, 4) == 3

    def test_a_run_that_was_told_to_have_more_has_them(self, enter: Enter) -> None:
        """Tasks that wait more than they work; it is one budget all the same."""
        many, few = enter(2, jobs=4), enter(2)
        assert [many.start() for _ in range(5)] == [1, 1, 1, 1, 0]
        assert few.start() == 0

    def test_it_may_not_where_the_configuration_says_how_many_there_are(self, enter: Enter) -> None:
        """Then that holds for all."""
        many = enter(2, said=True, jobs=4)
        assert [many.start() for _ in range(3)] == [1, 1, 0]

    def test_a_task_that_has_its_slots_keeps_them(self, enter: Enter) -> None:
        """A further attempt needs no others."""
        one = enter(1)
        one.share.look()
        assert [one.share.take(7, "x", 1, 1), one.share.take(7, "x", 1, 1)] == [1, 1]

    def test_what_nobody_took_is_free_after_the_round(self, enter: Enter, tmp_path: Path) -> None:
        """An idle run holds nothing."""
        one = enter(1)
        one.start()
        one.end()
        file = SlotFile(tmp_path)
        assert not file.is_locked(slot_place(0))
        file.close()


class TestTurns:
    """Whose turn it is."""

    def test_who_has_waited_longest_is_next(self, enter: Enter, clock: Clock) -> None:
        """Whoever asks first after a slot came free."""
        one, two, three = enter(1), enter(1), enter(1)
        assert one.start() == 1
        for run in (two, three):
            clock.now += 0.1
            assert run.start() == 0
        one.end()
        assert [three.start(), two.start()] == [0, 1]

    def test_who_has_none_comes_before_who_has_some(self, enter: Enter, clock: Clock) -> None:
        """Even if it has waited for a shorter time."""
        one, two = enter(2), enter(2)
        assert [one.start(), one.start(), one.start()] == [1, 1, 0]
        clock.now += 0.5
        assert [one.start(), two.start()] == [0, 0]
        assert [one.end_and_start(0), two.start()] == [0, 1]

    def test_six_runs_on_two_slots_all_get_their_turn(self, enter: Enter, clock: Clock) -> None:
        """Each as often as the others, though each asks again at once."""
        runs = [enter(2) for _ in range(6)]
        done = [0] * 6
        running: list[tuple[int, int]] = []
        for _ in range(60):
            for i, run in enumerate(runs):
                if run.start():
                    running.append((i, run.next - 1))
            assert len(running) == 2
            clock.now += 0.5
            for i, task in running:
                done[i] += 1
                if runs[i].end_and_start(task):
                    running = [*running, (i, runs[i].next - 1)]
            running = running[2:]
        assert max(done) - min(done) <= 1

    def test_a_run_keeps_its_slot_for_a_turn(self, enter: Enter, clock: Clock) -> None:
        """Short tasks do not hand it over each time."""
        one, two = enter(1), enter(1)
        assert [one.start(), two.start()] == [1, 0]
        clock.now += 0.09
        assert one.end_and_start(0) == 1
        clock.now += 0.02
        assert [one.end_and_start(1), two.start()] == [0, 1]

    def test_a_run_alone_keeps_it_for_ever(self, enter: Enter, clock: Clock) -> None:
        """Nobody waits for it."""
        one, _ = enter(1), enter(1)
        assert one.start() == 1
        clock.now += 100
        assert one.end_and_start(0) == 1

    def test_a_run_that_was_not_heard_of_holds_up_nobody(self, enter: Enter, clock: Clock) -> None:
        """A stopped one, which would not take what is free; its turn comes when it goes on."""
        one, stopped, other = enter(1), enter(1), enter(1)
        assert one.start() == 1
        for run in (stopped, other):
            clock.now += 0.1
            assert run.start() == 0
        clock.now += 1.0
        one.end()
        assert other.start() == 1
        assert stopped.start() == 0
        clock.now += 0.5
        assert [stopped.start(), other.end_and_start(0), stopped.start()] == [0, 0, 1]

    def test_a_run_that_is_gone_holds_up_nobody(self, enter: Enter, tmp_path: Path) -> None:
        """Its record says that it waits; its lock says that it does not."""
        one, other = enter(1), enter(1)
        assert one.start() == 1
        gone = MachineSlots(SlotFile(tmp_path), Wish(1), print)
        gone.take(0, "x", 1, 1)
        os.close(gone._file._file)
        one.end()
        assert other.start() == 1

    def test_a_run_with_nothing_left_to_start_leaves_the_line(self, enter: Enter) -> None:
        """Its tasks were cancelled, or are held back by something else."""
        one, two, three = enter(1), enter(1), enter(1)
        assert [one.start(), two.start(), three.start()] == [1, 0, 0]
        two.share.look()
        assert not two.share.waits
        two.share.settle()
        assert not two.rings
        one.end()
        assert three.start() == 1


class TestMemory:
    """What the tasks of runs are expected to take of the machine's memory."""

    def test_other_runs_know_it(self, enter: Enter) -> None:
        """Of each what it said last, and nothing of our own."""
        one, two, three = enter(), enter(), enter()
        one.share.expect(3 * GB)
        two.share.expect(2 * GB)
        one.share.expect(GB)
        assert [each.share.others_expect() for each in (one, two, three)] == [2 * GB, GB, 3 * GB]

    def test_what_a_run_expected_that_is_gone_nobody_takes(
        self, enter: Enter, tmp_path: Path
    ) -> None:
        """Nor is it taken for the next one's, which gets its record."""
        gone = MachineSlots(SlotFile(tmp_path), Wish(2, folder=tmp_path), print)
        one = enter()
        gone.expect(GB)
        assert one.share.others_expect() == GB
        gone.close()
        assert one.share.others_expect() == 0
        enter()
        assert one.share.others_expect() == 0

    def test_more_than_any_machine_has_is_as_much_as_can_be_said(self, enter: Enter) -> None:
        """Somebody may have configured it."""
        one, two = enter(), enter()
        one.share.expect(10**30)
        assert two.share.others_expect() > 10**18

    def test_what_its_processes_have_taken_is_not_counted_again(self, enter: Enter) -> None:
        """All that a run has started is below its own process: here this one."""
        one, two = enter(), enter()
        one.share.expect(GB)
        before = two.share.others_lack()
        with large_child(200_000_000):
            assert before - 400_000_000 < two.share.others_lack() < before - 190_000_000
        one.share.expect(1)
        assert two.share.others_lack() <= 1

    def test_stopped_tasks_take_nothing_more_until_they_go_on(self, enter: Enter) -> None:
        """Nor do they hold up others."""
        one, two = enter(), enter()
        one.share.expect(GB)
        one.share.suspend()
        assert two.share.others_expect() == 0
        one.share.resume()
        assert two.share.others_expect() == GB

    def test_a_run_inside_a_task_is_part_of_what_is_expected_of_it(self, enter: Enter) -> None:
        """Neither counts beside the other."""
        around, inside, other = enter(), enter(inside=True), enter()
        around.share.expect(2 * GB)
        inside.share.expect(GB)
        assert inside.share.others_expect() == inside.share.others_lack() == 0
        assert [each.share.others_expect() for each in (around, other)] == [0, 2 * GB]


@contextmanager
def large_child(size: int) -> Iterator[None]:
    """A child with so many bytes of its own."""
    program = f"x = b'x' * {size}; print(flush=True); input()"
    words = [sys.executable, "-I", "-S", "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield
        child.communicate(b"\n")


class TestBells:
    """Who waits is woken."""

    def test_the_next_is_rung(self, enter: Enter, clock: Clock) -> None:
        """And only that one."""
        one, two, three = enter(1), enter(1), enter(1)
        one.start()
        for run in (two, three):
            clock.now += 0.1
            run.start()
        assert not two.has_rung
        one.end()
        assert [two.has_rung, three.has_rung] == [True, False]

    def test_who_got_a_slot_rings_the_next(self, enter: Enter, clock: Clock) -> None:
        """Two came free at once, and one was rung."""
        one, two, three = enter(2), enter(2), enter(2)
        one.start(2)
        for run in (two, three):
            clock.now += 0.1
            run.start()
        one.end()
        assert [two.start(), three.has_rung] == [1, True]

    def test_it_is_quiet_after_a_look(self, enter: Enter) -> None:
        """Or who watches it would never rest."""
        one, two = enter(1), enter(1)
        one.start()
        two.start()
        one.end()
        one.start()
        assert two.has_rung
        two.start()
        assert not two.has_rung

    def test_who_waits_without_one_is_served_all_the_same(
        self, enter: Enter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a file system without fifos."""

        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "mkfifo", refuse)
        one, two = enter(1), enter(1)
        assert [one.start(), two.start()] == [1, 0]
        assert not two.rings
        one.end()
        assert two.start() == 1
