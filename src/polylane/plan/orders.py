"""Legal orders of a graph for a proof: every pair that no edge orders, both ways and at once.

A round is a list of batches: the tasks of one start together, and each batch waits for the one
before it. Pure: randomness comes from the caller, times are only compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from random import Random

from polylane.plan.graph import Graph

#: Tasks that start together, by index.
Batch = tuple[int, ...]


class Coverage:
    """Which pairs of tasks that no edge orders were run the other way round, and side by side."""

    def __init__(self, graph: Graph) -> None:
        self._before = graph.ancestors()
        #: Pairs that no path of edges orders, each in reference order.
        self.pairs = frozenset(
            (a, b)
            for a, b in combinations(range(len(graph.tasks)), 2)
            if not self._before[b] >> a & 1
        )
        #: The later of the reference order had ended before the earlier one started.
        self.reversed: set[tuple[int, int]] = set()
        #: Both ran for a while at the same time.
        self.overlapped: set[tuple[int, int]] = set()

    def record(self, spans: Mapping[int, tuple[float, float]]) -> None:
        """Add what a round covered: start and end of each task that ran."""
        for a, b in self.pairs:
            if a in spans and b in spans:
                (a_start, a_end), (b_start, b_end) = spans[a], spans[b]
                if b_end <= a_start:
                    self.reversed.add((a, b))
                elif a_end > b_start:
                    self.overlapped.add((a, b))

    @property
    def complete(self) -> bool:
        """Whether every pair was run in both of these ways."""
        return len(self.reversed) == len(self.overlapped) == len(self.pairs)

    def __str__(self) -> str:
        of = len(self.pairs)
        return f"reversed {len(self.reversed)}/{of}, overlapped {len(self.overlapped)}/{of}"


def next_round(graph: Graph, coverage: Coverage, slots: int, random: Random) -> list[Batch]:
    """Choose batches that cover as many of the missing pairs as a greedy choice finds."""
    late = coverage.pairs - coverage.reversed
    apart = coverage.pairs - coverage.overlapped
    batches: list[Batch] = []
    for ready, rest in _steps(graph, batches):
        batches.append(_batch(graph, ready, rest, late, apart, slots, random))
    return batches


def _steps(graph: Graph, batches: list[Batch]) -> Iterator[tuple[list[int], set[int]]]:
    """What is ready after each batch that the caller adds, and all that is not placed yet."""
    rest = set(range(len(graph.tasks)))
    before = {task: set(graph.tasks_before(task)) for task in rest}
    while rest:
        yield [task for task in sorted(rest) if not before[task] & rest], rest
        rest -= set(batches[-1])


def _batch(
    graph: Graph,
    ready: Sequence[int],
    rest: set[int],
    late: frozenset[tuple[int, int]],
    apart: frozenset[tuple[int, int]],
    slots: int,
    random: Random,
) -> Batch:
    """Tasks that fit into the slots: first what others should come after, then what meets it."""
    tie = {task: random.random() for task in ready}
    # What a task gains by going before the earlier ones of the reference order, and what it loses
    # where later ones should still go before it, or run beside it and are not ready yet.
    gains = {task: sum((other, task) in late for other in rest) for task in ready}
    unready = rest - set(ready)
    loses = {
        task: sum((task, other) in late for other in rest)
        + sum(_pair(task, other) in apart for other in unready)
        for task in ready
    }
    chosen: list[int] = []
    free = slots
    candidates = set(ready)
    while candidates:
        meets = {t: sum(_pair(t, other) in apart for other in chosen) for t in candidates}
        task = max(candidates, key=lambda t: (meets[t], gains[t] - loses[t], tie[t]))
        candidates.discard(task)
        weight = min(graph.tasks[task].slots, slots)
        if weight <= free and (not chosen or meets[task] or not loses[task]):
            chosen.append(task)
            free -= weight
    return tuple(chosen)


def _pair(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def in_batches(graph: Graph, batches: Sequence[Batch]) -> Graph:
    """The same graph where each batch also waits for the one before it."""
    before = [set(vertices) for vertices in graph.before]
    for earlier, batch in pairwise(batches):
        for task in batch:
            before[task].update(earlier)
    return graph._replace(
        before=tuple(tuple(sorted(vertices)) for vertices in before), order=_order(before)
    )


def _order(before: Sequence[set[int]]) -> tuple[int, ...]:
    """All vertices, each after those before it."""
    waits = [len(vertices) for vertices in before]
    users: list[list[int]] = [[] for _ in before]
    for vertex, vertices in enumerate(before):
        for earlier in vertices:
            users[earlier].append(vertex)
    order = [vertex for vertex, count in enumerate(waits) if not count]
    for vertex in order:
        for user in users[vertex]:
            waits[user] -= 1
            if not waits[user]:
                order.append(user)
    return tuple(order)
