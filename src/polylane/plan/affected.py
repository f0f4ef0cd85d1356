"""What a change affects: which tasks of a graph must run again, and what changes count at all.

A task is affected where its claim reads a changed path, where it needs an affected task, and where
it comes after an affected one that writes what it reads or writes. Then a full run would give what
the last one gave for all the others.

Pure: it is given the paths, relative to the workspace, and knows nothing of how they were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from polylane.model import Task
from polylane.outcome import BAD, Outcome
from polylane.plan.claims import Conflicts
from polylane.plan.graph import Graph
from polylane.plan.observed import CACHES, Patterns, above, one_holds
from polylane.plan.patterns import literal_prefix, meet, parse, within

#: Folders in which nothing that changes counts, whatever claims say.
_NEVER = (".git", ".polylane")


def affected(
    graph: Graph,
    changed: Collection[str],
    again: Collection[str] = (),
    unmet: Collection[str] = (),
) -> frozenset[str]:
    """The ids of the tasks to run after some paths changed.

    A path that ends in ``/`` is a folder that is gone with all that it held. ``again``: ids that
    run in any case. ``unmet``: ids of tasks that have not passed; those that an affected task needs
    run before it, as in a full run.
    """
    readers = {i for i, task in enumerate(graph.tasks) if task.id in again}
    readers |= _readers(graph, changed)
    conflicts = Conflicts([task.claim for task in graph.tasks]) if readers else None
    while conflicts is not None:
        found = _downstream(graph, conflicts, readers)
        missing = {n for i in found for n in graph.needs[i] if graph.tasks[n].id in unmet} - found
        if not missing:
            return frozenset(graph.tasks[i].id for i in found)
        readers |= missing
    return frozenset()


def heeded(tasks: Iterable[Task], changed: Collection[str]) -> set[str]:
    """Those of the paths that a task reads."""
    left, may_read = set(changed), _near(changed)
    for reads in {task.claim.reads for task in tasks}:
        if left and may_read(reads):
            left = {path for path in left if not _reads(reads, (path,))}
    return set(changed) - left


def _readers(graph: Graph, changed: Collection[str]) -> set[int]:
    may_read = _near(changed)
    claims = {task.claim.reads for task in graph.tasks}
    hit = {reads for reads in claims if may_read(reads) and _reads(reads, changed)}
    return {i for i, task in enumerate(graph.tasks) if task.claim.reads in hit}


def _near(changed: Collection[str]) -> Callable[[tuple[str, ...]], bool]:
    """Whether patterns may hold one of the paths, by the literal parts of both: most do not."""
    paths = {path.rstrip("/") for path in changed}
    around = {"", *paths, *above(paths)} if paths else set()
    gone = tuple(path for path in changed if path.endswith("/"))
    return lambda reads: any(p in around or p.startswith(gone) for p in _prefixes(reads))


def _reads(reads: tuple[str, ...], changed: Collection[str]) -> bool:
    patterns = _patterns(reads)
    return any(
        _holds_below(reads, path) if path.endswith("/") else patterns.hold(path) for path in changed
    )


def _holds_below(reads: tuple[str, ...], folder: str) -> bool:
    """Whether patterns may hold something in a folder."""
    inside = parse(folder)
    for i, pattern in enumerate(reads):
        if pattern.startswith("!") or not meet(parse(pattern), inside):
            continue
        later = (parse(p[1:]) for p in reads[i + 1 :] if p.startswith("!"))
        if not any(within(inside, exclude) for exclude in later):
            return True
    return False


@lru_cache(maxsize=4096)
def _patterns(reads: tuple[str, ...]) -> Patterns:
    return Patterns(reads)


@lru_cache(maxsize=4096)
def _prefixes(reads: tuple[str, ...]) -> tuple[str, ...]:
    """The literal parts of what is included."""
    included = (pattern for pattern in reads if not pattern.startswith("!"))
    return tuple({"/".join(literal_prefix(parse(pattern))) for pattern in included})


def _downstream(graph: Graph, conflicts: Conflicts, first: Collection[int]) -> set[int]:
    """Some tasks, and those behind them which need them or touch what they write.

    Tasks stand in reference order, and all that makes one come after another goes that way.
    """
    found: set[int] = set()
    spoiled: set[int] = set()
    for i in range(len(graph.tasks)):
        needs = not found.isdisjoint(graph.needs[i])
        if i in first or needs or not spoiled.isdisjoint(conflicts.touches(i)):
            found.add(i)
            spoiled |= conflicts.spoils(i)
    return found


def narrowed(tasks: Iterable[Task], kept: Collection[str]) -> list[Task]:
    """Those tasks that are kept; what others gave them is there from an earlier run."""
    return [
        task._replace(needs=tuple(need for need in task.needs if need in kept))
        for task in tasks
        if task.id in kept
    ]


def unmet(graph: Graph, outcomes: Mapping[str, Outcome]) -> frozenset[str]:
    """The ids of tasks that a task which needs them would have to wait for: not passed, or never.

    A task that was skipped has passed, unless it was for one that it needs.
    """
    found: set[int] = set()
    for i, task in enumerate(graph.tasks):
        outcome = outcomes.get(task.id, Outcome.CANCELLED)
        skipped = outcome is Outcome.SKIPPED and not found.isdisjoint(graph.needs[i])
        if outcome in BAD or outcome is Outcome.CANCELLED or skipped:
            found.add(i)
    return frozenset(graph.tasks[i].id for i in found)


def named(tasks: Iterable[Task]) -> set[str]:
    """The files and folders that claims name by their whole path: these may be ignored by git.

    Those of unknown claims are whole projects, and name nothing.
    """
    cached = cached_by(tasks := list(tasks))
    prefixes = {p for task in tasks if task.claim.known for p in _prefixes(task.claim.reads)}
    return {path for path in prefixes if path and not cached(path)}


def cached_by(tasks: Iterable[Task]) -> Callable[[str], bool]:
    """Whether changes of a path never count: tools' caches, git's own data, our own."""
    caches: Sequence[tuple[str, ...]] = list({task.claim.caches for task in tasks} - {()})
    return one_holds(_NEVER, CACHES, *caches)


def written_by(tasks: Iterable[Task]) -> Callable[[str], bool]:
    """Whether one of the tasks claims to write a path."""
    return one_holds(*({task.claim.writes for task in tasks} - {()}))
