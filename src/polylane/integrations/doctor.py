"""What ``lanes.doctor`` tells: what protects, what was found, what is missing, and versions.

Starts no task, and sets nothing up. Knows nothing of how it is shown.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from polylane import __version__
from polylane.describe import config as configuration
from polylane.describe import languages, workspace
from polylane.describe.config import Config
from polylane.describe.workspace import Workspace
from polylane.integrations import bodies as own
from polylane.integrations import setup
from polylane.model import Task
from polylane.plan.tasks import all_tasks
from polylane.records import NamedTuple
from polylane.run import protection
from polylane.run.assignments import Assignments
from polylane.run.protection import Fact, named

if TYPE_CHECKING:
    from polylane.integrations.bodies import Body

#: What brings programs that no project brings, by their name.
_BROUGHT_BY = {
    "node": "Node.js (https://nodejs.org)",
    "npm": "Node.js (https://nodejs.org)",
    "npx": "Node.js (https://nodejs.org)",
    "pnpm": "pnpm (npm install --global pnpm)",
    "yarn": "yarn (npm install --global corepack, then corepack enable)",
    "bun": "bun (npm install --global bun)",
    "uv": "uv (pip install uv)",
    "poetry": "Poetry (pipx install poetry)",
    "git": "git",
}


class Section(NamedTuple):
    """Facts of one kind."""

    title: str
    facts: tuple[Fact, ...]


def examine(folder: Path, bodies: Sequence[Body]) -> tuple[Section, ...]:
    """Look at the workspace at ``folder`` and at this machine, which takes some forks."""
    own.check(bodies)
    config = configuration.load(folder)
    found = workspace.find(config)
    tasks = all_tasks(config, found, own.tasks(bodies, config, found))
    return (
        Section("protection", tuple(protection.facts(config, found, tasks.values()))),
        Section("found", tuple(_found(config, found, tasks.values()))),
        Section("missing", tuple(_missing(config, found, list(tasks.values())))),
        Section("versions", tuple(_versions())),
    )


def _found(config: Config, found: Workspace, tasks: Iterable[Task]) -> Iterator[Fact]:
    yield Fact("workspace", str(config.folder))
    yield Fact("configuration", config.file or "none")
    names = list(found.projects)
    yield Fact("projects", f"{len(names)}: {named(names)}" if names else "none")
    counts = Counter(language for p in found.projects.values() for language in p.languages)
    yield Fact("languages", _counted(counts, found.languages))
    verbs = Counter(task.verb for task in tasks)
    yield Fact("tasks", _counted(verbs, dict.fromkeys((*config.verb_order(), *sorted(verbs)))))
    if left_out := [f"{name}: {what}" for name, what, _ in found.left_out()]:
        yield Fact("left out", f"{named(left_out)}; inv lanes.plan says why")


def _counted(counts: Mapping[str, int], order: Iterable[str]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in order if counts[name]) or "none"


def _missing(config: Config, found: Workspace, tasks: Sequence[Task]) -> Iterator[Fact]:
    if shutil.which("git") is None:
        lost = "what is ignored cannot be asked, so that no new project is found"
        yield Fact("git", "is not on PATH", lost, f"install {_BROUGHT_BY['git']}", needed=True)
    due = setup.undone(config.folder, tasks)
    for task in due:
        yield _environment(config, found, task)
    for program, users in _programs(config, found, tasks).items():
        ids = [task.id for task in users]
        mend = _mend(program, users, due, found)
        yield Fact(program, "is not on PATH", f"cannot start: {named(ids)}", mend, needed=True)


def _environment(config: Config, found: Workspace, task: Task) -> Fact:
    """What a setup was to make; there may be another one that tasks use meanwhile."""
    gone = [path for path in task.creates if not (config.folder / path).exists()]
    what = ", ".join(gone or task.creates)
    state = "was not set up" if gone else "was set up in part"
    mend = f"inv setup --project {task.project}"
    project = found.projects.get(task.project)
    target = found.languages.get(task.language)
    if project is not None and target is not None:
        used = languages.load(target).environment(config.folder, project.path).path_dirs
        if other := next((each for each in used if Path(each).is_dir()), ""):
            return Fact(what, state, f"its tasks use what {other} has", mend)
    return Fact(what, state, f"what {task.id} makes", mend, needed=True)


def _programs(config: Config, found: Workspace, tasks: Iterable[Task]) -> dict[str, list[Task]]:
    """The programs that cannot be found, and the tasks that would start them.

    What a shell or a package manager starts in its turn is not looked for.
    """
    make = Assignments(
        config,
        found,
        configuration.task_environment(),
        run_folder=config.folder,
        log_name=None,
    )
    known: dict[tuple[str, str], bool] = {}
    gone: dict[str, list[Task]] = {}
    for task in tasks:
        if task.argv and not task.shell:
            job = make(task, 1)
            program = job.argv[0]
            place = job.cwd if "/" in program else dict(job.env).get("PATH", os.defpath)
            if (program, place) not in known:
                known[program, place] = _is_there(program, place)
            if not known[program, place]:
                gone.setdefault(program, []).append(task)
    return gone


def _is_there(program: str, place: str) -> bool:
    """``place``: the working folder for a path, else the ``PATH``."""
    if "/" in program:
        return shutil.which(str(Path(place, program))) is not None
    return shutil.which(program, path=place) is not None


def _mend(program: str, users: Sequence[Task], due: Sequence[Task], found: Workspace) -> str:
    if program in _BROUGHT_BY:
        return f"install {_BROUGHT_BY[program]}"
    if any(setup.serves(each, task, found.projects) for each in due for task in users):
        return "inv setup"
    names = named(list(dict.fromkeys(task.project for task in users)))
    return f"add {program} to what {names} installs for development, then inv setup"


def _versions() -> Iterator[Fact]:
    from importlib.metadata import PackageNotFoundError, version

    yield Fact("polylane", __version__)
    yield Fact("Python", platform.python_version())
    for name in ("invoke", "nox"):
        try:
            yield Fact(name, version(name))
        except PackageNotFoundError:
            yield Fact(name, "is not installed")
    yield Fact("kernel", f"{platform.system()} {platform.release()}")
