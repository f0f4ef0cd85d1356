"""What fits: with a machine that the test makes, and a clock that it moves."""

from __future__ import annotations

from typing import Any

import pytest

from polylane.plan.memory import Need
from polylane.run.memory import Memory, Plenty
from polylane.run.oom import Kills
from polylane.run.protocol import Report

MB = 1_000_000
GB = 1000 * MB
PASS = Report("exited", 0)
KILLED = Report("exited", 137, 9)


class Machine:
    """16 GB, of which 10.8 GB are left: 10 GB above the floor."""

    def __init__(self, *, left: int | None = 10_800 * MB, whole: int | None = 16 * GB) -> None:
        self.whole = whole
        self.free = left
        self.now = 100.0
        self.reads = 0
        self.looks: list[int] = []
        self.kills = 0
        #: What running tasks use.
        self.uses: dict[int, int] = {}
        #: What tasks of other runs are expected to take, and what of it they have not.
        self.others = self.lacking = 0
        #: What ours are, as others were told.
        self.told: list[int] = []

    def left(self) -> int | None:
        self.reads += 1
        return self.free

    def used(self, task: int) -> int:
        self.looks.append(task)
        return self.uses.get(task, 0)

    def expect(self, size: int) -> None:
        self.told.append(size)

    def others_expect(self) -> int:
        return self.others

    def others_lack(self) -> int:
        return self.lacking

    def memory(self, *sizes: int, said: int | str = "auto") -> Memory:
        needs = [Need(size, "as configured") for size in sizes]
        kills = Kills(lambda: None, lambda: self.kills, "/nothing/there", lambda: self.now)
        machine: Any = self
        return Memory(
            said,
            needs,
            self.used,
            others=machine,
            available=machine,
            kills=kills,
            clock=lambda: self.now,
        )


def start(memory: Memory, count: int) -> list[int]:
    """Start those of the first tasks that fit."""
    started = []
    for task in range(count):
        if memory.fits(task):
            memory.started(task)
            started.append(task)
    return started


class TestBudget:
    """A budget that somebody configured."""

    def test_three_of_one_gigabyte_fit_into_three(self) -> None:
        """And a fourth when one has ended."""
        memory = Machine().memory(GB, GB, GB, GB, said=3 * GB)
        assert start(memory, 4) == [0, 1, 2]
        memory.ended(1, PASS, failed=False)
        assert memory.fits(3)

    def test_what_waits_is_known_until_something_ends(self) -> None:
        """So that the run looks again, and only then."""
        memory = Machine().memory(GB, GB, said=GB)
        assert [memory.held_back, *start(memory, 2), memory.held_back] == [False, 0, True]
        memory.ended(0, PASS, failed=False)
        assert [memory.held_back, memory.fits(1), memory.held_back] == [False, True, False]

    def test_no_file_is_read_for_it(self) -> None:
        """It says what there is."""
        machine = Machine()
        start(machine.memory(GB, GB, GB, GB, said=3 * GB), 4)
        assert (machine.reads, machine.looks) == (0, [])

    def test_a_share_is_of_the_whole(self) -> None:
        """Not of what is left."""
        memory = Machine().memory(4 * GB, 4 * GB, 1, said="50%")
        assert start(memory, 3) == [0, 1]

    def test_a_share_of_nobody_knows_what_bounds_nothing(self) -> None:
        """As where no budget is known."""
        memory = Machine(left=None, whole=None).memory(GB, GB, said="50%")
        assert start(memory, 2) == [0, 1]

    def test_too_large_a_task_runs_alone_and_says_so(self) -> None:
        """Not even one that needs nothing goes beside it."""
        memory = Machine().memory(2 * GB, 0, said=GB)
        assert start(memory, 2) == [0]
        words = "ran alone: it needs 2.0 GB of memory (as configured), and the budget is 1.0 GB"
        assert memory.said(0) == words
        memory.ended(0, PASS, failed=False)
        assert memory.fits(1)
        assert memory.to_json(["a", "b"]) == {
            "budget": GB,
            "budget_bytes": GB,
            "ran_alone": {"a": words},
            "killed": {},
        }

    def test_a_task_that_waited_does_not_run_alone(self) -> None:
        """It fits when the others have ended, and nothing is said."""
        memory = Machine().memory(2 * GB, 2 * GB, said=3 * GB)
        assert start(memory, 2) == [0]
        memory.ended(0, PASS, failed=False)
        memory.started(1)
        assert (memory.said(1), memory.alone) == ("", {})


