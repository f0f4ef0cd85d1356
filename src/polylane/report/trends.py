"""What runs took over time: medians, 95th percentiles, success, flakiness, savings, trends.

Pure: from the records of the history. Times in seconds; shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from statistics import fmean, median
from typing import TypeVar

from polylane.records import NamedTuple
from polylane.remember.records import Records, Run, Start

_Any = TypeVar("_Any", bound=Run | Start)

#: The plan's measure: parallel runs succeed at least so often, as a share of sequential ones.
GOAL = 0.95

#: A trend compares the median of so many runs, the newest, with that of all before.
_NEWEST = 5
#: With fewer before them nobody can tell.
_BEFORE = 5

_BAD = frozenset({"failed", "timed-out", "crashed"})
_PERCENTILE = 0.95


class Side(NamedTuple):
    """What is known of one mode. Only runs that passed or failed count, and only passed walls."""

    passed: int = 0
    failed: int = 0
    #: The oldest first.
    walls: tuple[float, ...] = ()

    @property
    def runs(self) -> int:
        """How many runs ended either way."""
        return self.passed + self.failed

    @property
    def success(self) -> float | None:
        """The share that passed; None where there is none."""
        return self.passed / self.runs if self.runs else None

    @property
    def median(self) -> float | None:
        """Of the wall times; None where there is none."""
        return median(self.walls) if self.walls else None

    @property
    def high(self) -> float | None:
        """The 95th percentile of the wall times, by the nearest rank."""
        if not self.walls:
            return None
        return sorted(self.walls)[ceil(_PERCENTILE * len(self.walls)) - 1]


class Line(NamedTuple):
    """A task, or a selection, in both modes."""

    name: str
    parallel: Side
    sequential: Side
    #: Runs of a task that passed on a retry only.
    retried: int = 0
    #: Runs of a task that failed with inputs with which it passed in another run, and those passes.
    contradicted: tuple[int, int] = (0, 0)

    @property
    def flaky(self) -> int:
        """In how many runs it failed, or did at first, though the same inputs passed."""
        return self.retried + self.contradicted[0]

    @property
    def against(self) -> float | None:
        """Success in parallel as a share of that in sequence; None where either is unknown."""
        one, other = self.parallel.success, self.sequential.success
        return one / other if one is not None and other else None

    @property
    def worse(self) -> bool:
        """Whether parallel runs succeed less often than the goal."""
        return self.against is not None and self.against < GOAL

    @property
    def saved(self) -> float | None:
        """What parallel saves of the sequential median, as a share."""
        one, other = self.parallel.median, self.sequential.median
        return 1 - one / other if one is not None and other else None

    @property
    def trend(self) -> float | None:
        """How much longer the newest took than those before, as a share, in the mode run most."""
        walls = max(self.parallel.walls, self.sequential.walls, key=len)
        if len(walls) < _NEWEST + _BEFORE:
            return None
        before = median(walls[:-_NEWEST])
        return median(walls[-_NEWEST:]) / before - 1 if before else None


class Success(NamedTuple):
    """The mean success of tasks, as shares, and of how many."""

    parallel: float
    sequential: float
    tasks: int

    @property
    def worse(self) -> bool:
        """Whether it is below the goal."""
        return self.parallel < GOAL * self.sequential


class Trends(NamedTuple):
    """All that the history says; selections by how often they ran, tasks by what they take."""

    selections: list[Line]
    tasks: list[Line]

    def success(self) -> Success | None:
        """Of all tasks that ran in both modes; None where there is none.

        Each weighs the same: a task that ran often in one mode only must not tip the scales.
        """
        pairs = [(t.parallel.success, t.sequential.success) for t in self.tasks]
        both = [(one, other) for one, other in pairs if one is not None and other is not None]
        if not both:
            return None
        parallel, sequential = map(fmean, zip(*both, strict=True))
        return Success(parallel, sequential, len(both))


def find(records: Records, pipelines: Mapping[str, Sequence[str]]) -> Trends:
    """Sum up; ``pipelines`` by name, for selections that are one."""
    names = {tuple(verbs): name for name, verbs in pipelines.items()}
    runs = _grouped(records.runs, lambda run: names.get(run.selection, " ".join(run.selection)))
    starts = _grouped(records.starts, lambda start: start.task)
    selections = [_line(name, each, _run_passed) for name, each in runs.items()]
    tasks = [_line(name, each, _start_passed) for name, each in starts.items()]
    return Trends(
        sorted(selections, key=lambda line: -line.parallel.runs - line.sequential.runs),
        sorted(tasks, key=lambda line: -_longest(line)),
    )


def _longest(line: Line) -> float:
    return max(line.parallel.median or 0.0, line.sequential.median or 0.0)


def _grouped(items: Iterable[_Any], key: Callable[[_Any], str]) -> dict[str, list[_Any]]:
    found: dict[str, list[_Any]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _line(name: str, items: Sequence[_Any], passed: Callable[[_Any], bool | None]) -> Line:
    parallel, sequential = (
        _side([item for item in items if item.mode == mode], passed)
        for mode in ("parallel", "sequential")
    )
    started: list[Start] = [item for item in items if isinstance(item, Start)]
    retried = sum(each.outcome == "passed" and each.attempts > 1 for each in started)
    return Line(name, parallel, sequential, retried, _contradicted(started))


def _contradicted(starts: Sequence[Start]) -> tuple[int, int]:
    """Failures with inputs that passed too, and these passes; unknown inputs say nothing."""
    failed = passed = 0
    known = [each for each in starts if each.inputs is not None]
    for same in _grouped(known, lambda each: str(each.inputs)).values():
        verdicts = [_start_passed(each) for each in same]
        if True in verdicts and False in verdicts:
            failed += verdicts.count(False)
            passed += verdicts.count(True)
    return failed, passed


def _side(items: Sequence[_Any], passed: Callable[[_Any], bool | None]) -> Side:
    verdicts = [(passed(item), item.wall_s) for item in items]
    walls = tuple(wall for verdict, wall in verdicts if verdict)
    return Side(len(walls), sum(verdict is False for verdict, _ in verdicts), walls)


def _run_passed(run: Run) -> bool:
    return run.exit_code == 0


def _start_passed(start: Start) -> bool | None:
    """None where it neither passed nor failed: it was cancelled, or found nothing to do."""
    return start.outcome == "passed" or (False if start.outcome in _BAD else None)
