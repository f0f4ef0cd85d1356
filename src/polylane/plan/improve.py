"""Which task goes first where the longest path alone does not say it best.

To start what has the longest path behind it is within a percent of the best order where tasks are
many. Where a few long ones share few slots it may cost more: of two paths that are nearly as long,
the one of several tasks leaves more ways to fill the slots at the end than a single task. So other
orders are played with what tasks took, and one that ends clearly sooner is taken.

Pure: it sees figures, and knows nothing of how tasks run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polylane.plan.durations import Span
from polylane.plan.estimate import play
from polylane.plan.graph import Graph
from polylane.plan.schedule import Schedule

#: In shorter runs there is nothing to win, nor where the order comes so near to the bound.
_LEAST_S = 2.0
_NEAR = 1.02

#: An order must be better by this, since no task takes exactly what it took.
_BETTER = 0.98

#: So many tasks are played in all, which takes some milliseconds; and in one order.
_PLAYED = 1000
_MOST = 50


def improve(
    graph: Graph,
    expected: Sequence[Span],
    line: Sequence[float],
    schedule: Callable[[Sequence[float]], Schedule],
) -> Sequence[float]:
    """Priorities that are at least as good as ``line``, by what earlier runs took.

    ``schedule`` makes one that begins, of priorities. Tried is to have one task, with all that it
    comes after, before all others; and from the best of that on, again.
    """
    if len(graph.tasks) > _MOST or not all(span.runs for span in expected):
        return line
    seconds = [span.likely for span in expected]
    begun = schedule(line)
    bound = max(max(line, default=0.0), sum(seconds) / begun.slots) * _NEAR
    shortest = play(begun, seconds)
    if shortest < max(bound, _LEAST_S):
        return line
    best, plays, before = line, _PLAYED // len(graph.tasks), graph.ancestors()
    tasks = sorted(range(len(graph.tasks)), key=lambda task: -line[task])
    while plays > 0 and shortest > bound:
        tried = [_before_all(best, task, before[task]) for task in tasks[:plays]]
        plays -= len(tried)
        time, number = min((play(schedule(each), seconds), i) for i, each in enumerate(tried))
        if time > shortest * _BETTER:
            break
        best, shortest = tried[number], time
    return best


def _before_all(line: Sequence[float], task: int, before: int) -> list[float]:
    """The same with a task before all others, and in front of it those that it comes after."""
    top = max(line)
    return [own + top if i == task or before >> i & 1 else own for i, own in enumerate(line)]
