"""Which programs answer as we do to a command line that cannot be read, and when."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.integrations.repository import TASKS, Done, Repository

OWN = "from invoke import task\n@task\ndef deploy(c):\n    print('deployed')\n"
LINE = "there is no Invoke task 'al'; did you mean 'all'?\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo").tasks(one="true")


def script(repository: Repository, text: str, *words: str) -> Done:
    return repository.run(sys.executable, "-c", text, *words)


def test_nothing_runs_when_one_of_the_names_is_unknown(repository: Repository) -> None:
    """One line, exit code 2; the names before it did not run."""
    done = repository.inv("all", "al")
    assert (done.code, done.out, done.err) == (2, "", LINE)
    assert not (repository.folder / ".polylane" / "runs").exists()


@pytest.mark.parametrize(
    "files",
    [
        {"tasks/__init__.py": TASKS},
        {"tasks/__init__.py": "from .checks import ns\n", "tasks/checks.py": TASKS},
        {"tasks.py": f"from invoke import Collection\n{TASKS}ns = Collection(checks=ns)\n"},
    ],
)
def test_wherever_our_lines_stand(repository: Repository, files: dict[str, str]) -> None:
    """In a package, in a module of it, or with a collection of one's own around what we made."""
    (repository.folder / "tasks.py").unlink()
    done = repository.write(files).inv("lanes.plna")
    assert done.code == 2, done.all
    assert done.err.startswith("there is no Invoke task 'lanes.plna'; did you mean '")


@pytest.mark.parametrize("own", [None, OWN, TASKS])
def test_the_program_polylane_answers_alike(repository: Repository, own: str | None) -> None:
    """With and without a ``tasks.py``, and in one that knows nothing of us."""
    (repository.folder / "tasks.py").unlink()
    if own is not None:
        repository.write({"tasks.py": own})
    done = script(repository, "from polylane.cli import main; main()", "xyzzy")
    line = "there is no Invoke task 'xyzzy'; polylane --list shows what there is\n"
    assert (done.code, done.out, done.err) == (2, "", line)


def test_a_program_of_ones_own_keeps_its_own_parse(repository: Repository) -> None:
    """A subclass of Invoke's that reads the command line itself, and loads our ``tasks.py``."""
    text = (
        "from invoke import Program\n"
        "class Mine(Program):\n"
        "    def parse_tasks(self):\n"
        "        print('mine')\n"
        "        super().parse_tasks()\n"
        "Mine(binary='mine').run()\n"
    )
    done = script(repository, text, "al")
    assert (done.code, done.out, done.err) == (2, "mine\n", LINE)
    assert script(repository, text, "deploy-x").err.endswith("mine --list shows what there is\n")


def test_the_next_run_of_a_program_is_its_own(repository: Repository) -> None:
    """Another ``tasks.py`` in the same process, without our lines, is answered by Invoke."""
    repository.write({"other/tasks.py": OWN})
    text = (
        "import os\n"
        "from invoke.main import program\n"
        "program.run(['inv', 'al'], exit=False)\n"
        "os.chdir('other')\n"
        "program.run(['inv', 'al'])\n"
    )
    done = script(repository, text)
    assert (done.code, done.err) == (1, f"{LINE}No idea what 'al' is!\n")


def test_without_a_program_nothing_is_changed(repository: Repository) -> None:
    """A script or a test may make the namespace, and run Invoke's program later."""
    repository.write({"other/tasks.py": OWN})
    text = (
        "import os\n"
        "from invoke.main import program\n"
        "from polylane import namespace\n"
        "assert 'all' in namespace().tasks\n"
        "os.chdir('other')\n"
        "program.run(['inv', 'al'])\n"
    )
    done = script(repository, text)
    assert (done.code, done.err) == (1, "No idea what 'al' is!\n")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["--list"], "all-parallel"),
        (["--help", "all"], "--fail-fast"),
        (["all", "--help"], "--fail-fast"),
        (["--complete", "--", "inv", "al"], "all-parallel"),
        (["--complete", "--", "inv", "al", "--li"], "--list"),
        (["--complete", "--", "inv", "all", "--jo"], "--jobs"),
        (["--", "words"], "Usage"),
        ([], "Usage"),
    ],
)
def test_what_invoke_answers_itself_stays(
    repository: Repository, words: list[str], out: str
) -> None:
    """Lists, help, completion of names and flags that are not whole yet."""
    done = repository.inv(*words)
    assert (done.code, done.err) == (0, "")
    assert out in done.out
