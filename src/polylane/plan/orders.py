"""Legal orders of a graph for a proof: every pair that no edge orders, both ways and at once.

A round is a list of batches: the tasks of one start together, and each batch waits for the one
before it. Pure: randomness comes from the caller, times are only compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from random import Random

from polylane.plan.graph import Graph
from polylane.plan.width import width

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
    missing = _Missing(coverage, len(graph.tasks))
    before = [_bits(graph.tasks_before(task)) for task in range(len(graph.tasks))]
    rest = (1 << len(before)) - 1
    batches: list[Batch] = []
    while rest:
        ready = [
            task for task, earlier in enumerate(before) if rest >> task & 1 and not earlier & rest
        ]
        batches.append(_batch(graph, ready, rest, missing, slots, random))
        rest &= ~_bits(batches[-1])
    return batches


def _bits(tasks: Iterable[int]) -> int:
    """A set of tasks as the bits of a number: a thousand tasks have half a million pairs."""
    return sum(1 << task for task in tasks)


class _Missing:
    """The pairs that are not covered yet: for each task the others, as bits."""

    def __init__(self, coverage: Coverage, tasks: int) -> None:
        #: Earlier ones of the reference order, that should once come after it.
        self.earlier = [0] * tasks
        #: Later ones that should once come before it.
        self.later = [0] * tasks
        #: Those that should once run beside it.
        self.apart = [0] * tasks
        for a, b in coverage.pairs - coverage.reversed:
            self.earlier[b] |= 1 << a
            self.later[a] |= 1 << b
        for a, b in coverage.pairs - coverage.overlapped:
            self.apart[a] |= 1 << b
            self.apart[b] |= 1 << a

    def gain(self, task: int, rest: int) -> int:
        """How many pairs are covered where a task goes before all of the rest."""
        return (self.earlier[task] & rest).bit_count()

    def loss(self, task: int, rest: int, unready: int) -> int:
        """How many are not: later ones that should go first, or beside it and are not ready."""
        later = (self.later[task] & rest).bit_count()
        return later + (self.apart[task] & unready).bit_count()


def _batch(
    graph: Graph, ready: Sequence[int], rest: int, missing: _Missing, slots: int, random: Random
) -> Batch:
    """Tasks that fit into the slots: first what others should come after, then what meets it."""
    unready = rest & ~_bits(ready)
    tie = {task: random.random() for task in ready}
    loses = {task: missing.loss(task, rest, unready) for task in ready}
    value = {task: missing.gain(task, rest) - loses[task] for task in ready}
    chosen: list[int] = []
    least = {task: min(width(graph.tasks[task], {}).least, slots) for task in ready}
    free, beside = slots, 0
    while True:
        meets = {
            task: (missing.apart[task] & beside).bit_count()
            for task in ready
            if not beside >> task & 1 and least[task] <= free
        }
        fitting = [task for task in meets if not chosen or meets[task] or not loses[task]]
        if not fitting:
            return tuple(chosen)
        _, _, _, task = max((meets[each], value[each], tie[each], each) for each in fitting)
        chosen.append(task)
        beside |= 1 << task
        free -= least[task]


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
