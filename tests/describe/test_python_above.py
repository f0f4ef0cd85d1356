"""What the tools of a Python project read in the folders above it."""

from __future__ import annotations

from pathlib import Path

from tests.describe.python_project import HATCH, describe, recipe_of


def project(*tools: str, more: str = "") -> str:
    listed = ", ".join(f'"{tool}"' for tool in tools)
    return f'[project]\nname = "thing"\ndependencies = [{listed}]\n{more}'


def reads(folder: Path, path: str, verb: str, tool: str) -> tuple[str, ...]:
    """What a tool reads outside of its project, which is described anew."""
    recipe = recipe_of(describe(folder, {}, path), verb, tool)
    assert recipe is not None
    return tuple(pattern for pattern in recipe.reads or () if pattern.startswith("/"))


def test_tools_that_obey_git_read_its_ignore_files_above(tmp_path: Path) -> None:
    """In a repository, whatever the files ignore; a build packs what they leave."""
    text = project("ruff", "black", "mypy", more=HATCH)
    describe(tmp_path, {"a/pyproject.toml": text, ".gitignore": "*.log\n"}, "a")
    assert reads(tmp_path, "a", "lint", "ruff") == ()
    (tmp_path / ".git").mkdir()
    for verb, tool in (("lint", "ruff"), ("format", "black"), ("build", "build")):
        assert reads(tmp_path, "a", verb, tool) == ("/.gitignore",)
    assert reads(tmp_path, "a", "type-check", "mypy") == ()


def test_tools_that_look_upward_read_what_they_find_on_the_way(tmp_path: Path) -> None:
    """Other files in these folders are nothing to them; some tools do not look."""
    text = project("black", "isort", "bandit")
    files = {"pyproject.toml": "", "a/setup.cfg": "", "a/b/pyproject.toml": text, "a/b/x.py": ""}
    describe(tmp_path, files, "a/b")
    assert reads(tmp_path, "a/b", "lint", "black") == ("/pyproject.toml",)
    assert reads(tmp_path, "a/b", "lint", "isort") == ("/pyproject.toml", "/a/setup.cfg")
    assert reads(tmp_path, "a/b", "security", "bandit") == ()


def test_a_tool_that_its_project_configures_looks_no_further(tmp_path: Path) -> None:
    """But for ruff, which reads on."""
    text = project("black", "ruff", more="[tool.black]\n[tool.ruff]\n")
    describe(tmp_path, {"pyproject.toml": "", "a/pyproject.toml": text}, "a")
    assert reads(tmp_path, "a", "format", "black") == ()
    assert reads(tmp_path, "a", "lint", "ruff") == ("/pyproject.toml",)
