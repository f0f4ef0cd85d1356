"""``polylane init`` in real folders: what it finds, shows, writes and leaves alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.integrations.repository import TASKS, Done, Repository

MANIFEST = '[project]\nname = "api"\nversion = "1"\ndependencies = ["iniconfig"]\n'
FILES = [".pre-commit-config.yaml", "noxfile.py", "tasks.py"]
WORKFLOW = ".github/workflows/qa.yml"


def init(repository: Repository, *words: str, below: str = ".") -> Done:
    program = "import os, sys; os.chdir(sys.argv.pop(1)); from polylane.cli import main; main()"
    return repository.run(sys.executable, "-c", program, below, "init", *words)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo").write({"api/pyproject.toml": MANIFEST})


def git(repository: Repository, *words: str) -> None:
    assert repository.run("git", *words).code == 0


def files(folder: Path) -> list[str]:
    """What lies there and is no folder, nor git's."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".git")


class TestWhatIsWritten:
    """Which files, and where."""

    def test_new_files_are_shown_whole_and_written(self, repository: Repository) -> None:
        """What was found stands above them, and what comes next below."""
        done = init(repository, "--yes", "--ci", "github")
        assert (done.code, done.err) == (0, "")
        assert files(repository.folder) == sorted(["api/pyproject.toml", *FILES, WORKFLOW])
        for name in (*FILES, WORKFLOW):
            text = (repository.folder / name).read_text(encoding="utf-8")
            shown = "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
            assert f"{name}: new\n{shown}" in done.out
        assert "    api (python)\n" in done.out
        assert f"wrote tasks.py, noxfile.py, .pre-commit-config.yaml, {WORKFLOW}\n" in done.out
        assert "    inv setup-parallel  sets up" in done.out

    def test_a_second_time_nothing_is_written(self, repository: Repository) -> None:
        """It says so, and needs no --yes for that; the workflow's name may be another one."""
        assert init(repository, "--yes", "--ci", "github").code == 0
        (repository.folder / WORKFLOW).rename(repository.folder / ".github/workflows/ci.yaml")
        before = files(repository.folder)
        done = init(repository)
        assert (done.code, done.err) == (0, "")
        assert done.out.count(": has it already\n") == 4
        assert done.out.endswith("nothing to write\n")
        assert files(repository.folder) == before

    def test_it_stands_at_the_top_of_the_repository(self, repository: Repository) -> None:
        """From whatever folder in it."""
        assert init(repository, "--yes", below="api").code == 0
        assert files(repository.folder) == sorted(["api/pyproject.toml", *FILES])

    def test_a_workspace_inside_of_a_repository_has_its_hooks_at_the_top(
        self, repository: Repository
    ) -> None:
        """As git and GitHub want it; they say where the workspace is."""
        repository.write({"sub/polylane.toml": "", "sub/web/package.json": '{"name": "web"}'})
        done = init(repository, "--yes", "--ci=github", below="sub/web")
        assert done.code == 0, done.err
        assert {".pre-commit-config.yaml", WORKFLOW} < {*files(repository.folder)}
        assert {"tasks.py", "noxfile.py"} < {*files(repository.folder / "sub")}
        hooks = (repository.folder / ".pre-commit-config.yaml").read_text(encoding="utf-8")
        assert hooks.count('args: [--workspace, "sub", "--"]') == 3
        workflow = (repository.folder / WORKFLOW).read_text(encoding="utf-8")
        assert 'working-directory: "sub"\n' in workflow

    def test_a_folder_without_git_gets_all_but_the_job(self, tmp_path: Path) -> None:
        """And is told what comes first."""
        (tmp_path / "here").mkdir()
        repository = Repository(tmp_path / "other")
        done = init(repository, "--yes", "--ci", "gitlab", below=str(tmp_path / "here"))
        assert done.code == 0, done.err
        assert files(tmp_path / "here") == FILES
        assert "projects: unknown, since this is no git repository" in done.out
        assert "\nnext:\n    git init " in done.out

    def test_an_empty_repository_gets_its_job_later(self, tmp_path: Path) -> None:
        """What a job needs depends on the projects."""
        repository = Repository(tmp_path / "repo")
        done = init(repository, "--yes", "--ci", "gitlab")
        assert files(repository.folder) == FILES
        assert "CI: a job depends on the projects; run polylane init again" in done.out
        repository.write({"api/pyproject.toml": MANIFEST})
        assert "wrote .gitlab-ci.yml\n" in init(repository, "--yes", "--ci", "gitlab").out


