"""The loop of a run beside other runs, which have a part of the machine's slots."""

from __future__ import annotations

from polylane.outcome import Outcome
from polylane.run.share import Unshared
from tests.run.test_runner import FAIL, PASS, FakePool, _run, _task


class FakeShare(Unshared):
    """A machine with so many slots left for us; more come free as the clock says."""

    def __init__(self, pool: FakePool, *free: tuple[float, int]) -> None:
        super().__init__()
        self.pool = pool
        self.free = free
        self.waits = False
        self.has: dict[int, int] = {}

    def look(self) -> None:
        self.waits = False

    def take(self, task: int, name: str, least: int, most: int) -> int:
        now = self.pool.now - 1000.0
        left = sum(n for when, n in self.free if when <= now) - sum(self.has.values())
        got = self.has.get(task) or (0 if left < least else min(left, most))
        if got:
            self.has[task] = got
        self.waits = self.waits or not got
        return got

    def ended(self, task: int) -> None:
        del self.has[task]


class TestMachine:
    """What other runs leave us."""

    def test_no_task_starts_without_a_slot_of_the_machine(self) -> None:
        """Though the run itself has more; it goes on as they come free, and polls for them."""
        pool = FakePool()
        share = FakeShare(pool, (0.0, 1), (2.0, 1))
        _run([_task(name) for name in "abcd"], pool, slots=4, share=share)
        assert [name for _, name in pool.starts] == ["a", "b", "c", "d"]
        assert [round(when) for when, _ in pool.starts] == [0, 1, 2, 2]
        assert not share.has

    def test_a_run_may_have_to_wait_with_nothing_running(self) -> None:
        """The machine is full; that is no defect."""
        pool = FakePool()
        _run([_task("a")], pool, share=FakeShare(pool, (5.0, 1)))
        assert round(pool.starts[0][0]) == 5
        assert set(pool.timeouts[:-1]) == {0.1}

    def test_a_further_attempt_needs_no_further_slot(self) -> None:
        """It keeps the one it has."""
        pool = FakePool(a=[(1.0, FAIL), (1.0, PASS)])
        share = FakeShare(pool, (0.0, 1))
        ended = _run([_task("a", retries=1)], pool, share=share)
        assert (ended["a"].outcome, ended["a"].attempts) == (Outcome.PASSED, 2)

    def test_a_wide_task_waits_for_all_its_slots(self) -> None:
        """Narrow ones go before it meanwhile."""
        pool = FakePool()
        share = FakeShare(pool, (0.0, 1), (1.5, 1))
        _run([_task("a", slots=2), _task("b"), _task("c")], pool, slots=2, share=share)
        assert [(round(when), name) for when, name in pool.starts] == [
            (0, "b"),
            (1, "c"),
            (2, "a"),
        ]

    def test_a_stopped_run_waits_for_nothing(self) -> None:
        """An interrupt ends it, though no slot ever came."""
        pool = FakePool()
        ended = _run([_task("a")], pool, share=FakeShare(pool), interrupted=lambda: "interrupted")
        assert ended["a"].outcome is Outcome.CANCELLED
