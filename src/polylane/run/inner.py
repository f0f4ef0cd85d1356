"""What runs inside tasks at the same time: tells each tool its width, and lends it free slots.

A task that speaks a job server's protocol starts with its own slots, and has those beside them that
nobody else wants now. When a task is ready for which slots lack, they are taken back as they come
free. So the runner and all jobs take the same slots, and never more than there are.

Knows nothing of processes: it makes assignments, and moves tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from polylane.model import Task
from polylane.plan import width
from polylane.plan.schedule import Schedule
from polylane.run.protocol import Assignment

if TYPE_CHECKING:
    from polylane.run.jobserver import Tokens


class Machine(Protocol):
    """The slots of the whole machine, as far as jobs inside tasks take some."""

    def lend(self, count: int) -> int:
        """Take so many or fewer, without waiting; how many they were."""

    def wanted(self) -> int:
        """How many of them other runs wait for."""

    def give_back(self, count: int) -> None:
        """They are free again."""


class Inner:
    """The inner parallelism of one run."""

    def __init__(
        self,
        tasks: Sequence[Task],
        schedule: Schedule,
        environment: Mapping[str, str],
        watch: Callable[[int, bool], None],
        *,
        deaf: Collection[str] = (),
        machine: Machine | None = None,
    ) -> None:
        """``environment``: variables that people set.

        ``watch``: have the pool look at a descriptor, or no more. ``deaf``: ids of tasks that take
        no place at a job server.
        """
        self._tasks = tasks
        self._schedule = schedule
        self._environment = environment
        self._watch = watch
        self._deaf = deaf
        self._machine = machine
        self._tokens: dict[int, Tokens] = {}
        #: Tokens that are a task's own, so that nobody else may have them.
        self._own: dict[int, int] = {}
        self._watched: set[int] = set()

    def widened(self, index: int, assignment: Assignment) -> Assignment:
        """The assignment, with what tells the task's tools their width."""
        task, slots = self._tasks[index], self._schedule.slots_of(index)
        row = None if task.id in self._deaf else width.client(task, self._environment)
        argv, env = width.told(task, slots, self._environment, jobserver=row is not None)
        if env or argv != task.argv:
            assignment = assignment._replace(argv=argv, env=(*assignment.env, *env))
        return assignment if row is None else self._placed(index, assignment, row.jobserver)

    def _placed(self, index: int, assignment: Assignment, form: str) -> Assignment:
        from polylane.run.jobserver import Tokens  # few runs need it

        tokens = self._tokens[index] = Tokens(form, self._schedule.slots)
        self._own[index] = self._schedule.slots_of(index) - 1
        if self._own[index]:
            tokens.lend(self._own[index])
        self._look(index, on=tokens.must_be_watched)
        return assignment._replace(place=tuple(tokens.place))

    def _look(self, index: int, *, on: bool) -> None:
        if on != (index in self._watched):
            self._watch(self._tokens[index].returned, on)
            (self._watched.add if on else self._watched.remove)(index)

    def take_back(self) -> bool:
        """Let returned tokens be used again, here where slots lack; whether enough have come."""
        if not self._tokens:
            return False
        lack = self._schedule.lack()
        if self._machine is not None:
            lack = max(lack, self._machine.wanted())
        before = lack
        for index, tokens in self._tokens.items():
            got = tokens.take_back(min(lack, tokens.lent - self._own[index]))
            self._restore(got)
            lack -= got
        for index, tokens in self._tokens.items():
            lends = tokens.lent > self._own[index]
            self._look(index, on=tokens.must_be_watched or (lack > 0 and lends))
        return before > 0 and lack <= 0

    def lend(self) -> None:
        """Lend what is free to tasks that can use it, evenly, unless a task is ready for it."""
        if not self._tokens or self._schedule.free <= 0 or self._schedule.waits:
            return
        count = self._schedule.free
        if self._machine is not None:
            count = self._machine.lend(count)
        self._schedule.free -= count
        each, more = divmod(count, len(self._tokens))
        for place, tokens in enumerate(self._tokens.values()):
            if share := each + (place < more):
                tokens.lend(share)

    def ended(self, index: int) -> None:
        """A task has ended, however that came: nobody uses its tokens any more."""
        if index in self._tokens:
            self._look(index, on=False)
            self._restore(self._tokens.pop(index).close() - self._own.pop(index))

    def _restore(self, count: int) -> None:
        self._schedule.free += count
        if count and self._machine is not None:
            self._machine.give_back(count)

    def close(self) -> None:
        """Close what tasks that never ended have left open."""
        for index in [*self._tokens]:
            self._look(index, on=False)
            self._tokens.pop(index).close()


def deaf(
    tasks: Sequence[Task], path: Callable[[Task], str], environment: Mapping[str, str]
) -> set[str]:
    """Ids of tasks whose tool could join a job server, and does not in this version, or not here.

    ``path``: where a task's programs are looked for. In a private view no descriptor is inherited.
    """
    rows = [(task, row) for task in tasks if (row := width.client(task, environment)) is not None]
    if not rows:
        return set()
    import shutil  # few runs need them

    from polylane.run import jobserver

    found = set()
    versions: dict[str | None, tuple[int, ...]] = {}
    for task, row in rows:
        program = shutil.which(task.argv[0], path=path(task))
        if program not in versions:
            versions[program] = jobserver.version(program) if program and row.since else ()
        if task.sandbox == "strict" or (row.since and versions[program] < row.since):
            found.add(task.id)
    return found
