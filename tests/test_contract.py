"""The contract that every language must pass, ours and a plug-in's, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from polylane.describe.languages import node, python
from polylane.describe.languages.base import Environment, Folder
from polylane.model import Description, Recipe
from polylane.testing import check_language

GOOD = Recipe("lint", "vet", ("go", "vet", "."), reads=("**/*.go",), writes=())


@dataclass
class Go:
    """A plug-in as somebody would write it, with parts that a test may break."""

    name: str = "go"
    manifests: tuple[str, ...] = ("go.mod",)
    skip: tuple[str, ...] = ("vendor",)
    recipes: tuple[Recipe, ...] = (GOOD,)
    left_out: tuple[tuple[str, str], ...] = ()
    bins: tuple[str, ...] = ("/usr/local/go/bin",)

    def describe(self, folder: Folder) -> Description | None:
        if folder.text("go.mod") is None:
            return None
        return Description(recipes=self.recipes, left_out=self.left_out)

    def environment(self, workspace: Path, path: str) -> Environment:
        return Environment(path_dirs=self.bins)


FILES = {"go.mod": "module x\n"}


def test_ours_pass(tmp_path: Path) -> None:
    """Python and Node keep the contract, on projects with many tools."""
    manifest = '{"name": "x", "scripts": {"lint": "eslint .", "test": "vitest", "build": "tsc"}}'
    described = check_language(node.LANGUAGE, {"package.json": manifest}, tmp_path / "node")
    assert {recipe.verb for recipe in described.recipes} >= {"lint", "test", "build"}
    tables = "".join(f"[tool.{tool}]\n" for tool in ("ruff", "mypy", "pytest.ini_options"))
    text = f'[project]\nname = "x"\nversion = "1"\n{tables}'
    described = check_language(python.LANGUAGE, {"pyproject.toml": text}, tmp_path / "python")
    assert {recipe.verb for recipe in described.recipes} >= {"lint", "type-check", "test"}


def test_a_plug_in_passes(tmp_path: Path) -> None:
    """What it described comes back, for checks of its own."""
    assert check_language(Go(), FILES, tmp_path).recipes == (GOOD,)


@pytest.mark.parametrize(
    ("language", "broken"),
    [
        (Go(name="Go!"), "name 'Go!'"),
        (Go(manifests=()), "at least one file name"),
        (Go(skip=("a/b",)), "a file name, not a path"),
        (Go(recipes=(GOOD, GOOD)), "ids would meet"),
        (Go(recipes=(GOOD._replace(verb="Lint"),)), "a verb is lower case"),
        (Go(recipes=(GOOD._replace(tool=""),)), "the tool has no name"),
        (Go(recipes=(GOOD._replace(argv=()),)), "the command is empty"),
        (Go(recipes=(GOOD._replace(argv=("a\0b",)),)), "argv must be texts"),
        (Go(recipes=(GOOD._replace(reads=("a/../b",)),)), "'..' only leads"),
        (Go(recipes=(GOOD._replace(argv=("go",), file_endings=(".go",)),)), "default target"),
        (Go(recipes=(GOOD._replace(file_endings=("go",)),)), "begins with a dot"),
        (Go(recipes=(GOOD._replace(needs=("^Build",)),)), "needs '^Build'"),
        (Go(left_out=(("fmt", ""),)), "say what, and why"),
        (Go(bins=("bin",)), "must be absolute"),
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, language: Go, broken: str) -> None:
    """The message says which rule."""
    with pytest.raises(AssertionError) as caught:
        check_language(language, FILES, tmp_path)
    assert broken in str(caught.value)


def test_a_language_that_finds_nothing_is_told(tmp_path: Path) -> None:
    """The files that were given hold no project for it."""
    with pytest.raises(AssertionError, match="found no project"):
        check_language(Go(), {"README": ""}, tmp_path)


def test_a_language_that_looks_past_its_folder_is_told(tmp_path: Path) -> None:
    """What was looked at would not be known, so that nothing could be remembered."""

    class Blind(Go):
        def describe(self, folder: Folder) -> Description | None:
            return Description(recipes=(GOOD,))

    with pytest.raises(AssertionError, match="looked at nothing"):
        check_language(Blind(), FILES, tmp_path)


def test_a_language_that_writes_is_told(tmp_path: Path) -> None:
    """Describing starts nothing and changes nothing."""

    class Writer(Go):
        def describe(self, folder: Folder) -> Description | None:
            (folder.workspace / "cache").write_text("x", encoding="utf-8")
            return super().describe(folder)

    with pytest.raises(AssertionError, match="wrote into the project"):
        check_language(Writer(), FILES, tmp_path)


def test_a_language_that_changes_its_mind_is_told(tmp_path: Path) -> None:
    """Two calls on the same files give the same description."""

    class Moody(Go):
        calls = 0

        def describe(self, folder: Folder) -> Description | None:
            self.calls += 1
            folder.text("go.mod")
            return Description(recipes=(GOOD._replace(tool=f"vet{self.calls}"),))

    with pytest.raises(AssertionError, match="differs from call to call"):
        check_language(Moody(), FILES, tmp_path)


def test_what_lacks_a_part_is_told(tmp_path: Path) -> None:
    """An object that is no language at all."""
    with pytest.raises(AssertionError, match="lacks a part"):
        check_language(object(), FILES, tmp_path)  # type: ignore[arg-type]
