"""What a confined task was refused to write: which paths, whose they are, and what would allow it.

Tools hide it: ruff names a cache that it cannot make, mypy an internal error, npm the wrong owner.
So a log with a sign of it is searched for paths, and where it names none, the task is run once more
under the tracer. Landlock itself tells nobody without privileges what it refused.

Knows nothing of how tasks run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from polylane.model import Task
from polylane.run.protocol import Assignment
from polylane.run.sandbox import Confinement
from polylane.run.surroundings import holds

#: How tools say that something was refused; the last three are mypy's, ruff's and npm's own words.
_SIGNS = re.compile(
    rb"permission denied|EACCES|EPERM|EROFS|EXDEV|operation not permitted|read-only file system"
    rb"|cross-device link|INTERNAL ERROR|failed to initialize cache|root-owned files",
    re.IGNORECASE,
)

#: So much of the beginning and of the end of a log is searched.
_PART_BYTES = 256 * 1024

#: What encloses or ends a path in a message.
_WORD = re.compile(r"""'([^']+)'|"([^"]+)"|`([^`]+)`|([^\s'"`,;()\[\]{}]+)""")

#: So many paths are named.
_NAMED = 3

#: So many paths that were written are to be claimed one by one; of more, the folders are.
_CLAIMED = 8


def may_be(log: str) -> bool:
    """Whether a failed task's log has a sign of a refusal; ``log`` is empty where it has none."""
    return bool(log) and any(True for _ in _lines_with_signs(log))


def _lines_with_signs(log: str) -> Iterator[bytes]:
    for line in _parts(log).split(b"\n"):
        if _SIGNS.search(line):
            yield line


def _parts(log: str) -> bytes:
    try:
        with open(log, "rb") as file:
            data = file.read(_PART_BYTES)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(len(data), size - _PART_BYTES))
            return data + file.read()
    except OSError:
        return b""


def in_log(job: Assignment) -> tuple[str, ...]:
    """The paths that the log names beside a sign, and that the task may not write."""
    assert job.confinement is not None
    confinement = Confinement(*job.confinement)
    found: dict[str, None] = {}
    for line in _lines_with_signs(job.log):
        for said in _paths(os.fsdecode(line)):
            path = _real(os.path.join(job.cwd, said))  # noqa: PTH118 - may be no path at all
            if refuses(confinement, path):
                found[path] = None
    return tuple(found)


def _paths(line: str) -> Iterator[str]:
    """The words of a line that may be paths: quoted ones, and those with a slash or a dot in."""
    for match in _WORD.finditer(line):
        quoted = next(filter(None, match.groups()[:3]), "")
        bare = (match[4] or "").rstrip(":.")
        if quoted and "\0" not in quoted:
            yield quoted
        elif "/" in bare or bare.startswith("."):
            yield bare


def attempted(job: Assignment, written: Iterable[str]) -> tuple[str, ...]:
    """Of the paths that a traced run tried to write those that the task may not write, sorted."""
    assert job.confinement is not None
    confinement = Confinement(*job.confinement)
    return tuple(sorted(path for path in written if refuses(confinement, path)))


def refuses(confinement: Confinement, path: str) -> bool:
    """Whether a confinement refuses to write a real path."""
    if _within(path, confinement.workspace):
        return not any(_within(path, each) for each in confinement.writable)
    if any(_within(path, each) for each in confinement.protected):
        return True
    # In a folder that holds the workspace nothing can be made; what is there is granted.
    folder = path.rpartition("/")[0] or "/"
    return _within(confinement.workspace, folder) and not os.path.lexists(path)


def _within(path: str, folder: str) -> bool:
    return path == folder or holds(folder, path)


def _real(path: str) -> str:
    folder, name = os.path.split(os.path.normpath(path))
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


