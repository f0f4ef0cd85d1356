"""Runs one task in a private view of the workspace, and keeps of what it wrote what it claims.

The task sees the workspace at its own path, in new pids; what it writes there lies aside until it
has ended. Then its exact write set is held against its claims: what it may write is committed, and
the rest is named and dropped. Knows nothing of how the task is started, nor of what a claim means
to the plan.
"""

from __future__ import annotations

import errno
import marshal
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from polylane.plan.observed import Patterns
from polylane.records import NamedTuple
from polylane.run import tree
from polylane.run.protocol import Report
from polylane.run.views import commit, copying, snapshot
from polylane.run.views.changes import Changes
from polylane.run.views.overlay import View

#: What ends by itself so soon after its task was not left behind.
_SETTLE_S = 0.1

#: Of what is left behind so many bytes of command lines are told; a pipe holds 64 KiB.
_TOLD_BYTES = 16_384


#: ``git diff`` writes it anew to note what it has seen, whatever ``GIT_OPTIONAL_LOCKS`` says; what
#: stages something writes more than that.
_INDEX = ".git/index"


class Private(NamedTuple):
    """A view for one attempt, as plain data: `tuple` of it passes through `marshal`."""

    #: The workspace.
    folder: str
    #: Where what is written lies; made and removed here.
    scratch: str
    #: The task's private temporary folder; made and removed here.
    temporary: str
    #: Patterns, relative to the workspace, of what it may write.
    writes: tuple[str, ...]
    #: Patterns of what is dropped without a word where it is not among these: our own folder, which
    #: lies in the view too, and what tools only write to be faster the next time.
    dropped: tuple[str, ...] = ()
    #: Seconds between TERM and KILL for what it leaves behind.
    grace: float = 0.0


class StrictStart:
    """One attempt in a view: `enter` in a forked child, then `conclude` in the lane."""

    def __init__(self, private: Private) -> None:
        """`OSError` where its folders cannot be made."""
        self._private = private
        self._parent = os.getpid()
        os.makedirs(private.temporary)  # noqa: PTH103
        self._view = View(private.folder, private.scratch)
        self._said, self._say = os.pipe()
        self._messages: list[tuple[Any, ...]] = []

    def enter(self) -> None:
        """Put this process, a child just forked, into the view; `ValueError` says why it cannot."""
        try:
            self._view.enter(parent=self._parent, left=self._end_left)
        except OSError as error:
            raise ValueError(f"no private view: {error.strerror or error}") from None

    def refuse(self, error: OSError | ValueError) -> None:
        """Tell the lane, from the child, why its task cannot be started."""
        if isinstance(error, OSError):
            self._tell("refused", error.errno, error.strerror, error.filename)
        else:
            self._tell("refused", str(error))

    def _tell(self, *message: Any) -> None:
        os.write(self._say, marshal.dumps(message))

    def _end_left(self) -> None:
        """In the init of the pids: name what the task left behind, and end it."""
        usage = tree.Usage()
        if tree.settles(usage, within_s=_SETTLE_S):
            return
        names, size = [], 0
        for pid in tree.below():
            name = "" if tree.is_zombie(pid) else tree.command_line(pid)
            size += len(name.encode())
            if name and size <= _TOLD_BYTES:
                names.append(name)
        self._tell("left", names)
        tree.end_all(usage, grace=self._private.grace)

    def failure(self) -> OSError | ValueError | None:
        """Why the task was not started, once its tree has ended."""
        for kind, *rest in self._heard():
            if kind == "refused":
                return OSError(*rest) if len(rest) > 1 else ValueError(*rest)
        return None

    def conclude(self, report: Report) -> Report:
        """Commit what the task may have written, and tell the rest; its tree has ended."""
        for kind, *rest in self._heard():
            if kind == "left":
                report = report._replace(leftovers=tuple(rest[0]))
        if report.kind != "exited":
            return report  # cut off at any point: nothing of it is kept
        try:
            return report._replace(unclaimed=self._commit())
        except OSError as error:
            path = str(error.filename).removeprefix(f"{self._view.written}/").rstrip("/")
            why = f"what it wrote cannot be kept: {path}: {error.strerror}"
            return report._replace(kind="crashed", reason=why)

    def _commit(self) -> tuple[str, ...]:
        """Commit, and return what may not be."""
        view, changes = self._view, self._view.changes()
        found = sort_out(changes, self._private, view.written, view.folder)
        _check_readable(found.kept.intersection(changes.created), view.written)
        commit.apply(view.written, view.folder, changes, found.kept)
        return found.unclaimed

    def _heard(self) -> list[tuple[Any, ...]]:
        """What was told; all who could tell more have ended."""
        if self._say >= 0:
            os.close(self._say)
            self._say = -1
            os.set_blocking(self._said, False)
            with open(self._said, "rb", closefd=False) as file:
                data = file.read() or b""
            self._messages = _messages(data)
        return self._messages

    def close(self) -> None:
        """Remove all that was not committed."""
        for descriptor in (self._said, self._say):
            if descriptor >= 0:
                os.close(descriptor)
        for remove in (self._view.discard, self._remove_temporary):
            with suppress(OSError):  # somebody else's file, say; who swept before us
                remove()

    def _remove_temporary(self) -> None:
        copying.remove(self._private.temporary)