class TestAuto:
    """What is left now, less a floor."""

    def test_what_running_tasks_will_take_is_counted(self) -> None:
        """They have just started, and have taken nothing yet."""
        memory = Machine().memory(4 * GB, 4 * GB, 4 * GB, 2 * GB)
        assert start(memory, 4) == [0, 1, 3]

    def test_what_they_have_taken_is_not_counted_twice(self) -> None:
        """It is missing from what is left."""
        machine = Machine()
        memory = machine.memory(4 * GB, 4 * GB, 3 * GB, 2 * GB)
        start(memory, 2)
        machine.free = 3_800 * MB  # 3 above the floor
        machine.uses = {0: 4 * GB, 1: 3 * GB}
        machine.now += 1.0
        assert not memory.fits(2)
        assert memory.fits(3)

    def test_a_task_that_takes_more_than_expected_leaves_less(self) -> None:
        """And is not counted against what others will take."""
        machine = Machine()
        memory = machine.memory(GB, 4 * GB, 2 * GB)
        start(memory, 2)
        machine.free = 5_800 * MB
        machine.uses = {0: 5 * GB, 1: 0}
        machine.now += 1.0
        assert not memory.fits(2)

    def test_what_others_take_is_seen(self) -> None:
        """Other programs, and other runs."""
        machine = Machine()
        memory = machine.memory(GB, GB)
        start(memory, 1)
        machine.free = 1_700 * MB
        machine.uses = {0: GB}
        machine.now += 0.2
        assert not memory.fits(1)
        machine.free = 1_900 * MB
        machine.now += 0.2
        assert memory.fits(1)

    def test_what_tasks_of_other_runs_have_still_to_take_is_theirs(self) -> None:
        """Of 10 GB they will take six, of which they have three; then the machine has seven."""
        machine = Machine()
        memory = machine.memory(GB, 3 * GB, 4 * GB)
        start(memory, 1)
        machine.others, machine.lacking = 6 * GB, 3 * GB
        machine.free = 7_800 * MB
        machine.now += 1.0
        assert memory.fits(1)
        assert not memory.fits(2)

    def test_a_budget_in_bytes_is_our_own(self) -> None:
        """What others take is not out of it; they are told of ours all the same."""
        machine = Machine()
        machine.others = machine.lacking = 100 * GB
        memory = machine.memory(GB, GB, said=2 * GB)
        assert start(memory, 2) == [0, 1]
        assert machine.told == [GB, 2 * GB]

    def test_others_are_told_what_is_expected_of_ours(self) -> None:
        """When that changes, and not otherwise."""
        machine = Machine()
        memory = machine.memory(GB, 0, 2 * GB)
        start(memory, 3)
        for task in (1, 0, 2):
            memory.ended(task, PASS, failed=False)
        assert machine.told == [GB, 3 * GB, 2 * GB, 0]

    def test_with_plenty_it_is_read_seldom_and_no_process_is_looked_at(self) -> None:
        """Ten times a second at most."""
        machine = Machine()
        memory = machine.memory(*[MB] * 1000)
        for task in range(1000):
            assert memory.fits(task)
            memory.started(task)
            if task:
                memory.ended(task - 1, PASS, failed=False)
            machine.now += 0.001
        assert 9 <= machine.reads <= 11
        assert machine.looks == []

    def test_tasks_that_need_nothing_read_nothing(self) -> None:
        """What was too short to be measured fits everywhere."""
        machine = Machine()
        assert start(machine.memory(*[0] * 9), 9) == list(range(9))
        assert machine.reads == 0

    def test_what_is_held_back_is_looked_at_once(self) -> None:
        """Many that do not fit cost one look at the moment."""
        machine = Machine()
        memory = machine.memory(*[9 * GB] * 9)
        start(memory, 9)
        assert (machine.reads, machine.looks) == (2, [0])

    def test_what_starts_meanwhile_is_counted_at_once(self) -> None:
        """What was found out a moment ago holds only while nothing starts or ends."""
        memory = Machine().memory(GB, 10 * GB, 4 * GB, 6 * GB)
        start(memory, 1)
        assert not memory.fits(1)
        memory.started(2)
        assert not memory.fits(3)
        memory.ended(2, PASS, failed=False)
        assert memory.fits(3)

    def test_with_nothing_left_one_task_runs_alone_and_says_so(self) -> None:
        """So that a run always ends."""
        machine = Machine(left=500 * MB)
        memory = machine.memory(GB, GB)
        assert start(memory, 2) == [0]
        said = memory.said(0)
        assert said == "ran alone: it needs 1.0 GB of memory (as configured), and 0 MB are left"

    def test_where_nobody_says_what_is_left_everything_fits(self) -> None:
        """Such as on another system."""
        memory = Machine(left=None).memory(GB, GB)
        assert start(memory, 2) == [0, 1]
        assert memory.to_json(["a", "b"])["budget_bytes"] is None

    def test_the_budget_is_what_was_left_at_the_start(self) -> None:
        """Less the floor; nothing where nobody looked."""
        machine = Machine()
        memory = machine.memory(GB)
        assert memory.to_json(["a"])["budget_bytes"] is None
        memory.started(0)
        machine.free = GB
        machine.now += 1.0
        memory.fits(0)
        assert memory.to_json(["a"])["budget_bytes"] == 10 * GB


