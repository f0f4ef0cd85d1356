"""The configuration changes tasks, adds some, and is refused where it cannot be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.model import Claim, Project, Task
from tests.plan.examples import task
from tests.plan.workspaces import LINT, error_of, recipe, tasks_of


def test_the_configuration_overrides_a_found_task_where_it_stands(tmp_path: Path) -> None:
    """Everything that it says, and nothing else; its place in the language's order remains."""
    (tmp_path / "sub").mkdir()
    found = tasks_of(
        tmp_path,
        {
            ("api", "python"): [
                recipe(
                    "lint",
                    "ruff",
                    reads=("src",),
                    writes=(),
                    env=(("A", "1"),),
                    file_endings=(".py",),
                    fix_argv=("fix",),
                    takes_arguments=False,
                    skip_codes=((5, "x"),),
                ),
                recipe("lint", "flake8"),
            ]
        },
        """
[tasks."lint:api:ruff"]
cwd = "sub"
reads = ["a"]
writes = ["b"]
caches = ["c"]
locks = ["d"]
env = { B = "2" }
slots = 3
memory = "2GB"
timeout = 4.5
retries = 2
ok_codes = [0, 1]
leave = true
""",
    )
    assert list(found) == ["lint:api:ruff", "lint:api:flake8"]
    ruff = found["lint:api:ruff"]
    assert ruff.claim == Claim(("a",), ("b",), ("c",), ("d",))
    assert (ruff.cwd, ruff.argv, ruff.env) == ("sub", ("ruff",), (("A", "1"), ("B", "2")))
    assert (ruff.slots, ruff.timeout, ruff.retries, ruff.memory) == (3, 4.5, 2, 2_000_000_000)
    assert (ruff.ok_codes, ruff.leave) == ((0, 1), True)
    assert (ruff.file_endings, ruff.fix_argv, ruff.takes_arguments) == ((".py",), ("fix",), False)


def test_another_command_is_another_tool_altogether(tmp_path: Path) -> None:
    """What the found command could do beyond checking is not said of the new one."""
    each = recipe("lint", "x", file_endings=(".py",), fix_argv=("fix",), takes_arguments=False)
    text = '[tasks."lint:api:x"]\ncommand = "ruff check \'a b\'"'
    found = tasks_of(tmp_path, {("api", "python"): [each]}, text)["lint:api:x"]
    assert found.argv == ("ruff", "check", "a b")
    assert (found.file_endings, found.fix_argv, found.takes_arguments) == ((), (), True)


@pytest.mark.parametrize(
    ("said", "argv", "shell"),
    [
        ('command = ["a", "b c"]', ("a", "b c"), False),
        ("command = \"a 'b c' $D\"", ("a", "b c", "$D"), False),
        ('command = "a | b > $D"\nshell = true', ("a | b > $D",), True),
        ('command = ["a", "b c"]\nshell = true', ("a 'b c'",), True),
    ],
)
def test_a_command_is_words_or_what_a_shell_is_given(
    tmp_path: Path, said: str, argv: tuple[str, ...], shell: object
) -> None:
    """Only ``shell = true`` asks for a shell."""
    found = tasks_of(tmp_path, LINT, f'[tasks."docs:api:x"]\n{said}')["docs:api:x"]
    assert (found.argv, found.shell) == (argv, shell)


def test_the_configuration_adds_a_task(tmp_path: Path) -> None:
    """Of any verb, in its project's folder and language, with the safe default claim."""
    text = '[tasks."seed:api:run:it"]\nverb = "seed"\ncommand = ["./run"]\n'
    found = tasks_of(tmp_path, LINT, f"timeout = 5\n{text}")["seed:api:run:it"]
    tree = "packages/api/**"
    assert found == Task(
        id="seed:api:run:it",
        verb="seed",
        project="api",
        language="python",
        tool="run:it",
        argv=("./run",),
        cwd="packages/api",
        claim=Claim(reads=(tree,), writes=(tree,), known=False),
        timeout=5.0,
        source="polylane.toml",
    )


