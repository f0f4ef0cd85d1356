"""Workspaces of recipes, for the tests that turn them into tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from polylane.describe import config
from polylane.describe.workspace import Workspace
from polylane.errors import UserError
from polylane.model import Project, Recipe, Task
from polylane.plan.tasks import all_tasks

Found = Mapping[tuple[str, str], list[Recipe]]


def recipe(verb: str, tool: str, **fields: Any) -> Recipe:
    return Recipe(verb, tool, fields.pop("argv", (tool,)), **fields)


def tasks_of(
    folder: Path,
    found: Found,
    text: str = "",
    projects: tuple[Project, ...] = (),
    bodies: tuple[Task, ...] = (),
) -> dict[str, Task]:
    """All tasks of a workspace where ``found`` are the recipes by project and language."""
    (folder / "polylane.toml").write_text(text)
    by_name = {p.name: p for p in projects}
    for name, language in found:
        by_name.setdefault(name, Project(name, f"packages/{name}", (language,)))
    descriptions: dict[str, dict[str, Any]] = {name: {} for name in by_name}
    for (name, language), recipes in found.items():
        descriptions[name][language] = ((), (), tuple(tuple(r) for r in recipes), ())
    workspace = Workspace(folder, by_name, descriptions, {})
    return all_tasks(config.load(folder, {}), workspace, bodies)


def error_of(folder: Path, found: Found, text: str = "", **more: Any) -> str:
    with pytest.raises(UserError) as caught:
        tasks_of(folder, found, text, **more)
    return str(caught.value)


LINT: Found = {("api", "python"): [recipe("lint", "ruff")]}
