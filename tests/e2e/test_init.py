"""``polylane init`` in a terminal, and what works in a repository once it has written its files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.terminal import CTRL_C, Terminal, terminal
from tests.integrations.repository import Done, Repository
from tests.support import state, wait_for

BIN = Path(sys.executable).parent
PATH = os.pathsep.join([str(BIN), os.environ["PATH"]])
LOCK = {"name": "web", "version": "1.0.0"}
#: One Python and one Node project, whose tools need no network.
PROJECTS = {
    "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n[tool.ruff.lint]\n',
    "api/api.py": "x = 1\n",
    "web/package.json": json.dumps({**LOCK, "scripts": {"test": "node --test"}}),
    "web/package-lock.json": json.dumps({**LOCK, "lockfileVersion": 3, "packages": {"": LOCK}}),
    "web/it.test.js": 'require("node:test")("it", () => {});\n',
}
NEW = [".pre-commit-config.yaml", "noxfile.py", "tasks.py"]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo").write(PROJECTS)


def run(repository: Repository, *argv: str) -> Done:
    """Run a program that is installed beside this Python; it must succeed."""
    home = str(repository.folder.parent / "pre-commit")
    done = repository.run(*argv, PATH=PATH, PRE_COMMIT_HOME=home, GIT_CONFIG_GLOBAL=os.devnull)
    assert done.code == 0, done.all
    return done


class TestAsking:
    """On a terminal."""

    def answer(self, repository: Repository, keys: bytes) -> tuple[str, bytes]:
        """How init ends when it is answered so, and what was shown behind the question."""

        def ask(program: Terminal) -> tuple[str, bytes]:
            program.expect(b"write these 3 files? [y/N] ")
            assert b"tasks.py: new" in program.output
            wait_for(lambda: state(program.job) == "S", "read of the answer")
            program.type(keys)
            program.expect(b"wrote " if keys.startswith(b"y") else b"nothing was written")
            return program.event(), program.output.partition(b"[y/N] ")[2]

        with terminal([str(BIN / "polylane"), "init"], repository.folder, {**os.environ}) as it:
            return ask(it)

    def new(self, repository: Repository) -> list[str]:
        """The files that init wrote."""
        return [name for name in NEW if (repository.folder / name).exists()]

    def test_yes_writes_what_was_shown(self, repository: Repository) -> None:
        """And says what comes next."""
        event, shown = self.answer(repository, b"y\n")
        assert event == "exited 0"
        assert self.new(repository) == NEW
        assert b"wrote tasks.py, noxfile.py, .pre-commit-config.yaml" in shown

    @pytest.mark.parametrize("keys", [b"\n", b"n\n", b"what?\n", b"\x04"])
    def test_anything_else_writes_nothing(self, repository: Repository, keys: bytes) -> None:
        """Ctrl-D as well; that is no failure."""
        assert self.answer(repository, keys)[0] == "exited 0"
        assert self.new(repository) == []

    def test_ctrl_c_writes_nothing(self, repository: Repository) -> None:
        """And ends as Ctrl-C does, without a traceback."""
        event, shown = self.answer(repository, CTRL_C)
        assert event == "exited 130"
        assert self.new(repository) == []
        assert b"Traceback" not in shown


class TestWhatWorks:
    """In a fresh repository, after ``polylane init --yes``."""

    @pytest.fixture
    def ready(self, repository: Repository) -> Repository:
        """One where init has been."""
        run(repository, "polylane", "init", "--yes", "--ci", "github")
        return repository

    def test_invoke_and_nox_offer_what_was_found(self, ready: Repository) -> None:
        """By name; and the plan has the tasks."""
        assert "lint-parallel" in run(ready, "inv", "--list").out
        assert "test:web:node\n" in run(ready, "inv", "lanes.plan").out
        assert "- test-node " in run(ready, "nox", "-l").out

    def test_the_jobs_commands_pass(self, ready: Repository) -> None:
        """Those of the CI job, behind the installation of polylane."""
        text = (ready.folder / ".github/workflows/qa.yml").read_text(encoding="utf-8")
        steps = yaml.safe_load(text)["jobs"]["qa"]["steps"]
        commands = [step["run"] for step in steps if "run" in step]
        assert commands == ["pip install polylane", "inv setup-parallel", "inv qa-parallel"]
        for command in commands[1:]:
            run(ready, *command.split())
        assert ready.outcomes() == {"ruff": "passed", "node": "passed"}

    def test_the_hooks_are_installed_and_check(self, ready: Repository) -> None:
        """As they were written, but with the polylane that is installed here."""
        file = ready.folder / ".pre-commit-config.yaml"
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        text = "".join(line for line in lines if "additional_dependencies" not in line)
        file.write_text(text.replace("language: python", "language: system"), encoding="utf-8")
        assert run(ready, "pre-commit", "install").out.count("pre-commit installed at") == 3
        run(ready, "git", "add", "-A")
        assert run(ready, "pre-commit", "run", "--all-files").out.count("Passed") == 2
        ready.write({"api/api.py": "import os\n"})
        run(ready, "git", "add", "-A")
        done = ready.run(
            *("git", "-c", "user.name=n", "-c", "user.email=e@example.org"),
            *("commit", "-q", "-m", "change"),
            PATH=PATH,
            GIT_CONFIG_GLOBAL=os.devnull,
        )
        assert done.code == 1
        assert "polylane check" in done.all
        assert (ready.folder / "api/api.py").read_text(encoding="utf-8") == ""  # mended
