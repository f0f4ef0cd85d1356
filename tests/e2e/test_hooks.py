"""Commits and pushes in real repositories, with the real pre-commit and prek."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.repository import write_files

BIN = Path(sys.executable).parent
SOURCE = Path(__file__).parents[2]
LIMIT_S = 100
UNUSED = "import os\n"
PROJECT = '[project]\nname = "{}"\nversion = "1"\ndependencies = [{}]\n[tool.ruff.format]\n'
#: ``lib`` is depended on by ``api``; ``web`` stands alone. Each has a task that takes no files.
PROJECTS = {
    "lib/pyproject.toml": PROJECT.format("lib", ""),
    "api/pyproject.toml": PROJECT.format("api", '"lib"'),
    "web/pyproject.toml": PROJECT.format("web", ""),
    "polylane.toml": "".join(
        f'[tasks."{verb}:{name}:whole"]\ncommand = ["true"]\nwrites = []\n'
        for name in ("lib", "api", "web")
        for verb in ("lint", "test-unit")
    ),
}


class Repository:
    """A repository with its hooks installed by ``manager``."""

    def __init__(self, folder: Path, manager: str) -> None:
        self.folder = folder / "repo"
        self.manager = str(BIN / manager)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "POLYLANE"))}
        self.environ = {
            **{k: v for k, v in kept.items() if k not in ("USE_PARALLEL", "PRE_COMMIT")},
            "POLYLANE_SLOTS_DIR": os.environ["POLYLANE_SLOTS_DIR"],
            "PRE_COMMIT_HOME": str(folder / "cache"),
            "PREK_HOME": str(folder / "cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "NO_COLOR": "1",
        }
        self.folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "n")
        self.git("config", "user.email", "e@example.org")

    def hooks(self, *names: str, **said: Any) -> Repository:
        """Say which of our hooks run, the way that the manifest says it, and install them."""
        entries = [
            {**_manifest(name), "language": "system", "entry": f"{BIN}/polylane-hook {name}"}
            for name in names
        ]
        text = json.dumps({"repos": [{"repo": "local", "hooks": [{**e, **said} for e in entries]}]})
        self.write({".pre-commit-config.yaml": text})
        kinds = ("pre-commit", "pre-merge-commit", "pre-push")
        self.run(self.manager, "install", *(f"--hook-type={kind}" for kind in kinds))
        return self

    def write(self, files: dict[str, str]) -> Repository:
        """Write text files, with the folders that they need."""
        write_files(self.folder, files)
        return self

    def base(self) -> Repository:
        """Commit all that is there, without hooks."""
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", "base")
        return self

    def run(self, *argv: str) -> str:
        """Run a program that must succeed; returns what it printed."""
        done = self.start(*argv)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def git(self, *words: str) -> str:
        """Run git, which must succeed."""
        return self.run("git", *words)

    def start(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program, both of its streams as one text."""
        return subprocess.run(
            argv,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=LIMIT_S,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def commit(self, *words: str) -> tuple[int, str]:
        """Commit with the hooks; returns git's exit code and what was printed."""
        done = self.start("git", "commit", "-q", "-m", "change", *words)
        return done.returncode, done.stdout

    def index(self) -> str:
        """What is staged."""
        return self.git("ls-files", "-s")

    def tree(self) -> dict[str, bytes]:
        """Every file that git does not ignore."""
        names = self.git("ls-files", "-z", "-c", "-o", "--exclude-standard").split("\0")[:-1]
        return {name: (self.folder / name).read_bytes() for name in names}

    def runs(self) -> list[list[str]]:
        """The task ids of each run, oldest first."""
        results = sorted((self.folder / ".polylane" / "runs").glob("*/result.json"))
        texts = [json.loads(path.read_text(encoding="utf-8")) for path in results]
        return [[task["id"] for task in each["tasks"]] for each in texts]


def _manifest(name: str) -> dict[str, Any]:
    """A hook of ``.pre-commit-hooks.yaml``, which has one plain ``key: value`` a line."""
    import yaml

    text = (SOURCE / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)
    return next(hook for hook in found if hook["id"] == f"polylane-{name}")


@pytest.fixture(params=["pre-commit", "prek"])
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    return Repository(tmp_path, request.param).write(PROJECTS)


@pytest.fixture
def one(tmp_path: Path) -> Repository:
    """For what does not depend on who calls the hook."""
    return Repository(tmp_path, "pre-commit").write(PROJECTS)


class TestCheck:
    """The hook ``polylane-check``."""

    def test_a_problem_refuses_the_commit_and_nothing_is_written(
        self, repository: Repository
    ) -> None:
        """The tool's words are shown; files and index are what they were."""
        repository.hooks("check").base().write({"api/a.py": UNUSED + "x  = 1\n"})
        repository.git("add", "-A")
        before = repository.tree(), repository.index()
        code, text = repository.commit()
        assert (code, "F401" in text, "modified" in text) == (1, True, False)
        assert (repository.tree(), repository.index()) == before

    def test_only_projects_with_changes_are_checked(self, repository: Repository) -> None:
        """Those that they depend on, and those that depend on them, are not."""
        repository.hooks("check").base().write({"lib/a.py": "x = 1\n"})
        repository.git("add", "-A")
        assert repository.commit()[0] == 0
        assert repository.runs() == [["lint:lib:ruff", "lint:lib:ruff-format", "lint:lib:whole"]]

    def test_unstaged_changes_are_not_checked_and_not_lost(self, repository: Repository) -> None:
        """What is committed is what counts."""
        repository.hooks("check").write({"api/a.py": "x = 1\n"}).base()
        repository.write({"api/a.py": "x = 2\n"})
        repository.git("add", "-A")
        repository.write({"api/a.py": UNUSED, "web/b.py": UNUSED})
        assert repository.commit()[0] == 0
        assert repository.git("show", "HEAD:api/a.py") == "x = 2\n"
        assert repository.tree()["api/a.py"] == UNUSED.encode()

    def test_any_name_is_checked(self, repository: Repository) -> None:
        """Spaces, other alphabets, and what tools take for options, lists and patterns."""
        names = ["a b.py", "-dash.py", "été.py", "@at.py", "[id].py", "--fix.py"]
        repository.hooks("check").base().write({f"web/{name}": UNUSED for name in names})
        repository.write({"--jobs": "", "-root.py": ""})
        repository.git("add", "-A")
        code, text = repository.commit()
        assert code == 1
        assert [name for name in names if f"{name}:1:8" not in text] == []

    def test_a_deletion_is_a_change(self, repository: Repository) -> None:
        """Though pre-commit names no deleted file: tools that see the whole project run."""
        repository.hooks("check").write({"api/a.py": "x = 1\n"}).base()
        repository.git("rm", "-q", "api/a.py")
        assert repository.commit()[0] == 0
        assert repository.runs() == [["lint:api:whole"]]

    def test_a_deletion_by_commit_a_is_a_change(self, one: Repository) -> None:
        """The commit's index is then not the repository's own."""
        one.hooks("check").write({"api/a.py": "x = 1\n"}).base()
        (one.folder / "api/a.py").unlink()
        assert one.commit("-a")[0] == 0
        assert one.runs() == [["lint:api:whole"]]

    def test_a_linked_work_tree_has_its_own_index(self, repository: Repository) -> None:
        """Git names its repository to the hook there, and the hook finds the deletion in it."""
        repository.hooks("check").write({"api/a.py": "x = 1\n"}).base()
        repository.git("worktree", "add", "-q", "../linked")
        repository.folder = repository.folder.parent / "linked"
        repository.git("rm", "-q", "api/a.py")
        assert repository.commit()[0] == 0
        assert repository.runs() == [["lint:api:whole"]]
        assert not list((repository.folder.parent / "repo" / ".git").rglob("*.lock"))

    def test_a_rename_concerns_both_projects(self, repository: Repository) -> None:
        """The one that lost a file is checked too."""
        repository.hooks("check").write({"api/a.py": "x = 1\n"}).base()
        repository.git("mv", "api/a.py", "web/a.py")
        assert repository.commit()[0] == 0
        [ran] = repository.runs()
        assert {"lint:api:whole", "lint:web:whole", "lint:web:ruff"} <= set(ran)

    def test_a_merge_is_checked(self, repository: Repository) -> None:
        """With a conflict that was resolved badly."""
        repository.hooks("check").write({"api/a.py": "x = 1\n"}).base()
        repository.git("checkout", "-q", "-b", "other")
        repository.write({"api/a.py": "x = 2\n"}).base()
        repository.git("checkout", "-q", "main")
        repository.write({"api/a.py": "x = 3\n"}).base()
        assert repository.start("git", "merge", "-q", "other").returncode == 1
        repository.write({"api/a.py": UNUSED})
        repository.git("add", "-A")
        code, text = repository.commit()
        assert (code, "F401" in text) == (1, True)

    def test_a_clean_merge_is_checked(self, repository: Repository) -> None:
        """At pre-merge-commit: git makes that commit itself."""
        repository.hooks("check").write({"api/a.py": "x = 1\n"}).base()
        repository.git("checkout", "-q", "-b", "other")
        repository.write({"web/a.py": UNUSED}).base()
        repository.git("checkout", "-q", "main")
        repository.write({"api/b.py": "x = 3\n"}).base()
        done = repository.start("git", "merge", "-q", "--no-edit", "other")
        assert (done.returncode != 0, "F401" in done.stdout) == (True, True)

    def test_long_lists_are_one_check(self, repository: Repository) -> None:
        """They come in pieces: each file is checked, and whole projects only once."""
        stem = "x" * 150
        files = {f"api/p/{stem}{n:04}.py": "" for n in range(1500)}
        last = f"api/p/{stem}0700.py"
        repository.hooks("check").base().write({**files, last: UNUSED})
        repository.git("add", "-A")
        code, text = repository.commit()
        assert (code, text.count("F401")) == (1, 1), text[-2000:]
        ran = repository.runs()
        assert len(ran) > 1 or "lint:api:ruff:1" in ran[0]  # cut by pre-commit, or by us
        assert sum(tasks.count("lint:api:whole") for tasks in ran) == 1
        assert repository.commit()[0] == 1
        assert sum(tasks.count("lint:api:whole") for tasks in repository.runs()) == 2


class TestFix:
    """The hook ``polylane-fix``."""

    def test_what_is_mended_is_not_staged(self, repository: Repository) -> None:
        """The commit is refused, for people to look at what changed and stage it."""
        repository.hooks("fix").base().write({"api/a.py": "import os\n\nx  = 1\n"})
        repository.git("add", "-A")
        index = repository.index()
        code, text = repository.commit()
        assert (code, "files were modified by this hook" in text) == (1, True)
        assert repository.tree()["api/a.py"] == b"x = 1\n"
        assert repository.index() == index
        assert repository.commit("-a")[0] == 0

    def test_unstaged_changes_elsewhere_stay(self, repository: Repository) -> None:
        """And are not mended."""
        repository.hooks("fix").write({"api/b.py": "y = 1\n"}).base()
        repository.write({"api/a.py": "x  = 1\n"})
        repository.git("add", "-A")
        repository.write({"api/b.py": "y  = 2\n"})
        assert repository.commit()[0] == 1
        assert repository.tree()["api/a.py"] == b"x = 1\n"
        assert repository.tree()["api/b.py"] == b"y  = 2\n"


GIT_TASK = """\
import os, subprocess, tempfile
def git(*words, cwd):
    return subprocess.run(["git", *words], cwd=cwd).returncode
open("stray.txt", "w").close()
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "a"), "w").close()
    assert git("init", "-q", ".", cwd=folder) == 0
    assert git("add", "-A", cwd=folder) == 0
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    assert git(*identity, "commit", "-q", "-m", "inner", cwd=folder) == 0
    listed = subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, text=True)
    assert listed.stdout == "a\\n", listed.stdout
assert git("add", "-A", cwd=".") != 0
"""


class TestIndex:
    """A task that runs git cannot touch what is being committed."""

    @pytest.mark.parametrize("words", [(), ("-a",), ("--", "api/a.py")])
    def test_the_users_index_is_out_of_reach(
        self, repository: Repository, words: tuple[str, ...]
    ) -> None:
        """Neither by git's variables nor by staging in its own folder, however one commits."""
        repository.write({"git_task.py": GIT_TASK, "api/a.py": "x = 1\n"})
        config = (repository.folder / "polylane.toml").read_text(encoding="utf-8")
        python = json.dumps([sys.executable, "../git_task.py"])
        repository.write({"polylane.toml": config.replace('["true"]', python, 2)})
        repository.hooks("check").write({"lib/l.py": "x = 1\n"}).base()
        repository.write({"api/a.py": "x = 2\n", "lib/l.py": "x = 2\n"})
        if not words:
            repository.git("add", "-A")
        changed = "M\tlib/l.py\n" if words != ("--", "api/a.py") else ""
        code, text = repository.commit(*words)
        assert code == 0, text
        shown = repository.git("show", "--name-status", "--format=", "HEAD")
        assert shown == "M\tapi/a.py\n" + changed
        assert repository.git("diff", "--cached", "--name-only") == ""
        assert not list((repository.folder / ".git").glob("*.lock"))


class TestPush:
    """The hook ``polylane-push``."""

    @pytest.fixture
    def pushed(self, repository: Repository, tmp_path: Path) -> Repository:
        """A repository with a remote that has its first commit."""
        repository.git("init", "-q", "--bare", str(tmp_path / "remote"))
        repository.git("remote", "add", "origin", str(tmp_path / "remote"))
        repository.hooks("push").write({"lib/a.py": "", "web/a.py": ""}).base()
        repository.git("push", "-q", "--no-verify", "origin", "main")
        return repository

    def test_dependents_are_tested(self, pushed: Repository) -> None:
        """A change in lib is tested in lib and in api, not in web."""
        pushed.write({"lib/a.py": "x = 1\n"}).base()
        pushed.git("push", "-q", "origin", "main")
        assert pushed.runs() == [["test-unit:lib:whole", "test-unit:api:whole"]]

    def test_a_deletion_is_tested(self, pushed: Repository) -> None:
        """Though no file is named that still exists."""
        pushed.git("rm", "-q", "web/a.py")
        pushed.base().git("push", "-q", "origin", "main")
        assert pushed.runs() == [["test-unit:web:whole"]]

    def test_a_first_push_tests_all(self, pushed: Repository) -> None:
        """There is nothing to compare with."""
        pushed.git("remote", "set-url", "origin", f"{pushed.folder}/../second")
        pushed.git("init", "-q", "--bare", str(pushed.folder.parent / "second"))
        pushed.git("update-ref", "-d", "refs/remotes/origin/main")
        pushed.git("push", "-q", "origin", "main")
        [ran] = pushed.runs()
        assert set(ran) == {f"test-unit:{name}:whole" for name in ("lib", "api", "web")}

    def test_a_failure_refuses_the_push(self, pushed: Repository) -> None:
        """And says which task failed."""
        config = (pushed.folder / "polylane.toml").read_text(encoding="utf-8")
        pushed.write({"polylane.toml": config.replace("true", "false"), "web/a.py": "x = 1\n"})
        done = pushed.base().start("git", "push", "-q", "origin", "main")
        assert (done.returncode, "test-unit:web:whole failed" in done.stdout) == (1, True)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_installed_from_a_clone(one: Repository, tmp_path: Path) -> None:
    """pre-commit builds the hook's environment from the project itself, and the hook works."""
    clone = tmp_path / "clone"
    one.run("git", "clone", "-q", "--no-hardlinks", str(SOURCE), str(clone))
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE", "src"):
        one.run("cp", "-a", str(SOURCE / name), str(clone))
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    one.run("git", "-C", str(clone), "add", "-A")
    one.run("git", "-C", str(clone), *identity, "commit", "-q", "--allow-empty", "-m", "now")
    revision = one.run("git", "-C", str(clone), "rev-parse", "HEAD").strip()
    hooks = [{"id": "polylane-check"}]
    text = json.dumps({"repos": [{"repo": str(clone), "rev": revision, "hooks": hooks}]})
    one.write({".pre-commit-config.yaml": text}).base()
    done = one.start(one.manager, "install", "--install-hooks")
    if done.returncode:
        pytest.skip(f"the hook cannot be installed here: {done.stdout[-300:]}")
    one.environ["PATH"] = os.defpath  # less our own environment, which has ruff
    one.write({".gitignore": ".venv\n", "api/a.py": UNUSED}).git("add", "-A")
    code, text = one.commit()
    assert (code, "inv setup" in text) == (1, True)
    one.write({"api/.venv/pyvenv.cfg": "", "api/.venv/bin/README": ""})
    (one.folder / "api/.venv/bin/ruff").symlink_to(BIN / "ruff")
    code, text = one.commit()
    assert (code, "F401" in text) == (1, True)
