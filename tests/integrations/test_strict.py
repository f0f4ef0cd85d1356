"""Strict tasks in real repositories with the real `inv` and `nox`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views import overlay
from tests.integrations.nox_repository import NOXFILE, program
from tests.integrations.repository import TASKS, Done, Repository
from tests.support import FORKS

pytestmark = [FORKS, pytest.mark.usefixtures("views")]

_MANIFEST = '[project]\nname = "{}"\nversion = "1"\n'

#: Starts `inv` where no process may have namespaces of its own, as in some containers.
_REFUSED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from tests.support import forbid
forbid("unshare")
os.execv(sys.executable, [sys.executable, "-m", "invoke", *sys.argv[2:]])
"""


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where this machine refuses private views, and says why."""
    folder = tmp_path_factory.mktemp("views")
    if why := overlay.available(folder, folder / "scratch", pid=True):
        pytest.skip(why)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two projects, ``api`` and ``web``."""
    return Repository(tmp_path / "repo").write(
        {
            "tasks.py": TASKS,
            "api/pyproject.toml": _MANIFEST.format("api"),
            "web/pyproject.toml": _MANIFEST.format("web"),
        }
    )


def strict(repository: Repository, script: str, *lines: str, **table: Any) -> Repository:
    """Configure one strict task of ``api``, ``all:api:do``; ``lines`` are further ones."""
    said = {"command": script, "shell": True, "reads": [], "writes": [], **table}
    head = ['sandbox = "strict"', '[tasks."all:api:do"]']
    body = [f"{key} = {json.dumps(value)}" for key, value in said.items()]
    return repository.write({"polylane.toml": "\n".join((*head, *body, *lines)) + "\n"})


def task(repository: Repository) -> dict[str, Any]:
    """The only task of the newest run."""
    [found] = repository.result()["tasks"]
    assert isinstance(found, dict)
    return found


