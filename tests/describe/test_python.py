"""What Python finds in a folder: projects and their builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.languages.base import Folder, Language
from polylane.describe.languages.python import LANGUAGE
from tests.describe.python_project import (
    HATCH,
    PROJECT,
    SETUPTOOLS,
    WORKSPACE,
    argv,
    describe,
    maybe,
    recipe_of,
)


def test_it_is_a_language() -> None:
    """The object behind the entry point satisfies the protocol."""
    language: Language = LANGUAGE
    assert isinstance(language, Language)
    assert language.name == "python"


# ---------------------------------------------------------------- what is a project


@pytest.mark.parametrize(
    "text",
    [PROJECT, HATCH, '[tool.poetry]\nname = "x"\n', "[tool.ruff]\n", "[dependency-groups]\n"],
)
def test_a_pyproject_that_speaks_of_python_is_a_project(tmp_path: Path, text: str) -> None:
    """A project, a builder, or a Python tool's table."""
    assert maybe(tmp_path, {"pyproject.toml": text}) is not None


def test_a_pyproject_that_configures_something_else_is_none(tmp_path: Path) -> None:
    """A file that only holds polylane's own table makes no Python project."""
    assert maybe(tmp_path, {"pyproject.toml": "[tool.polylane]\njobs = 2\n"}) is None


def test_a_module_called_setup_is_no_project(tmp_path: Path) -> None:
    """Only a setup.py that builds something makes a project."""
    assert LANGUAGE.describe(Folder(tmp_path, ".")) is None
    (tmp_path / "setup.py").write_text('"""Sets up the game board."""\ndef setup():\n    pass\n')
    assert LANGUAGE.describe(Folder(tmp_path, ".")) is None


def test_a_setup_py_is_a_project(tmp_path: Path) -> None:
    """Whatever it says."""
    assert describe(tmp_path, {"setup.py": "from setuptools import setup\nsetup(name='a-b')\n"})


def test_a_setup_cfg_of_setuptools_is_a_project(tmp_path: Path) -> None:
    """With its metadata."""
    found = describe(tmp_path, {"setup.cfg": "[metadata]\nname = Old\n"})
    assert found.provides == ("old",)


def test_a_linters_setup_cfg_needs_python_beside_it(tmp_path: Path) -> None:
    """In a folder of other things it only shares a file's name."""
    assert maybe(tmp_path, {"setup.cfg": "[flake8]\n", "index.js": ""}) is None
    assert maybe(tmp_path, {"app/__init__.py": ""}) is not None


def test_names_are_normalised_and_its_own_is_no_requirement(tmp_path: Path) -> None:
    """Extras that refer to the project itself make no cycle."""
    text = '[project]\nname = "My_Thing"\ndependencies = ["Core.Lib>1"]\n'
    text += '[project.optional-dependencies]\nall = ["my-thing[a]", "pytest"]\n'
    found = describe(tmp_path, {"pyproject.toml": text})
    assert found.provides == ("my-thing",)
    assert found.requires == ("core-lib", "pytest")


def test_verb_and_tool_are_unique(tmp_path: Path) -> None:
    """Ids would meet otherwise, even where everything is in use."""
    names = "ruff black isort flake8 pylint mypy pyright basedpyright ty bandit pip-audit pdoc"
    tools = ["pytest", *names.split()]
    files = {
        "pyproject.toml": f"{PROJECT}dependencies = {tools}\n{HATCH}[tool.ruff.format]\n",
        "src/thing/__init__.py": "",
        "docs/conf.py": "",
        "docs/source/conf.py": "",
        "mkdocs.yml": "",
        "tests/unit/test_a.py": "",
    }
    ids = [(recipe.verb, recipe.tool) for recipe in describe(tmp_path, files).recipes]
    assert len(ids) == len(set(ids))
    assert {verb for verb, _ in ids} >= {"setup", "format", "lint", "test-unit", "docs", "clean"}


# ---------------------------------------------------------------- build


