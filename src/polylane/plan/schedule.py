"""The state of a run: each task goes waiting -> ready -> running -> done.

Says what may start next and what an outcome means for the others. Pure: it starts nothing, has no
clock, and knows nothing of processes; slots are numbers here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from polylane.outcome import BAD, Outcome
from polylane.plan.graph import Graph
from polylane.plan.width import Width, share

#: A task that ends without having run, and why: its index, its outcome, the reason.
Dropped = tuple[int, Outcome, str]

#: So many starts, for each slot, may overtake a ready task that does not fit; then it is next. In
#: simulations two make a run as short as any number does, one or none make it longer.
_OVERTAKE = 2


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
        sizes: Sequence[int] | None = None,
        widths: Sequence[Width] | None = None,
    ) -> None:
        """``priorities``: larger goes first. ``alone``: verbs whose tasks take all slots.

        ``widths``: how many slots each task takes; without, what it says itself.
        ``sizes``: what `start_next` may be told not to fit, smaller ones sooner than larger ones.
        """
        self.graph = graph
        self.slots = slots
        self.free = slots
        self.running: set[int] = set()
        self._widths = widths or [Width(max(task.slots, 1)) for task in graph.tasks]
        self._weight = [
            slots if task.verb in alone else min(width.least, slots)
            for task, width in zip(graph.tasks, self._widths, strict=True)
        ]
        #: Ready tasks that take a share of the slots: when they start they get their weight.
        self._elastic = {
            i
            for i, (task, width) in enumerate(zip(graph.tasks, self._widths, strict=True))
            if width.elastic and task.verb not in alone
        }
        #: Seconds of work of the ready tasks, and of the running ones, as it was when they started.
        self._waiting_s = self._running_s = 0.0
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
        self._classes = [_size_class(size) for size in sizes] if sizes else [0] * len(graph.tasks)
        #: Ready tasks by weight and size, so that none slows the search for those that fit.
        self._ready: dict[tuple[int, int], list[tuple[float, int]]] = {}
        #: Those that go before all others, one at a time.
        self._lonely: list[int] = []
        #: How many starts went before a ready task because it did not fit.
        self._overtaken: dict[int, int] = {}
        for i, missing in enumerate(self._missing[: len(graph.tasks)]):
            if not missing:
                self._add(i)

    @property
    def done(self) -> bool:
        """Whether every task has ended."""
        return len(self._ended) == len(self.graph.tasks)

    def start_next(self, fits: Callable[[int], bool] | None = None) -> int | None:
        """Take the ready task that goes first among those for which enough slots are free.

        A wide task that waits for its slots holds nothing back: to keep slots free for it made
        random graphs 2 to 10 % longer on average, on 2 to 8 slots. One that does not fit for
        another reason, by ``fits``, is overtaken by those that do, a limited number of times.
        """
        if self._lonely:
            may_start = not self.running and (fits is None or fits(self._lonely[0]))
            return self._start(self._lonely.pop(0)) if may_start else None
        heaps = [heap for heap in self._heads() if self._lack_of(heap[0][1]) <= 0]
        if fits is None:
            return self._start(heappop(min(heaps, key=_first))[1]) if heaps else None
        passed: list[int] = []
        for heap in sorted(heaps, key=_first):
            task = heap[0][1]
            if fits(task):
                self._overtaken.update({each: self._overtaken.get(each, 0) + 1 for each in passed})
                return self._start(heappop(heap)[1])
            if self._overtaken.get(task, 0) >= _OVERTAKE * self.slots:
                return None
            passed.append(task)
        return None

    def _heads(self) -> list[list[tuple[float, int]]]:
        return [heap for heap in self._ready.values() if heap]

    def lack(self) -> int:
        """How many slots must come free before a ready task can start; 0 where none waits so."""
        lacks = [self._lack_of(heap[0][1]) for heap in self._heads()]
        return max(0, min(lacks, default=0))

    @property
    def waits(self) -> bool:
        """Whether a task is ready to start."""
        return bool(self._lonely or self._heads())

    def slots_of(self, task: int) -> int:
        """How many slots a running task takes."""
        return self._weight[task]

    def wanted(self, task: int) -> tuple[int, int]:
        """How many slots a ready task must have, and how many it would take now."""
        return self._share(task) if task in self._elastic else (self._weight[task],) * 2

    def narrow(self, task: int, slots: int) -> None:
        """Give a ready task so many slots, now that there are no more on the machine."""
        self._weight[task] = slots
        self._elastic.discard(task)

    def _lack_of(self, task: int) -> int:
        need = self._share(task)[0] if task in self._elastic else self._weight[task]
        return need - self.free

    def _share(self, task: int) -> tuple[int, int]:
        work, least = self._widths[task].work, min(self._widths[task].least, self.slots)
        low, now = share(work, self._waiting_s, self._running_s, self.slots, self.free)
        return max(low, least), max(now, least)

    def _start(self, task: int) -> int:
        if task in self._elastic:
            self._weight[task] = self._share(task)[1]
            self._elastic.discard(task)
        self._waiting_s -= self._widths[task].work
        self._running_s += self._widths[task].work
        self.running.add(task)
        self.free -= self._weight[task]
        return task

    def put_back(self, task: int) -> None:
        """Have a running task, which has ended too soon, run once more: next, and alone."""
        self.running.discard(task)
        self._free_slots_of(task)
        self._weight[task] = self.slots
        self._waiting_s += self._widths[task].work
        self._lonely.append(task)

    def _free_slots_of(self, task: int) -> None:
        self.free += self._weight[task]
        self._running_s -= self._widths[task].work

    def finish(self, task: int, outcome: Outcome) -> list[Dropped]:
        """Record a running task's end; return what ends with it, because it needed it."""
        self.running.discard(task)
        self._free_slots_of(task)
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
        self._lonely.clear()
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
                    self._add(user)

    def _add(self, task: int) -> None:
        key = 0 if task in self._elastic else self._weight[task], self._classes[task]
        self._waiting_s += self._widths[task].work
        heappush(self._ready.setdefault(key, []), self._rank[task])


def _first(heap: list[tuple[float, int]]) -> tuple[float, int]:
    return heap[0]


def _size_class(size: int) -> int:
    """Sizes in one class differ by less than a quarter: a number's length, and its first bits."""
    bits = size.bit_length()
    return 4 * bits + ((size >> (bits - 3)) & 3 if bits > 2 else 0)  # noqa: PLR2004


#: Outcomes after which what needs the task cannot run.
_FAILS_NEEDS = BAD | {Outcome.CANCELLED}
_WORDS = {
    Outcome.FAILED: "failed",
    Outcome.TIMED_OUT: "timed out",
    Outcome.CRASHED: "crashed",
    Outcome.CANCELLED: "was cancelled",
}
