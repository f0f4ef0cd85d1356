"""What each task of a run found: a number that is the same where its inputs are.

They are its command and its settings, the contents of the files that it reads as the run found
them, of what git ignores there the environments and build outputs, and the inputs of the tasks
before it that write. More than what a task reads may count, never less, as far as claims say it:
where two numbers are the same, so were the inputs. What cannot be known has no number.

git, and a thread, do it while tasks run. Knows nothing of what is made of it.
"""

from __future__ import annotations

import marshal
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from polylane.describe import git
from polylane.model import Task
from polylane.plan.graph import Graph
from polylane.plan.patterns import Segments, is_glob, literal_prefix, meet, parse

if TYPE_CHECKING:
    from polylane.remember.contents import Contents, Digest

#: A run that ends waits so long for git and the thread.
_PATIENCE_S = 0.05

#: What git ignores and tasks use all the same, in a task's folder and in the workspace's own.
_ASIDE = (".venv", "venv", "node_modules", "dist", "build", ".env")


class Inputs:
    """The inputs of one run's tasks; made as it starts."""

    def __init__(self, folder: Path, graph: Graph) -> None:
        self._folder, self._graph = folder, graph
        self._since = time.time_ns()
        self._own: list[Digest] | None = None
        self._git: git.Listing | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Have them looked at, while tasks run; `OSError` where git is not there.

        A run whose tasks read nothing needs neither git nor a thread.
        """
        if any(task.claim.reads for task in self._graph.tasks):
            self._git = git.begin_listing(self._folder)
            thread = threading.Thread(
                target=self._gather, args=(self._git,), name="inputs", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # no more threads are allowed
                self._git.end()
                self._git.read()
            else:
                self._thread = thread
        else:
            self._own = [_said(task) for task in self._graph.tasks]

    def by_task(self, outcomes: Mapping[str, str]) -> dict[str, int]:
        """By the tasks' ids; ``outcomes`` of those that ended, since others read what they left."""
        if self._thread is not None and self._git is not None:
            self._thread.join(_PATIENCE_S)
            if self._thread.is_alive():
                self._git.end()
                return {}
        return {} if self._own is None else _numbers(self._graph, self._own, outcomes)

    def _gather(self, looking: git.Listing) -> None:
        from polylane.remember.contents import Contents

        with suppress(OSError):
            if (listing := looking.read()) is None:
                return
            products = _Products(self._graph.tasks)
            contents = Contents(self._folder, listing, self._since, products.has)
            self._own = [_of(task, contents, products) for task in self._graph.tasks]


class _Products:
    """What tasks say that they make: patterns by the folder that all their paths lie in."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._patterns: dict[Segments, set[Segments]] = {}
        for task in tasks:
            made = task.claim.writes if task.claim.known else ()
            for text in {*made, *task.claim.caches}:
                if not text.startswith("!"):
                    segments = parse(text)
                    self._patterns.setdefault(literal_prefix(segments), set()).add(segments)

    def has(self, path: str) -> bool:
        """Whether a path may be one of them."""
        segments = parse(path)
        return any(
            meet(segments, pattern)
            for depth in range(len(segments))
            for pattern in self._patterns.get(segments[:depth], ())
        )


def _of(task: Task, contents: Contents, products: _Products) -> Digest:
    """What a task found of its own; None where that cannot be known."""
    parts: list[Digest] = [_said(task)]
    places = _places(task)
    if not places:
        return parts[0]
    for prefix, shallow in places:
        found = contents.below(prefix, shallow=shallow)
        if found == b"" and prefix and not products.has(prefix):
            found = contents.ignored(prefix)
        parts.append(found)
    if task.claim.reads:
        folders = {"", "" if task.cwd == "." else f"{task.cwd}/"}
        beside = sorted(folder + name for folder in folders for name in _ASIDE)
        parts += [contents.ignored(path) for path in beside if not products.has(path)]
    return _together(parts)


def _places(task: Task) -> list[tuple[str, bool]]:
    """The folders that a task reads in, and whether only what lies in each itself.

    Patterns that take paths away are left out: more counts than is read.
    """
    found: dict[tuple[str, bool], None] = {}
    for text in task.claim.reads:
        if not text.startswith("!"):
            segments = parse(text)
            prefix = literal_prefix(segments)
            rest = segments[len(prefix) :]
            found["/".join(prefix), len(rest) == 1 and is_glob(rest[0]) and rest[0] != "**"] = None
    if not task.argv:  # the code of a body
        found[task.source.rpartition(":")[0], False] = None
    return sorted(found)


def _said(task: Task) -> bytes:
    """What the task is; a sum, for many tasks read nothing else."""
    said = (task.argv, task.shell, task.cwd, task.env, task.ok_codes, task.skip_codes)
    # Version 2 says the same of equal values, whichever of them are one object.
    whole = marshal.dumps((*said, task.sandbox, task.timeout, task.source), 2)
    return zlib.crc32(whole).to_bytes(4, "big")


def _together(parts: Sequence[Digest]) -> Digest:
    """A sum of all; None where one is not known."""
    whole = b""
    for part in parts:
        if part is None:
            return None
        whole += b"%d:%s" % (len(part), part)
    return zlib.crc32(whole).to_bytes(4, "big")


def _numbers(graph: Graph, own: Sequence[Digest], outcomes: Mapping[str, str]) -> dict[str, int]:
    """By task id: its own inputs, with those of the tasks before it that write."""
    if not any(task.claim.writes for task in graph.tasks):
        found = list(own)
    else:
        found = _joined(graph, own, outcomes)
    return {
        task.id: int.from_bytes(each, "big")
        for task, each in zip(graph.tasks, found, strict=True)
        if each is not None
    }


def _joined(graph: Graph, own: Sequence[Digest], outcomes: Mapping[str, str]) -> list[Digest]:
    """In the graph's order; what a task without writes hands on is what it was handed."""
    found: list[Digest] = [None] * len(graph.tasks)
    left: list[Digest] = [b""] * len(graph.before)
    for vertex in graph.order:
        parts = {left[earlier] for earlier in graph.before[vertex]} - {b""}
        handed: Digest = b""
        if parts:
            handed = None if None in parts else _together(sorted(filter(None, parts)))
        left[vertex] = handed
        if vertex < len(found):
            found[vertex] = _together([own[vertex], handed]) if handed != b"" else own[vertex]
            if (task := graph.tasks[vertex]).claim.writes:
                left[vertex] = _together([found[vertex], outcomes.get(task.id, "").encode()])
    return found
