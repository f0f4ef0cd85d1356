"""What may stand next on a command line, as our scripts ask for it and as Invoke's do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.program import Program
from invoke.tasks import Task

from polylane.integrations.completion_values import LISTS, VALUES
from polylane.integrations.invoke_flags import _HELP
from polylane.integrations.invoke_program import attach
from polylane.integrations.invoke_tasks import WorkspaceCollection
from polylane.model import SANDBOXES
from polylane.report.observers import OUTPUTS
from tests.integrations.repository import Repository

Ask = Callable[..., dict[str, str]]


def deploy(c: object, where: str, output: str = "", dry_up: bool = True) -> None:  # noqa: FBT001, FBT002
    """Somebody's own.

    It has more to say.
    """


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A workspace with two projects in two languages, one of which has a space in its name."""
    return Repository(tmp_path / "repo").write(
        {
            "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n[tool.ruff]\n',
            "my web/package.json": '{"name": "web", "scripts": {"test": "node --test"}}',
            ".polylane/runs/2/result.json": "{}",
            ".polylane/runs/3/result.json": "{}",
            ".polylane/runs/4/other": "",
        }
    )


@pytest.fixture
def ask(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ask:
    """What stands in the answer to a command line, and its help; the last word is completed."""
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)  # Invoke sets it
    monkeypatch.setenv("POLYLANE_COMPLETE", "1")

    def answer(*words: str) -> dict[str, str]:
        own = Collection(Task(deploy, positional=["where"]))
        program = Program(namespace=WorkspaceCollection(repository.folder, {}, own))
        attach(program, repository.folder)
        with pytest.raises(SystemExit) as ended:
            program.run(["inv", "--complete", "--", "inv", *words])
        seen = capsys.readouterr()
        assert (ended.value.code, seen.err) == (0, "")
        return dict(line.split("\t") for line in seen.out.splitlines())

    return answer


class TestNames:
    """Invoke tasks."""

    def test_every_task_is_offered_with_its_help(self, ask: Ask) -> None:
        """Ours, and people's own; of several lines of help the first."""
        found = ask("")
        assert found["lint-parallel"].startswith("Lint, and check the format")
        assert found["deploy"] == "Somebody's own."
        assert "lanes.plan" in found

    def test_other_names_are_offered_once_they_are_begun(self, ask: Ask) -> None:
        """They would double the list."""
        assert "python.lint" not in ask("")
        assert "python.lint" not in ask("l")
        assert "python.lint" in ask("py")

    @pytest.mark.parametrize(
        "before",
        [
            ["lint"],
            ["lint", "--jobs", "2"],
            ["lint", "--jobs=2"],
            ["lint", "--sequential"],
            ["--help"],
        ],
    )
    def test_another_task_may_follow(self, ask: Ask, before: list[str]) -> None:
        """Behind a task and the values of its flags; and --help wants one."""
        assert "test-parallel" in ask(*before, "")

    def test_collections_are_what_list_takes(self, ask: Ask) -> None:
        """Not their tasks."""
        assert {*ask("--list", "")} == {"lanes"}


class TestFlags:
    """Of the Invoke task, or of Invoke."""

    def test_those_of_the_task_before_the_word(self, ask: Ask) -> None:
        """With their help; a language's names lack --language."""
        found = ask("lint", "--")
        assert {*found} == {*ask("lint", "-")} >= {"--jobs", "--language", "--report"}
        assert found["--project"] == "only this project (repeatable)"
        assert "--language" not in ask("lint", "lint-python", "--")
        assert {*ask("deploy", "there", "--")} == {
            "--where", "--output", "--dry-up", "--no-dry-up"
        }  # fmt: skip

    def test_without_a_task_those_of_invoke(self, ask: Ask) -> None:
        """Which other programs' scripts offer too."""
        assert {"--list", "--help", "--dry"} <= {*ask("--l")}

    def test_what_is_given_is_not_offered_again(self, ask: Ask) -> None:
        """But what may be repeated; and another task starts anew."""
        given = ["lint", "--sequential", "--jobs=2", "--project", "api", "--output", "live"]
        found = {*ask(*given, "--")}
        assert found.isdisjoint({"--sequential", "--jobs", "--output"})
        assert {"--project", "--timeout"} <= found
        assert "--jobs" in ask(*given, "test", "--")


