"""What a traced task touched: from absolute paths to what it means for the workspace.

Knows nothing of claims, and of how paths were seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from polylane.describe.home import NAME
from polylane.plan.observed import Observed, above, names_in
from polylane.run.tracing.touches import Touches

#: Never a file that somebody could find again: devices, processes, and the kernel's own.
_NO_FILES = ("/dev", "/proc", "/sys")

#: Of these, what is kept: shared memory has names that two tasks may share.
_SHARED = "/dev/shm"  # noqa: S108  # nosec B108 - only told apart

#: The folders that runs make for their tasks' temporary files.
_OWN_TEMPORARY = "polylane-"


class Whereabouts:
    """Tells where absolute paths lie; of one workspace."""

    def __init__(self, workspace: Path, projects: Iterable[str], temporary: str) -> None:
        """``projects``: their paths, which no task makes.

        ``temporary``: the folder for temporary files, where a run may have made its own.
        """
        self._root = os.path.realpath(workspace)
        #: The folders that hold projects, and these with the projects.
        self._around = {".", *above(projects)}
        self._given = {*projects, *self._around}
        self._own = os.path.join(os.path.realpath(temporary), _OWN_TEMPORARY)  # noqa: PTH118

    def observed(self, touches: Touches) -> Observed:
        """What was touched, relative to the workspace."""
        wrote = touches.written | touches.metadata
        reads = touches.read | touches.looked | touches.executed | touches.links.keys()
        inside = frozenset(self._inside(reads))
        listed = frozenset(self._inside(touches.listed))
        around = listed & self._around | set(filter(_is_given, listed))
        given = frozenset(filter(_is_given, inside))
        return Observed(
            reads=inside - given - self._given,
            aside=frozenset(self._inside(touches.missing)) | given | set(map(names_in, around)),
            listed=listed - around,
            writes=self._changed(frozenset(self._inside(wrote)), inside),
            outside=frozenset(filter(self._counts_outside, wrote - above(wrote))),
            ports=tuple(sorted(port(*bound) for bound in touches.bound)),
            lost=tuple(f"{why} ({n} times)" for why, n in sorted(touches.lost.items())),
        )

    def _inside(self, paths: Iterable[str]) -> Iterator[str]:
        head = f"{self._root}/"
        for path in paths:
            inner = path[len(head) :] if path.startswith(head) else ""
            if path == self._root:
                yield "."
            elif inner and inner != NAME and not inner.startswith(f"{NAME}/"):
                yield inner

    def _changed(self, writes: frozenset[str], reads: frozenset[str]) -> frozenset[str]:
        """Less the folders that it only made sure of (``mkdir -p``): they were there.

        For they are projects, or it read what it did not write in them.
        """
        there = self._given | above(reads - writes)
        return frozenset(
            path
            for path in writes
            if path not in there or not os.path.isdir(f"{self._root}/{path}")  # noqa: PTH112 - many
        )

    def _counts_outside(self, path: str) -> bool:
        if path == self._root or path.startswith((f"{self._root}/", self._own)):
            return False
        return path.startswith(f"{_SHARED}/") or not path.startswith(
            tuple(f"{folder}/" for folder in _NO_FILES)
        )


def _is_given(path: str) -> bool:
    """Whether a path is git's own, or installed: what most tools read, and tasks seldom write."""
    parts = path.split("/")
    return parts[0] == ".git" or "node_modules" in parts


def port(protocol: str, address: str, number: int) -> str:
    """What was bound, in words: ``tcp 127.0.0.1:8080``, ``udp [::1]:53``, ``unix @name``."""
    if protocol == "unix":
        return f"unix {address}"
    return f"{protocol} {f'[{address}]' if ':' in address else address}:{number}"


def joined(first: Observed, second: Observed) -> Observed:
    """What two attempts at one task touched."""
    return Observed(
        first.reads | second.reads,
        first.aside | second.aside,
        first.listed | second.listed,
        first.writes | second.writes,
        first.outside | second.outside,
        tuple(sorted({*first.ports, *second.ports})),
        first.lost + second.lost,
    )
