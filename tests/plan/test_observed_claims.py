"""What ``polylane.claims.toml`` says stands between what was found and the configuration."""

from __future__ import annotations

from pathlib import Path

from polylane.describe.claims_file import FILE
from polylane.model import Claim, Task
from polylane.plan.selection import Selection
from polylane.planning import Request, make_plan
from tests.integrations.repository import Repository
from tests.plan.examples import task
from tests.plan.workspaces import recipe, tasks_of


def claims(folder: Path, text: str) -> None:
    (folder / FILE).write_text(text, encoding="utf-8")


def test_an_observed_claim_replaces_what_was_found_key_by_key(tmp_path: Path) -> None:
    """What it does not say stays as it was found."""
    claims(tmp_path, '[tasks."lint:api:ruff"]\nreads = ["a"]\nlocks = ["l"]\n')
    known = recipe("lint", "ruff", reads=("src",), writes=("out",), caches=("c",))
    found = tasks_of(tmp_path, {("api", "python"): [known]})["lint:api:ruff"]
    assert found.claim == Claim(("a",), ("packages/api/out",), ("packages/api/c",), ("l",))


def test_an_unknown_claim_is_known_by_reads_and_writes(tmp_path: Path) -> None:
    """One of them alone leaves the other one unknown."""
    recipes = {("api", "python"): [recipe("test", "a"), recipe("test", "b")]}
    claims(
        tmp_path, '[tasks."test:api:a"]\nreads = []\nwrites = []\n[tasks."test:api:b"]\nreads=[]'
    )
    found = tasks_of(tmp_path, recipes)
    assert found["test:api:a"].claim == Claim()
    assert found["test:api:b"].claim == Claim((), ("packages/api/**",), known=False)


def test_the_configuration_wins_key_by_key(tmp_path: Path) -> None:
    """Also for a task that it adds itself, whose claim would be its whole project."""
    claims(
        tmp_path,
        '[tasks."lint:api:ruff"]\nreads = ["a"]\nwrites = ["b"]\n'
        '[tasks."test:api:own"]\nreads = ["c"]\nwrites = ["d"]\n',
    )
    text = (
        '[tasks."lint:api:ruff"]\nwrites = ["mine"]\n'
        '[tasks."test:api:own"]\ncommand = "x"\nreads = ["mine"]\n'
    )
    found = tasks_of(tmp_path, {("api", "python"): [recipe("lint", "ruff")]}, text)
    assert found["lint:api:ruff"].claim == Claim(("a",), ("mine",))
    assert found["test:api:own"].claim == Claim(("mine",), ("d",))


def test_an_observed_claim_replaces_that_of_a_python_body(tmp_path: Path) -> None:
    """Whoever wrote it there meant it."""
    claims(tmp_path, '[tasks."lint:root:own"]\nreads = ["a"]\nwrites = []\n')
    body: Task = task("lint:root:own", reads=("**",))
    assert tasks_of(tmp_path, {}, bodies=(body,))[body.id].claim == Claim(("a",))


def test_a_task_that_is_not_there_disturbs_nothing(tmp_path: Path) -> None:
    """The plan names it."""
    files = {
        "polylane.toml": '[tasks."all:root:a"]\ncommand = "a"\n',
        FILE: '[tasks."all:root:gone"]\nreads = []\n[tasks."all:root:a"]\nreads = []\n',
    }
    Repository(tmp_path).write(files)
    plan = make_plan(Request(tmp_path, Selection(("all",))))
    assert plan.vanished == ("all:root:gone",)


def test_a_task_at_the_workspace_with_an_observed_claim_is_no_barrier(tmp_path: Path) -> None:
    """Others run beside it."""
    names = ("a", "b", "c")
    lines = [f'[tasks."all:root:{name}"]\ncommand = "{name}"\n' for name in names]
    repository = Repository(tmp_path).write({"polylane.toml": "".join(lines)})
    request = Request(tmp_path, Selection(("all",)))
    assert make_plan(request).graph.edges() > 0
    lines = [f'[tasks."all:root:{n}"]\nreads = ["{n}"]\nwrites = ["{n}"]\n' for n in names]
    repository.write({FILE: "".join(lines)})
    assert make_plan(request).graph.edges() == 0
