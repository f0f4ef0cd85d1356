"""Which setup tasks a run lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.languages.base import Environment
from polylane.integrations.setup import missing
from polylane.plan.selection import Selection
from polylane.planning import Request
from polylane.tools.setup_python import MARKER, UNFINISHED
from tests.integrations.nox_repository import NoxRepository

PYTHON = '[project]\nname = "{}"\nversion = "1"\n'


@pytest.fixture
def repository(tmp_path: Path) -> NoxRepository:
    """A workspace with a root, a project in it with two languages, and one below that."""
    repository = NoxRepository(tmp_path / "repo")
    repository.write(
        {
            "pyproject.toml": PYTHON.format("all"),
            "api/pyproject.toml": PYTHON.format("api"),
            "api/package.json": '{"name": "api"}',
            "api/sub/pyproject.toml": PYTHON.format("sub"),
            "apium/pyproject.toml": PYTHON.format("apium"),
        }
    )
    return repository


def creating(*paths: str) -> dict[str, object]:
    return {"command": "true", "creates": list(paths)}


def lacks(
    repository: NoxRepository, verb: str = "lint", project: str = "", **more: object
) -> set[str]:
    """What a selection lacks."""
    selection = Selection((verb,), projects=(project,) if project else ())
    return set(missing(Request(repository.folder, selection, **more), ()))  # type: ignore[arg-type]


SETUPS = {
    "setup:root:x": creating("e"),
    "setup:api:x": creating("api/e"),
    "setup:sub:x": creating("api/sub/e"),
    "setup:apium:x": creating("apium/e"),
}


class TestWhose:
    """Whose setup a task uses."""

    @pytest.mark.parametrize(
        ("project", "expected"),
        [
            ("root", {"root"}),
            ("api", {"root", "api"}),
            ("sub", {"root", "api", "sub"}),
            ("apium", {"root", "apium"}),
        ],
    )
    def test_its_projects_and_those_around_it(
        self, repository: NoxRepository, project: str, expected: set[str]
    ) -> None:
        """A project's environment may be that of a folder above it; never that of one beside it."""
        tasks = {f"lint:{name}:y": {"command": "true"} for name in ("root", "api", "sub", "apium")}
        repository.configure({**SETUPS, **tasks})
        assert lacks(repository, project=project) == {f"setup:{name}:x" for name in expected}

    def test_of_its_language(self, repository: NoxRepository) -> None:
        """Where both languages are known, only the setup of the task's own counts."""
        (repository.folder / "api" / "package.json").unlink()
        repository.write({"api/web/package.json": '{"name": "web"}'})
        repository.configure({**SETUPS, "lint:web:y": {"command": "true"}})
        assert lacks(repository, project="web") == set()

    @pytest.mark.parametrize("verb", ["setup", "clean"])
    def test_not_that_of_a_setup_or_clean(self, repository: NoxRepository, verb: str) -> None:
        """Neither uses what a setup makes."""
        repository.configure({**SETUPS, "clean:api:y": {"command": "true"}})
        assert lacks(repository, verb) == set()

    def test_not_what_the_selection_has_itself(self, repository: NoxRepository) -> None:
        """A pipeline with the verb `setup` needs no other run for it."""
        repository.configure({**SETUPS, "lint:api:y": {"command": "true"}})
        request = Request(repository.folder, Selection(("setup", "lint")))
        assert missing(request, ()) == []

    def test_not_where_the_language_is_given_one(self, repository: NoxRepository) -> None:
        """Who brings an environment for a language needs none of the projects' own."""
        (repository.folder / "api" / "package.json").unlink()
        repository.configure({**SETUPS, "lint:sub:y": {"command": "true"}})
        assert lacks(repository, environments={"python": Environment()}) == set()


class TestDone:
    """When a setup is done."""

    def test_when_all_that_it_creates_is_there(self, repository: NoxRepository) -> None:
        """One path that is missing makes it due."""
        repository.configure({"setup:api:x": creating("api/e", "api/f"), "lint:api:y": creating()})
        (repository.folder / "api" / "e").mkdir()
        assert lacks(repository) == {"setup:api:x"}
        (repository.folder / "api" / "f").mkdir()
        assert lacks(repository) == set()

    def test_not_where_a_killed_setup_left_half(self, repository: NoxRepository) -> None:
        """An environment that says that it is unfinished is none."""
        repository.configure({"setup:api:x": creating("api/e"), "lint:api:y": creating()})
        repository.write({f"api/e/{MARKER}": UNFINISHED.decode()})
        assert lacks(repository) == {"setup:api:x"}

    def test_a_setup_that_creates_nothing_is_never_due(self, repository: NoxRepository) -> None:
        """Nobody could say whether it was done."""
        repository.configure({"setup:api:x": creating(), "lint:api:y": creating()})
        assert lacks(repository) == set()
