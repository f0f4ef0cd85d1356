"""The pages against the flags and names that people can type, in every program of ours."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import polylane
from polylane.integrations import hook_words, posargs
from tests.docs.pages import DOCS, named, rows, section
from tests.integrations.repository import TASKS, Repository

_OF_HELP = re.compile(r"^ +(--[a-z-]+)", re.MULTILINE)
_TABLE = section("flags.md", "## Which flag belongs to what")
_HEAD = next(line for line in _TABLE.splitlines() if line.startswith("| flag"))
_COLUMNS = [cell.strip(" `") for cell in _HEAD.strip("|").split(" | ")][1:]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A small workspace."""
    pyproject = '[project]\nname = "api"\nversion = "1"\n[tool.ruff]\n'
    return Repository(tmp_path).write({"tasks.py": TASKS, "api/pyproject.toml": pyproject})


def said(column: str) -> set[str]:
    """The flags that have an entry in this column."""
    place = _COLUMNS.index(column) + 1
    cells = [[cell.strip(" `|") for cell in f"{'|'.join(row)}".split("|")] for row in rows(_TABLE)]
    return {row[0] for row in cells if row[place]}


class TestInvoke:
    """docs/invoke.md and docs/flags.md against what Invoke is offered."""

    def test_every_flag_is_documented(self, repository: Repository) -> None:
        """The table has the flags that ``inv --help`` shows, and no other."""
        helps = [repository.inv("--help", name).out for name in ("lint", "lanes.plan")]
        flags = {flag for text in helps for flag in _OF_HELP.findall(text)}
        assert len(flags) > 1
        assert named(section("invoke.md", "## Flags")) == flags

    def test_every_name_has_its_flags_in_the_table(self, repository: Repository) -> None:
        """What ``inv --help`` shows of ours has an entry, and nothing else; two have no flags."""
        listed = repository.inv("--list").out
        lanes = re.findall(r"^  (lanes\.\w+)", listed, re.MULTILINE)
        names = {"inv NAME": "lint", **{name: name for name in lanes}}
        flags = {c: {*_OF_HELP.findall(repository.inv("--help", n).out)} for c, n in names.items()}
        assert {column: each for column, each in flags.items() if each} == {
            column: said(column) for column in _COLUMNS if column not in ("nox", "hooks")
        }
        without = (
            section("flags.md", "## Which flag belongs to what")
            .partition("have none")[0]
            .splitlines()[-1]
        )
        assert {*re.findall(r"`(lanes\.\w+)`", without)} == {c for c, f in flags.items() if not f}

    def test_every_argument_of_the_decorator_is_documented(self) -> None:
        """The table has what ``@polylane.task`` takes, and no other."""
        documented = named(section("invoke.md", "## Tasks of your own"))
        assert documented == set(inspect.signature(polylane.task).parameters) - {"function"}

    def test_every_name_beside_the_verbs_is_documented(self, repository: Repository) -> None:
        """Each ``lanes.`` name stands in the table of names, or in the pages that it names."""
        names = re.findall(r"^  (lanes\.\w+)", repository.inv("--list").out, re.MULTILINE)
        text = (DOCS / "invoke.md").read_text(encoding="utf-8")
        assert [name for name in names if f"`{name}`" not in text] == []


class TestOthers:
    """nox and the hooks."""

    def test_every_flag_of_nox_is_documented(self) -> None:
        """The matrix and docs/nox.md have those that are split off after ``--``."""
        flags = {*posargs._SWITCHES, *posargs._VALUES}
        assert said("nox") == flags
        sentence = section("nox.md", "## Words after `--`").partition("Ours are ")[2]
        assert {*re.findall(r"`(--[a-z-]+)`", sentence.partition(", with the meaning")[0])} == flags

    def test_every_flag_of_the_hooks_is_documented(self) -> None:
        """The matrix, docs/pre-commit.md and ``polylane-hook --help`` have the same."""
        flags = {*hook_words._SWITCHES, *hook_words._VALUES}
        assert said("hooks") == flags
        assert {*_OF_HELP.findall(hook_words.USAGE)} == flags
        text = (DOCS / "pre-commit.md").read_text(encoding="utf-8")
        assert [flag for flag in flags if f"`{flag}" not in text] == []