class TestRun:
    """What a strict task keeps, and what is said of the rest."""

    def test_what_it_claims_is_kept(self, repository: Repository) -> None:
        """Nothing is refused to it; the result says that it was strict."""
        done = strict(repository, "echo x > ../web/x", writes=["web/x"]).inv("all")
        assert done.code == 0, done.all
        assert (repository.folder / "web/x").read_text() == "x\n"
        assert repository.result()["protection"] == {
            "supervision": "lanes",
            "sandbox": "strict",
            "not_confined": [],
            "why_not": "",
            "no_views": "",
            "whole_workspace": [],
            "exposed": "",
        }

    def test_what_it_does_not_claim_fails_it(self, repository: Repository) -> None:
        """With the list, where it happens, at the end and in the result; nothing of it is kept."""
        script = "echo x > mine; mkdir -p ../web/new/deep; echo x > ../web/new/deep/x"
        done = strict(repository, script, writes=["api/mine"]).inv("all")
        said = "it wrote web/new and 2 more in it, which is project web's: not claimed, so not kept"
        allow = 'to allow it: [tasks."all:api:do"] writes = ["api/mine", "web/new"]'
        assert done.code == 1
        assert (repository.folder / "api/mine").exists()
        assert not (repository.folder / "web/new").exists()
        assert "all:api:do failed: it wrote what it does not claim" in done.out
        assert f"== all:api:do: {said}" in done.out
        assert f"   {allow}" in done.out
        assert (task(repository)["outcome"], task(repository)["exit_code"]) == ("failed", 0)
        assert task(repository)["refused"] == [said, allow]

    @pytest.mark.parametrize(
        "script",
        [
            "echo x > ../web/x",
            "rm ../web/pyproject.toml; rm pyproject.toml",
            "mkdir -p a/b c; echo > a/b/c; echo > 'c/[id].js'",
            "for i in $(seq 20); do mkdir -p d$i; echo > d$i/f; done",
        ],
        ids=["one", "removed", "some", "many"],
    )
    def test_the_line_allows_it(self, repository: Repository, script: str) -> None:
        """What it names makes the task pass."""
        assert strict(repository, script).inv("all").code == 1
        allow = task(repository)["refused"][-1]
        table, _, key = allow.removeprefix("to allow it: ").partition(" writes = ")
        assert table == '[tasks."all:api:do"]'
        strict(repository, script, writes=json.loads(key))
        assert repository.inv("all").code == 0, task(repository)["refused"]

    def test_what_is_gits_cannot_be_claimed(self, repository: Repository) -> None:
        """The line switches the sandbox off."""
        strict(repository, "echo x > ../.git/config").inv("all")
        assert task(repository)["refused"] == [
            "it wrote .git/config, which is git's: not claimed, so not kept",
            'to allow it: [tasks."all:api:do"] sandbox = "off"',
        ]

    def test_names_that_are_no_text(self, repository: Repository) -> None:
        """They are shown in letters, and the folder is to be claimed; the result can be read."""
        strict(repository, r"""echo x > "$(printf 'a\nb\377')"; mkdir n; echo > n/x""")
        assert repository.inv("all").code == 1
        lines = task(repository)["refused"]
        assert lines[0].startswith(r"it wrote api/a\nb\udcff, which is project api's")
        assert lines[-1] == 'to allow it: [tasks."all:api:do"] writes = ["api", "api/n"]'

    def test_codes_that_pass_do_not_excuse_it(self, repository: Repository) -> None:
        """Whatever its exit code is."""
        strict(repository, "echo x > ../web/x; exit 3", ok_codes=[0, 3])
        assert repository.inv("all").code == 1
        assert (task(repository)["exit_code"], task(repository)["outcome"]) == (3, "failed")

    def test_each_attempt_begins_with_what_is_kept(self, repository: Repository) -> None:
        """A second attempt sees what the first one may have written, and nothing else of it."""
        script = "[ -e kept ] && [ ! -e ../web/x ] && exit 0; echo > kept; echo > ../web/x; exit 1"
        done = strict(repository, script, writes=["api/kept"], retries=1).inv("all")
        assert done.code == 0, done.all
        assert task(repository)["attempts"] == 2

    def test_it_has_a_temporary_folder_of_its_own(self, repository: Repository) -> None:
        """Which is gone with it."""
        strict(repository, 'echo x > "$TMPDIR/x"; echo "$TMPDIR"')
        assert repository.inv("all").code == 0
        folder = (repository.folder / ".polylane/last" / task(repository)["log"]).read_text()
        assert Path(folder.strip()).is_absolute()
        assert not Path(folder.strip()).parent.exists()

    @pytest.mark.parametrize("words", ["status", "diff --exit-code"])
    def test_what_git_would_only_note_is_dropped(self, repository: Repository, words: str) -> None:
        """Both refresh the index where they may."""
        strict(repository, f"git {words}")
        subprocess.run(["git", "add", "."], cwd=repository.folder, check=True)
        index = repository.folder / ".git/index"
        before = index.read_bytes()
        os.utime(repository.folder / "web/pyproject.toml", (5, 5))
        done = repository.inv("all")
        assert done.code == 0, done.all
        assert index.read_bytes() == before

    def test_what_git_stages_is_told(self, repository: Repository) -> None:
        """An index that does not change alone."""
        strict(repository, "git add ../web")
        assert repository.inv("all").code == 1
        assert any("wrote .git/index" in line for line in task(repository)["refused"])

    def test_bytecode_of_another_project_is_dropped(self, repository: Repository) -> None:
        """An interpreter writes it beside what it imports, and nobody claims that."""
        repository.write({"web/used.py": "X = 1\n"})
        command = [sys.executable, "-c", "import sys; sys.path.append('../web'); import used"]
        strict(repository, "", command=command, shell=False)
        assert repository.inv("all", PYTHONDONTWRITEBYTECODE="").code == 0
        assert not (repository.folder / "web/__pycache__").exists()

    def test_a_run_inside_a_strict_task(self, repository: Repository) -> None:
        """It has a view of the view; its own results go with that."""
        inner = f"{sys.executable} -m invoke inner"
        lines = [
            '[tasks."inner:web:do"]',
            "command = 'touch web/inner ; touch kept'",
            'cwd = "."\nshell = true\nreads = []\nwrites = ["web/inner"]',
        ]
        done = strict(repository, f"cd ..; {inner}; {inner}", *lines, writes=["web/**"]).inv("all")
        log = (repository.folder / ".polylane/last" / task(repository)["log"]).read_text()
        assert done.code == 1, done.all
        assert "it wrote kept, which is no project's: not claimed, so not kept" in log
        assert (repository.folder / "web/inner").exists()
        assert len(list((repository.folder / ".polylane/runs").iterdir())) == 1

    def test_in_a_linked_worktree(self, repository: Repository) -> None:
        """Git's own folder lies outside of it, and is refused."""
        git = ["git", "-C", str(repository.folder), "-c", "user.name=a", "-c", "user.email=a"]
        linked = repository.folder.parent / "linked"
        for words in (("add", "."), ("commit", "-qm", "x"), ("worktree", "add", str(linked))):
            subprocess.run([*git, *words], check=True, capture_output=True)
        there = Repository.__new__(Repository)
        there.folder = linked
        assert strict(there, "echo x > out", writes=["api/out"]).inv("all").code == 0
        assert (linked / "api/out").exists()
        strict(there, "git config x.y z", writes=["api/out"])
        done = there.inv("all")
        assert done.code == 1
        from polylane.run import sandbox

        if not sandbox.why_not():
            assert "git's, or lies in a folder that holds the workspace" in done.out
            assert "[x]" not in (repository.folder / ".git/config").read_text()

    def test_a_python_body_can_be_strict(self, repository: Repository) -> None:
        """By its own argument."""
        repository.write(
            {
                "tasks.py": f"import polylane\n{TASKS}"
                "@polylane.task(verb='own', project='api', reads=[], writes=['api/y'],"
                " sandbox='strict')\n"
                "def own(c):\n"
                "    c.run('echo x > y; echo x > ../web/y')\n"
            }
        )
        assert repository.inv("own").code == 1
        assert [(repository.folder / name / "y").exists() for name in ("api", "web")] == [
            True,
            False,
        ]
        assert task(repository)["reason"] == "it wrote what it does not claim"