class Explainer:
    """Says in lines what was refused, whose it is, and what to write to allow it."""

    def __init__(self, workspace: Path, projects: Mapping[str, str], table: str) -> None:
        """``projects``: names by path. ``table``: where the configuration is, with a dot behind."""
        self._workspace = os.path.realpath(workspace)
        self._projects = projects
        self._table = table

    def refused(self, task: Task, refused: Sequence[str]) -> tuple[str, ...]:
        """For the absolute paths that a task was refused."""
        lines = [f"it was refused to write {self._said(p)}, {self._owner(p)}" for p in refused]
        return self._shortened(lines, task, [self._claim(path) for path in refused])

    def unclaimed(self, task: Task, unclaimed: Collection[str]) -> tuple[str, ...]:
        """For the paths, relative to the workspace, that a task wrote in its view, unclaimed."""
        tops = _tops(unclaimed)
        lines = []
        for path, below in tops.items():
            more = f" and {below} more in it" if below else ""
            said = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path)
            owner = self._owner(f"{self._workspace}/{path}")
            lines.append(f"it wrote {said}{more}, {owner}: not claimed, so not kept")
        return self._shortened(lines, task, ["" if _is_git(p) else p for p in _fewer(tops)])

    def _shortened(
        self, lines: Sequence[str], task: Task, claims: Sequence[str]
    ) -> tuple[str, ...]:
        """The first lines, and the one that says how to allow it: an empty claim would not do."""
        more = [f"and {len(lines) - _NAMED} more paths"] if len(lines) > _NAMED else []
        key = f"[{self._table}tasks.{json.dumps(task.id, ensure_ascii=False)}]"
        if all(claims):
            writes = list(dict.fromkeys((*task.claim.writes, *claims)))
            allow = f"{key} writes = {json.dumps(writes, ensure_ascii=False)}"
        else:
            allow = f'{key} sandbox = "off"'
        return (*lines[:_NAMED], *more, f"to allow it: {allow}")

    def _relative(self, path: str) -> str:
        """The path in the workspace; empty where it lies outside."""
        return os.path.relpath(path, self._workspace) if _within(path, self._workspace) else ""

    def _said(self, path: str) -> str:
        return self._relative(path) or path

    def _claim(self, path: str) -> str:
        """What to claim: what is there, or the folder to make it in; empty: nothing would do."""
        while path != self._workspace and not os.path.lexists(path):
            path = str(Path(path).parent)
        relative = self._relative(path)
        if relative in ("", ".") or _is_git(relative):
            return ""
        return f"{relative}/**" if Path(path).is_dir() else relative

    def _owner(self, path: str) -> str:
        relative = self._relative(path)
        if not relative:
            return "which is git's, or lies in a folder that holds the workspace"
        if _is_git(relative):
            return "which is git's"
        holders = [each for each in self._projects if each == "." or _within(relative, each)]
        name = f"project {self._projects[max(holders, key=len)]}" if holders else "no project"
        return f"which is {name}'s"


def _tops(paths: Collection[str]) -> dict[str, int]:
    """The paths that lie in no other one, sorted, and how many of the others lie in each."""
    found: dict[str, int] = {}
    for path in sorted(paths, key=lambda path: path.split("/")):
        above = next((each for each in _with_folders(path) if each in found), "")
        found[above or path] = found.get(above, -1) + 1
    return found


def _with_folders(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _fewer(paths: Iterable[str]) -> list[str]:
    """What to claim for these paths: folders where they are many, or no text."""
    claims = list(dict.fromkeys(map(_as_text, paths)))
    while len(claims) > _CLAIMED and (depth := max(each.count("/") for each in claims)):
        claims = list(
            dict.fromkeys(c.rpartition("/")[0] if c.count("/") == depth else c for c in claims)
        )
    return claims


def _as_text(path: str) -> str:
    """The path, or the first folder above it whose name is text; empty where none is."""
    return next((each for each in _with_folders(path) if _is_text(each)), "")


def _is_text(path: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in path)


def _is_git(relative: str) -> bool:
    return relative.split("/", maxsplit=1)[0] == ".git"
