"""How long a run, or the rest of one, may take: its schedule played with a clock of numbers.

Pure: it sees a graph and figures. Knows nothing of the run itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from polylane.outcome import Outcome
from polylane.plan.durations import Span, priorities
from polylane.plan.graph import Graph
from polylane.plan.schedule import Schedule
from polylane.records import NamedTuple

#: An estimate is worth saying where it is right within a factor of two, or within a second.
_WIDEST = 2.0
_CLOSE_S = 1.0


class Estimate(NamedTuple):
    """What is left, in seconds."""

    low: float
    likely: float
    high: float
    #: So many earlier runs measured each task that is left, or more.
    runs: int


def time_left(
    graph: Graph,
    expected: Sequence[Span],
    *,
    slots: int,
    alone: frozenset[str] = frozenset(),
    ended: Mapping[int, Outcome] | None = None,
    running: Mapping[int, float] | None = None,
) -> Estimate | None:
    """Estimate what is left of a run; None where history does not support it.

    ``expected``: what each task takes. ``ended``: the tasks that have ended, and how. ``running``:
    for how many seconds each has been running. History does not support an estimate where an
    unknown task is on the longest path, or where the quick and the slow case lie too far apart.
    """
    ended, running = ended or {}, running or {}
    left = [_left(i, span, ended, running) for i, span in enumerate(expected)]
    if _unknown_matters(graph, left):
        return None
    line = priorities(graph, expected)
    low, likely, high = (
        play(_begun(graph, line, slots, alone, ended, running), [span[case] for span in left])
        for case in range(3)
    )
    # Packing is no exact art: a quicker task may make the whole longer.
    low, high = min(low, likely), max(high, likely)
    if high > max(low * _WIDEST, low + _CLOSE_S):
        return None
    known = [span.runs for i, span in enumerate(left) if i not in ended and span.runs]
    return Estimate(low, likely, high, min(known)) if known else None


def _left(
    index: int, span: Span, ended: Mapping[int, Outcome], running: Mapping[int, float]
) -> Span:
    """What is left of a task. One that outlasts all that is known of it is unknown from then on."""
    if index in ended:
        return Span(0.0, 0.0, 0.0, 1)
    gone = running.get(index, 0.0)
    if gone <= span.high:
        low, likely, high = (max(0.0, each - gone) for each in span[:3])
        return Span(low, likely, high, span.runs)
    return Span(0.0, gone - span.high, gone, 0)


def _unknown_matters(graph: Graph, left: Sequence[Span]) -> bool:
    """Whether an unknown task is on a path as long as the longest."""
    after = priorities(graph, left)
    before = [0.0] * len(graph.before)
    for vertex in graph.order:
        for earlier in graph.before[vertex]:
            own = left[earlier].likely if earlier < len(left) else 0.0
            before[vertex] = max(before[vertex], before[earlier] + own)
    longest = max(after, default=0.0) * (1 - 1e-9)
    return any(not span.runs and before[i] + after[i] >= longest for i, span in enumerate(left))


def _begun(
    graph: Graph,
    line: Sequence[float],
    slots: int,
    alone: frozenset[str],
    ended: Mapping[int, Outcome],
    running: Mapping[int, float],
) -> Schedule:
    """A schedule of which these tasks have ended, and these run."""
    # What has ended goes first, one at a time, then what runs: all that it waited for has ended.
    top = max(line, default=0.0) + 1.0
    ranks = [2 * top if i in ended else top if i in running else own for i, own in enumerate(line)]
    schedule = Schedule(graph, slots=slots, priorities=ranks, alone=alone)
    left = set(ended)
    while left:
        task = schedule.start_next()
        assert task in left, "BUG: an ended task waits for one that has not ended"
        dropped = schedule.finish(task, ended[task])
        left -= {task, *(index for index, _, _ in dropped)}
    for _ in running:
        schedule.start_next()
    return schedule


def play(schedule: Schedule, seconds: Sequence[float]) -> float:
    """Play the rest of a schedule; returns when the last task ends."""
    ends = [(seconds[i], i) for i in schedule.running]
    heapify(ends)
    now = 0.0
    while not schedule.done:
        while (task := schedule.start_next()) is not None:
            heappush(ends, (now + seconds[task], task))
        now, task = heappop(ends)
        schedule.finish(task, Outcome.PASSED)
    return now