def test_a_task_of_a_project_of_several_languages_is_of_none(tmp_path: Path) -> None:
    """Nobody said which."""
    project = Project("api", "api", ("python", "node"))
    text = '[tasks."seed:api:x"]\ncommand = ["x"]\n'
    assert tasks_of(tmp_path, {}, text, (project,))["seed:api:x"].language == ""


def test_a_task_may_belong_to_the_workspace_itself(tmp_path: Path) -> None:
    """``root`` needs no manifest; with one it is that project."""
    text = '[tasks."seed:root:x"]\ncommand = ["x"]\nneeds = ["^build"]\n'
    found = tasks_of(tmp_path, {}, text)["seed:root:x"]
    assert (found.cwd, found.claim.writes, found.language) == (".", ("**",), "")
    root = (Project("root", ".", ("python",)),)
    assert tasks_of(tmp_path, {}, text, root)["seed:root:x"].language == "python"


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("reads = []\nwrites = []", True),
        ("reads = []", False),
        ("writes = []", False),
    ],
)
def test_a_claim_is_known_once_reads_and_writes_are_said(
    tmp_path: Path, said: str, known: object
) -> None:
    """Half a claim leaves the rest at its default."""
    text = f'[tasks."seed:api:x"]\ncommand = ["x"]\n{said}\n'
    claim = tasks_of(tmp_path, LINT, text)["seed:api:x"].claim
    assert claim.known is known
    assert claim.reads == (() if "reads" in said else ("packages/api/**",))
    assert claim.writes == (() if "writes" in said else ("packages/api/**",))


def test_a_task_can_be_switched_off(tmp_path: Path) -> None:
    """It is gone, and no verb means it any more."""
    found = {("api", "python"): [recipe("lint", "x"), recipe("test", "y", needs=("lint",))]}
    text = '[tasks."lint:api:x"]\nenabled = false'
    tasks = tasks_of(tmp_path, found, text)
    assert list(tasks) == ["test:api:y"]
    assert tasks["test:api:y"].needs == ()


def test_stated_needs_replace_all_that_was_found(tmp_path: Path) -> None:
    """Ids, verbs of any language, verbs of projects below; what the verb needs is not added."""
    projects = (
        Project("app", "app", ("python",), ("lib",)),
        Project("lib", "lib", ("node",)),
    )
    found = {
        ("app", "python"): [
            recipe("build", "wheel"),
            recipe("lint", "ruff"),
            recipe("test", "pytest", needs=("build",), after=("lint",)),
        ],
        ("app", "node"): [recipe("docs", "typedoc")],
        ("lib", "node"): [recipe("build", "tsc")],
    }
    text = '[tasks."test:app:pytest"]\nneeds = ["docs", "^build", "lint:app:ruff"]\n'
    text += '[verbs.test]\nneeds = ["build"]\n'
    told = tasks_of(tmp_path, found, text, projects)["test:app:pytest"]
    assert (told.needs, told.after) == (("docs:app:typedoc", "build:lib:tsc", "lint:app:ruff"), ())


def test_what_a_verb_needs_is_added_to_what_its_tasks_need(tmp_path: Path) -> None:
    """For every language, each once."""
    found = {
        ("api", "python"): [recipe("build", "wheel"), recipe("test", "t", needs=("build",))],
        ("api", "node"): [recipe("build", "tsc"), recipe("test", "u")],
    }
    tasks = tasks_of(tmp_path, found, '[verbs.test]\nneeds = ["build"]\n')
    assert tasks["test:api:t"].needs == ("build:api:wheel", "build:api:tsc")
    assert tasks["test:api:u"].needs == ("build:api:wheel", "build:api:tsc")


def test_a_task_that_needs_itself_is_left_for_the_graph_to_refuse(tmp_path: Path) -> None:
    """By its id; a verb never means the task that names it."""
    text = '[tasks."lint:api:ruff"]\nneeds = ["lint:api:ruff"]'
    assert tasks_of(tmp_path, LINT, text)["lint:api:ruff"].needs == ("lint:api:ruff",)
    text = '[tasks."lint:api:ruff"]\nneeds = ["lint"]'
    assert tasks_of(tmp_path, LINT, text)["lint:api:ruff"].needs == ()


