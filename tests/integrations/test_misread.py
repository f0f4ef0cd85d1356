"""What is said of command lines that Invoke's own parser refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.parser.context import ParserContext
from invoke.program import Program
from invoke.tasks import Task

from polylane.integrations.invoke_program import attach
from polylane.integrations.invoke_tasks import WorkspaceCollection
from polylane.integrations.misread import misread
from tests.integrations.repository import Repository

#: Words to their exit code and what was said.
Say = Callable[..., tuple[int, str]]


def deploy(c: object, where: str, force: str = "") -> None:
    """A task of the user's own."""


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Say:
    """What Invoke's program says to a command line, and its exit code."""
    project = '[project]\nname = "api"\nversion = "1"\n[tool.ruff]\n'
    repository = Repository(tmp_path / "repo").write({"api/pyproject.toml": project})
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)  # Invoke sets it

    def say(*words: str) -> tuple[int, str]:
        own = WorkspaceCollection(repository.folder, {}, Collection(Task(deploy)))
        program = Program(namespace=own, binary="inv[oke]")
        attach(program, repository.folder)
        with pytest.raises(SystemExit) as ended:
            program.run(["inv", *words])
        seen = capsys.readouterr()
        assert seen.out == ""
        return int(ended.value.code or 0), seen.err

    return say


LIST = "; inv --list shows what there is"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["lnt"], "there is no Invoke task 'lnt'; did you mean 'lint'?"),
        (
            ["lint", "--jobs", "3", "--jobs", "4"],
            "inv lint: --jobs is given twice; give it once",
        ),
        (["lint", "--jobs", "3", "lnt"], "there is no Invoke task 'lnt'; did you mean 'lint'?"),
        (["lint-pyton"], "there is no Invoke task 'lint-pyton'; did you mean 'lint-python'?"),
        (["lint_python"], "there is no Invoke task 'lint_python'; did you mean 'lint-python'?"),
        (["pyton.lint"], "there is no Invoke task 'pyton.lint'; did you mean 'python.lint'?"),
        (["lanes.plna"], "there is no Invoke task 'lanes.plna'; did you mean 'lanes.plan'?"),
        (["lint", "lnt"], "there is no Invoke task 'lnt'; did you mean 'lint'?"),
        (["deplyo"], "there is no Invoke task 'deplyo'; did you mean 'deploy'?"),
        (["--help", "lnt"], "there is no Invoke task 'lnt'; did you mean 'lint'?"),
        (["lnt", "--help"], "there is no Invoke task 'lnt'; did you mean 'lint'?"),
        (["xyzzy"], f"there is no Invoke task 'xyzzy'{LIST}"),
        (["x'y\nz\"z"], f"there is no Invoke task 'x\\'y\\nz\"z'{LIST}"),
        (["docs"], f"there is no Invoke task 'docs', since no project has this verb{LIST}"),
        (
            ["docs-parallel"],
            f"there is no Invoke task 'docs-parallel', since no project has this verb{LIST}",
        ),
    ],
)
def test_an_unknown_name_is_answered_by_the_closest(said: Say, words: list[str], line: str) -> None:
    """Among our names, their aliases and the user's own, where one is close."""
    assert said(*words) == (2, f"{line}\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["lint", "--job", "3"], "inv lint: there is no flag '--job'; did you mean '--jobs'?"),
        (["lint", "--job=3"], "inv lint: there is no flag '--job'; did you mean '--jobs'?"),
        (
            ["lanes.plan", "--slect", "lint"],
            "inv lanes.plan: there is no flag '--slect'; did you mean '--select'?",
        ),
        (
            ["deploy", "there", "--froce"],
            "inv deploy: there is no flag '--froce'; did you mean '--force'?",
        ),
        (
            ["lint", "--verbose"],
            (
                "inv lint: there is no flag '--verbose'; inv --help lint shows what there is,"
                " and words for the tools go behind --"
            ),
        ),
        (
            ["deploy", "there", "-x"],
            "inv deploy: there is no flag '-x'; inv --help deploy shows what there is",
        ),
        (["--lits"], "inv: there is no flag '--lits'; did you mean '--list'?"),
        (["--xyzzy"], "inv: there is no flag '--xyzzy'; inv --help shows what there is"),
        (
            ["--jobs", "3", "lint"],
            (
                "inv: there is no flag '--jobs'; it goes behind its Invoke task,"
                " as in: inv lint --jobs"
            ),
        ),
    ],
)
def test_an_unknown_flag_is_answered_by_those_of_its_task(
    said: Say, words: list[str], line: str
) -> None:
    """The dashes, which all have, make none alike; Invoke's own flags stand before the tasks."""
    assert said(*words) == (2, f"{line}\n")


@pytest.mark.parametrize("after", [[], ["--fail-fast"], ["--", "word"]])
@pytest.mark.parametrize("flag", ["--jobs", "--project"])
def test_a_flag_without_its_value_says_what_it_means(
    said: Say, flag: str, after: list[str]
) -> None:
    """The repeatable ones too, which Invoke would take for given and empty."""
    code, line = said("lint", flag, *after)
    assert code == 2
    meaning = {"--jobs": "(slots: how many tasks", "--project": "(only this project"}[flag]
    assert line.startswith(f"inv lint: {flag} needs a value {meaning}")
    assert line.count("\n") == 1


def test_a_missing_argument_is_named(said: Say) -> None:
    """That of a task of the user's own, with where its arguments are explained."""
    line = "inv deploy: lacks 'where'; inv --help deploy says what it wants\n"
    assert said("deploy") == (2, line)


def test_a_text_that_we_do_not_know_is_passed_on() -> None:
    """Another version of Invoke may say things in another way."""
    from invoke.exceptions import ParseError

    context = ParserContext(name="lint")
    program = Program(namespace=Collection())
    for text in ("What is 'lnt'?", "No idea what lnt is!", "Flag jobs needed value"):
        assert misread(program, ParseError(text, context)) == text
