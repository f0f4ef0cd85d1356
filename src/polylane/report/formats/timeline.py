"""When what ran: rows of bars, the chain that was waited for, and what was used over time.

Pure: from tasks as ``result.json`` has them. Times in seconds since the run's start. Knows nothing
of formats.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import accumulate

from polylane.records import NamedTuple
from polylane.report.formats.finished import Task, ran


class Bar(NamedTuple):
    """When a task ran, and in which row: no two bars of a row overlap."""

    task: Task
    row: int
    start: float
    end: float


class Curves(NamedTuple):
    """What was used from each moment until the next.

    ``cpu`` is in cores and ``memory`` in bytes; both take a task to use the same all the time: its
    average of CPU time, and its peak of memory. So memory is an upper bound.
    """

    moments: list[float]
    running: list[float]
    cpu: list[float]
    memory: list[float]


def bars(tasks: Iterable[Task]) -> list[Bar]:
    """Bars by their start, each in the first row that is free; as many rows as ran at once."""
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    found = []
    for task in sorted(filter(ran, tasks), key=lambda task: (task["started_s"], task["wall_s"])):
        start, end = task["started_s"], task["started_s"] + task["wall_s"]
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        row = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, row))
        found.append(Bar(task, row, start, end))
    return found


def chain(tasks: Sequence[Task]) -> tuple[float, list[str]]:
    """The longest chain of tasks that waited for each other: its length, and ids in its order."""
    length: dict[str, float] = {}
    before: dict[str, str] = {}
    for task in sorted(filter(ran, tasks), key=lambda task: task["started_s"]):
        name = task["id"]
        waited = [each for each in task.get("waited_for", ()) if each in length]
        length[name] = task["wall_s"]
        if waited:
            before[name] = max(waited, key=length.__getitem__)
            length[name] += length[before[name]]
    if not length:
        return 0.0, []
    last = max(length, key=length.__getitem__)
    ids = [last]
    while ids[-1] in before:
        ids.append(before[ids[-1]])
    return length[last], ids[::-1]


def curves(tasks: Iterable[Task]) -> Curves:
    """What was used over time; begins at 0 and ends with nothing."""
    changes: dict[float, list[float]] = {0.0: [0.0, 0.0, 0.0]}
    for bar in bars(tasks):
        wall = bar.end - bar.start
        cores = bar.task["cpu_s"] / wall if wall > 0 else 0.0
        used = (1, cores, bar.task["max_rss_bytes"] or 0)
        for moment, sign in ((bar.start, 1), (bar.end, -1)):
            at = changes.setdefault(moment, [0.0, 0.0, 0.0])
            at[:] = [old + sign * new for old, new in zip(at, used, strict=True)]
    moments = sorted(changes)
    columns = zip(*(changes[moment] for moment in moments), strict=True)
    # Sums of fractions may end a hair below nothing.
    totals = [[max(0.0, round(each, 3)) for each in accumulate(column)] for column in columns]
    return Curves(moments, *totals)


def ticks(whole: float, most: int = 8) -> list[float]:
    """Round moments from 0 on, at most so many, for the axis of a run that took ``whole``."""
    if whole <= 0:
        return [0.0]
    step = 10.0**-3
    factors = (2, 2.5, 2)  # 1, 2, 5, 10 ...
    turn = 0
    while whole / step > most:
        step *= factors[turn % 3]
        turn += 1
    return [round(step * number, 6) for number in range(int(whole / step) + 1)]
