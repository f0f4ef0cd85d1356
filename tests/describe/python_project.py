"""Writes small Python projects, and describes them."""

from __future__ import annotations

from pathlib import Path

from polylane.describe.languages.base import Folder
from polylane.describe.languages.python import LANGUAGE
from polylane.model import Description, Recipe

PROJECT = '[project]\nname = "thing"\n'
HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
UV = "[tool.uv]\n"
WORKSPACE = (
    '[project]\nname = "all"\n[tool.uv.workspace]\nmembers = ["libs/*"]\nexclude = ["libs/no"]\n'
)


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def maybe(folder: Path, files: dict[str, str], path: str = ".") -> Description | None:
    write(folder, files)
    return LANGUAGE.describe(Folder(folder, path))


def describe(folder: Path, files: dict[str, str], path: str = ".") -> Description:
    found = maybe(folder, files, path)
    assert found is not None
    return found


def recipe_of(description: Description, verb: str, tool: str = "") -> Recipe | None:
    found = [r for r in description.recipes if r.verb == verb and tool in ("", r.tool)]
    assert len(found) <= 1
    return found[0] if found else None


def argv(folder: Path, files: dict[str, str], verb: str, path: str = ".") -> str | None:
    recipe = recipe_of(describe(folder, files, path), verb)
    return None if recipe is None else " ".join(recipe.argv)