class TestAsked:
    """How it is asked for."""

    def test_by_a_flag(self, repository: Repository) -> None:
        """Which is stronger than the configuration."""
        strict(repository, "echo x > mine", sandbox="off")
        assert repository.inv("all").code == 0
        assert repository.inv("all", "--sandbox", "strict").code == 0  # written as it was before
        (repository.folder / "api/mine").unlink()
        assert repository.inv("all", "--sandbox", "strict").code == 1
        assert not (repository.folder / "api/mine").exists()

    def test_by_an_argument_of_nox(self, repository: Repository) -> None:
        """After ``--``."""
        strict(repository, "echo x > mine", sandbox="off").write({"noxfile.py": NOXFILE})
        done = repository.run(program(), "-s", "all", "--", "--sandbox", "strict")
        assert done.code == 1
        assert "it wrote api/mine" in done.out
        assert repository.run(program(), "-s", "all").code == 0

    def test_it_cannot_be_with_what_leaves_processes(self, repository: Repository) -> None:
        """One line that says what to do."""
        done = strict(repository, "true", leave=True).inv("all")
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert 'leave = true cannot be with sandbox = "strict"' in done.err
        assert 'say sandbox = "projects" for this task' in done.err


class TestRefused:
    """Where this machine refuses private views."""

    def inv(self, repository: Repository, *words: str) -> Done:
        root = str(Path(__file__).parents[2])
        return repository.run(sys.executable, "-c", _REFUSED, root, *words)

    def test_tasks_run_as_others_do(self, repository: Repository) -> None:
        """The summary and the result say so; only its own project is free to it."""
        done = self.inv(strict(repository, "echo x > mine"), "all")
        assert done.code == 0, done.all
        assert (repository.folder / "api/mine").exists()
        assert "not strict: no task had a private view: " in done.out
        protection = repository.result()["protection"]
        assert protection["sandbox"] == "projects"
        assert "seccomp" in protection["no_views"]

    def test_nothing_is_said_where_none_is_strict(self, repository: Repository) -> None:
        """Nor asked."""
        done = self.inv(strict(repository, "true", sandbox="projects"), "all")
        assert "not strict" not in done.out
        assert repository.result()["protection"]["no_views"] == ""
