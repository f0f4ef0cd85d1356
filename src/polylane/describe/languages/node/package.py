"""One folder with a package.json, as the other parts of the Node language ask about it.

Knows nothing of scripts, tools and verbs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from polylane.describe.languages.node.manager import Manager, home, is_root, manager_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polylane.describe.languages.base import Folder

_DEPENDENCIES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")


@dataclass(frozen=True, slots=True)
class Package:
    """What package.json and the files beside and above it say."""

    folder: Folder
    manifest: Mapping[str, Any]
    manager: Manager
    #: Name to version range: of this package, and of it and those above.
    depends: Mapping[str, str]
    available: Mapping[str, str]
    #: The packages of other folders are run from here.
    is_root: bool
    #: The folder that holds the lockfile.
    home: Folder

    def major(self, name: str) -> int | None:
        """Return the major version that the range of a dependency names, such as 3 for ``^3.1``."""
        version = self.version(name)
        return version[0] if version else None

    def version(self, name: str) -> tuple[int, int] | None:
        """Major and minor of the least version that a range allows; ``None`` for ``latest``."""
        match = re.match(r"[^\d]*(\d+)(?:\.(\d+))?", self.available.get(name, ""))
        return (int(match[1]), int(match[2] or 0)) if match else None


def load(folder: Folder) -> Package | None:
    """Read a folder; ``None`` for a package.json that only marks a module type."""
    manifest = folder.json("package.json")
    if not manifest or not {"name", "scripts", "workspaces", *_DEPENDENCIES} & manifest.keys():
        return None
    folder.names()  # they answer most of what follows
    own = dependencies(manifest)
    available = own if folder.parent is None else folder.parent.once(_available) | own
    at = home(folder)
    manager = manager_of(folder, at)
    return Package(folder, manifest, manager, own, available, is_root(folder), at)


def _available(folder: Folder) -> dict[str, str]:
    """The dependencies of a folder and of those above it; the nearest one counts."""
    own = dependencies(folder.json("package.json") or {})
    return own if folder.parent is None else folder.parent.once(_available) | own


def dependencies(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name to version range, of every kind of dependency."""
    tables = (table(manifest, key) for key in _DEPENDENCIES)
    return {name: str(wanted) for each in tables for name, wanted in each.items()}


def table(manifest: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object in an object; an empty one where there is none, or something else."""
    value = manifest.get(key)
    return value if isinstance(value, dict) else {}


def matching(folder: Folder, patterns: tuple[str, ...]) -> list[str]:
    """Return the names in a folder which fit one of the patterns."""
    return list(filter(_fits(patterns), folder.names()))


@lru_cache(maxsize=256)
def _fits(patterns: tuple[str, ...]) -> Callable[[str], object]:
    return re.compile("|".join(map(translate, patterns)) or r"\Z.").match


def configs_above(folder: Folder, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Claims of the files which fit in the folders above: tools look for them there."""
    return () if folder.parent is None else folder.parent.once(_configs_from, patterns)


def _configs_from(folder: Folder, patterns: tuple[str, ...]) -> tuple[str, ...]:
    way = "/" if folder.path == "." else f"/{folder.path}/"
    own = (f"{way}{name}" for name in matching(folder, patterns))
    return (*own, *configs_above(folder, patterns))
