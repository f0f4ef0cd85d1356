"""People's own bodies, loaded from their tasks.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polylane.describe import config as configuration
from polylane.describe import workspace
from polylane.errors import UserError
from polylane.integrations import bodies, own_tasks

BODY = '@polylane.task(verb="lint")\ndef lint_sql(c):\n    pass\n'


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    before = bodies.registry[:]
    yield
    bodies.registry[:] = before


def write(folder: Path, text: str) -> Path:
    (folder / "tasks.py").write_text(text, encoding="utf-8")
    return folder


def test_bodies_of_the_file_are_returned(tmp_path: Path) -> None:
    """And no others that the process knows."""
    bodies.task(verb="lint")(lambda _: None)
    found = own_tasks.load(write(tmp_path, f"import polylane\n{BODY}"))
    assert [body.id for body in found] == ["lint:root:lint-sql"]


def test_the_file_may_be_a_package(tmp_path: Path) -> None:
    """Whose modules it imports by either name."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("from . import sql  # for polylane\n")
    (tmp_path / "tasks" / "sql.py").write_text(f"import polylane\n{BODY}")
    assert [body.id for body in own_tasks.load(tmp_path)] == ["lint:root:lint-sql"]


def test_modules_beside_it_can_be_imported(tmp_path: Path) -> None:
    """The folder leads sys.path while the file is imported, and not afterwards."""
    (tmp_path / "beside_it.py").write_text(f"import polylane\n{BODY}", encoding="utf-8")
    path = sys.path[:]
    try:
        found = own_tasks.load(write(tmp_path, "import beside_it  # for polylane\n"))
    finally:
        sys.modules.pop("beside_it", None)
    assert len(found) == 1
    assert sys.path == path


def test_two_workspaces_do_not_meet(tmp_path: Path) -> None:
    """Each file is a module of its own, and none of them is called tasks."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        write(folder, f"import polylane\n{BODY}")
    found = [own_tasks.load(folder)[0].function.__module__ for folder in folders]
    assert len(set(found)) == 2
    assert "tasks" not in found


@pytest.mark.parametrize(
    "text",
    [
        "import something_missing\n",
        '"""Ours."""\nimport polylane\nns = polylane.namespace()',
        "from polylane import namespace\nns = namespace()\n",
    ],
)
def test_a_file_without_bodies_is_not_imported(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not mention polylane, or has only the two lines that everybody has."""
    monkeypatch.setattr(own_tasks, "_import", lambda path: pytest.fail(f"imports {path}"))
    assert own_tasks.load(write(tmp_path, text)) == []


def test_no_file_no_bodies(tmp_path: Path) -> None:
    """A workspace needs no tasks.py."""
    assert own_tasks.load(tmp_path) == []


def test_a_missing_module_is_named_with_its_remedy(tmp_path: Path) -> None:
    """One line says what to install, and where."""
    with pytest.raises(UserError, match=r"imports no_such_thing.*additional_dependencies"):
        own_tasks.load(write(tmp_path, f"import no_such_thing, polylane\n{BODY}"))


@pytest.mark.parametrize("line", ["1 / 0", "raise SystemExit('no')", "def :"])
def test_a_broken_file_is_said_in_one_line(tmp_path: Path, line: str) -> None:
    """Whatever it raises, and nothing of it stays."""
    with pytest.raises(UserError, match=r"^tasks\.py cannot be imported: .*mend the file$"):
        own_tasks.load(write(tmp_path, f"import polylane\n{line}\n"))


def test_what_says_no_claims_reads_what_its_project_depends_on(tmp_path: Path) -> None:
    """As any task does of which nothing is known, near and far."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "polylane.toml").write_text(
        "[projects.api]\npath = 'services/api'\ndepends = ['core']\n"
        "[projects.core]\npath = 'libs/core'\ndepends = ['base']\n"
        "[projects.base]\npath = 'libs/base'\n"
    )
    for path in ("services/api", "libs/core", "libs/base"):
        (tmp_path / path).mkdir(parents=True)
    bodies.task(verb="lint", project="api")(lambda _: None)
    config = configuration.load(tmp_path)
    [task] = bodies.tasks(bodies.registry[-1:], config, workspace.find(config))
    assert set(task.claim.reads) == {"services/api/**", "libs/core", "libs/base"}
    assert task.claim.writes == ("services/api/**",)
    assert not task.claim.known