def test_a_language_may_name_verbs_that_nobody_has(tmp_path: Path) -> None:
    """What a plug-in needs where it is there is no fault of the user's."""
    found = {("api", "x"): [recipe("lint", "a", needs=("codegen", "no:such:id"))]}
    assert tasks_of(tmp_path, found)["lint:api:a"].needs == ()


VERBS = (
    "build, clean, docs, format, lint, security, setup, test, test-integration, test-unit,"
    " type-check"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[tasks."lint:api:rufff"]\ntimeout = 3',
            (
                'polylane.toml:1: tasks."lint:api:rufff": no such task was found; did you mean'
                " 'lint:api:ruff'?; to add a task, give its command"
            ),
        ),
        (
            '[tasks."lint:api:rufff"]\nenabled = false',
            (
                'polylane.toml:2: tasks."lint:api:rufff".enabled: no such task was found; did you'
                " mean 'lint:api:ruff'?; to add a task, give its command"
            ),
        ),
        (
            '[tasks."lint:apy:x"]\ncommand = ["x"]',
            "polylane.toml:1: tasks.\"lint:apy:x\": there is no project 'apy'; did you mean 'api'?",
        ),
        (
            '[tasks."lint:api:ruff"]\nverb = "test"',
            (
                "polylane.toml:2: tasks.\"lint:api:ruff\".verb = 'test': the id's first part is"
                " 'lint'; make the two alike"
            ),
        ),
        (
            '[tasks."lint:api:x"]\ncommand = ["x"]\nverb = "test"',
            (
                "polylane.toml:3: tasks.\"lint:api:x\".verb = 'test': the id's first part is"
                " 'lint'; make the two alike"
            ),
        ),
        (
            '[tasks."lint:api:ruff"]\ncwd = "nowhere"',
            (
                "polylane.toml:2: tasks.\"lint:api:ruff\".cwd = 'nowhere': is no folder of the"
                " workspace; paths are relative to the workspace"
            ),
        ),
        (
            '[tasks."lint:api:ruff"]\nneeds = ["lint:api:rff"]',
            (
                "polylane.toml:2: tasks.\"lint:api:ruff\".needs: there is no task 'lint:api:rff';"
                " did you mean 'lint:api:ruff'?"
            ),
        ),
        (
            '[tasks."lint:api:ruff"]\nneeds = ["q:q:q"]',
            (
                "polylane.toml:2: tasks.\"lint:api:ruff\".needs: there is no task 'q:q:q';"
                " inv lanes.plan shows the ids"
            ),
        ),
        (
            '[tasks."lint:api:ruff"]\nneeds = ["^biuld"]',
            (
                "polylane.toml:2: tasks.\"lint:api:ruff\".needs: there is no verb 'biuld';"
                " did you mean 'build'?"
            ),
        ),
        (
            '[verbs.tset]\nneeds = ["build"]',
            "polylane.toml:1: verbs.tset: there is no verb 'tset'; did you mean 'test'?",
        ),
        (
            '[verbs.test]\nneeds = ["qqq"]',
            f"polylane.toml:2: verbs.test.needs: there is no verb 'qqq'; verbs: {VERBS}",
        ),
    ],
)
def test_what_the_configuration_says_wrongly_is_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    """It names the place, the value, and what would be right."""
    assert error_of(tmp_path, LINT, text) == message


def test_a_body_that_needs_what_is_not_there_is_named_by_its_place(tmp_path: Path) -> None:
    """Its file and line."""
    body = task("docs:api:own", project="api", needs=("lnit",), source="tasks.py:3")
    assert error_of(tmp_path, LINT, bodies=(body,)) == (
        "tasks.py:3: needs: there is no verb 'lnit'; did you mean 'lint'?"
    )


def test_a_folder_outside_the_workspace_is_refused(tmp_path: Path) -> None:
    """A link does not make it one of ours."""
    (tmp_path / "out").symlink_to(tmp_path.parent)
    message = error_of(tmp_path, LINT, '[tasks."lint:api:ruff"]\ncwd = "out"')
    assert message.endswith(
        f"leads out of the workspace, to {tmp_path.parent}; name a folder inside"
    )