def _messages(data: bytes) -> list[tuple[Any, ...]]:
    file = BytesIO(data)
    found: list[tuple[Any, ...]] = []
    with suppress(EOFError, ValueError, TypeError):  # one may be cut off
        while file.tell() < len(data):
            found.append(marshal.load(file))  # noqa: S302 - from our own fork
    return found


class Sorted(NamedTuple):
    """A write set, held against a claim."""

    kept: frozenset[str]
    #: Sorted.
    unclaimed: tuple[str, ...]


def sort_out(changes: Changes, private: Private, upper: str, lower: str) -> Sorted:
    """Tell what of a write set is kept; ``upper`` and ``lower``: the folders that it was read from.

    What comes or goes with a path must be claimed with it: all that was in a folder that is gone,
    and what lay where now is a folder. A new folder needs no claim of its own above what is kept.
    """
    may, dropped = Patterns(private.writes), Patterns(private.dropped)
    gone, turned = _gone_folders(changes, upper, lower), _new_folders(changes, upper, lower)
    lost = {path for path in (*gone, *turned) if not may.hold(path)}
    lost |= {path for path in gone if not _all_held(may, path, lower)}
    kept = frozenset(
        path
        for path in (*changes.written, *changes.touched)
        if may.hold(path) and path not in lost and lost.isdisjoint(_folders(path))
    )
    above = {folder for path in kept for folder in _folders(path)}.intersection(changes.created)
    rest = [path for path in changes.written if path not in kept and path not in above]
    if [path for path in rest if path.startswith(".git/")] == [_INDEX]:
        rest.remove(_INDEX)
    return Sorted(kept, tuple(path for path in rest if not dropped.hold(path)))


def _gone_folders(changes: Changes, upper: str, lower: str) -> list[str]:
    """Folders that were removed, or are something else now."""
    paths = (*changes.removed, *changes.modified)
    return [p for p in paths if _is_folder(f"{lower}/{p}") and not _is_folder(f"{upper}/{p}")]


def _new_folders(changes: Changes, upper: str, lower: str) -> list[str]:
    """Folders that were something else."""
    paths = changes.modified
    return [p for p in paths if _is_folder(f"{upper}/{p}") and not _is_folder(f"{lower}/{p}")]


def _all_held(may: Patterns, folder: str, lower: str) -> bool:
    return all(may.hold(f"{folder}/{name}") for name, _ in snapshot.walk(f"{lower}/{folder}"))


def _check_readable(paths: Iterable[str], upper: str) -> None:
    """Raise `PermissionError` where we cannot see what lies in a new folder."""
    for path in (f"{upper}/{path}" for path in paths):
        if _is_folder(path) and not os.access(path, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)  # noqa: PTH112, PTH114


def _folders(path: str) -> Iterator[str]:
    """The folders above a path."""
    while path := path.rpartition("/")[0]:
        yield path
