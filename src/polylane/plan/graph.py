"""The graph: tasks in reference order, and what each comes after.

Pure: no clock, no files, no processes.
"""

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

from polylane.errors import UserError
from polylane.model import Task
from polylane.plan.claims import Conflicts
from polylane.records import NamedTuple

#: A task's place among tasks that no need orders.
Key = Callable[[Task], tuple[object, ...]]


class Graph(NamedTuple):
    """Vertices are indexes: a task's place in the reference order, or above them a join.

    A join stands for "all of these are done"; it takes no time.
    """

    #: In reference order: the order of the sequential run.
    tasks: tuple[Task, ...]
    #: For each task the tasks that it needs: their failure skips it.
    needs: tuple[tuple[int, ...], ...]
    #: For each vertex all vertices which come before it: needs, and conflicts.
    before: tuple[tuple[int, ...], ...]
    #: All vertices, each after those before it.
    order: tuple[int, ...]

    def edges(self) -> int:
        """Count the edges."""
        return sum(len(before) for before in self.before)

    def roots(self) -> int:
        """Count the tasks which nothing comes before."""
        return sum(not before for before in self.before[: len(self.tasks)])

    def ancestors(self) -> list[int]:
        """For each vertex all that come before it, near or far, as the bits of a number."""
        before = [0] * len(self.before)
        for vertex in self.order:
            for earlier in self.before[vertex]:
                before[vertex] |= before[earlier] | 1 << earlier
        return before

    def tasks_before(self, task: int) -> list[int]:
        """The tasks which a task waits for directly, joins opened, in reference order."""
        found: set[int] = set()
        todo = list(self.before[task])
        while todo:
            vertex = todo.pop()
            if vertex < len(self.tasks):
                found.add(vertex)
            else:
                todo.extend(self.before[vertex])
        return sorted(found)


def build(tasks: Sequence[Task], key: Key) -> Graph:
    """Order the tasks, and add an edge path for each pair that conflicts.

    Needs of tasks that are not among ``tasks`` are an error of the caller's (`KeyError`); ``after``
    of such tasks is ignored. A cycle of needs is a `UserError` that names it.
    """
    ordered = _reference_order(tasks, key)
    index = {task.id: i for i, task in enumerate(ordered)}
    needs = tuple(tuple(sorted({index[n] for n in task.needs})) for task in ordered)
    conflicts = Conflicts([task.claim for task in ordered])
    before = [set(vertices) for vertices in conflicts.before]
    for i, task in enumerate(ordered):
        before[i].update(needs[i])
        before[i].update(index[a] for a in task.after if index.get(a, i) < i)
    return Graph(
        tasks=tuple(ordered),
        needs=needs,
        before=tuple(tuple(sorted(vertices)) for vertices in before),
        order=tuple(conflicts.order),
    )


def _reference_order(tasks: Sequence[Task], key: Key) -> list[Task]:
    """Sort by ``key``, and move a task behind what it needs or comes after.

    Where an ``after`` is part of a cycle it yields; a cycle of needs alone is a `UserError`.
    """
    line = _Line(tasks, key)
    line.advance()
    while (stuck := line.first_stuck()) is not None:
        line.free(*_yielding(_cycle(stuck, line.waits), line.tasks, line.keys))
        line.advance()
    return line.ordered


class _Line:
    """Tasks that queue up behind those which they need or come after."""

    def __init__(self, tasks: Sequence[Task], key: Key) -> None:
        self.tasks = {task.id: task for task in tasks}
        self.keys = {task.id: (key(task), task.id) for task in tasks}
        #: For each task the ids that it still waits for.
        self.waits = {t.id: {n for n in (*t.needs, *t.after) if n in self.tasks} for t in tasks}
        self.ordered: list[Task] = []
        self._users: dict[str, list[str]] = {}
        for name, earlier_ones in self.waits.items():
            for earlier in earlier_ones:
                self._users.setdefault(earlier, []).append(name)
        self._ready = [self.keys[name] for name, waits in self.waits.items() if not waits]
        heapify(self._ready)
        self._last_first = sorted(self.keys, key=self.keys.__getitem__, reverse=True)

    def advance(self) -> None:
        """Order all that wait for nothing, the first by key first, and what that frees."""
        while self._ready:
            name = heappop(self._ready)[1]
            self.ordered.append(self.tasks[name])
            for user in self._users.get(name, ()):
                self.free(user, name)

    def free(self, user: str, earlier: str) -> None:
        """Let a task wait no longer for another."""
        if earlier in self.waits[user]:
            self.waits[user].remove(earlier)
            if not self.waits[user]:
                heappush(self._ready, self.keys[user])

    def first_stuck(self) -> str | None:
        """The first by key that still waits."""
        while self._last_first and not self.waits[self._last_first[-1]]:
            self._last_first.pop()
        return self._last_first[-1] if self._last_first else None


def _cycle(start: str, waits: Mapping[str, set[str]]) -> list[str]:
    """A cycle that can be reached from ``start``, which waits: ``[a, b, a]``, a waits for b."""
    place = {start: 0}
    path = [start]
    while True:
        name = min(waits[path[-1]])
        path.append(name)
        if name in place:
            return path[place[name] :]
        place[name] = len(place)


def _yielding(
    cycle: Sequence[str], tasks: Mapping[str, Task], keys: Mapping[str, Any]
) -> tuple[str, str]:
    """The pair of a cycle that is ordered by an ``after`` only: of several the one by ``keys``."""
    weak = [
        (user, earlier) for user, earlier in pairwise(cycle) if earlier not in tasks[user].needs
    ]
    if not weak:
        names = " -> ".join(cycle)
        raise UserError(f"tasks need each other in a cycle: {names}; remove one of these needs")
    return min(weak, key=lambda pair: keys[pair[0]])


def longest_paths(graph: Graph, duration: Callable[[Task], float]) -> list[float]:
    """For each vertex the longest time from its start to the end of all that follows it."""
    tail = [0.0] * len(graph.before)
    for vertex in reversed(graph.order):
        if vertex < len(graph.tasks):
            tail[vertex] += duration(graph.tasks[vertex])
        for earlier in graph.before[vertex]:
            tail[earlier] = max(tail[earlier], tail[vertex])
    return tail
