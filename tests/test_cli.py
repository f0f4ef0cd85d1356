"""The program ``polylane``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from polylane.describe.home import workspace_around
from tests.integrations.repository import Done, Repository


def polylane(repository: Repository, *words: str) -> Done:
    return repository.run(sys.executable, "-c", "from polylane.cli import main; main()", *words)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


class TestWorkspaceAround:
    """Which folder is the workspace."""

    @pytest.mark.parametrize(
        "mark",
        [{"polylane.toml": ""}, {"pyproject.toml": "[tool.polylane]\n"}, {".git/HEAD": ""}],
    )
    def test_the_nearest_mark_above_counts(self, tmp_path: Path, mark: dict[str, str]) -> None:
        """Our configuration, or git's folder."""
        for name, text in mark.items():
            path = tmp_path / "here" / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
        below = tmp_path / "here" / "a" / "b"
        below.mkdir(parents=True)
        assert workspace_around(below) == tmp_path / "here"

    def test_a_manifest_without_our_table_is_no_mark(self, tmp_path: Path) -> None:
        """Nor is one that cannot be read as text."""
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "pyproject.toml").write_bytes(b"\xff")
        (tmp_path / "polylane.toml").write_text("", encoding="utf-8")
        assert workspace_around(tmp_path / "a") == tmp_path

    def test_without_any_mark_it_is_the_folder_itself(self, tmp_path: Path) -> None:
        """Which then says what is missing."""
        assert workspace_around(Path("/proc/self")) == Path("/proc/self")


def test_it_lists_what_the_workspace_offers(repository: Repository) -> None:
    """As ``inv --list`` would."""
    repository.tasks(one="true")
    (repository.folder / "tasks.py").unlink()
    done = polylane(repository, "--list")
    assert done.code == 0, done.all
    assert "all-parallel" in done.out


def test_with_a_tasks_file_it_is_inv(repository: Repository) -> None:
    """The user's own tasks are there too."""
    own = "from invoke import task\n@task\ndef mine(c):\n    print('mine')\n"
    repository.write({"tasks.py": own})
    assert polylane(repository, "mine").out == "mine\n"


def test_bad_configuration_is_one_line(repository: Repository) -> None:
    """And exit code 2."""
    repository.write({"polylane.toml": "jbos = 3\n"})
    done = polylane(repository, "--list")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "did you mean 'jobs'" in done.err


class TestCommands:
    """What only the program has: ``init`` and ``completion``."""

    @pytest.mark.parametrize("own", [None, "from invoke import task\n"])
    def test_they_are_listed(self, repository: Repository, own: str | None) -> None:
        """Beside the Invoke tasks, with and without a ``tasks.py``."""
        repository.write({"tasks.py": own} if own else {}).write({"polylane.toml": ""})
        listed = polylane(repository, "--list").out
        assert "\n  init " in listed
        assert "\n  completion " in listed

    def test_ones_own_of_that_name_is_listed(self, repository: Repository) -> None:
        """It runs by ``inv``; ``polylane init`` stays what the pages say."""
        own = "from invoke import task\n@task\ndef init(c):\n    'Mine.'\n    print('mine')\n"
        repository.write({"tasks.py": own})
        assert "\n  init         Mine.\n" in polylane(repository, "--list").out
        assert repository.inv("init").out == "mine\n"
        assert "tasks.py: exists" in polylane(repository, "init").out

    def test_they_say_what_they_take(self, repository: Repository) -> None:
        """Where nothing else works, too."""
        repository.write({"polylane.toml": "jbos = 3\n"})
        assert "--ci=STRING" in polylane(repository, "--help", "init").out

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_each_shell_has_a_script(self, repository: Repository, shell: str) -> None:
        """It names the program that printed it."""
        done = polylane(repository, "completion", shell)
        assert (done.code, done.err) == (0, "")
        assert f"printed by: polylane completion {shell}\n" in done.out

    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (("tcsh",), "polylane completion tcsh: there is none for this shell; known: bash,"),
            ((), "polylane completion: lacks 'shell'; polylane --help completion says"),
        ],
    )
    def test_another_shell_is_one_line(
        self, repository: Repository, words: tuple[str, ...], line: str
    ) -> None:
        """And exit code 2."""
        done = polylane(repository, "completion", *words)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert done.err.startswith(line)
