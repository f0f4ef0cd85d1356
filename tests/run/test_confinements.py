"""How each task of a run is confined, and what is prepared for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.config import Config
from polylane.describe.workspace import Workspace
from polylane.model import Claim, Task
from polylane.run import landlock, sandbox
from polylane.run.assignments import Assignments
from polylane.run.confinements import Confinements

pytestmark = pytest.mark.skipif(bool(sandbox.why_not()), reason=sandbox.why_not() or "-")


def task(project: str = "api", **changes: object) -> Task:
    """A task with a claim outside of its project."""
    made = Task("a:b:c", "a", project, "", "c", ("c",), ".", Claim(writes=("docs/out/**",)))
    return made._replace(**changes)  # type: ignore[arg-type]


def of(tmp_path: Path, **environment: str) -> Confinements:
    """Of a workspace with two projects."""
    workspace = tmp_path / "home" / "w"
    workspace.mkdir(parents=True)
    projects = {"api": "api", "root": "."}
    protected = [tmp_path / "git"]
    return Confinements(workspace, workspace / ".polylane", projects, environment, protected)


def test_a_task_is_confined_to_its_project_and_claims(tmp_path: Path) -> None:
    """And to our own folder, for a run inside the task."""
    made = of(tmp_path, TMPDIR="/var/tmp").of(task())
    workspace = f"{tmp_path.resolve()}/home/w"
    assert made is not None
    assert made.workspace == workspace
    assert made.writable[:3] == (
        f"{workspace}/api",
        f"{workspace}/docs/out",
        f"{workspace}/.polylane",
    )
    assert made.protected == (f"{tmp_path.resolve()}/git",)


def test_a_task_of_the_workspace_may_write_all_of_it(tmp_path: Path) -> None:
    """Also one of a project that the configuration made up."""
    for project in ("root", "unknown"):
        made = of(tmp_path / project, TMPDIR="/var/tmp").of(task(project))
        assert made is not None
        assert made.writable[0] == made.workspace
        assert made.protected


def test_where_nothing_is_protected_a_task_of_the_workspace_is_free(tmp_path: Path) -> None:
    """It may write anywhere, and mounts and the like work; nothing is prepared.

    Only its signals are scoped, where the kernel can.
    """
    workspace = tmp_path / "home" / "w"
    workspace.mkdir(parents=True)
    environment = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    protected = [workspace / ".git"]
    confinements = Confinements(workspace, workspace, {"root": "."}, environment, protected)
    confinement = confinements.of(task("root"))
    assert confinement is None or confinement.is_free
    assert (confinement is None) == (landlock.abi() < 6)
    assert confinements.variables == ()
    assert not (tmp_path / "home" / ".cache").exists()


def test_a_task_may_be_free(tmp_path: Path) -> None:
    """Then nothing is prepared either."""
    confinements = of(tmp_path, HOME=str(tmp_path / "home"), TMPDIR=str(tmp_path))
    assert confinements.of(task(sandbox="off")) is None
    assert confinements.variables == ()
    assert not (tmp_path / "home" / ".cache").exists()


def test_a_home_around_the_workspace_gets_its_folders(tmp_path: Path) -> None:
    """A task could not make them."""
    confinements = of(tmp_path, HOME=str(tmp_path / "home"), TMPDIR="/var/tmp")
    confinements.of(task())
    assert (tmp_path / "home" / ".cache").is_dir()


def test_only_confined_tasks_get_another_temporary_folder(tmp_path: Path) -> None:
    """A free one keeps that of the user, which other users may enter too."""
    confinements = of(tmp_path, TMPDIR=str(tmp_path))
    folder = tmp_path / "home" / "w"
    make = Assignments(
        Config(folder),
        Workspace(folder),
        {},
        run_folder=folder,
        log_name=None,
        confinements=confinements,
    )
    assert "TMPDIR" in dict(make(task(), 1).env)
    assert "TMPDIR" not in dict(make(task(sandbox="off"), 1).env)
    confinements.close()


def test_a_workspace_in_the_temporary_folder_has_one_of_its_own(tmp_path: Path) -> None:
    """Named to the tasks, granted, and removed at the end."""
    confinements = of(tmp_path, TMPDIR=str(tmp_path))
    made = confinements.of(task())
    [(name, folder)] = confinements.variables
    assert name == "TMPDIR"
    assert made is not None
    assert folder in made.writable
    assert Path(folder).is_dir()
    confinements.close()
    assert not Path(folder).exists()