class TestValues:
    """Of the flags of ours."""

    @pytest.mark.parametrize(
        ("flag", "task", "values"),
        [
            ("--output", "lint", {*OUTPUTS}),
            ("--sandbox", "lint", {*SANDBOXES}),
            ("--project", "lint", {"api", "my web"}),
            ("--language", "lint", {"python", "node"}),
            ("--run", "lanes.report", {"2", "3"}),
        ],
    )
    def test_what_there_is(self, ask: Ask, flag: str, task: str, values: set[str]) -> None:
        """Behind the flag, and behind its "="."""
        assert {*ask(task, flag, "")} == values
        assert {*ask(task, f"{flag}=")} == {f"{flag}={value}" for value in values}

    def test_verbs_and_pipelines_are_what_select_takes(self, ask: Ask) -> None:
        """Those that some project has, with their help."""
        found = ask("lanes.plan", "--select", "")
        assert {"lint", "test", "qa"} <= {*found}
        assert found.keys().isdisjoint({"lint-parallel", "lint-python", "docs", "deploy"})
        assert found["test"] == "Run the tests"

    def test_of_several_with_commas_the_last_is_completed(self, ask: Ask) -> None:
        """And none is offered twice."""
        assert {*ask("lint", "--language", "python,n")} == {"python,node"}
        assert {*ask("lint", "--language=python,")} == {"--language=python,node"}
        assert {*ask("lint", "--project", "api,")} == {"api", "my web"}

    def test_usual_numbers_are_offered(self, ask: Ask) -> None:
        """For flags that take any."""
        assert {"auto", "1", "50%"} <= {*ask("lint", "--jobs", "")}
        assert "1800" in ask("lint", "--timeout", "")

    @pytest.mark.parametrize(
        "words",
        [
            ["lint", "--report", ""],
            ["lint", "--report="],
            ["lint", "--jobs", "2", "--", ""],
            ["deploy", ""],
            ["deploy", "there", "--output", ""],
            ["lint", "--nonsense=a"],
            ["--config", ""],
        ],
    )
    def test_nothing_is_known_of_the_rest(self, ask: Ask, words: list[str]) -> None:
        """Then the shell offers paths: for files, for words of the tools, for others' flags."""
        assert ask(*words) == {}

    def test_every_flag_of_ours_has_values_or_takes_a_path(self) -> None:
        """Or takes none; one that is added has to be thought of."""
        without = {"sequential", "fail-fast", "write", "merge", "watch", "shuffle"}
        paths = {"report", "html"}
        assert VALUES.keys() - {"ci", "shell"} == _HELP.keys() - without - paths
        assert VALUES.keys() >= LISTS

    def test_a_workspace_that_cannot_be_read_has_none(
        self, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is said in the middle of somebody's line."""
        from polylane.errors import UserError
        from polylane.integrations import completion

        def refuse(_: Path) -> None:
            raise UserError("no")

        monkeypatch.setattr(completion, "VALUES", {**VALUES, "project": refuse})
        assert ask("lint", "--project", "") == {}


class TestWhoAnswers:
    """Invoke, where it is not our script that asks or not our ``tasks.py`` that is asked."""

    OWN = "from invoke import task\n@task\ndef deploy(c, where='x'):\n    '''Deploy.'''\n"

    def test_scripts_of_invoke_get_what_they_know(self, repository: Repository) -> None:
        """Names only, which they would take apart otherwise."""
        repository.tasks(one="true")
        done = repository.inv("--complete", "--", "inv", "lint")
        assert "all-parallel\n" in done.out
        assert "\t" not in done.out

    def test_a_tasks_file_without_our_lines_is_answered_by_invoke(
        self, repository: Repository
    ) -> None:
        """Our scripts get its answer; the program polylane knows more."""
        repository.write({"tasks.py": self.OWN})
        words = ("--complete", "--", "inv", "deploy", "--w")
        assert repository.inv(*words, POLYLANE_COMPLETE="1").out == "--where\n"
        program = "from polylane.cli import main; main()"
        asked = (sys.executable, "-c", program, "--complete", "--", "polylane", "")
        found = repository.run(*asked, POLYLANE_COMPLETE="1").out
        assert found.startswith("deploy\tDeploy.\n")
        assert "\ninit\tWrite tasks.py" in found

    def test_polylane_completes_its_own_commands_anywhere(self, tmp_path: Path) -> None:
        """Where there is no workspace yet, too."""
        program = "from polylane.cli import main; main()"
        repository = Repository(tmp_path / "repo").write({"polylane.toml": "jbos = 1"})

        def ask(*words: str) -> list[str]:
            asked = ("-c", program, "--complete", "--", "polylane", *words)
            done = repository.run(sys.executable, *asked, POLYLANE_COMPLETE="1")
            assert (done.code, done.err) == (0, "")
            return [line.partition("\t")[0] for line in done.out.splitlines()]

        assert ask("") == ["init", "completion"]
        assert {*ask("init", "--")} == {"--ci", "--yes"}
        assert ask("init", "--ci", "") == ["github", "gitlab", "none"]
        assert ask("completion", "") == ["bash", "zsh", "fish"]
