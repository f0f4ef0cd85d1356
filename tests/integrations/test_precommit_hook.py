"""What `polylane-hook` does with the words that pre-commit gives it, in real repositories."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from polylane.errors import UserError
from polylane.integrations.hook_words import parse, workspace_folder
from polylane.integrations.precommit_hook import find_change
from tests.integrations.repository import Done, Repository
from tests.support import LIMIT_S, wait_for

HOOK = str(Path(sys.executable).with_name("polylane-hook"))
PROJECT = '[project]\nname = "{}"\nversion = "1"\n[tool.ruff.format]\n'
UNUSED = "import os\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo").write({"api/pyproject.toml": PROJECT.format("api")})


def hook(repository: Repository, *words: str, **environ: str) -> Done:
    return repository.run(HOOK, *words, **environ)


def ran(repository: Repository) -> dict[str, list[str]]:
    """The commands of the newest run by task id."""
    return {task["id"]: task["argv"] for task in repository.result()["tasks"]}


class TestWords:
    """The command line."""

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["chek"], "did you mean 'check'?"),
            (["check", "--job", "2"], "did you mean '--jobs'?"),
            (["check", "--jobs"], "--jobs: needs a value"),
            (["check", "--jobs", "0", "--", "api/a.py"], "--jobs = "),
            (["check", "--timeout=-1", "--", "api/a.py"], "--timeout = "),
            (["check", "--project", "apo", "--", "api/a.py"], "did you mean 'api'?"),
            (["check", "--workspace", "nowhere"], "nowhere: is no folder"),
        ],
    )
    def test_bad_usage_is_one_line(
        self, repository: Repository, words: list[str], message: str
    ) -> None:
        """Exit code 2, what is wrong, and nothing was run."""
        repository.write({"api/a.py": ""})
        done = hook(repository, *words)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
        assert done.err.count("\n") == 1
        assert not (repository.folder / ".polylane" / "runs").exists()

    def test_help_says_the_flags(self, repository: Repository) -> None:
        """And no words at all are bad usage."""
        assert "--jobs" in hook(repository, "--help").out
        assert hook(repository, "--help").code == 0
        assert hook(repository).code == 2

    def test_files_follow_the_dashes(self) -> None:
        """Even those that look like flags."""
        words = parse(["check", "--jobs", "2", "--sequential", "--", "--jobs", "a"])
        assert words.flags == {"--jobs": ["2"], "--sequential": []}
        assert words.files == ["--jobs", "a"]

    def test_a_file_with_a_dash_needs_no_dashes_before(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """People replace a hook's args, and its ``--`` with them."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "-x.py").touch()
        assert parse(["check", "-x.py"]).files == ["-x.py"]
        with pytest.raises(UserError, match="no such flag"):
            parse(["check", "-y.py"])

    def test_the_workspace_is_the_nearest_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By git, by our configuration, or by name."""
        inner = tmp_path / "repo" / "inner"
        (inner / "below").mkdir(parents=True)
        (tmp_path / "repo" / ".git").mkdir()
        monkeypatch.chdir(inner / "below")
        assert workspace_folder(parse(["check"])) == tmp_path / "repo"
        assert workspace_folder(parse(["check", "--workspace", ".."])) == inner
        (inner / "pyproject.toml").write_text("[tool.polylane]\n", encoding="utf-8")
        assert workspace_folder(parse(["check"])) == inner

    def test_files_are_relative_to_the_current_folder(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A hook may be called below the repository; what lies outside it is no concern."""
        repository.write({"api/a.py": "", "b.py": ""})
        monkeypatch.chdir(repository.folder / "api")
        words = parse(["check", "--", "a.py", "../b.py", "gone.py", "/etc/hosts", "../../x"])
        change = find_change(words, repository.folder)
        assert change.files == ("api/a.py", "b.py")
        assert change.gone == ("api/gone.py",)


