"""What a task of a random workspace does: it reads, lists and writes, and tells all that it saw.

What it writes depends on what it is and on all that it saw before, and it does so in two halves, so
that a wrong order, or a meeting, shows in the bytes. Runs in a lane as a Python body, or as a
program whose two words are a file of `Work` as JSON and a name in it.

Knows nothing of claims, and imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

#: Where tasks keep what only a lock protects.
LOCKED = "locked"


#: As lanes call it: takes the words after ``--``.
Body = Callable[[tuple[str, ...]], int]


class Work(NamedTuple):
    """All that one task does; paths are relative to the workspace, with ``/``."""

    name: str
    #: A folder of its own.
    own: str
    reads: list[str]
    #: Folders whose names it asks for, with those that it minds.
    lists: list[tuple[str, list[str]]]
    #: What it writes, in this order: ``(kind, path)``; see `_Task.write`.
    steps: list[tuple[str, str]]
    locks: list[str]
    #: Seconds that it waits at each of its pauses, in turn.
    pauses: list[float]
    #: The exit code of each attempt, the last for all further ones; -1: what it saw decides.
    codes: list[int]


def perform(work: Work, folder: str) -> int:
    """Do it in the workspace at ``folder``; returns the exit code.

    When it begins and ends goes into a file of the run's folder, which nobody compares.
    """
    with open(f"{os.environ['POLYLANE_RUN']}/{work.name}.times", "a", encoding="ascii") as times:
        print(time.monotonic(), file=times)
        code = _Task(work, folder).run()
        print(time.monotonic(), file=times)
    return code


class _Task:
    """One attempt."""

    def __init__(self, work: Work, folder: str) -> None:
        self._work = work
        self._folder = folder
        self._seen = crc32(work.name.encode())
        self._pauses = 0

    def run(self) -> int:
        attempt = self._append(f"{self._work.own}/tries", "x")
        self._look_around()
        for lock in self._work.locks:
            self._use(f"{LOCKED}/{lock}")
        for kind, path in self._work.steps:
            self._look(path, self._content(path))
            self._look(kind, self._write(kind, path))
        self._pause()
        self._look_around()
        self._put(f"{self._work.own}/digest", "w")
        code = self._work.codes[min(attempt, len(self._work.codes)) - 1]
        return self._seen % 3 if code < 0 else code

    def _look_around(self) -> None:
        for path in self._work.reads:
            self._look(path, self._content(path))
        for folder, names in self._work.lists:
            self._look(folder, self._names(folder, names))

    def _look(self, what: str, found: str) -> None:
        """Remember something; the log tells where two runs part."""
        self._seen = crc32(f"{what} {found}".encode(), self._seen)
        print(f"{self._seen:08x} {what} {found!r}")

    def _pause(self) -> None:
        pauses = self._work.pauses
        if pauses:
            select.select([], [], [], pauses[self._pauses % len(pauses)])  # it takes its time
            self._pauses += 1

    def _path(self, path: str) -> str:
        return os.path.join(self._folder, path)  # noqa: PTH118 - starts must be quick

    def _content(self, path: str) -> str:
        try:
            with open(self._path(path), encoding="ascii") as file:
                return file.read()
        except OSError as error:
            return _name(error)

    def _names(self, folder: str, minded: list[str]) -> str:
        try:
            return " ".join(sorted({*minded} & {*os.listdir(self._path(folder))}))  # noqa: PTH208
        except OSError as error:
            return _name(error)

    def _write(self, kind: str, path: str) -> str:
        """Write, append, remove a file; make or clear a folder: what came of it."""
        try:
            if kind == "remove":
                os.unlink(self._path(path))  # noqa: PTH108
            elif kind == "make":
                os.mkdir(self._path(path))  # noqa: PTH102
            elif kind == "clear":
                self._clear(self._path(path))
            else:
                self._put(path, "a" if kind == "append" else "w")
        except OSError as error:
            return _name(error)
        return "done"

    def _put(self, path: str, mode: str) -> None:
        """Write a line, in two halves; when all is replaced what was there is kept in a digest."""
        text = f"{self._work.name} {self._seen:08x}\n"
        with open(self._path(path), mode, encoding="ascii") as file:
            file.write(text[:4])
            file.flush()
            self._pause()
            file.write(text[4:])

    def _append(self, path: str, text: str) -> int:
        """Append, and say how long it is."""
        with open(self._path(path), "a", encoding="ascii") as file:
            file.write(text)
            return file.tell()

    def _clear(self, folder: str) -> None:
        for name in sorted(os.listdir(folder)):  # noqa: PTH208
            path = f"{folder}/{name}"
            if os.path.isdir(path):  # noqa: PTH112
                self._clear(path)
            else:
                os.unlink(path)  # noqa: PTH108
        self._pause()
        os.rmdir(folder)  # noqa: PTH106

    def _use(self, path: str) -> None:
        """Add a line to what a lock protects, by reading and writing all of it."""
        text = self._content(path)
        self._look(path, text)
        self._pause()
        with open(self._path(path), "w", encoding="ascii") as file:
            file.write(f"{text}{self._work.name}\n")


def _name(error: OSError) -> str:
    return f"<{type(error).__name__}>"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="ascii") as all_work:
        found = json.load(all_work)[sys.argv[2]]
    sys.exit(perform(Work(*found), os.getcwd()))  # noqa: PTH109
