"""The graph: tasks in reference order, and what each comes after.

Pure: no clock, no files, no processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from polylane.errors import UserError
from polylane.model import Task
from polylane.plan.claims import Conflicts

#: A task's place among tasks that no need orders.
Key = Callable[[Task], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Graph:
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
    """Sort by ``key``, and move a task behind what it needs; ``after`` yields where it would cycle."""
    with_after = {task.id: {*task.needs, *task.after} for task in tasks}
    ordered = _sorted_by_needs(tasks, key, with_after)
    if len(ordered) < len(tasks):
        only_needs = {task.id: set(task.needs) for task in tasks}
        ordered = _sorted_by_needs(tasks, key, only_needs)
        if len(ordered) < len(tasks):
            raise UserError(_cycle(only_needs, {task.id for task in ordered}))
    return ordered


def _sorted_by_needs(tasks: Sequence[Task], key: Key, needs: Mapping[str, set[str]]) -> list[Task]:
    by_id = {task.id: task for task in tasks}
    users: dict[str, list[str]] = {}
    missing: dict[str, int] = {}
    for task in tasks:
        known = [n for n in needs[task.id] if n in by_id]
        missing[task.id] = len(known)
        for n in known:
            users.setdefault(n, []).append(task.id)
    ready = [(key(task), task.id) for task in tasks if not missing[task.id]]
    heapify(ready)
    ordered = []
    while ready:
        _, name = heappop(ready)
        ordered.append(by_id[name])
        for user in users.get(name, ()):
            missing[user] -= 1
            if not missing[user]:
                heappush(ready, (key(by_id[user]), user))
    return ordered


def _cycle(needs: Mapping[str, set[str]], done: set[str]) -> str:
    """Name one cycle among what could not be ordered: ``a -> b -> a``."""
    path = [min(name for name in needs if name not in done)]
    while path.count(path[-1]) < 2:
        path.append(min(n for n in needs[path[-1]] if n in needs and n not in done))
    names = path[path.index(path[-1]) :]
    return f"tasks need each other in a cycle: {' -> '.join(names)}; remove one of these needs"


def longest_paths(graph: Graph, duration: Callable[[Task], float]) -> list[float]:
    """For each vertex the longest time from its start to the end of all that follows it."""
    tail = [0.0] * len(graph.before)
    for vertex in reversed(graph.order):
        if vertex < len(graph.tasks):
            tail[vertex] += duration(graph.tasks[vertex])
        for earlier in graph.before[vertex]:
            tail[earlier] = max(tail[earlier], tail[vertex])
    return tail
