"""The configuration: every key, every bad value, and the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polylane.describe import config
from polylane.describe.config import Config, ProjectConfig, TaskConfig
from polylane.errors import UserError


def _load(folder: Path, text: str, file: str = "polylane.toml", **environ: str) -> Config:
    (folder / file).write_text(text, encoding="utf-8")
    return config.load(folder, environ)


def _error(folder: Path, text: str, file: str = "polylane.toml", **environ: str) -> str:
    with pytest.raises(UserError) as caught:
        _load(folder, text, file, **environ)
    return str(caught.value)


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    """Nothing has to be configured."""
    found = config.load(tmp_path, {})
    assert found == Config(tmp_path)
    assert found.pipelines == {"qa": ("build", "lint", "test", "security")}


def test_every_key_is_read(tmp_path: Path) -> None:
    """As plain values, with paths normalised."""
    found = _load(
        tmp_path,
        """
jobs = 3
parallel = ["lint", "seed"]
timeout = 60
grace = 0
max_load = "50%"
memory = "6GB"
keep_runs = 5
audit = true
exclude = ["./examples/"]
[pipelines]
all = ["lint", "seed"]
[verbs.test]
needs = ["build", "^build"]
[projects."my api"]
path = "services//api/"
language = "python"
depends = ["core"]
[tasks."seed:my api:run/it"]
verb = "seed"
command = ["./run", ""]
shell = false
cwd = "services/../scripts"
needs = ["build"]
reads = ["./a", "!a/b/"]
writes = []
caches = [".cache"]
locks = ["postgres"]
env = { DATABASE_URL = "x=y" }
slots = 2
memory = "1.5 GiB"
timeout = 1.5
retries = 0
ok_codes = [0, 255]
leave = true
creates = [".venv"]
enabled = true
""",
    )
    assert found == Config(
        tmp_path,
        file="polylane.toml",
        text=(tmp_path / "polylane.toml").read_text(),
        jobs=3,
        parallel=("lint", "seed"),
        timeout=60.0,
        grace=0.0,
        max_load=0.5,
        memory=6_000_000_000,
        keep_runs=5,
        audit=True,
        exclude=("examples",),
        pipelines={"qa": ("build", "lint", "test", "security"), "all": ("lint", "seed")},
        verb_needs={"test": ("build", "^build")},
        projects={"my api": ProjectConfig("services/api", "python", ("core",))},
        tasks={
            "seed:my api:run/it": TaskConfig(
                verb="seed",
                command=("./run", ""),
                shell=False,
                cwd="scripts",
                needs=("build",),
                reads=("a", "!a/b"),
                writes=(),
                caches=(".cache",),
                locks=("postgres",),
                env={"DATABASE_URL": "x=y"},
                slots=2,
                memory=3 << 29,
                timeout=1.5,
                retries=0,
                ok_codes=(0, 255),
                leave=True,
                creates=(".venv",),
                enabled=True,
            )
        },
    )


def test_the_verbs_of_configured_tasks_come_behind_ours(tmp_path: Path) -> None:
    """Sorted, each once."""
    found = _load(tmp_path, '[tasks]\n"z:a:b" = {}\n"lint:a:b" = {}\n"a:a:b" = {}\n"a:a:c" = {}\n')
    assert found.verb_order()[-3:] == ("clean", "a", "z")


def test_our_table_in_pyproject_toml_is_read(tmp_path: Path) -> None:
    """However it is written; other tools' tables are not ours."""
    for text in (
        "[tool.polylane]\njobs = 7\n[tool.other]\nbad = 1",
        "[tool]\npolylane.jobs = 7",
        "[tool.'polylane']\njobs = 7",
        "tool = { polylane = { jobs = 7 } }",
        "\ufeff[tool . polylane]\njobs = 7",
    ):
        assert _load(tmp_path, text, "pyproject.toml").jobs == 7


@pytest.mark.parametrize(
    "text",
    ["[project]\nname = 'x'", "[project]\nname = 'polylane'", "not = toml = at all", "tool = 3"],
)
def test_a_pyproject_toml_without_our_table_says_nothing(tmp_path: Path, text: str) -> None:
    """It may even be broken, which is for its own tools to say."""
    assert _load(tmp_path, text, "pyproject.toml").jobs == "auto"


