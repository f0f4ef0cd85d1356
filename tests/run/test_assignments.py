"""What a task's order to a lane holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylane.describe.config import Config
from polylane.describe.languages.base import Environment
from polylane.describe.workspace import Workspace
from polylane.model import Claim, Project, Task
from polylane.run.assignments import Assignments

TASK = Task("lint:api:x", "lint", "api", "", "x", ("x", "-v"), "packages/api", Claim())
FOLDER = Path("/work space")
RUN = FOLDER / ".polylane" / "runs" / "1"


class Language:
    """A language that adds one folder and one variable."""

    name = "fake"
    manifests: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.asked: list[tuple[Path, str]] = []

    def environment(self, workspace: Path, path: str) -> Environment:
        self.asked.append((workspace, path))
        return Environment((f"{workspace}/{path}/bin",), (("FAKE_ENV", path),))


@pytest.fixture
def language(monkeypatch: pytest.MonkeyPatch) -> Language:
    made = Language()
    monkeypatch.setattr("polylane.run.assignments.languages.load", lambda _: made)
    return made


def _assignments(**said: object) -> Assignments:
    projects = {"api": Project("api", "packages/api", ("fake",))}
    given = {
        "run_folder": RUN,
        "log_name": lambda task, attempt: f"{task}.{attempt}",
        **said,
    }
    return Assignments(
        Config(FOLDER, grace=3.0),
        Workspace(FOLDER, projects, {}, {"fake": "fake:LANGUAGE"}),
        {"PATH": "/usr/bin", "HOME": "/home"},
        **given,  # type: ignore[arg-type]
    )


def test_what_is_copied(language: Language) -> None:
    """Command and limits are the task's, the grace is the run's, paths are absolute."""
    task = TASK._replace(shell=True, timeout=7.0, leave=True)
    made = _assignments()(task, 2)
    assert made[:4] == ("lint:api:x", ("x", "-v"), True, "/work space/packages/api")
    assert (made.log, made.timeout, made.grace, made.leave) == (
        f"{RUN}/lint:api:x.2",
        7.0,
        3.0,
        True,
    )


def test_the_workspaces_own_folder(language: Language) -> None:
    """Its path has no dot at the end."""
    assert _assignments()(TASK._replace(cwd="."), 1).cwd == "/work space"


def test_no_log_with_the_terminal(language: Language) -> None:
    """The terminal is the log."""
    assert _assignments(log_name=None)(TASK, 1).log == ""


def test_the_projects_environment_leads(language: Language) -> None:
    """Its folders lead ``PATH``; then its variables, the run, and what the task says itself."""
    made = _assignments()(TASK._replace(env=(("FAKE_ENV", "mine"),)), 1)
    assert made.env == (
        ("PATH", "/work space/packages/api/bin:/usr/bin"),
        ("FAKE_ENV", "packages/api"),
        ("POLYLANE_RUN", str(RUN)),
        ("FAKE_ENV", "mine"),
    )


def test_a_project_is_asked_once(language: Language) -> None:
    """However many tasks it has."""
    make = _assignments()
    for attempt in range(3):
        make(TASK, attempt)
    assert language.asked == [(FOLDER, "packages/api")]


def test_a_task_of_no_known_project_or_language(language: Language) -> None:
    """It has the run's own environment."""
    for task in (TASK._replace(project="gone"), TASK._replace(language="other")):
        assert _assignments()(task, 1).env[0] == ("PATH", "/usr/bin")


def test_an_environment_of_the_hosts(language: Language) -> None:
    """Nox's environment stands instead of the project's own."""
    made = _assignments(environments={"fake": Environment(("/nox/bin",), ())})(TASK, 1)
    assert made.env[:2] == (("PATH", "/nox/bin:/usr/bin"), ("POLYLANE_RUN", str(RUN)))
    assert language.asked == []


@pytest.mark.parametrize(
    ("verb", "colour", "asks"),
    [
        ("lint", True, True),
        ("lint", False, False),
        ("test", True, False),
        ("test-unit", True, False),
    ],
)
def test_colour_is_asked_of_tools_only(
    language: Language, *, verb: str, colour: bool, asks: bool
) -> None:
    """The user's own program must not see it."""
    made = _assignments(colour=colour)(TASK._replace(verb=verb), 1)
    assert ("FORCE_COLOR" in dict(made.env)) is asks


def test_words_are_for_bodies(language: Language) -> None:
    """A command has them in its arguments already."""
    make = _assignments(words=("-k", "x"))
    assert make(TASK, 1).words == ()
    assert make(TASK._replace(argv=()), 1).words == ("-k", "x")


def test_no_path_at_all(language: Language) -> None:
    """Then the system's default follows the project's folders."""
    made = Assignments(Config(FOLDER), Workspace(FOLDER), {}, run_folder=RUN, log_name=None)(
        TASK, 1
    )
    assert dict(made.env)["PATH"] == os.defpath
