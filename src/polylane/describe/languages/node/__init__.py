"""Describes a folder with a package.json: its scripts and tools as recipes.

A project's own scripts say what its verbs are; where it has none for a verb, what it depends on and
configures does. Knows nothing of plans and processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylane.describe.languages.base import Environment, Folder
from polylane.model import Description

if TYPE_CHECKING:
    from pathlib import Path


class Node:
    """The language ``node``."""

    name = "node"
    manifests: tuple[str, ...] = ("package.json",)
    skip: tuple[str, ...] = (
        "node_modules",
        "bower_components",
        "jspm_packages",
        ".yarn",
        ".next",
        ".nuxt",
        ".turbo",
    )

    def describe(self, folder: Folder) -> Description | None:
        """Describe a package; ``None`` for a package.json that only marks a module type."""
        # A run whose descriptions are remembered needs none of these.
        from polylane.describe.languages.node.found import found_recipes
        from polylane.describe.languages.node.package import load
        from polylane.describe.languages.node.recipes import (
            audit_recipe,
            clean_recipe,
            script_recipes,
            setup_recipe,
        )
        from polylane.describe.languages.node.scripts import choose

        package = load(folder)
        if package is None:
            return None
        choice = choose(package)
        recipes = [*script_recipes(package, choice), *found_recipes(package, choice)]
        setup, audit = setup_recipe(package), audit_recipe(package)
        if not any(recipe.verb == "clean" for recipe in recipes):
            recipes.append(clean_recipe(package))
        name = package.manifest.get("name")
        return Description(
            provides=(name,) if isinstance(name, str) else (),
            requires=tuple(package.depends),
            recipes=(*([setup] if setup else []), *recipes, *([audit] if audit else [])),
            left_out=tuple(choice.left_out),
        )

    def environment(self, workspace: Path, path: str) -> Environment:
        """``node_modules/.bin`` of the folder and of those above it, the nearest first."""
        parts = [part for part in path.split("/") if part not in {"", "."}]
        folders = [workspace.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]
        bins = [folder / "node_modules" / ".bin" for folder in folders]
        return Environment(path_dirs=tuple(str(folder) for folder in bins))


LANGUAGE = Node()
