"""Confines what a lane starts, by Landlock: from plain data to a start that can write only there.

What a task may write is its own paths in the workspace, and all that lies outside the workspace.
Landlock only adds, so "outside" is said as the siblings of each folder above the workspace.

Knows nothing of tasks, nor of who decides what one may write.
"""

import errno
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from os import lstat

from polylane.records import NamedTuple
from polylane.run.bound_thread import BoundThread, T
from polylane.run.landlock import Places, Ruleset, abi, refusal
from polylane.run.surroundings import above, holds, other_names, outside

#: Before version 2 no file can be moved from one folder to another, which package managers do.
_MINIMUM_ABI = 2

#: By the kernel's answer.
_MISSING = {
    errno.EOPNOTSUPP: "Landlock is not in the list of security modules (lsm=)",
    errno.EPERM: "a filter, as some containers have it, hides Landlock",
}

#: Rulesets that a lane keeps, each an open descriptor.
_KEPT = 128

#: What lies outside is kept open where it is at most so much.
_PLACES = 256

#: Threads that it keeps, one a confinement: a new one costs as much as a start, and looking for
#: children looks at each.
_THREADS = 16


class Confinement(NamedTuple):
    """Where one may write, as plain data: `tuple` of it passes through `marshal`. See `confine`."""

    #: Its real path, as are all others.
    workspace: str
    #: Files and folders in the workspace, whole; those that are missing at a start are left out.
    writable: tuple[str, ...]
    #: What lies outside the workspace and is refused all the same.
    protected: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool:
        """Whether nothing that is written is refused, and only signals to others are."""
        return self.workspace in self.writable and not self.protected


def why_not() -> str:
    """Why this machine cannot confine, in a few words; empty where it can."""
    if abi() == 0:
        return _MISSING.get(refusal(), "this kernel has no Landlock")
    if abi() < _MINIMUM_ABI:
        return "this kernel's Landlock (Linux older than 5.19) forbids moving files"
    return ""


def confine(
    workspace: str | os.PathLike[str],
    writable: Iterable[str],
    *,
    protected: Iterable[str] = (),
    temporary: str = "",
) -> Confinement:
    """Make a confinement of paths as people write them.

    ``writable`` is relative to the workspace or absolute. ``protected``: such as the git folder of
    a linked worktree. ``temporary``: the tasks' ``TMPDIR``, granted wherever it lies, unless the
    workspace lies in it: then see `private_temporary`.
    """
    real = os.path.realpath(workspace)
    paths = [os.path.normpath(os.path.join(real, path)) for path in writable]  # noqa: PTH118
    if temporary and not holds(os.path.realpath(temporary), real):
        paths.append(os.path.realpath(temporary))
    return Confinement(
        real,
        tuple(dict.fromkeys(paths)),
        tuple(sorted(set(map(os.path.realpath, protected)))),
    )


class Sandbox:
    """Starts confined processes from one process, such as a lane, which itself stays free."""

    def __init__(self, kept: int = _KEPT) -> None:
        """``kept``: how many rulesets stay open."""
        self._kept = kept
        self._outside: _Outside | None = None
        self._free: Ruleset | None = None
        self._built: OrderedDict[Confinement, _Built] = OrderedDict()
        self._threads: OrderedDict[Ruleset, BoundThread] = OrderedDict()

    def start(self, confinement: Confinement, spawn: Callable[[], T]) -> T:
        """Call ``spawn`` in a thread that is confined, as then is what it starts.

        The thread stays, so that this process has several until `rest` is called. Starts of one
        confinement may share it, and then may signal each other's processes.
        Raises what ``spawn`` raises, and `OSError` where confining fails.
        """
        ruleset = self._ruleset(confinement)
        thread = self._threads.pop(ruleset, None) or BoundThread(ruleset)
        self._threads[ruleset] = thread
        if len(self._threads) > _THREADS:
            self._threads.popitem(last=False)[1].end()
        return thread.start(spawn)

    def confine_self(self, confinement: Confinement) -> None:
        """Confine this whole process, a child forked for that after `rest`, for good."""
        self._ruleset(confinement).restrict_thread()
        self.close()

    def ready(self, confinement: Confinement) -> None:
        """Build what forked children need for `confine_self`, once for all of them."""
        self._ruleset(confinement)

    def rest(self) -> None:
        """End all threads: to be called before a fork."""
        while self._threads:
            self._threads.popitem()[1].end()

    def close(self) -> None:
        """Give every descriptor back."""
        self.rest()
        while self._built:
            self._built.popitem()[1].ruleset.close()
        if self._outside is not None:
            self._outside.close()
            self._outside = None
        if self._free is not None:
            self._free.close()
            self._free = None

    def _ruleset(self, confinement: Confinement) -> Ruleset:
        """The ruleset as a new one would be: rules follow inodes, and names come and go."""
        if confinement.is_free:
            return self._free_ruleset()
        outside = self._outside_of(confinement)
        inodes = _inodes(confinement.writable)
        built = self._built.pop(confinement, None)
        if built is None or built.outside is not outside or built.inodes != inodes:
            if built is not None:
                built.ruleset.close()
            built = _Built(outside, inodes, outside.with_those_of(confinement))
        self._built[confinement] = built
        if len(self._built) > self._kept:
            self._built.popitem(last=False)[1].ruleset.close()
        return built.ruleset

    def _free_ruleset(self) -> Ruleset:
        if self._free is None:
            self._free = Ruleset(None)
        return self._free

    def _outside_of(self, confinement: Confinement) -> "_Outside":
        """The lane's tasks are of one workspace, so that one is kept."""
        kept = {confinement.workspace, *confinement.protected}
        if self._outside is None or not self._outside.holds(kept):
            if self._outside is not None:
                self._outside.close()
            self._outside = _Outside(kept)
        return self._outside


class _Outside:
    """What lies outside some paths at one time."""

    def __init__(self, kept: set[str]) -> None:
        self._kept = kept
        names = kept.union(*map(other_names, kept))
        self._folders = tuple(above(names))
        self._times = self._now()  # before we look: what comes later is seen later
        paths = outside(*names)
        self._paths = paths if len(paths) > _PLACES else []
        self._places = Places(paths) if len(paths) <= _PLACES else None

    def holds(self, kept: set[str]) -> bool:
        """Whether it is that of these paths, and no name came or went since."""
        return self._kept == kept and self._times == self._now()

    def _now(self) -> list[int]:
        """Asked before each start: plain loops take half the time."""
        times = []
        for folder in self._folders:
            try:
                times.append(lstat(folder).st_mtime_ns)
            except OSError:
                times.append(0)
        return times

    def with_those_of(self, confinement: Confinement) -> Ruleset:
        """The ruleset that allows this, and what a confinement names; a link allows nothing."""
        paths = [path for path in confinement.writable if os.path.realpath(path) == path]
        return Ruleset([*paths, *self._paths], places=self._places)

    def close(self) -> None:
        """Give its descriptors back."""
        if self._places is not None:
            self._places.close()


class _Built(NamedTuple):
    outside: _Outside
    #: Of what may be written. A rule holds its inode, so that the number is not used again.
    inodes: list[tuple[int, int] | None]
    ruleset: Ruleset


def _inodes(paths: Iterable[str]) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            status = lstat(path)
            found.append((status.st_dev, status.st_ino))
        except OSError:
            found.append(None)
    return found