def test_a_standalone_package_is_built_by_build(tmp_path: Path) -> None:
    """In the project's environment; hatchling writes dist and nothing else."""
    recipe = recipe_of(describe(tmp_path, {"pyproject.toml": PROJECT + HATCH}), "build")
    assert recipe is not None
    assert recipe.argv == ("python", "-m", "build")
    assert recipe.writes == ("dist",)
    assert recipe.reads == ("**",)


def test_setuptools_leaves_more_than_dist(tmp_path: Path) -> None:
    """Its egg-info lies in the sources."""
    recipe = recipe_of(describe(tmp_path, {"pyproject.toml": PROJECT + SETUPTOOLS}), "build")
    assert recipe is not None
    assert recipe.writes == ("dist", "build", "*.egg-info", "src/*.egg-info")


@pytest.mark.parametrize(
    "more",
    [
        {"pyproject.toml": PROJECT + HATCH + '[tool.hatch.build.hooks.custom]\npath = "x.py"\n'},
        {"pyproject.toml": PROJECT + SETUPTOOLS + '[tool.setuptools_scm]\nversion_file = "v"\n'},
        {"pyproject.toml": PROJECT + SETUPTOOLS, "setup.py": "from setuptools import setup\n"},
        {"pyproject.toml": PROJECT + '[build-system]\nbuild-backend = "maturin"\n'},
    ],
)
def test_a_build_that_runs_the_projects_code_has_unknown_claims(
    tmp_path: Path, more: dict[str, str]
) -> None:
    """Hooks, setup.py and compilers may write anywhere in the project."""
    recipe = recipe_of(describe(tmp_path, more), "build")
    assert recipe is not None
    assert recipe.reads is None
    assert recipe.writes is None


@pytest.mark.parametrize(
    "text",
    [
        PROJECT,
        PROJECT + HATCH + "[tool.uv]\npackage = false\n",
        HATCH + "[tool.poetry]\npackage-mode = false\n",
    ],
)
def test_what_is_no_package_is_not_built(tmp_path: Path, text: str) -> None:
    """No builder, or one that is told not to."""
    assert argv(tmp_path, {"pyproject.toml": text}, "build") is None


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"uv.lock": ""}, "uv build"),
        ({"poetry.lock": ""}, "poetry build"),
        ({"poetry.lock": "", "uv.lock": ""}, "uv build"),
    ],
)
def test_the_front_end_is_the_one_that_the_project_uses(
    tmp_path: Path, files: dict[str, str], command: str
) -> None:
    """As its lock file says."""
    assert argv(tmp_path, files | {"pyproject.toml": PROJECT + HATCH}, "build") == command


def test_a_lock_above_means_uv(tmp_path: Path) -> None:
    """A project in a repository that uv manages."""
    files = {"uv.lock": "", "libs/a/pyproject.toml": PROJECT + HATCH}
    assert argv(tmp_path, files, "build", "libs/a") == "uv build"


def test_a_member_of_a_uv_workspace_builds_into_its_roots_dist(tmp_path: Path) -> None:
    """Only files of its own name, so that members are built side by side."""
    files = {
        "pyproject.toml": WORKSPACE,
        "libs/a/pyproject.toml": '[project]\nname="A.b"\n' + HATCH,
    }
    recipe = recipe_of(describe(tmp_path, files, "libs/a"), "build")
    assert recipe is not None
    assert recipe.argv == ("uv", "build")
    assert recipe.writes == ("/dist/a_b-*",)
    assert "/dist/.gitignore" in recipe.caches
    assert recipe.reads == ("**", "/.venv")


def test_a_setuptools_member_may_write_any_name_there(tmp_path: Path) -> None:
    """Old ones spell the archive's name as the project does; a nested root has its own dist."""
    files = {"ws/pyproject.toml": WORKSPACE, "ws/libs/a/pyproject.toml": PROJECT + SETUPTOOLS}
    recipe = recipe_of(describe(tmp_path, files, "ws/libs/a"), "build")
    assert recipe is not None
    assert recipe.writes is not None
    assert recipe.writes[0] == "/ws/dist"
