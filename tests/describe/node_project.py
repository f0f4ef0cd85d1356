"""Writes small Node workspaces for the tests of the Node language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from polylane.describe.languages.base import Folder
from polylane.describe.languages.node import LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylane.model import Description, Recipe


def write(workspace: Path, files: Mapping[str, Any]) -> Path:
    """Write the files; anything but text is written as JSON."""
    for name, content in files.items():
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return workspace


def describe(workspace: Path, files: Mapping[str, Any], path: str = ".") -> Description:
    """Write the files and describe the folder at ``path``."""
    found = LANGUAGE.describe(Folder(write(workspace, files), path))
    assert found is not None
    return found


def recipes(workspace: Path, manifest: Mapping[str, Any], **files: Any) -> dict[str, Recipe]:
    """Recipes of one package as ``verb:tool``; a file's dots are written ``__``."""
    named = {name.replace("__", "."): content for name, content in files.items()}
    found = describe(workspace, {"package.json": {"name": "p", **manifest}, **named})
    return {f"{recipe.verb}:{recipe.tool}": recipe for recipe in found.recipes}


def scripts(workspace: Path, bodies: Mapping[str, str], *depends: str) -> dict[str, Recipe]:
    """Recipes of a package with these scripts, which depends on the latest of ``depends``."""
    dev = dict.fromkeys(depends, "latest")
    return recipes(workspace, {"scripts": dict(bodies), "devDependencies": dev})
