"""What the loop of a run does while tasks run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.run.test_runner import PASS, FakeObserver, FakePool, _run, _task


class TestMeanwhile:
    """What has time while tasks run."""

    def test_it_is_done_in_steps_between_ends(self) -> None:
        """What has ended is seen to before the next step, and the rest is left when all ended."""
        pool = FakePool(a=[(0.0, PASS)], b=[(5.0, PASS)])
        seen = FakeObserver()

        def steps() -> Iterator[None]:
            for number in range(3):
                seen.seen.append(f"step {number}")
                yield

        _run([_task("a"), _task("b")], pool, observer=seen, meanwhile=steps())
        assert seen.seen == [
            "start a /logs/a.1.log",
            "end a passed",
            "start b /logs/b.1.log",
            *(f"step {number}" for number in range(3)),
            "end b passed",
        ]
        patience = 0.005
        assert pool.timeouts == [0, patience, patience, patience, patience, None]

    def test_short_tasks_do_not_wait_for_a_step(self) -> None:
        """Once one has ended; what is left of the steps is their maker's to go through."""
        done = list[int]()
        pool = FakePool(a=[(0.0, PASS)], **{name: [(0.004, PASS)] for name in "bcd"})
        _run([_task(name) for name in "abcd"], pool, meanwhile=map(done.append, range(9)))
        assert done == []
        assert [start for start, _ in pool.starts] == pytest.approx([0.0, 0.0, 0.004, 0.008])

    def test_an_interrupt_is_heard_between_steps(self) -> None:
        """It does not wait for all of them."""
        reasons, done = iter(["", "interrupted by SIGINT"]), list[int]()
        pool = FakePool(a=[(9.0, PASS)])
        steps = map(done.append, range(9))
        _run([_task("a")], pool, interrupted=lambda: next(reasons, ""), meanwhile=steps)
        assert len(done) == 2
