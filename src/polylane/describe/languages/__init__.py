"""Which languages there are: ours, and those of plug-ins by the entry point ``polylane.languages``.

A language stays a text (``module:attribute``) until something needs it.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path

from polylane.describe.languages.base import Language
from polylane.errors import UserError

GROUP = "polylane.languages"

BUILT_IN = {
    "python": "polylane.describe.languages.python:LANGUAGE",
    "node": "polylane.describe.languages.node:LANGUAGE",
}


def registered() -> dict[str, str]:
    """Every language by name, as ``module:attribute``, ours first, then plug-ins by name."""
    found = dict(BUILT_IN)
    if not _may_have_plug_ins():
        return found
    from importlib.metadata import entry_points

    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if found.setdefault(point.name, point.value) != point.value:
            raise UserError(
                f"two plug-ins provide the language {point.name!r}: {found[point.name]} and"
                f" {point.value}; uninstall one of them"
            )
    return found


def _may_have_plug_ins() -> bool:
    """Whether anything installed names our group; importlib.metadata costs 25 ms to say so.

    True where packages are not found as folders on ``sys.path``, as the specification of recorded
    projects has it: https://packaging.python.org/specifications/recording-installed-packages
    """
    finders = [f for f in sys.meta_path if hasattr(f, "find_distributions")]
    if finders != [PathFinder]:
        return True
    return any(_names_our_group(entry or ".") for entry in dict.fromkeys(sys.path))


def _names_our_group(entry: str) -> bool:
    if entry.endswith(".egg"):
        return True
    try:
        names = os.listdir(entry)  # noqa: PTH208 - names are enough
    except FileNotFoundError:
        return False
    except OSError:
        return True  # an archive
    infos = (n for n in names if n.endswith((".dist-info", ".egg-info")) and not _is_ours(n))
    return any(_holds(f"{entry}/{name}/entry_points.txt", GROUP) for name in infos)


def _is_ours(info: str) -> bool:
    """Whether our own distribution is recorded there: it names the group, too."""
    package, _, version = info.rpartition(".")[0].partition("-")
    return package == "polylane" and (not version or version[0].isdigit())


def _holds(path: str, words: str) -> bool:
    try:
        with open(path, "rb") as file:
            return words.encode() in file.read()
    except OSError:
        return False


def installed_stamp() -> tuple[tuple[str, int], ...]:
    """What changes when a package is installed or removed: the folders' modification times."""
    stamps = []
    for entry in sys.path:
        if entry.endswith(("site-packages", "dist-packages")):
            try:
                stamps.append((entry, Path(entry).stat().st_mtime_ns))
            except OSError:
                continue
    return tuple(stamps)


@cache
def load(target: str) -> Language:
    """Import the language at ``module:attribute``."""
    module, _, attribute = target.partition(":")
    try:
        language = getattr(import_module(module), attribute or "LANGUAGE")
    except Exception as error:  # noqa: BLE001 - somebody else's module may raise anything
        raise UserError(
            f"the language plug-in {target} cannot be loaded: {error}; mend or uninstall it"
        ) from None
    if not isinstance(language, Language):
        raise UserError(f"the language plug-in {target} lacks a part of the protocol Language")
    return language
