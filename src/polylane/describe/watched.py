"""Which folders hold what may change: those that git does not ignore, and some that it does.

Knows nothing of tasks, and of how folders are watched.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from polylane.describe import git, home, languages
from polylane.describe.walk import Tree, walk
from polylane.errors import UserError


class Folders:
    """The folders of a workspace, found again whenever they may be others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tree = Tree()
        loaded = map(languages.load, languages.registered().values())
        self._skip = {home.NAME, ".git", *(name for each in loaded for name in each.skip)}

    def find(self, more: Iterable[str], skipped: Callable[[str], bool]) -> set[str]:
        """Paths relative to the workspace (``.`` is itself) of all folders that hold what counts.

        ``more``: files and folders that count though git ignores them. ``skipped``: folders that
        are left out of these.
        """
        now = time.time_ns()
        self._tree = walk(self._folder, files=(), skip=self._skip, known=self._tree, since=now)
        self._tree.listings.clear()
        found = {path for path in self._tree.entries if path == "." or not skipped(path)}
        for path in more:
            found.update(self._below(path, skipped))
        return found

    def _below(self, path: str, skipped: Callable[[str], bool]) -> Iterator[str]:
        """A folder and all in it; of a file, or of what is not there, the folder that would be."""
        absolute = self._folder / path
        if not absolute.is_dir():
            yield _nearest(self._folder, path)
            return
        for folder, names, _ in os.walk(absolute):
            yield (relative := os.path.relpath(folder, self._folder))
            names[:] = [name for name in names if not skipped(f"{relative}/{name}")]


def _nearest(folder: Path, path: str) -> str:
    """The nearest folder around a path that there is."""
    while path and not (folder / path).is_dir():
        path = os.path.dirname(path)  # noqa: PTH120 - a text, and none for the workspace
    return path or "."


def ignored(folder: Path, paths: Collection[str]) -> set[str]:
    """Which of the paths git ignores; none where git does not want to say (beyond a link)."""
    try:
        return git.ignored(folder, sorted(path.rstrip("/") for path in paths))
    except UserError:
        return set()


def is_busy(folder: Path) -> bool:
    """Whether git is changing the work tree now: gitrepository-layout(5), ``index.lock``."""
    return any((data / "index.lock").exists() for data in git.data_folders(folder))
