"""What the folders above a Python project say to all projects below them; looked at once for all.

Knows nothing of the project itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from polylane.describe.languages.base import Folder
from polylane.describe.languages.python.manifest import read_manifest, table, words
from polylane.describe.languages.python.marks import FILES, UPWARD, Mark, configs_in
from polylane.records import NamedTuple

#: Files which say what a repository runs; workflows of a forge come on top.
_RUN_BOOKS = (
    ".pre-commit-config.yaml",
    "Makefile",
    "justfile",
    "tox.ini",
    "noxfile.py",
    "tasks.py",
    "package.json",
)


class UvWorkspace(NamedTuple):
    """A uv workspace, with the patterns of the folders that are in it and of those that are not."""

    path: str
    members: tuple[str, ...]
    exclude: tuple[str, ...]

    def has(self, path: str) -> bool:
        """Whether the project at ``path`` belongs to it."""
        inner = path if self.path == "." else path.removeprefix(f"{self.path}/")
        inside = any(_glob(inner, pattern) for pattern in self.members)
        return inside and not any(_glob(inner, pattern) for pattern in self.exclude)


class Above(NamedTuple):
    """What a folder and those above it say."""

    #: The nearest folder that configures a tool, and its table, for tools that look upward.
    configs: Mapping[Mark, tuple[str, Mapping[str, Any]]] = {}
    #: The nearest first.
    uv_workspaces: tuple[UvWorkspace, ...] = ()
    has_uv_lock: bool = False
    #: The workspace is a repository's own folder.
    has_git: bool = False
    #: The files in which tools that look upward look, by name: their paths, the nearest first.
    files: Mapping[str, tuple[str, ...]] = {}


def above(folder: Folder) -> Above:
    """What the folders above ``folder`` say."""
    return Above() if folder.parent is None else folder.parent.once(_said_to_those_below)


def _said_to_those_below(folder: Folder) -> Above:
    far = above(folder)
    present = set(filter(folder.exists, FILES))
    own = configs_in(folder, UPWARD, present)
    way = "" if folder.path == "." else f"{folder.path}/"
    names = [*sorted(present), *(("pyproject.toml",) if folder.exists("pyproject.toml") else ())]
    files = {name: (f"/{way}{name}", *far.files.get(name, ())) for name in names}
    uv = table(folder.toml("pyproject.toml"), "tool", "uv", "workspace")
    here = UvWorkspace(folder.path, words(uv.get("members")), words(uv.get("exclude")))
    return Above(
        {**far.configs, **own},
        (*((here,) if here.members else ()), *far.uv_workspaces),
        far.has_uv_lock or folder.exists("uv.lock"),
        far.has_git if folder.parent else folder.exists(".git"),
        {**far.files, **files},
    )


def dependencies(folder: Folder) -> frozenset[str]:
    """The names of all that a folder's own manifest asks for."""
    return read_manifest(folder).dependencies


def runs(folder: Folder, expression: str) -> bool:
    """Whether something that is run here or above (hooks, make, CI) matches an expression."""
    if any(re.search(expression, text) for text in _run_books(folder)):
        return True
    return folder.parent is not None and folder.parent.once(runs, expression)


def _run_books(folder: Folder) -> tuple[str, ...]:
    """The texts in a folder that say what the repository runs."""
    flows = (n for n in folder.names(".github/workflows") if n.endswith((".yml", ".yaml")))
    paths = (*_RUN_BOOKS, *(f".github/workflows/{name}" for name in flows))
    return tuple(text for path in paths if (text := folder.text(path)))


def _glob(path: str, pattern: str) -> bool:
    pattern = posixpath.normpath(pattern)
    if "**" in pattern:
        return fnmatchcase(path, pattern.replace("**/", "*").replace("**", "*"))
    return path.count("/") == pattern.count("/") and PurePosixPath(path).match(pattern)
