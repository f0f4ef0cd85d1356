"""Which languages there are: ours, and those of plug-ins by the entry point ``polylane.languages``.

A language stays a text (``module:attribute``) until something needs it.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
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
    from importlib.metadata import entry_points  # reads every installed package's metadata

    found = dict(BUILT_IN)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if found.setdefault(point.name, point.value) != point.value:
            raise UserError(
                f"two plug-ins provide the language {point.name!r}: {found[point.name]} and"
                f" {point.value}; uninstall one of them"
            )
    return found


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
