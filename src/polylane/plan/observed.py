"""What tasks were seen to touch, held against what they claim, and turned into claims.

Pure: it is given the paths, and knows nothing of how they were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from polylane.model import Claim, Task
from polylane.plan.graph import Graph
from polylane.plan.patterns import parse, within

#: A folder of which a task touched so many files is claimed whole.
_WHOLE = 4


class Observed(NamedTuple):
    """What one run of a task touched; paths are relative to the workspace, with ``/``."""

    #: Opened, executed, or looked for and not there.
    reads: frozenset[str] = frozenset()
    #: Folders whose names it asked for.
    listed: frozenset[str] = frozenset()
    #: Made, changed, moved or removed.
    writes: frozenset[str] = frozenset()
    #: Written outside of the workspace: absolute paths.
    outside: frozenset[str] = frozenset()
    #: What it bound, as ``tcp 127.0.0.1:8080``.
    ports: tuple[str, ...] = ()


class Finding(NamedTuple):
    """Where a task's claim and what it touched differ. Each tuple is sorted."""

    task: str
    #: Paths that neither ``writes`` nor ``caches`` hold.
    writes: tuple[str, ...]
    #: Paths that no part of the claim holds; ``dir/*`` for the names in a folder.
    reads: tuple[str, ...]
    #: Patterns of the claim that it never touched.
    untouched: tuple[str, ...]


class Collision(NamedTuple):
    """Two tasks, in reference order, of which one wrote what the other read or wrote."""

    first: str
    second: str
    paths: tuple[str, ...]
    #: Whether the graph keeps them in order.
    ordered: bool


class Patterns:
    """The paths that a list of patterns means, its ``!`` ones in their places."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._steps = [(not p.startswith("!"), parse(p.removeprefix("!"))) for p in patterns]

    def hold(self, path: str) -> bool:
        """Whether they hold a path, or a folder's names (``dir/*``)."""
        segments = tuple(path.split("/")) if path != "." else ()
        listing = segments[-1:] == ("*",)
        held = False
        for included, pattern in self._steps:
            # Names that a tool provably ignores are taken from what a listing reads, not from it.
            if (included or not listing) and within(segments, pattern):
                held = included
        return held


def compare(task: Task, seen: Observed) -> Finding:
    """Hold one task's claim against what it touched."""
    claim = task.claim
    may_write = Patterns((*claim.writes, *claim.caches))
    may_read = Patterns((*claim.reads, *claim.writes, *claim.caches))
    read = {*seen.reads, *map(names_in, seen.listed)} - seen.writes
    return Finding(
        task.id,
        writes=tuple(sorted(path for path in seen.writes if not may_write.hold(path))),
        reads=tuple(sorted(path for path in read if not may_read.hold(path))),
        untouched=tuple(sorted(set(_untouched(claim, seen)))),
    )


def _untouched(claim: Claim, seen: Observed) -> Iterator[str]:
    wrote = seen.writes
    read = {*seen.reads, *map(names_in, seen.listed), *seen.writes}
    for patterns, paths in ((claim.reads, read), (claim.writes, wrote), (claim.caches, read)):
        for pattern in patterns:
            one = Patterns((pattern,))
            if not pattern.startswith("!") and not any(map(one.hold, paths)):
                yield pattern


def names_in(folder: str) -> str:
    """The pattern of the names in a folder."""
    return "*" if folder == "." else f"{folder}/*"


def collisions(graph: Graph, seen: Mapping[str, Observed]) -> list[Collision]:
    """Every pair of tasks that met on some path, in reference order; caches don't count."""
    met: dict[tuple[int, int], set[str]] = {}
    touched = [_Touched(task, seen[task.id]) for task in graph.tasks if task.id in seen]
    place = {task.id: i for i, task in enumerate(graph.tasks)}
    readers: dict[str, list[_Touched]] = {}
    for each in touched:
        for path in each.reads | each.writes:
            readers.setdefault(path, []).append(each)
    for writer in touched:
        for path in writer.writes:
            listers = readers.get(names_in(_parent(path)), ())
            for other in (*readers.get(path, ()), *(o for o in listers if not o.ignores(path))):
                if other is not writer and not other.caches.hold(path):
                    first, second = sorted((place[writer.id], place[other.id]))
                    met.setdefault((first, second), set()).add(path)
    before = graph.ancestors()
    return [
        Collision(
            graph.tasks[a].id,
            graph.tasks[b].id,
            tuple(sorted(paths)),
            ordered=bool(before[b] >> a & 1),
        )
        for (a, b), paths in sorted(met.items())
    ]


class _Touched:
    """One task's paths, less its caches."""

    def __init__(self, task: Task, seen: Observed) -> None:
        self.id = task.id
        self.caches = Patterns(task.claim.caches)
        self._ignored = [parse(p[1:]) for p in task.claim.reads if p.startswith("!")]
        self.writes = {path for path in seen.writes if not self.caches.hold(path)}
        self.reads = {path for path in seen.reads if not self.caches.hold(path)}
        self.reads |= {names_in(folder) for folder in seen.listed}

    def ignores(self, path: str) -> bool:
        return any(within(tuple(path.split("/")), pattern) for pattern in self._ignored)


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "."


def claim_of(task: Task, project: str, seen: Observed, others: Sequence[str] = ()) -> Claim:
    """The claim that would have held what a task touched.

    ``project``: its project's path; ``others``: the paths of all projects. Files are folded into
    the folders below a project's own, never into a project whole.
    """
    caches = Patterns(task.claim.caches)
    tops = {project, *others, "."}
    writes = {path for path in seen.writes if not caches.hold(path)}
    reads = {path for path in seen.reads if not caches.hold(path) and path not in writes}
    ignored = tuple(p for p in task.claim.reads if p.startswith("!"))
    return Claim(
        reads=(*_fold(reads, tops), *sorted(map(names_in, seen.listed)), *ignored),
        writes=tuple(_fold(writes, tops)),
        caches=task.claim.caches,
        locks=task.claim.locks,
    )


def _fold(paths: Iterable[str], tops: set[str]) -> list[str]:
    """Paths as few patterns: a folder of which many were touched, or that was itself, is whole."""
    groups: dict[str, set[str]] = {}
    for path in paths:
        groups.setdefault(_group(path, tops), set()).add(path)
    folded: set[str] = set()
    for group, members in groups.items():
        whole = group in members or len(members) >= _WHOLE
        folded.update({f"{group}/**"} if whole and members != {group} else members)
    return sorted(folded)


def _group(path: str, tops: set[str]) -> str:
    """The folder directly below the nearest project, or the path itself where it lies there."""
    parts = path.split("/")
    for depth in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:depth]) in tops:
            return "/".join(parts[: depth + 1])
    return parts[0]
