"""Turns the simple lines of ignore files (``.gitignore`` and its kin) into claim patterns.

A claim may only take away what a tool provably ignores, so that a line which is not understood, or
which a later ``!`` line may take back, is dropped: that reads too much, which is safe. Knows
nothing of languages and tools.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polylane.describe.languages.base import Folder

#: Character classes and escapes: legal, rare, and not worth a wrong claim.
_HARD = re.compile(r"[\[\]\\]")


def ignored_patterns(folder: Folder, name: str, *, above: bool = True) -> tuple[str, ...]:
    """Patterns, relative to ``folder`` and without ``!``, of what the files ``name`` ignore.

    ``above``: the files of that name in the folders above count too, as git has it. Tools that
    read the file of their working folder only want ``above=False``.
    """
    patterns: list[str] = []
    for place, line in _lines(folder, name, above=above):
        if line.startswith("!"):
            patterns.clear()  # it may take back any line before it
        elif not _HARD.search(line):
            patterns += _patterns(line, _way(place, folder.path))
    return tuple(dict.fromkeys(patterns))


def files_above(folder: Folder, name: str) -> tuple[str, ...]:
    """The files of a name in the folders above, as patterns of the workspace."""
    return folder.parent.once(_files_from, name) if folder.parent else ()


def _files_from(folder: Folder, name: str) -> tuple[str, ...]:
    own = name if folder.path == "." else f"{folder.path}/{name}"
    return (*((f"/{own}",) if folder.text(name) is not None else ()), *files_above(folder, name))


def _lines(folder: Folder, name: str, *, above: bool = True) -> tuple[tuple[str, str], ...]:
    """Lines, the outermost file's first, each with the folder that it stands in."""
    far = folder.parent.once(_lines, name) if above and folder.parent else ()
    lines = (line.rstrip() for line in (folder.text(name) or "").splitlines())
    own = ((folder.path, line) for line in lines if line and not line.startswith("#"))
    return (*far, *own)


def _way(place: str, path: str) -> tuple[str, ...]:
    """The names from the folder ``place`` down to ``path``."""
    below = path if place == "." else path[len(place) + 1 :]
    return () if below in ("", ".") else tuple(below.split("/"))


def _patterns(line: str, inner: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns of one line of a file that lies ``inner`` folders above."""
    parts = [part for part in line.strip("/").split("/") if part]
    if not parts:
        return ()
    if "/" not in line.rstrip("/"):
        parts = ["**", *parts]  # a bare name counts at any depth
    elif parts[0] != "**":
        head, parts = parts[: len(inner)], parts[len(inner) :]
        matched = len(head) == len(inner) and all(map(fnmatchcase, inner, head))
        if not parts or not matched or "**" in head:
            return ()
    path = "/".join(parts)
    if line.endswith("/") or parts[-1] == "**":
        return (f"{path.removesuffix('/**')}/**",)
    if not any(mark in path for mark in "*?"):
        return (path,)  # a literal path is the file, or the folder with all below it
    return (path, f"{path}/**")
