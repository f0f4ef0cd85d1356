"""Workspaces whose tasks do just what they claim, and who conflicts with whom there.

What a pattern holds is said here once more, as a regular expression and path by path, so that a
mistake of the planner's is not made twice. Every path that any task could touch is known.

Knows nothing of how they come about and are run; what a task does is in ``random_task.py``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from polylane.model import Claim, Task
from polylane.plan.selection import Selection
from polylane.planning import Request
from tests.e2e import random_task
from tests.e2e.random_task import LOCKED, Work, perform
from tests.integrations.repository import write_files

#: In this order.
VERBS = ("build", "lint", "test", "gen")

#: Projects by name; one lies in another.
PROJECTS = {"p0": "p0", "p1": "p1", "p2": "libs/p2", "sub": "p0/sub", "root": "."}

FOLDERS = ("src", "out", "out/deep")
FILES = ("a", "b.log", *(f"{folder}/{name}" for folder in FOLDERS for name in ("a", "b.log")))


class RandomTask(NamedTuple):
    """A task: what is said of it, and what it does."""

    id: str
    #: None: nothing is said, so that it may touch its own project.
    reads: tuple[str, ...] | None
    writes: tuple[str, ...] | None
    locks: tuple[str, ...]
    needs: tuple[str, ...]
    ok_codes: tuple[int, ...]
    retries: int
    slots: int
    #: It is a program, and no Python body.
    program: bool
    work: Work

    @property
    def project(self) -> str:
        """The path of its project."""
        return PROJECTS[self.id.split(":")[1]]

    def claim(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What it reads and writes, defaults filled in."""
        return (
            (self.project,) if self.reads is None else self.reads,
            (self.project,) if self.writes is None else self.writes,
        )


