"""How many slots each task takes, and what is told to its tool so that it uses no more cores.

What people said wins, and is counted. A tool that uses every core unless it is told otherwise is
elastic: it takes a share of the slots when it starts, and is told how large that is. Others take
one slot, or as many as they were measured to use.

Pure: it sees words and figures, and knows nothing of what runs.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache

from polylane.describe.languages.widths import QUIET, Row
from polylane.model import Task
from polylane.plan.durations import Span
from polylane.plan.uses import Use, uses
from polylane.records import NamedTuple

#: More than any run has means all of its slots.
WHOLE = 1_000_000

#: A tool that cannot be told takes a second slot if it uses as much of a second core, on average:
#: with half of one, eslint and tsc, at 1.6 cores, left 15 % of two cores idle in our example.
_USES = 0.75


class Width(NamedTuple):
    """How many slots a task takes."""

    #: At least so many.
    least: int = 1
    #: It takes more where there are more, and is told how many.
    elastic: bool = False
    #: What it may take on one core, in seconds.
    work: float = 1.0


_ONE = Width()


def width(
    task: Task, environment: Mapping[str, str], cores: float = 0.0, *, deaf: bool = False
) -> Width:
    """How many slots a task takes.

    ``environment``: variables that people set. ``cores``: how many it used on average, 0 where that
    is not known. ``deaf``: it takes no place at a job server, whatever its tool.
    """
    known = uses(task)
    if not known and not task.slots and cores < 1 + _USES:
        return _ONE  # as most are
    work = max((use.row.work for use in known if use.is_wide), default=1.0)
    if task.slots:
        return Width(task.slots, work=work)
    found = [_of_use(use, task, environment, deaf=deaf) for use in known]
    if any(each.elastic for each in found):
        return Width(max(each.least for each in found), elastic=True, work=work)
    least = max((each.least for each in found), default=1)
    if not any(use.is_wide or use.said() for use in known):
        least = max(least, int(cores + 1 - _USES))
    return Width(least, work=work)


def _of_use(use: Use, task: Task, environment: Mapping[str, str], *, deaf: bool) -> Width:
    if number := use.said():
        return Width(number)
    own = (*(name for name, _ in use.row.variables), *use.row.heard)
    heard = _heard(own, {**environment, **dict(task.env)})
    if not use.is_wide:
        return Width(max(heard, 1) if use.row.heard else 1)
    if heard:
        return Width(heard)
    if not deaf and client(task, environment) is not None:
        return Width()  # one slot, and what is free beside
    return Width(elastic=True) if _can_tell(use, task) else Width(WHOLE)


def _heard(names: Iterable[str], environment: Mapping[str, str]) -> int:
    """The number that a variable says; 0 where none does, `WHOLE` where one says no number."""
    said = [environment[name].rpartition("=")[2] for name in names if environment.get(name)]
    return max((int(text) if text.isdecimal() else WHOLE for text in said), default=0)


def client(task: Task, environment: Mapping[str, str]) -> Row | None:
    """The tool of a task that may take a place at a job server; None where there is none.

    It is asked for nothing that it would not do anyway: make runs one job at a time unless its
    words, or the task's ``slots``, say otherwise.
    """
    known = uses(task)
    if not known or not known[0].row.jobserver or not _can_append(task) or task.leave:
        return None
    use = known[0]
    if use.said() or _heard((name for name, _ in use.row.variables), environment):
        return None
    return use.row if _can_drop(use, task) and (use.is_wide or task.slots > 1) else None


def _can_tell(use: Use, task: Task) -> bool:
    if use.row.variables:
        return True
    return bool(use.row.flag) and _can_append(task) and _can_drop(use, task)


def _can_append(task: Task) -> bool:
    """Whether an argument that is appended comes to the one tool that the task starts."""
    return task.takes_arguments and len(uses(task)) == 1 and not task.shell


def _can_drop(use: Use, task: Task) -> bool:
    """Whether words that say all stand in our own command, if there are any."""
    return use.said() is None or set(use.words) <= set(task.argv)


def widths(
    tasks: Sequence[Task],
    expected: Sequence[Span],
    environment: Mapping[str, str],
    cores: Mapping[str, float],
    deaf: Container[str] = (),
) -> list[Width]:
    """How many slots each task takes; ``expected`` and ``cores`` say what earlier runs took.

    ``deaf``: ids of tasks that take no place at a job server.
    """
    found = [
        width(task, environment, cores.get(task.id, 0.0), deaf=task.id in deaf) for task in tasks
    ]
    return [
        each._replace(work=max(span.likely, 0.001)) if span.runs else each
        for each, span in zip(found, expected, strict=True)
    ]


def share(work: float, waiting: float, running: float, slots: int, free: int) -> tuple[int, int]:
    """What an elastic task that starts now should get: at least, and as it is.

    Slots are shared by the work that there is for them: ``waiting`` of tasks that could start, this
    one's ``work`` among it, and ``running``. Below half of its share a task had better wait: it
    keeps what it gets to its end, and those that run will soon have ended.
    """
    fair = _rounded(slots * work / (waiting + running), slots)
    now = _rounded(free * work / waiting, free)
    return (fair + 1) // 2, min(free, max(fair, now))


def _rounded(amount: float, most: int) -> int:
    return max(1, min(most, int(amount + 0.5)))


#: The words of a command, and variables.
Told = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


def told(
    task: Task, slots: int, environment: Mapping[str, str], *, jobserver: bool = False
) -> Told:
    """Tell a task's tools that they have so many slots, beyond what `narrow` tells all.

    Neither a number that people said nor a variable that they set is changed. ``jobserver``: it
    has a place at one, which an argument would take from it.
    """
    known = uses(task)
    if not known and slots == 1:
        return task.argv, ()
    env = dict(_quiet(slots)) if slots > 1 else {}
    argv = task.argv
    for use in known:
        said = use.said()
        env.update((name, text.format(said or slots)) for name, text in use.row.variables)
        if not said and (use.is_wide or task.slots) and _can_append(task) and _can_drop(use, task):
            more = () if jobserver or not use.row.flag else (use.row.flag.format(slots),)
            argv = (*_without_all(argv, use), *more) if use.row.flag else argv
    ours = {name for name, text in (*environment.items(), *task.env) if text}
    return argv, tuple((name, text) for name, text in env.items() if name not in ours)


def _without_all(argv: tuple[str, ...], use: Use) -> tuple[str, ...]:
    dropped = {*use.words} - {*use.without_all()}
    return tuple(word for word in argv if word not in dropped)


def narrow(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell any task that it has one slot, less those that people set."""
    return {name: text for name, text in _quiet(1) if not environment.get(name)}


@lru_cache
def _quiet(slots: int) -> tuple[tuple[str, str], ...]:
    return tuple((name, text.format(slots)) for name, text in QUIET)
