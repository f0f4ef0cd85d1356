"""Claims made of what tasks were seen to touch: many paths as few patterns that people can review.

Pure, and knows nothing of how it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from polylane.model import Claim, Task
from polylane.plan.graph import Graph, build
from polylane.plan.observed import CACHES, Finding, Observed, Patterns, above, names_in
from polylane.records import NamedTuple

#: A folder in which a task touched so many files or folders is claimed whole.
_WHOLE = 4

#: Numbers of processes, times and hashes in names, which are others the next time.
_PASSING = re.compile(r"\d{5,}|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}")

_CACHES = Patterns(CACHES)

#: Python's environments are read whole, whichever part was.
_WHOLE_NAMES = frozenset({".venv", "venv"})


class Ground(NamedTuple):
    """What is known of the workspace where paths are folded."""

    #: The paths of all projects, none of which is ever claimed whole.
    tops: frozenset[str] = frozenset()
    #: Folders in which somebody read what nobody wrote.
    sources: frozenset[str] = frozenset()


def ground(projects: Iterable[str], seen: Iterable[Observed]) -> Ground:
    """What a whole run says of the workspace; ``projects``: their paths."""
    every = list(seen)
    wrote = set().union(*(each.writes for each in every))
    read = set().union(*(each.reads for each in every))
    return Ground(frozenset(projects), frozenset(above(read - wrote)))


def claim_of(task: Task, seen: Observed, where: Ground) -> Claim:
    """The claim that would have held what a task touched; what it said of caches and locks stays.

    A folder that only it writes into is its output, and whole: the next time it may make it.
    """
    said = task.claim
    own = Patterns(said.caches)
    caches = {_cache(path, where.tops) for path in seen.writes if _is_cache(path, own)}
    writes = {path for path in seen.writes if not own.hold(path) and not _CACHES.hold(path)}
    reads = {p for p in seen.reads - seen.writes if not own.hold(p) and not _CACHES.hold(p)}
    listed = {names_in(folder) for folder in seen.listed if not _CACHES.hold(folder)}
    ignored = tuple(pattern for pattern in said.reads if pattern.startswith("!"))
    return Claim(
        reads=(*fold(reads | listed, where.tops), *ignored),
        writes=fold(map(passing, writes), where.tops, where.sources),
        caches=(*said.caches, *sorted(caches)),
        locks=said.locks,
    )


def mended(claim: Claim, finding: Finding, where: Ground) -> Claim:
    """A claim with what it lacked."""
    return claim._replace(
        reads=(*claim.reads, *fold(finding.reads, where.tops)),
        writes=(
            *claim.writes,
            *fold(map(passing, finding.writes), where.tops, where.sources),
        ),
        known=True,
    )


def united(one: Claim, other: Claim) -> Claim:
    """A claim that holds what either holds; what is ignored by one only is not ignored."""
    reads = [p for p in one.reads if not p.startswith("!") or p in other.reads]
    more = [p for p in other.reads if p not in one.reads and not p.startswith("!")]
    return Claim(
        reads=(*more, *reads),
        writes=tuple(dict.fromkeys((*one.writes, *other.writes))),
        caches=tuple(dict.fromkeys((*one.caches, *other.caches))),
        locks=tuple(dict.fromkeys((*one.locks, *other.locks))),
    )


def with_claims(graph: Graph, claims: Mapping[str, Claim]) -> Graph:
    """The graph that the same tasks make where some have other claims; the order stays."""
    place = {task.id: i for i, task in enumerate(graph.tasks)}
    tasks = [t._replace(claim=claims.get(t.id, t.claim)) for t in graph.tasks]
    return build(tasks, lambda task: (place[task.id],))


def _is_cache(path: str, own: Patterns) -> bool:
    return _CACHES.hold(path) and not own.hold(path)


def _cache(path: str, tops: Collection[str]) -> str:
    """The pattern of a cache's folder; of bytecode, in all of a project."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        folder = "/".join(parts[:end])
        if not _CACHES.hold(folder):
            continue
        if parts[end - 1] != "__pycache__":
            return folder
        top = _top(parts, tops)
        return "**/__pycache__" if top == "." else f"{top}/**/__pycache__"
    raise AssertionError("BUG: not a cache")


def _top(parts: list[str], tops: Collection[str]) -> str:
    """The nearest project around a path."""
    for end in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:end]) in tops:
            return "/".join(parts[:end])
    return "."


def passing(path: str) -> str:
    """A path with ``*`` for the parts of its last name that will be others the next time."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + re.sub(r"\*+", "*", _PASSING.sub("*", name))


class _Node:
    """A folder or a file among the paths to fold."""

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        #: The path itself is one of them.
        self.here = False


def fold(
    paths: Iterable[str], tops: Collection[str], sources: Collection[str] | None = None
) -> tuple[str, ...]:
    """Paths as few patterns, sorted: a folder that was listed, or made, or has many, is whole.

    Not so the workspace and its projects (``tops``), whose names stay ``dir/*``. ``sources``: of
    paths that are written; other folders are whole.
    """
    root = _Node()
    for path in paths:
        node = root
        for part in path.split("/"):
            node = node.children.setdefault(part, _Node())
        node.here = True
    found = _Folding(frozenset(tops) | above(tops), sources).patterns(root, "")
    return tuple(sorted(map(_said, found)))


def _said(path: str) -> str:
    """A path as a pattern that a text file can hold: what UTF-8 cannot say is ``?``."""
    text = "".join("?" if "\ud800" <= c <= "\udfff" else c for c in path)
    return f"?{text[1:]}" if text.startswith("!") else text


class _Folding:
    """Says which folders are whole."""

    def __init__(self, around: Collection[str], sources: Collection[str] | None) -> None:
        """``around``: projects, and the folders that hold them."""
        self._around = around
        self._sources = sources

    def patterns(self, node: _Node, path: str) -> list[str]:
        """The patterns of a node and all below."""
        if path and not node.children:
            return [path]
        around = not path or path in self._around
        if not around and self._is_whole(node, path):
            return [f"{path}/**"]
        found = [path] if node.here and not around else []
        for name, child in node.children.items():
            found += self.patterns(child, f"{path}/{name}" if path else name)
        return found

    def _is_whole(self, node: _Node, path: str) -> bool:
        names = node.children.keys() - {"*"}
        if self._sources is not None and path not in self._sources:
            return True
        many = node.here or "*" in node.children or len(names) >= _WHOLE
        return bool(names) and (many or path.rpartition("/")[2] in _WHOLE_NAMES)
