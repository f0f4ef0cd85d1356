"""Python: what a folder with pyproject.toml, setup.cfg or setup.py offers.

Joins what the modules beside it find; knows nothing of how they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from polylane.describe.languages.base import Environment, Folder
from polylane.describe.languages.python import setup, tools, verbs
from polylane.describe.languages.python.facts import Facts
from polylane.describe.languages.python.manifest import Manifest
from polylane.model import Description, Recipe


class Python:
    """The language that the entry point ``python`` names."""

    name: str = "python"
    manifests: tuple[str, ...] = ("pyproject.toml", "setup.cfg", "setup.py")
    skip: tuple[str, ...] = (
        ".venv",
        "venv",
        ".tox",
        ".nox",
        ".eggs",
        "__pycache__",
        "site-packages",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    )

    def describe(self, folder: Folder) -> Description | None:
        """Describe a folder; ``None`` where its manifest only configures something else."""
        facts = Facts(folder)
        if not _is_project(facts):
            return None
        manifest = facts.manifest
        return Description(
            provides=(manifest.name,) if manifest.name else (),
            requires=tuple(sorted(manifest.dependencies - {manifest.name})),
            recipes=_recipes(facts),
            left_out=(*tools.left_out(facts), *_left_to_root(facts)),
        )

    def environment(self, workspace: Path, path: str) -> Environment:
        """The environment of the tasks of the project at ``path``."""
        from polylane.describe.languages.python.env import environment  # only runs need it

        return environment(workspace, path)


LANGUAGE = Python()


def _is_project(facts: Facts) -> bool:
    manifest = facts.manifest
    if manifest.setup_py is not None or _declares(manifest):
        return True
    configured = manifest.tools.keys() & tools.TOOL_TABLES
    # A setup.cfg with only a linter's section is a project where there is Python for it.
    here = manifest.setup_cfg is not None and bool(facts.sources or facts.tests)
    return bool(configured) or here


def _declares(manifest: Manifest) -> bool:
    keys = ("project", "build-system", "dependency-groups")
    if any(key in manifest.pyproject for key in keys):
        return True
    cfg = manifest.setup_cfg
    return cfg is not None and (cfg.has_section("metadata") or cfg.has_section("options"))


def _recipes(facts: Facts) -> tuple[Recipe, ...]:
    made = (
        *setup.setup(facts),
        *verbs.build(facts),
        *tools.recipes(facts),
        *verbs.test(facts),
        *verbs.docs(facts),
    )
    return (*made, verbs.clean(made))


def _left_to_root(facts: Facts) -> Iterator[tuple[str, str]]:
    if facts.uv_root is not None:
        yield "setup", f"the uv workspace in {facts.uv_root!r} sets it up"
    if above := verbs.tested_above(facts):
        yield "test", f"pytest in {above!r} runs these tests"
