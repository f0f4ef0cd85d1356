"""Finds the folders of the workspace that git does not ignore, and remembers them by time.

A folder whose modification time is unchanged has the same entries, so that it need not be listed
again. Knows nothing of languages but the names of files and folders that matter to them.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from polylane.describe import git
from polylane.errors import UserError

IGNORE_FILE = ".gitignore"

#: A file's modification time in nanoseconds and size, or None where there is no such file.
Stamp = tuple[int, int] | None

#: A folder's modification time, its folders that are not ignored, and its files that matter.
Entry = tuple[int, tuple[str, ...], tuple[str, ...]]


@dataclass(slots=True)
class Tree:
    """Every folder that is not ignored, by path relative to the workspace (``"."``, ``a/b``)."""

    entries: dict[str, Entry] = field(default_factory=dict)
    #: Every file that says what is ignored; absolute, with its stamp.
    ignore_stamps: dict[str, Stamp] = field(default_factory=dict)
    #: Whether anything differs from what was remembered.
    changed: bool = True


def stamp(path: str | Path) -> Stamp:
    """The stamp of a file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - thousands of these; Path costs as much again
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def walk(folder: Path, *, files: Collection[str], skip: Collection[str], known: Tree) -> Tree:
    """Walk the workspace; ``known`` is an earlier result, or an empty tree.

    ``files``: names that are remembered where they stand. ``skip``: names of folders that are never
    entered. Repositories within the repository (submodules) are not entered: git does not say what
    is theirs.
    """
    if known.entries and all(stamp(p) == s for p, s in known.ignore_stamps.items()):
        tree = _walk(folder, {*files, IGNORE_FILE}, skip, known.entries)
        if _ignore_files(tree) == _ignore_files(known):
            tree.ignore_stamps = known.ignore_stamps
            tree.changed = tree.entries != known.entries
            return tree
    outside = git.ignore_files(folder)
    tree = _walk(folder, {*files, IGNORE_FILE}, skip, {})
    inside = [os.path.join(folder, path, IGNORE_FILE) for path in _ignore_files(tree)]  # noqa: PTH118
    tree.ignore_stamps = {p: stamp(p) for p in (*map(str, outside), *inside)}
    return tree


def _ignore_files(tree: Tree) -> list[str]:
    return [path for path, (_, _, names) in tree.entries.items() if IGNORE_FILE in names]


def _walk(
    folder: Path, files: Collection[str], skip: Collection[str], known: dict[str, Entry]
) -> Tree:
    """Walk level by level, so that git is asked once a level and not once a folder."""
    tree = Tree()
    base = str(folder)
    level = ["."]
    while level:
        fresh: dict[str, tuple[int, list[str], tuple[str, ...]]] = {}
        for path in level:
            absolute = base if path == "." else f"{base}/{path}"
            modified = _modified(absolute, path)
            entry = known.get(path)
            if entry is not None and entry[0] == modified:
                tree.entries[path] = entry
            elif modified:
                fresh[path] = (modified, *_listing(absolute, files, skip))
        candidates = [_join(path, name) for path, (_, names, _) in fresh.items() for name in names]
        ignored = git.ignored(folder, candidates)
        for path, (modified, names, found) in fresh.items():
            kept = tuple(name for name in names if _join(path, name) not in ignored)
            tree.entries[path] = (modified, kept, found)
        level = [_join(p, name) for p in level if p in tree.entries for name in tree.entries[p][1]]
    return tree


def _join(path: str, name: str) -> str:
    return name if path == "." else f"{path}/{name}"


def _modified(absolute: str, path: str) -> int:
    try:
        return os.stat(absolute).st_mtime_ns  # noqa: PTH116
    except OSError as error:
        if path == ".":
            raise UserError(f"{absolute}: cannot be read: {error.strerror}") from None
        return 0


def _listing(
    absolute: str, files: Collection[str], skip: Collection[str]
) -> tuple[list[str], tuple[str, ...]]:
    """The folders that may be entered, and the files that matter; sorted."""
    folders: list[str] = []
    found: list[str] = []
    try:
        with os.scandir(absolute) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in skip and not _is_repository(entry.path):
                        folders.append(entry.name)
                elif entry.name in files:
                    found.append(entry.name)
    except PermissionError:
        return [], ()
    return sorted(folders), tuple(sorted(found))


def _is_repository(path: str) -> bool:
    return os.path.lexists(f"{path}/.git")
