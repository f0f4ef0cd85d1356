"""Recipes become tasks: ids, claims in the workspace, needs as ids."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from polylane.model import Claim, Project, Task
from tests.plan.examples import task
from tests.plan.workspaces import LINT, error_of, recipe, tasks_of


def test_a_recipe_becomes_a_task_of_its_project(tmp_path: Path) -> None:
    """With everything that the recipe says, in the workspace's terms."""
    each = recipe(
        "test",
        "pytest",
        argv=("{python}", "-m", "pytest"),
        reads=("src", "/pyproject.toml"),
        writes=(".coverage",),
        caches=(".cache",),
        env=(("A", "1"),),
        ok_codes=(0, 2),
        skip_codes=((5, "no tests"),),
        takes_arguments=False,
        file_endings=(".py",),
        fix_argv=("{python}", "fix"),
        creates=(".venv",),
    )
    found = tasks_of(tmp_path, {("api", "python"): [each]}, "timeout = 7")
    assert found == {
        "test:api:pytest": Task(
            id="test:api:pytest",
            verb="test",
            project="api",
            language="python",
            tool="pytest",
            argv=(sys.executable, "-m", "pytest"),
            cwd="packages/api",
            claim=Claim(
                reads=("packages/api/src", "pyproject.toml"),
                writes=("packages/api/.coverage",),
                caches=("packages/api/.cache",),
            ),
            env=(("A", "1"),),
            timeout=7.0,
            ok_codes=(0, 2),
            skip_codes=((5, "no tests"),),
            takes_arguments=False,
            file_endings=(".py",),
            fix_argv=(sys.executable, "fix"),
            creates=("packages/api/.venv",),
            source="the language python",
        )
    }
    assert found["test:api:pytest"].source == "the language python"


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("src", "packages/api/src"),
        (".", "packages/api"),
        ("./a//b/", "packages/api/a/b"),
        ("../core/x", "packages/core/x"),
        ("../../../../x", "x"),
        ("../..", "."),
        ("/", ""),
        ("/x/y", "x/y"),
        ("!dist", "!packages/api/dist"),
        ("!/dist", "!dist"),
    ],
)
def test_a_recipes_patterns_are_relative_to_its_project(
    tmp_path: Path, pattern: str, path: str
) -> None:
    """Or to the workspace with a slash in front; none leaves the workspace."""
    found = tasks_of(tmp_path, {("api", "python"): [recipe("lint", "x", reads=(pattern,))]})
    assert found["lint:api:x"].claim.reads == (path,)


def test_a_hat_means_each_project_that_one_depends_on(tmp_path: Path) -> None:
    """Near and far, and behind an exclamation mark too."""
    projects = (
        Project("app", "app", ("node",), ("lib",)),
        Project("lib", "lib", ("node",), ("root",)),
        Project("root", ".", ("node",)),
    )
    each = recipe("lint", "x", reads=("^dist", "!^tmp"), writes=())
    found = tasks_of(tmp_path, {("app", "node"): [each]}, projects=projects)
    assert found["lint:app:x"].claim.reads == ("lib/dist", "dist", "!lib/tmp", "!tmp")


def test_a_recipe_that_claims_nothing_gets_the_safe_default(tmp_path: Path) -> None:
    """It reads and writes its project, and reads what that depends on; at the root, everything."""
    projects = (
        Project("app", "app", ("node",), ("lib",)),
        Project("lib", "lib", ("node",)),
        Project("root", ".", ("node",)),
    )
    found = tasks_of(
        tmp_path,
        {
            ("app", "node"): [
                recipe("lint", "x"),
                recipe("lint", "y", reads=()),
                recipe("lint", "z", writes=()),
            ],
            ("root", "node"): [recipe("lint", "x")],
        },
        projects=projects,
    )
    assert found["lint:app:x"].claim == Claim(
        reads=("app/**", "lib"), writes=("app/**",), known=False
    )
    assert found["lint:app:y"].claim == Claim(reads=(), writes=("app/**",), known=False)
    assert found["lint:app:z"].claim == Claim(reads=("app/**", "lib"), writes=(), known=False)
    assert found["lint:root:x"].claim == Claim(reads=("**",), writes=("**",), known=False)


def test_needs_are_the_tasks_of_a_verb_in_the_project_and_below(tmp_path: Path) -> None:
    """Of the same language: of the project, with a hat of those it depends on; never itself."""
    projects = (
        Project("app", "app", ("node", "python"), ("lib",)),
        Project("lib", "lib", ("node",), ("base",)),
        Project("base", "base", ("node",)),
    )
    builds = [recipe("build", "tsc", needs=("build", "^build"), after=("setup", "lint"))]
    found = tasks_of(
        tmp_path,
        {
            ("app", "node"): [*builds, recipe("build", "vite"), recipe("lint", "eslint")],
            ("app", "python"): [recipe("build", "wheel")],
            ("lib", "node"): builds,
            ("base", "node"): builds,
        },
        projects=projects,
    )
    assert found["build:app:tsc"].needs == (
        "build:app:vite",
        "build:base:tsc",
        "build:lib:tsc",
    )
    assert found["build:app:tsc"].after == ("lint:app:eslint",)
    assert found["build:base:tsc"].needs == ()


def test_two_recipes_with_one_id_are_refused(tmp_path: Path) -> None:
    """The line names both origins."""
    found = {
        ("api", "python"): [recipe("lint", "check")],
        ("api", "node"): [recipe("lint", "check")],
    }
    assert error_of(tmp_path, found) == (
        "two tasks have the id lint:api:check: one from the language python and one from the"
        " language node; give one of them another name"
    )


def test_a_body_with_the_id_of_a_found_task_is_refused(tmp_path: Path) -> None:
    """Its place is its file and line."""
    body = task("lint:api:ruff", source="tasks.py:3")
    assert "and one from tasks.py:3; give" in error_of(tmp_path, LINT, bodies=(body,))


def test_the_needs_of_a_body_are_resolved(tmp_path: Path) -> None:
    """Verbs and ids, as in the configuration."""
    body = task("docs:api:own", project="api", needs=("lint", "lint:api:ruff"))
    found = tasks_of(tmp_path, LINT, bodies=(body,))
    assert found["docs:api:own"].needs == ("lint:api:ruff",)
