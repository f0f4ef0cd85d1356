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
