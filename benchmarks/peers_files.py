"""The same work as every runner's own files, and the words that start it.

Knows nothing of where runners lie, nor of how they are measured.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import workspaces
from peers_work import Task, Work


@dataclass(frozen=True, slots=True)
class Peer:
    """Another runner, at the best setting that we know."""

    program: str
    #: Writes its files for a work into a folder; it is given its program's path too.
    write: Callable[[Path, Work, Path], None]
    #: The words after the program; ``{jobs}`` is the number of slots.
    words: Sequence[str]
    #: More words, where tasks print and lines should stay whole.
    whole_lines: Sequence[str] = ()
    #: Where it can be had: a project of PyPI, or of npm.
    pypi: str = ""
    npm: str = ""
    #: So many tasks are all that one would give it.
    most: int = 10_000
    env: Mapping[str, str] = field(default_factory=dict)

    def argv(self, program: Path, work: Work) -> list[str]:
        """The command that runs a work."""
        words = [*self.words, *(self.whole_lines if work.lines else ())]
        return [str(program), *(word.format(jobs=work.jobs) for word in words)]


def polylane(folder: Path, work: Work) -> None:
    """Write our own files."""
    workspaces.of_tasks(
        folder,
        {task.name: task.argv for task in work.tasks},
        {task.name: task.needs for task in work.tasks},
    )


def _command(task: Task) -> str:
    return shlex.join(task.argv)


def _ninja(folder: Path, work: Work, _: Path) -> None:
    # Nothing is made, so that every command runs each time.
    lines = ["rule r", "  command = $cmd"]
    for task in work.tasks:
        lines += [
            f"build {task.name}: r {' '.join(task.needs)}",
            f"  cmd = {_command(task).replace('$', '$$')}",
        ]
    _put(folder, "build.ninja", "\n".join([*lines, f"build all: phony {_names(work)}", ""]))


def _make(folder: Path, work: Work, _: Path) -> None:
    rules = [
        f"{task.name}: {' '.join(task.needs)}\n\t@{_command(task).replace('$', '$$')}\n"
        for task in work.tasks
    ]
    names = _names(work)
    _put(folder, "Makefile", f"all: {names}\n.PHONY: all {names}\n{''.join(rules)}")


def _go_task(folder: Path, work: Work, _: Path) -> None:
    tasks: dict[str, object] = {
        task.name: {"cmds": [_command(task)], "deps": list(task.needs)} for task in work.tasks
    }
    tasks["all"] = {"deps": [task.name for task in work.tasks]}
    # JSON is YAML. Without "once" a task runs again for each that needs it.
    _put(folder, "Taskfile.yml", {"version": "3", "run": "once", "tasks": tasks})


def _just(folder: Path, work: Work, _: Path) -> None:
    recipes = [
        f"[parallel]\n{task.name}: {' '.join(task.needs)}\n"
        f"    @{_command(task).replace('{{', '{{{{')}\n"
        for task in work.tasks
    ]
    _put(folder, "justfile", f"[parallel]\nall: {_names(work)}\n{''.join(recipes)}")


def _turbo(folder: Path, work: Work, _: Path) -> None:
    for task in work.tasks:
        needs = dict.fromkeys(task.needs, "*")
        scripts = {"scripts": {"go": _command(task)}, "dependencies": needs}
        _package(folder, f"p/{task.name}", task.name, scripts)
    root = {"packageManager": "npm@10.0.0", "workspaces": ["p/*"]}
    _package(folder, ".", "root", root)
    _put(folder, "turbo.json", {"tasks": {"go": {"dependsOn": ["^go"], "cache": False}}})
    _commit(folder)


def _nx(folder: Path, work: Work, program: Path) -> None:
    go = {"executor": "nx:run-commands", "dependsOn": ["^go"], "cache": False}
    for task in work.tasks:
        target = {**go, "options": {"command": _command(task)}}
        project = {"name": task.name, "implicitDependencies": list(task.needs)}
        _put(folder, f"p/{task.name}/project.json", {**project, "targets": {"go": target}})
    _package(folder, ".", "root", {})
    _put(folder, "nx.json", {"neverConnectToCloud": True, "analytics": False})
    real = program.resolve()
    modules = next(path for path in real.parents if path.name == "node_modules")
    (folder / "node_modules").symlink_to(modules)
    _commit(folder)


def _package(folder: Path, path: str, name: str, more: Mapping[str, object]) -> None:
    manifest = {"name": name, "version": "1.0.0", "private": True, **more}
    _put(folder, f"{path}/package.json", manifest)


def _commit(folder: Path) -> None:
    _put(folder, ".gitignore", "node_modules\n.turbo\n.nx\n")
    workspaces.commit(folder)


def _names(work: Work) -> str:
    return " ".join(task.name for task in work.tasks)


def _put(folder: Path, name: str, content: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


_QUIET_NX = {
    "NX_DAEMON": "false",
    "NX_NO_CLOUD": "true",
    "NX_TUI": "false",
    "NX_SKIP_NX_CACHE": "true",
}
_QUIET_TURBO = {"TURBO_TELEMETRY_DISABLED": "1", "TURBO_NO_UPDATE_NOTIFIER": "1"}

PEERS: Mapping[str, Peer] = {
    "ninja": Peer("ninja", _ninja, ("--quiet", "-j", "{jobs}", "all"), pypi="ninja"),
    "make": Peer("make", _make, ("-s", "-j", "{jobs}", "all"), ("-Otarget",)),
    "go-task": Peer(
        "task",
        _go_task,
        ("--silent", "-C", "{jobs}", "all"),
        ("--output", "group"),
        pypi="go-task-bin",
    ),
    "just": Peer("just", _just, ("--jobs", "{jobs}", "all"), pypi="rust-just"),
    "turbo": Peer(
        "turbo",
        _turbo,
        ("run", "go", "--concurrency", "{jobs}", "--env-mode=loose", "--ui=stream"),
        ("--log-order=grouped",),
        npm="turbo",
        most=100,
        env=_QUIET_TURBO,
    ),
    "nx": Peer(
        "nx",
        _nx,
        ("run-many", "-t", "go", "--parallel={jobs}"),
        ("--outputStyle=static",),
        npm="nx",
        most=100,
        env=_QUIET_NX,
    ),
}
