"""What ``polylane init`` has to know of a folder: its workspace, projects, tools and CI host.

Looks and starts nothing but git; writes nothing. Knows nothing of what init writes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from polylane.describe import config as configuration
from polylane.describe import git, workspace
from polylane.describe.home import workspace_around
from polylane.errors import UserError
from polylane.integrations.own_tasks import file_of
from polylane.model import Project
from polylane.plan.tasks import all_tasks
from polylane.records import NamedTuple

#: The folders and files by which a repository uses a CI host.
WORKFLOWS, GITLAB_FILE = ".github/workflows", ".gitlab-ci.yml"

#: What setups start, and Python and Node do not bring.
_PROGRAMS = frozenset({"uv", "poetry", "pnpm", "yarn", "bun"})

#: Files that a pip cache is kept by, and an npm cache: a change of one makes another cache.
_PYTHON_FILES = ("pyproject.toml", "setup.cfg", "setup.py", "requirements.txt")
_NODE_FILES = ("package-lock.json", "npm-shrinkwrap.json")
_NODE_VERSION = (".nvmrc", ".node-version")


class Survey(NamedTuple):
    """What was found."""

    #: Where ``tasks.py`` belongs.
    workspace: Path
    #: Where git's own files belong: the top of the repository, or the workspace without one.
    top: Path
    has_git: bool = True
    projects: tuple[Project, ...] = ()
    languages: frozenset[str] = frozenset()
    #: Whether some project has a setup.
    has_setup: bool = False
    #: Programs that setups start, beside pip and npm; sorted.
    programs: tuple[str, ...] = ()
    #: Names of the files by which pip's and npm's caches are kept.
    python_files: tuple[str, ...] = ()
    node_files: tuple[str, ...] = ()
    #: A file that says the version of Node, relative to `top`; or empty.
    node_version: str = ""
    #: ``github``, ``gitlab`` or empty, and what says so.
    host: str = ""
    host_by: str = ""

    @property
    def inside(self) -> str:
        """The workspace's path in the repository; empty where it is the same folder."""
        path = self.workspace.relative_to(self.top).as_posix()
        return "" if path == "." else path


def survey(start: Path) -> Survey:
    """Look at the workspace around a folder; bad configuration is a `UserError`."""
    folder = workspace_around(start)
    top = git.top(folder)
    if top is None:
        return Survey(folder, folder, has_git=False)
    config = configuration.load(folder)
    found = workspace.find(config, remember=False)
    tasks = all_tasks(config, found)
    projects = tuple(found.projects.values())
    setups = [task for task in tasks.values() if task.verb == "setup"]
    host, by = _host(top)
    return Survey(
        folder,
        top,
        projects=projects,
        languages=frozenset(language for each in projects for language in each.languages),
        has_setup=bool(setups),
        programs=tuple(sorted({task.argv[0] for task in setups if task.argv} & _PROGRAMS)),
        python_files=_files(folder, projects, "python", _PYTHON_FILES),
        node_files=_files(folder, projects, "node", _NODE_FILES),
        node_version=_node_version(folder, top),
        host=host,
        host_by=by,
    )


def _files(
    folder: Path, projects: tuple[Project, ...], language: str, names: tuple[str, ...]
) -> tuple[str, ...]:
    folders = [folder / each.path for each in projects if language in each.languages]
    return tuple(name for name in names if any((path / name).is_file() for path in folders))


def _node_version(folder: Path, top: Path) -> str:
    files = [folder / name for name in _NODE_VERSION]
    return next((file.relative_to(top).as_posix() for file in files if file.is_file()), "")


def _host(top: Path) -> tuple[str, str]:
    """The CI host by what lies there; where that says nothing or both, by the remote."""
    found = {
        host: name
        for host, name in (("github", WORKFLOWS), ("gitlab", GITLAB_FILE))
        if os.path.lexists(top / name)
    }
    if len(found) == 1:
        [(host, name)] = found.items()
        return host, f"{name} is there"
    try:
        remote = git.remote(top)
    except UserError:
        return "", ""
    for host in ("github", "gitlab"):
        if host in remote:
            return host, f"the remote is on {remote}"
    return "", ""


class Source(NamedTuple):
    """A file that is there: its path, and what it says; empty where it cannot be read."""

    path: Path
    text: str


def read(path: Path) -> Source | None:
    """What is there under a name, dangling links too; None where the name is free."""
    if not os.path.lexists(path):
        return None
    try:
        return Source(path, path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return Source(path, "")


def tasks_source(folder: Path) -> Source | None:
    """``tasks.py``, or the package ``tasks`` with the text of all its modules."""
    path = file_of(folder)
    if path is None or path.name == "tasks.py":
        return read(folder / "tasks.py")
    return Source(path, _texts(path.parent, "*.py"))


def workflows_text(top: Path) -> str:
    """All workflows of GitHub's in one text."""
    return _texts(top / WORKFLOWS, "*.y*ml")


def _texts(folder: Path, pattern: str) -> str:
    return "\n".join(found.text for path in sorted(folder.glob(pattern)) if (found := read(path)))


def calls(text: str, function: str) -> bool:
    """Whether a Python file calls a function of ours by its name."""
    return (
        "polylane" in text and re.search(rf"^[^#\n]*\b{function}\(", text, re.MULTILINE) is not None
    )