class TestWhatExists:
    """Is never written to."""

    OWN = "from invoke import task\n@task\ndef mine(c): ...\n"

    def test_the_lines_to_add_are_shown(self, repository: Repository) -> None:
        """For each file, with the place where they go; the others are written."""
        own = {
            "tasks.py": self.OWN,
            ".pre-commit-config.yaml": "repos: []\n",
            ".gitlab-ci.yml": "test: {script: make}\n",
        }
        repository.write(own)
        done = init(repository, "--yes")
        assert done.code == 0, done.err
        left = ": exists, and is left as it is; add"
        lines = "    from polylane import namespace\n\n    ns = namespace()\n"
        assert f"tasks.py{left} beside its Invoke tasks:\n{lines}" in done.out
        assert f".pre-commit-config.yaml{left} below repos:\n" in done.out
        assert f".gitlab-ci.yml{left} as a job:\n    qa:\n" in done.out
        assert "wrote noxfile.py\n" in done.out
        for name, text in own.items():
            assert (repository.folder / name).read_text(encoding="utf-8") == text

    @pytest.mark.parametrize(
        "text", [TASKS, "import polylane\nns = polylane.namespace()\n", f"{OWN}{TASKS}"]
    )
    def test_a_tasks_file_with_our_lines_has_it(self, repository: Repository, text: str) -> None:
        """However they are written."""
        repository.write({"tasks.py": text})
        assert "tasks.py: has it already\n" in init(repository).out

    @pytest.mark.parametrize("text", [OWN, "# polylane\n# ns = namespace()\n", "\0\xff", ""])
    def test_a_tasks_file_without_them_lacks_it(self, repository: Repository, text: str) -> None:
        """Comments do not count."""
        repository.write({"tasks.py": text})
        assert "tasks.py: exists" in init(repository).out

    def test_a_package_is_looked_at_as_a_whole(self, repository: Repository) -> None:
        """Any of its modules may have our lines."""
        repository.write({"tasks/__init__.py": "from .checks import ns\n"})
        assert "tasks/__init__.py: exists" in init(repository).out
        repository.write({"tasks/checks.py": TASKS})
        assert "tasks/__init__.py: has it already" in init(repository).out

    def test_a_dangling_link_is_something_that_exists(self, repository: Repository) -> None:
        """What it leads to is not made."""
        (repository.folder / "tasks.py").symlink_to("nowhere")
        done = init(repository, "--yes")
        assert "tasks.py: exists" in done.out
        assert not (repository.folder / "nowhere").exists()

    def test_a_link_out_of_the_repository_is_not_followed(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        """One line, exit code 2, and nothing is written."""
        (tmp_path / "out").mkdir()
        (repository.folder / ".github").symlink_to(tmp_path / "out")
        done = init(repository, "--yes", "--ci", "github")
        assert done.code == 2
        assert "by a symbolic link; nothing was written: remove the link" in done.err
        assert done.err.count("\n") == 1
        assert files(tmp_path / "out") == []
        assert not (repository.folder / "tasks.py").exists()


class TestAsking:
    """Without a terminal; tests/e2e/test_init.py has one."""

    def test_without_a_terminal_nobody_is_asked(self, repository: Repository) -> None:
        """The files are shown, none is written, and one line says what to add."""
        done = init(repository)
        assert done.code == 2
        assert "tasks.py: new\n" in done.out
        assert done.err.count("\n") == 1
        assert "add --yes" in done.err
        assert files(repository.folder) == ["api/pyproject.toml"]

    def test_dry_writes_nothing(self, repository: Repository) -> None:
        """Though --yes stands there."""
        program = "from polylane.cli import main; main()"
        done = repository.run(sys.executable, "-c", program, "--dry", "init", "--yes")
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("nothing was written (--dry)\n")
        assert files(repository.folder) == ["api/pyproject.toml"]

    def test_a_folder_that_cannot_be_written_to_is_one_line(self, repository: Repository) -> None:
        """Said before anything is asked; exit code 2."""
        done = init(repository, "--yes", below="/proc/self")
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "is not writable for you; nothing was written" in done.err

    def test_bad_configuration_is_one_line(self, repository: Repository) -> None:
        """As everywhere."""
        done = init(repository.write({"polylane.toml": "jbos = 3\n"}), "--yes")
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert files(repository.folder) == ["api/pyproject.toml", "polylane.toml"]

    def test_an_unknown_host_is_one_line(self, repository: Repository) -> None:
        """With the closest one."""
        done = init(repository, "--ci", "gihub")
        line = "--ci = 'gihub': must be one of github, gitlab, none; did you mean 'github'?\n"
        assert (done.code, done.out, done.err) == (2, "", line)


class TestHost:
    """Whose CI job is written."""

    @pytest.mark.parametrize(
        ("url", "host", "by"),
        [
            ("git@github.com:me/shop.git", "github", "github.com"),
            ("https://me:secret@gitlab.example.org/me/shop", "gitlab", "gitlab.example.org"),
            ("ssh://git@GitLab.com:22/me/shop.git", "gitlab", "gitlab.com"),
        ],
    )
    def test_the_remote_says_it(self, repository: Repository, url: str, host: str, by: str) -> None:
        """In whatever form it is written; no secret of it is shown."""
        git(repository, "remote", "add", "a-mirror", "https://git.example.org/shop")
        git(repository, "remote", "add", "origin", url)
        done = init(repository)
        assert f"CI: {host} (the remote is on {by})\n" in done.out
        assert "secret" not in done.all

    @pytest.mark.parametrize("url", ["/srv/github.com/shop.git", "https://git.example.org/github"])
    def test_another_remote_says_nothing(self, repository: Repository, url: str) -> None:
        """Then the flag is named, and there is no job."""
        git(repository, "remote", "add", "origin", url)
        done = init(repository)
        assert "CI: nothing here says which; --ci github or --ci gitlab writes a job\n" in done.out
        assert ".gitlab-ci.yml" not in done.out

    def test_what_is_here_says_it_before_the_remote(self, repository: Repository) -> None:
        """But not where both hosts' files are here."""
        git(repository, "remote", "add", "origin", "git@gitlab.com:me/shop.git")
        repository.write({".github/workflows/release.yml": "on: push\n"})
        assert "CI: github (.github/workflows is there)\n" in init(repository).out
        repository.write({".gitlab-ci.yml": "{}\n"})
        assert "CI: gitlab (the remote is on gitlab.com)\n" in init(repository).out

    def test_none_is_none(self, repository: Repository) -> None:
        """Whatever is here."""
        repository.write({".gitlab-ci.yml": "{}\n"})
        assert "CI:" not in init(repository, "--ci", "none").out
