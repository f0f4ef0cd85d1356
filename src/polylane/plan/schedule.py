"""The state of a run: each task goes waiting -> ready -> running -> done.

Says what may start next and what an outcome means for the others. Pure: it starts nothing, has no
clock, and knows nothing of processes; slots are numbers here.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from polylane.outcome import BAD, Outcome
from polylane.plan.graph import Graph

#: A task that ends without having run, and why: its index, its outcome, the reason.
Dropped = tuple[int, Outcome, str]


class Schedule:
    """Tasks by index in the graph's reference order.

    Sequential is not another algorithm: with ``priorities`` of None the first in reference order
    goes first, and one slot makes that the reference order itself.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        slots: int,
        priorities: Sequence[float] | None = None,
        alone: frozenset[str] = frozenset(),
    ) -> None:
        """``priorities``: larger goes first. ``alone``: verbs whose tasks take all slots."""
        self.graph = graph
        self.slots = slots
        self.free = slots
        self.running: set[int] = set()
        self._weight = [
            slots if task.verb in alone else min(task.slots, slots) for task in graph.tasks
        ]
        self._rank = [(-priorities[i] if priorities else 0.0, i) for i in range(len(graph.tasks))]
        self._missing = [len(before) for before in graph.before]
        self._users: list[list[int]] = [[] for _ in graph.before]
        for vertex, before in enumerate(graph.before):
            for earlier in before:
                self._users[earlier].append(vertex)
        self._needed_by: list[list[int]] = [[] for _ in graph.tasks]
        for i, needs in enumerate(graph.needs):
            for needed in needs:
                self._needed_by[needed].append(i)
        self._ended: set[int] = set()
        #: For each task the task whose end made it ready.
        self.released_by: dict[int, int] = {}
        #: Ready tasks by weight, so that wide ones cannot slow the search for narrow ones.
        self._ready: dict[int, list[tuple[float, int]]] = {w: [] for w in sorted({*self._weight})}
        for i, weight in enumerate(self._weight):
            if not self._missing[i]:
                heappush(self._ready[weight], self._rank[i])

    @property
    def done(self) -> bool:
        """Whether every task has ended."""
        return len(self._ended) == len(self.graph.tasks)

    def start_next(self) -> int | None:
        """Take the ready task that goes first among those for which enough slots are free.

        A wide task that waits for its slots holds nothing back: to keep slots free for it made
        random graphs 2 to 10 % longer on average, on 2 to 8 slots.
        """
        fitting = [heap for weight, heap in self._ready.items() if heap and weight <= self.free]
        if not fitting:
            return None
        task = heappop(min(fitting, key=lambda heap: heap[0]))[1]
        self.running.add(task)
        self.free -= self._weight[task]
        return task

    def finish(self, task: int, outcome: Outcome) -> list[Dropped]:
        """Record a running task's end; return what ends with it, because it needed it."""
        self.running.discard(task)
        self.free += self._weight[task]
        dropped = self._skip_users(task, outcome) if outcome in _FAILS_NEEDS else []
        self._ended.update([task, *(index for index, _, _ in dropped)])
        self._release(task)
        return dropped

    def stop(self, reason: str) -> list[Dropped]:
        """Start nothing more: every task that is not running is cancelled."""
        rest = [
            i
            for i in range(len(self.graph.tasks))
            if i not in self._ended and i not in self.running
        ]
        self._ended.update(rest)
        for heap in self._ready.values():
            heap.clear()
        return [(i, Outcome.CANCELLED, reason) for i in rest]

    def _skip_users(self, task: int, outcome: Outcome) -> list[Dropped]:
        reason = f"needs {self.graph.tasks[task].id}, which {_WORDS[outcome]}"
        dropped: list[Dropped] = []
        seen = set(self._ended)
        todo = list(self._needed_by[task])
        while todo:
            user = todo.pop()
            if user not in seen:
                seen.add(user)
                dropped.append((user, Outcome.SKIPPED, reason))
                todo.extend(self._needed_by[user])
        return sorted(dropped)

    def _release(self, task: int) -> None:
        """Take a task away from what waits for it, and with it the joins and the skipped ones.

        A skipped task lets go only when all before it has ended: what conflicts with both it and
        an earlier one may be ordered behind the earlier one through it alone.
        """
        todo = [task]
        while todo:
            for user in self._users[todo.pop()]:
                self._missing[user] -= 1
                if self._missing[user]:
                    continue
                if user >= len(self.graph.tasks) or user in self._ended:
                    todo.append(user)
                else:
                    self.released_by[user] = task
                    heappush(self._ready[self._weight[user]], self._rank[user])


#: Outcomes after which what needs the task cannot run.
_FAILS_NEEDS = BAD | {Outcome.CANCELLED}
_WORDS = {
    Outcome.FAILED: "failed",
    Outcome.TIMED_OUT: "timed out",
    Outcome.CRASHED: "crashed",
    Outcome.CANCELLED: "was cancelled",
}