class TestCheck:
    """Lint and format checks."""

    def test_only_the_changed_files_are_checked(self, repository: Repository) -> None:
        """A problem in another file of the same project is not found."""
        repository.write({"api/a.py": UNUSED, "api/b.py": ""})
        assert hook(repository, "check", "--", "api/b.py").code == 0
        done = hook(repository, "check", "--", "api/a.py")
        assert done.code == 1
        assert "F401" in done.out

    def test_a_failure_is_printed_once_and_shortly(self, repository: Repository) -> None:
        """pre-commit shows what we print: the tool's words, the log, and no table."""
        repository.write({"api/a.py": UNUSED})
        done = hook(repository, "check", "--", "api/a.py")
        assert done.out.count("F401") == 1
        assert "CPU" not in done.out
        assert "lint:api:ruff-format" not in done.out
        assert "log: .polylane/runs/" in done.out
        assert done.out.endswith("parallel: 1 passed, 1 failed\n")

    def test_a_file_that_the_tool_ignores_is_not_checked(self, repository: Repository) -> None:
        """Though it is named."""
        exclude = PROJECT.format("api").replace("[tool", '[tool.ruff]\nexclude = ["old"]\n[tool')
        repository.write({"api/pyproject.toml": exclude, "api/old/a.py": UNUSED})
        assert hook(repository, "check", "--", "api/old/a.py").code == 0

    def test_a_node_tool_gets_its_files(self, repository: Repository) -> None:
        """It is called with the changed files that it takes."""
        manifest = {"scripts": {"lint": "eslint ."}, "devDependencies": {"eslint": "^9.0.0"}}
        repository.write(
            {
                "web/package.json": json.dumps({"name": "web", **manifest}),
                "web/package-lock.json": "{}",
                "web/eslint.config.js": "",
                "web/src/[id].js": "",
                "web/README.md": "",
                ".gitignore": "node_modules\n",
                "web/node_modules/.bin/eslint": '#!/bin/sh\necho "GOT $*"\nexit 1\n',
            }
        )
        (repository.folder / "web/node_modules/.bin/eslint").chmod(0o755)
        done = hook(repository, "check", "--", "web/src/[id].js", "web/README.md")
        assert "src/[id].js\n" in done.out
        assert "README" not in done.out

    def test_nothing_to_do_is_no_run(self, repository: Repository) -> None:
        """No files, or files that nobody checks, pass at once and leave no logs."""
        repository.write({"README.md": ""})
        assert hook(repository, "check") == Done(0, "", "")
        assert hook(repository, "check", "--", "README.md") == Done(0, "", "")
        assert not (repository.folder / ".polylane" / "runs").exists()

    def test_a_missing_program_says_how_to_get_it(self, repository: Repository) -> None:
        """The task fails, and a line names the command that sets a project up."""
        repository.tasks(x="no-such-program").write({"a.txt": ""})
        text = (repository.folder / "pyproject.toml").read_text(encoding="utf-8")
        repository.write({"pyproject.toml": text.replace("all", "lint")})
        done = hook(repository, "check", "--", "a.txt")
        assert done.code == 1
        assert "no such program" in done.out
        assert "inv setup" in done.out

    def test_only_verbs_of_the_flags_projects_and_languages(self, repository: Repository) -> None:
        """Filters narrow the hook further."""
        repository.write({"web/pyproject.toml": PROJECT.format("web"), "web/a.py": UNUSED})
        repository.write({"api/a.py": ""})
        files = ("--", "api/a.py", "web/a.py")
        assert hook(repository, "check", "--project", "api", *files).code == 0
        assert hook(repository, "check", "--language", "python", *files).code == 1

    @pytest.mark.parametrize("name", [b"caf\xc3\xa9.py", b"caf\xe9.py", b"a b.py", b"-a.py"])
    def test_any_name_will_do(self, repository: Repository, name: bytes) -> None:
        """Spaces, other alphabets, even bytes that are no text."""
        path = bytes(repository.folder) + b"/api/" + name
        with open(path, "wb") as file:
            file.write(b"import os\n")
        done = subprocess.run(
            [HOOK.encode(), b"check", b"--", b"api/" + name],
            cwd=repository.folder,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (1, b"")
        assert b"lint:api:ruff failed" in done.stdout
        assert ran(repository)["lint:api:ruff"][-1].encode(errors="surrogateescape").endswith(name)


class TestFix:
    """Formatters and what mends."""

    def test_files_are_mended_then_formatted(self, repository: Repository) -> None:
        """One call leaves nothing for a second one, and no other file changes."""
        repository.write({"api/a.py": "import os\nx  = [1,\n2]\n", "api/b.py": "y  = 1\n"})
        assert hook(repository, "fix", "--", "api/a.py").code == 0
        assert (repository.folder / "api/a.py").read_text(encoding="utf-8") == "x = [1, 2]\n"
        assert (repository.folder / "api/b.py").read_text(encoding="utf-8") == "y  = 1\n"
        assert list(ran(repository)) == ["lint:api:ruff", "format:api:ruff"]

    def test_what_cannot_be_mended_fails(self, repository: Repository) -> None:
        """The rest was mended all the same."""
        repository.write({"api/a.py": "import os\n\nprint(undefined)\n"})
        done = hook(repository, "fix", "--", "api/a.py")
        assert (done.code, "F821" in done.out) == (1, True)
        assert (repository.folder / "api/a.py").read_text(encoding="utf-8") == "print(undefined)\n"


class TestRange:
    """Revisions that pre-commit compares, at a push and for --from-ref."""

    @pytest.fixture
    def between(self, repository: Repository) -> dict[str, str]:
        """The variables for a commit that changes api and deletes from web."""
        tables = (f'[tasks."{verb}:{{0}}:x"]\ncommand = ["true"]' for verb in ("test-unit", "lint"))
        task = "\n".join(tables) + "\n"
        repository.write(
            {
                "polylane.toml": task.format("api") + task.format("web"),
                "web/pyproject.toml": PROJECT.format("web"),
                "web/a.py": "",
                ".gitignore": ".polylane\n",
            }
        )
        revisions = []
        for number in range(2):
            repository.write({"api/b.py": f"x = {number}\n"})
            if number:
                (repository.folder / "web/a.py").unlink()
            repository.run("git", "add", "-A")
            identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
            repository.run("git", *identity, "commit", "-q", "-m", "x")
            revisions.append(repository.run("git", "rev-parse", "HEAD").out.strip())
        return {"PRE_COMMIT_FROM_REF": revisions[0], "PRE_COMMIT_TO_REF": revisions[1]}

    def test_a_push_without_names_is_all_that_changed(
        self, repository: Repository, between: dict[str, str]
    ) -> None:
        """With ``pass_filenames: false``."""
        assert hook(repository, "push", **between).code == 0
        assert set(ran(repository)) == {"test-unit:api:x", "test-unit:web:x"}

    def test_names_and_what_is_gone(self, repository: Repository, between: dict[str, str]) -> None:
        """Names are not added to, but for those that no longer exist."""
        assert hook(repository, "push", "--", "web/pyproject.toml", **between).code == 0
        assert set(ran(repository)) == {"test-unit:web:x"}
        assert hook(repository, "check", **between).code == 0
        assert set(ran(repository)) == {"lint:web:x"}

    def test_an_unknown_revision_is_bad_usage(self, repository: Repository) -> None:
        """In one line, with what git says."""
        done = hook(repository, "push", PRE_COMMIT_FROM_REF="no", PRE_COMMIT_TO_REF="HEAD")
        assert (done.code, done.err.count("\n")) == (2, 1)


class TestSignals:
    """A hook that is ended from outside."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_nothing_is_left_behind(self, repository: Repository, number: signal.Signals) -> None:
        """Neither git's lock on the index nor the task's process."""
        command = 'command = "echo $$ > pid.new; mv pid.new pid; exec sleep 300"\nshell = true\n'
        repository.write({"polylane.toml": f'[tasks."lint:api:x"]\n{command}', "api/a.py": ""})
        lock = repository.folder / ".git" / "index.lock"
        pid = repository.folder / "api" / "pid"
        process = subprocess.Popen(
            [HOOK, "check", "--", "api/a.py"],
            cwd=repository.folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_for(pid.exists, "task")
            assert lock.exists()
            process.send_signal(number)
            code = process.wait(LIMIT_S)
        finally:
            process.kill()
        assert code == (-number if number == signal.SIGKILL else 128 + number)
        wait_for(lambda: not lock.exists(), "removal of the lock")
        task = Path("/proc") / pid.read_text(encoding="ascii").strip()
        wait_for(lambda: not task.exists(), "end of the task")


class TestBodies:
    """People's own Python bodies."""

    BODY = (
        "import polylane\nns = polylane.namespace()\n"
        '@polylane.task(verb="lint", reads=["sql/**"], writes=[])\n'
        "def sql(c):\n    import beside_it\n    c.run('echo body ran; exit 4')\n"
    )

    def test_a_body_runs_in_the_hook(self, repository: Repository) -> None:
        """For the files that it reads; it imports what lies beside tasks.py, as in `inv`."""
        repository.write({"tasks.py": self.BODY, "beside_it.py": "", "sql/a.sql": ""})
        done = hook(repository, "check", "--", "sql/a.sql")
        assert done.code == 1
        assert "lint:root:sql failed with exit code 4" in done.out
        assert "body ran" in done.out

    def test_why_it_cannot_run_is_said(self, repository: Repository) -> None:
        """In one line with the remedies, and a flag leaves the bodies out."""
        repository.write({"tasks.py": f"import no_such_thing\n{self.BODY}", "sql/a.sql": ""})
        done = hook(repository, "check", "--", "sql/a.sql")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "no_such_thing" in done.err
        assert "additional_dependencies" in done.err
        assert hook(repository, "check", "--no-own-tasks", "--", "sql/a.sql").code == 0


class TestImports:
    """A hook runs at every commit: it loads what it needs."""

    @pytest.mark.parametrize("words", [["check"], ["check", "--", "api/a.py"]])
    def test_hosts_are_not_imported(self, repository: Repository, words: list[str]) -> None:
        """Neither Invoke nor nox nor what only tables and measurements need."""
        repository.write({"api/a.py": ""})
        script = (
            "import sys\nfrom polylane.integrations import precommit_hook\n"
            f"precommit_hook.run({words!r})\n"
            "heavy = {'invoke', 'nox', 'psutil', 'tabulate', 'argparse', 'difflib'}\n"
            "sys.exit(' '.join(heavy & set(sys.modules)))\n"
        )
        assert repository.run(sys.executable, "-c", script).err.strip() == ""