def test_polylane_toml_wins_over_pyproject_toml(tmp_path: Path) -> None:
    """Even where it is empty."""
    _load(tmp_path, "[tool.polylane]\njobs = 7", "pyproject.toml")
    assert _load(tmp_path, "jobs = 2").jobs == 2
    assert _load(tmp_path, "").jobs == "auto"


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("true", True),
        ("1", True),
        ("YES", True),
        (" true ", True),
        ("false", False),
        ("0", False),
        ("No", False),
        ("", None),
        ("  ", None),
    ],
)
def test_use_parallel_is_true_false_or_nothing(tmp_path: Path, said: str, value: object) -> None:
    """In any case, with spaces around."""
    assert _load(tmp_path, "", USE_PARALLEL=said).use_parallel is value


def test_another_use_parallel_is_refused(tmp_path: Path) -> None:
    """One line with what it takes."""
    assert _error(tmp_path, "", USE_PARALLEL="maybe") == (
        "USE_PARALLEL=maybe: must be true, 1, yes, false, 0 or no"
    )


def test_a_task_of_a_run_knows_that_run(tmp_path: Path) -> None:
    """By a variable that every task has."""
    assert _load(tmp_path, "", POLYLANE_RUN="/x/runs/1").parent_run == "/x/runs/1"


def test_runs_can_be_told_where_to_meet(tmp_path: Path) -> None:
    """By a variable that an administrator sets for all users."""
    assert _load(tmp_path, "", POLYLANE_SLOTS_DIR="/run/slots").slots_folder == "/run/slots"
    assert _load(tmp_path, "").slots_folder == ""


@pytest.mark.parametrize(
    ("said", "value"), [("6", 6), ('"auto"', "auto"), ('"off"', "off"), ('"50%"', "50%")]
)
def test_the_slots_of_the_machine(tmp_path: Path, said: str, value: object) -> None:
    """As for jobs, or none are counted."""
    assert _load(tmp_path, f"machine_jobs = {said}").machine_jobs == value


def test_other_slots_of_the_machine_are_refused(tmp_path: Path) -> None:
    """With what it may be."""
    assert _error(tmp_path, "machine_jobs = 0").endswith(
        'machine_jobs = 0: must be a number above 0, "auto", "off", or a percentage such as "50%"'
    )


def test_tasks_see_neither_gits_variables_nor_makes_job_server() -> None:
    """A hook's index and repository are not theirs; all else is."""
    environ = {"GIT_DIR": "x", "GIT_INDEX_FILE": "x", "MAKEFLAGS": "x", "PATH": "p", "GIT_SSH": "s"}
    assert config.task_environment(environ) == {"PATH": "p", "GIT_SSH": "s"}


@pytest.mark.parametrize(
    ("environ", "terminal", "wanted"),
    [
        ({}, True, False),
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": ""}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colour_is_wanted_on_a_terminal_and_where_it_is_forced(
    environ: dict[str, Any], terminal: object, wanted: object
) -> None:
    """NO_COLOR is the strongest."""
    assert config.wants_colour(environ, terminal=bool(terminal)) is wanted


@pytest.mark.parametrize(
    ("environ", "can"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
        ({"TERM": "xterm", "CI": "true"}, False),
        ({"TERM": "xterm", "CI": "false"}, True),
    ],
)
def test_a_board_is_for_terminals_that_people_look_at(environ: dict[str, str], can: bool) -> None:  # noqa: FBT001
    """Neither dumb ones nor those of CI."""
    assert config.can_be_painted(environ) is can


@pytest.mark.parametrize(
    ("environ", "has"),
    [
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C.utf8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "en_GB.utf8"}, True),
    ],
)
def test_unicode_is_for_locales_that_have_it(environ: dict[str, str], has: bool) -> None:  # noqa: FBT001
    """LC_ALL is stronger than LC_CTYPE, and that than LANG."""
    assert config.has_unicode(environ) is has