class RandomWorkspace(NamedTuple):
    """Tasks, and the files that are there before they run."""

    tasks: tuple[RandomTask, ...]
    files: tuple[str, ...]
    sandbox: str
    #: The text of its ``polylane.claims.toml``; empty: there is none.
    observed: str = ""

    def make(self, folder: Path) -> None:
        """Write all of it below an empty folder; git finds a repository there."""
        names = {PROJECTS[name] for name in PROJECTS}
        folders = [join(path, each) for path in names for each in FOLDERS]
        for path in (*folders, LOCKED, ".git/objects", ".git/refs", *self._own()):
            (folder / path).mkdir(parents=True)
        work = {task.id: task.work for task in self.tasks}
        programs = {"work.json": json.dumps(work), "work.py": _source()}
        first = {path: f"first {path}\n" for path in self.files}
        head = {".git/HEAD": "ref: refs/heads/main\n", "polylane.toml": self.configuration()}
        observed = {"polylane.claims.toml": self.observed} if self.observed else {}
        write_files(folder, {**first, **programs, **head, **observed})

    def _own(self) -> list[str]:
        return [task.work.own for task in self.tasks]

    def configuration(self) -> str:
        """Its ``polylane.toml``."""
        lines = ['max_load = "100%"', f"sandbox = {json.dumps(self.sandbox)}"]
        for name, path in PROJECTS.items():
            lines += [f"[projects.{name}]", f"path = {json.dumps(path)}"] if path != "." else []
        for task in self.tasks:
            lines.append(f"[tasks.{json.dumps(task.id)}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in _said(task).items()]
        return "\n".join(lines) + "\n"

    def request(self, folder: Path, *, jobs: int = 0) -> Request:
        """Ask for all of its tasks, in parallel where ``jobs`` is said."""
        bodies = [task for task in self.tasks if not task.program]
        own = tuple(self._body(task) for task in bodies)
        used = {task.id.split(":")[0] for task in self.tasks}
        return Request(
            folder,
            Selection(tuple(verb for verb in VERBS if verb in used)),
            parallel=jobs > 0,
            sequential=jobs == 0,
            jobs=jobs or None,
            output="errors",
            own_tasks=lambda _config, _workspace: own,
            bodies={task.id: _callable(task.work) for task in bodies},
        )

    def _body(self, task: RandomTask) -> Task:
        verb, project, tool = task.id.split(":")
        reads, writes = task.claim()
        claim = Claim(reads, writes, known=task.reads is not None and task.writes is not None)
        return Task(task.id, verb, project, "", tool, (), ".", claim, sandbox=self.sandbox)

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Every pair of tasks that must not meet: by their claims, and by what they do."""
        for one, other in combinations(self.tasks, 2):
            claimed = shared(one, other) if not self.observed else False
            if claimed or met(one, other) or set(one.locks) & set(other.locks):
                yield one.id, other.id

    def unknown(self) -> RandomWorkspace:
        """The same, and nobody said what the tasks touch; they may, and all pass."""
        tasks = (
            task._replace(reads=None, writes=None, retries=0, work=task.work._replace(codes=[0]))
            for task in self.tasks
        )
        return self._replace(tasks=tuple(tasks), sandbox="off")


#: What those tasks read that are programs; nobody writes it.
_PROGRAM = ("work.py", "work.json")


def _callable(work: Work) -> random_task.Body:
    return lambda _words: perform(work, ".")


def _source() -> str:
    return Path(random_task.__file__).read_text(encoding="utf-8")


def _said(task: RandomTask) -> dict[str, object]:
    program = [sys.executable, "-I", "-S", *_PROGRAM, task.id]
    reads = task.reads
    if task.program and reads is not None:
        reads = (*reads, *_PROGRAM)
    said = {
        "command": program if task.program else None,
        "cwd": "." if task.program else None,
        "reads": reads,
        "writes": task.writes,
        "locks": task.locks,
        "caches": (LOCKED,),
        "needs": task.needs,
        "ok_codes": task.ok_codes,
        "retries": task.retries,
        "slots": task.slots,
    }
    return {key: value for key, value in said.items() if value is not None}


def shared(one: RandomTask, other: RandomTask) -> frozenset[str]:
    """The paths on which two tasks conflict by their claims."""
    (reads, writes), (other_reads, other_writes) = map(_paths, (one, other))
    return writes & (other_reads | other_writes) | other_writes & reads


def met(one: RandomTask, other: RandomTask) -> frozenset[str]:
    """The paths on which two tasks conflict by what they do."""
    (reads, writes), (other_reads, other_writes) = map(_touched, (one.work, other.work))
    return writes & (other_reads | other_writes) | other_writes & reads


def _touched(work: Work) -> tuple[frozenset[str], frozenset[str]]:
    names = (join(folder, name) for folder, names in work.lists for name in names)
    reads = (*work.reads, *names)
    writes = {f"{work.own}/digest", *(path for _, path in work.steps)}
    cleared = [path for kind, path in work.steps if kind == "clear"]
    below = {path for path in universe() for top in cleared if path.startswith(f"{top}/")}
    return frozenset(reads), frozenset(writes | below)


def _paths(task: RandomTask) -> tuple[frozenset[str], frozenset[str]]:
    reads, writes = task.claim()
    return held_paths(reads), held_paths(writes)


@cache
def held_paths(patterns: tuple[str, ...]) -> frozenset[str]:
    return frozenset(path for path in universe() if held(patterns, path))


@cache
def universe() -> tuple[str, ...]:
    """Every path that any task could touch."""
    own = [f"own/t{number:02}" for number in range(40)]
    names = (*FOLDERS, *FILES, *own, *(f"{path}/digest" for path in own))
    return tuple(join(path, name) for path in PROJECTS.values() for name in names)


def held(patterns: Iterable[str], path: str) -> bool:
    """Whether patterns hold a path; one with ``!`` takes away from those before it."""
    result = False
    for pattern in patterns:
        if _expression(pattern.removeprefix("!")).fullmatch(f"/{path}"):
            result = not pattern.startswith("!")
    return result


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if not parts or parts[-1] not in ("*", "**"):
        parts.append("**")  # the file, or the folder with all below it
    names = {"*": "[^/]*", "?": "[^/]"}
    said = ("".join(names.get(letter, re.escape(letter)) for letter in part) for part in parts)
    return re.compile(
        "".join(
            "(/[^/]+)*" if part == "**" else f"/(?=[^/]){expression}"
            for part, expression in zip(parts, said, strict=True)
        )
    )


def join(folder: str, path: str) -> str:
    return PurePosixPath(folder, path).as_posix()