class TestKills:
    """Tasks that memory ended."""

    @pytest.mark.parametrize("sizes", [(GB, GB), ()])
    def test_a_kill_is_told_and_kept(self, sizes: tuple[int, ...]) -> None:
        """In sequential runs too, which know no needs."""
        machine = Machine()
        memory = machine.memory(*sizes)
        start(memory, 2)
        machine.kills += 1
        words = "the kernel killed it for memory"
        assert memory.ended(0, KILLED, failed=True) == words
        assert memory.to_json(["a", "b"])["killed"] == {"a": words}

    def test_a_task_that_passed_was_not_killed(self) -> None:
        """Though it lost a process that it could do without."""
        machine = Machine()
        memory = machine.memory(GB)
        start(memory, 1)
        machine.kills += 1
        assert memory.ended(0, PASS, failed=False) == ""
        assert memory.said(0) == ""

    def test_the_second_attempt_says_what_became_of_the_first(self) -> None:
        """And a second kill is the task's own doing."""
        machine = Machine()
        memory = machine.memory(GB)
        start(memory, 1)
        machine.kills += 1
        memory.ended(0, KILLED, failed=True)
        memory.started(0)
        assert memory.said(0) == "the kernel killed it for memory, so it was retried alone"
        machine.kills += 1
        again = memory.ended(0, KILLED, failed=True)
        assert again == "the kernel killed it for memory, also when it ran alone"

    def test_company_is_remembered(self) -> None:
        """A task that ran beside another one is not blamed without doubt."""
        machine = Machine()
        memory = machine.memory(GB, GB, GB)
        start(memory, 2)
        memory.ended(1, PASS, failed=False)
        machine.kills += 1
        assert "may be" in memory.ended(0, Report("exited", 1), failed=True)
        for alone in (2, 0):
            memory.started(alone)
            machine.kills += 1
            assert "may be" not in memory.ended(alone, Report("exited", 1), failed=True)


def test_plenty_holds_nothing_back() -> None:
    """What a run without a budget is given."""
    plenty = Plenty()
    plenty.started(0)
    assert (plenty.fits(0), plenty.held_back, plenty.said(0)) == (True, False, "")
    assert plenty.ended(0, KILLED, failed=True) == ""
