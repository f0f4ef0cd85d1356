"""What tasks were seen to touch, held against what they claim and against each other.

Pure: it is given the paths, and knows nothing of how they were seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from polylane.model import Claim, Task
from polylane.plan.graph import Graph
from polylane.plan.patterns import TREE, Segments, literal_prefix, parse, within
from polylane.records import NamedTuple

#: What tools make for themselves to be faster the next time, whatever claims say of it: these
#: folders make no conflict, and an observed claim has them as caches.
CACHES = (
    "**/__pycache__",
    "**/.pytest_cache",
    "**/.mypy_cache",
    "**/.ruff_cache",
    "**/.hypothesis",
    "**/node_modules/.cache",
    "**/node_modules/.vite",
    "**/node_modules/.vite-temp",
    "**/node_modules/.vitest",
)


class Observed(NamedTuple):
    """What one run of a task touched; paths are relative to the workspace, with ``/``."""

    #: Opened, executed, or asked for.
    reads: frozenset[str] = frozenset()
    #: Looked for and not there, git's own data, what is installed in ``node_modules``, and the
    #: names (``dir/*``) in folders that hold projects: such reads count only where another task
    #: writes there (`heeded`), or each tool would claim all the places where it looks.
    aside: frozenset[str] = frozenset()
    #: Folders whose names it asked for.
    listed: frozenset[str] = frozenset()
    #: Made, changed, moved or removed.
    writes: frozenset[str] = frozenset()
    #: Written outside of the workspace: absolute paths.
    outside: frozenset[str] = frozenset()
    #: What it bound, as ``tcp 127.0.0.1:8080``.
    ports: tuple[str, ...] = ()
    #: What could not be seen, and why.
    lost: tuple[str, ...] = ()

    def whole(self) -> frozenset[str]:
        """What it wrote with all below: it wrote nothing there, so that it may have moved it."""
        return self.writes - above(self.writes)

    def touched(self) -> set[str]:
        """All that it read or wrote, listings as ``dir/*``."""
        return {*self.reads, *map(names_in, self.listed), *self.writes}


class Finding(NamedTuple):
    """Where a task's claim and what it touched differ. Each tuple is sorted."""

    task: str
    #: Paths that neither ``writes`` nor ``caches`` hold; `CACHES` need not be said.
    writes: tuple[str, ...]
    #: Paths that no part of the claim holds; ``dir/*`` for the names in a folder.
    reads: tuple[str, ...]
    #: Patterns of the claim that it never touched.
    untouched: tuple[str, ...]


class Collision(NamedTuple):
    """Two tasks, in reference order, that met: one wrote what the other read or wrote."""

    first: str
    second: str
    #: Ports are among them.
    paths: tuple[str, ...]
    #: Whether the graph keeps them in order.
    ordered: bool


class Patterns:
    """The paths that a list of patterns means, its ``!`` ones in their places."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """The last pattern that matches decides; a trace has a hundred thousand paths to ask."""
        steps = [(not p.startswith("!"), parse(p.removeprefix("!"))) for p in patterns]
        self._steps: list[tuple[bool, re.Pattern[str]]] = [
            (included, re.compile("|".join(_expression(pattern) for _, pattern in alike)))
            for included, alike in groupby(reversed(steps), key=itemgetter(0))
        ]

    def hold(self, path: str) -> bool:
        """Whether they hold a path, or a folder's names (``dir/*``)."""
        text, listing = _text(path)
        for included, expression in self._steps:
            # Names that a tool provably ignores are taken from what a listing reads, not from it.
            if (included or not listing) and expression.fullmatch(text):
                return included
        return False

    def ignore(self, path: str) -> bool:
        """Whether a ``!`` takes a path away, and nothing behind it brings it back."""
        text, _ = _text(path)
        for included, expression in self._steps:
            if expression.fullmatch(text):
                return not included
        return False


def one_holds(*lists: Iterable[str]) -> Callable[[str], bool]:
    """Whether one of several lists holds a path: a ``!`` takes away in its own list only."""
    each = [Patterns(patterns) for patterns in lists]
    return lambda path: any(one.hold(path) for one in each)


#: Stands for the names of a folder, which only ``*`` and ``**`` mean.
_NAMES = "\0" * 32


def _text(path: str) -> tuple[str, bool]:
    """A path with a slash behind each name, and whether it means the names of a folder."""
    if _is_names(path):
        return f"{path[:-1]}{_NAMES}/", True
    return ("" if path == "." else f"{path}/"), False


def _expression(pattern: Segments) -> str:
    return "".join(
        "(?:[^/]+/)*" if name == TREE else "".join(map(_letter, name)) + "/" for name in pattern
    )


def _letter(letter: str) -> str:
    return {"*": "[^/]*", "?": "[^/]"}.get(letter) or re.escape(letter)


def above(paths: Iterable[str]) -> set[str]:
    """All folders above some paths."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _segments(path: str) -> Segments:
    return tuple(path.split("/")) if path != "." else ()


def heeded(
    tasks: Sequence[Task], seen: Mapping[str, Observed], projects: Collection[str] = ()
) -> dict[str, Observed]:
    """The same, with what was looked for aside among the reads where another task writes it.

    Another task writes what it was seen to write, or, where it was not seen, what it claims.
    ``projects``: their paths, which no task makes.
    """
    writers = _Writers(projects)
    for name, each in seen.items():
        whole = each.whole()
        for path in each.writes:
            segments = _segments(path)
            writers.add(name, (*segments, TREE) if path in whole else segments)
    for task in tasks:
        if task.id not in seen:
            for pattern in task.claim.writes:
                writers.add(task.id, parse(pattern.removeprefix("!")))
    result = {}
    for name, each in seen.items():
        heard = {path for path in each.aside if writers.of(path) - {name}}
        names = {path.removesuffix("*").rstrip("/") or "." for path in heard if _is_names(path)}
        result[name] = each._replace(
            reads=each.reads | {path for path in heard if not _is_names(path)},
            listed=each.listed | names,
            aside=each.aside - heard,
        )
    return result


def _is_names(path: str) -> bool:
    return path == "*" or path.endswith("/*")


class _Writers:
    """Who writes a path, or makes a name in a folder; found by the folders above."""

    def __init__(self, projects: Collection[str]) -> None:
        self._projects = {_segments(path) for path in projects}
        self._by_prefix: dict[Segments, list[tuple[str, Segments]]] = {}
        self._by_folder: dict[Segments, set[str]] = {}

    def add(self, task: str, segments: Segments) -> None:
        """A path or pattern that a task writes."""
        prefix = literal_prefix(segments)
        self._by_prefix.setdefault(prefix, []).append((task, segments))
        if prefix and prefix not in self._projects:
            self._by_folder.setdefault(prefix[:-1], set()).add(task)

    def of(self, path: str) -> set[str]:
        """The tasks that write a path; of ``dir/*``, those that make names there."""
        segments = _segments(path)
        if _is_names(path):
            return self._by_folder.get(segments[:-1], set())
        return {
            name
            for end in range(len(segments) + 1)
            for name, pattern in self._by_prefix.get(segments[:end], ())
            if within(segments, pattern)
        }


def compare(task: Task, seen: Observed) -> Finding:
    """Hold one task's claim against what it touched."""
    claim = task.claim
    may_write = one_holds(claim.writes, claim.caches, CACHES)
    may_read = one_holds(claim.reads, claim.writes, claim.caches, CACHES)
    read = seen.touched() - seen.writes
    return Finding(
        task.id,
        writes=tuple(sorted(path for path in seen.writes if not may_write(path))),
        reads=tuple(sorted(path for path in read if not may_read(path))),
        untouched=tuple(sorted(set(_untouched(claim, seen)))),
    )


def _untouched(claim: Claim, seen: Observed) -> Iterator[str]:
    every = seen.touched()
    for patterns, paths in ((claim.reads, every), (claim.writes, seen.writes)):
        for pattern in patterns:
            one = Patterns((pattern,))
            if not pattern.startswith("!") and not any(map(one.hold, paths)):
                yield pattern


def names_in(folder: str) -> str:
    """The pattern of the names in a folder."""
    return "*" if folder == "." else f"{folder}/*"


def collisions(graph: Graph, seen: Mapping[str, Observed]) -> list[Collision]:
    """Every pair of tasks that met in the workspace or on a port, in reference order.

    Caches don't count, nor names that a listing provably ignores.
    """
    met: dict[tuple[int, int], set[str]] = {}
    touched = [(i, _Touched(t, seen[t.id])) for i, t in enumerate(graph.tasks) if t.id in seen]
    moved = set().union(*(each.whole for _, each in touched))
    readers: dict[str, list[tuple[int, _Touched]]] = {}
    for place, each in touched:
        for path in each.reads | each.writes:
            readers.setdefault(path, []).append((place, each))
        for folder in above(each.reads | each.writes) & moved:
            readers.setdefault(f"{folder}/{TREE}", []).append((place, each))
    _meet_at_ports(graph, seen, met)
    for place, writer in touched:
        for path in writer.writes:
            inside = f"{path}/{TREE}" if path in writer.whole else path
            others = (path, inside, names_in(path.rpartition("/")[0] or "."))
            for other, its in (each for key in others for each in readers.get(key, ())):
                if other != place and not its.is_free_of(path):
                    pair = (place, other) if place < other else (other, place)
                    met.setdefault(pair, set()).add(path)
    return _collisions(graph, met)


def _meet_at_ports(
    graph: Graph, seen: Mapping[str, Observed], met: dict[tuple[int, int], set[str]]
) -> None:
    holders: dict[str, list[int]] = {}
    for place, task in enumerate(graph.tasks):
        for port in seen[task.id].ports if task.id in seen else ():
            for other in holders.setdefault(port, []):
                met.setdefault((other, place), set()).add(port)
            holders[port].append(place)


def collisions_outside(graph: Graph, seen: Mapping[str, Observed]) -> list[Collision]:
    """Every pair of tasks that wrote the same path outside of the workspace."""
    met: dict[tuple[int, int], set[str]] = {}
    writers: dict[str, list[int]] = {}
    for place, task in enumerate(graph.tasks):
        for path in seen[task.id].outside if task.id in seen else ():
            for other in writers.setdefault(path, []):
                met.setdefault((other, place), set()).add(path)
            writers[path].append(place)
    return _collisions(graph, met)


def _collisions(graph: Graph, met: Mapping[tuple[int, int], set[str]]) -> list[Collision]:
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
        self._caches = Patterns((*task.claim.caches, *CACHES))
        self._reads = Patterns(task.claim.reads)
        named = seen.reads | seen.writes
        self._named = named | above(named)
        self.writes = {path for path in seen.writes if not self._caches.hold(path)}
        self.whole = seen.whole() & self.writes
        self.reads = {path for path in seen.reads if not self._caches.hold(path)}
        self.reads |= {names_in(folder) for folder in seen.listed}

    def is_free_of(self, path: str) -> bool:
        """Whether a path that was met means nothing to it: a cache, or ignored in a listing."""
        if self._caches.hold(path):
            return True
        return path not in self._named and self._reads.ignore(path)
