"""What projects are called: by their folders, unique, and such that an id stays one line.

Knows nothing of what the folders hold.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from polylane.model import ROOT_PROJECT


def names(paths: Iterable[str], said: Mapping[str, str]) -> dict[str, str]:
    """Name each path by its folder, or by its whole path where several would be called the same.

    ``said``: names by path that the user gave; they win.
    """
    short = {path: _short(path) for path in sorted(paths, key=by_path)}
    # A folder that the user names counts all the same: naming one project renames no other.
    counts = Counter([*short.values(), *(n for p, n in said.items() if short[p] != n)])
    taken = set(said.values())
    result = {}
    for path, name in short.items():
        unique = counts[name] == 1 or path == "."
        result[path] = said.get(path) or _free(name if unique else _plain(path), taken)
        taken.add(result[path])
    return result


def by_path(path: str) -> tuple[str, ...]:
    """The key by which paths are sorted: a folder directly before what lies in it."""
    return () if path == "." else tuple(path.split("/"))


def _short(path: str) -> str:
    return ROOT_PROJECT if path == "." else _plain(path.rpartition("/")[2])


def _free(name: str, taken: Iterable[str]) -> str:
    """``root`` is the workspace's own name, so that a folder of that name is ``./root``."""
    while name in taken:
        name = f"./{name}"
    return name


def _plain(path: str) -> str:
    """Percent-encode what has no place in an id: control characters, broken UTF-8, the colon."""
    if path.isprintable() and ":" not in path:
        return path
    return "".join(c if c.isprintable() and c != ":" else quote(os.fsencode(c)) for c in path)
