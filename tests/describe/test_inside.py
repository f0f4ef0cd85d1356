"""What commands come to: scripts, and what configuration says of how wide a tool is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.describe import node_project, python_project
from tests.describe.python_project import PROJECT


def python_inside(folder: Path, verb: str, tool: str, text: str, **files: str) -> str:
    named = {name.replace("__", "."): content for name, content in files.items()}
    described = python_project.describe(
        folder, {"pyproject.toml": PROJECT + text, "thing/__init__.py": "", **named}
    )
    recipe = python_project.recipe_of(described, verb, tool)
    assert recipe is not None
    return recipe.inside


@pytest.mark.parametrize(
    ("said", "inside"),
    [
        ('addopts = "-q -n auto"', "pytest -q -n auto"),
        ('addopts = ["--numprocesses=3"]', "pytest --numprocesses=3"),
        ('addopts = "-q"', ""),
        ('addopts = "-n \'auto"', ""),
        ("", ""),
    ],
)
def test_pytests_configuration_may_make_it_wide(tmp_path: Path, said: str, inside: str) -> None:
    """As pytest reads it: a text or a list."""
    text = f"[tool.pytest.ini_options]\n{said}\n"
    assert python_inside(tmp_path, "test", "pytest", text) == inside


def test_other_files_configure_pytest_too(tmp_path: Path) -> None:
    """The first that has it counts."""
    ini = "[pytest]\naddopts = -n 2\n"
    assert python_inside(tmp_path, "test", "pytest", "", pytest__ini=ini) == "pytest -n 2"


def test_mypys_configuration_may_make_it_wide(tmp_path: Path) -> None:
    """Since version 2."""
    text = "[tool.mypy]\nnum_workers = 3\n"
    assert python_inside(tmp_path, "type-check", "mypy", text) == "mypy thing --num-workers=3"
    assert python_inside(tmp_path, "type-check", "mypy", "[tool.mypy]\n") == ""


def test_flake8s_configuration_may_say_a_number(tmp_path: Path) -> None:
    """In its own file."""
    found = python_inside(tmp_path, "lint", "flake8", "", __flake8="[flake8]\njobs = 2\n")
    assert found.endswith(" . --jobs=2")


def test_a_script_is_what_its_manager_starts(tmp_path: Path) -> None:
    """Where one of its tools could be wide."""
    scripts = {"test": "tsc -p . && NODE_ENV=test vitest run", "lint": "tsc --noEmit && echo"}
    found = node_project.recipes(tmp_path, {"scripts": scripts})
    assert found["test:npm"].inside == "vitest run"
    assert found["lint:npm"].inside == ""


@pytest.mark.parametrize(
    ("config", "added"),
    [
        ("test: { fileParallelism: false }", "--maxWorkers=1"),
        ("poolOptions: { forks: { singleFork: true } }", "--maxWorkers=1"),
        ("test: {\n  maxWorkers: 3,\n}", "--maxWorkers=3"),
        ("test: { maxWorkers: '50%' }", "--maxWorkers=50%"),
        ("maxForks: process.env.CI ? 2 : undefined", "--maxWorkers=1"),
        ("fileParallelism: true", ""),
    ],
)
def test_vitests_configuration_says_how_wide_it_may_be(
    tmp_path: Path, config: str, added: str
) -> None:
    """Our variable is stronger than it, and tests may depend on each other's absence."""
    manifest = {"scripts": {"test": "vitest run"}, "devDependencies": {"vitest": "3"}}
    files = {"vitest__config__ts": f"export default {{ {config} }}\n"}
    found = node_project.recipes(tmp_path, manifest, **files)
    assert found["test:vitest"].inside == f"vitest run {added}".strip()


def test_jests_configuration_says_how_wide_it_may_be(tmp_path: Path) -> None:
    """In package.json too."""
    manifest = {
        "scripts": {"test": "jest"},
        "devDependencies": {"jest": "30"},
        "jest": {"maxWorkers": 2},
    }
    assert node_project.recipes(tmp_path, manifest)["test:jest"].inside == "jest --maxWorkers=2"
