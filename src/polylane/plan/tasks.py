"""Turns recipes and configuration into tasks: ids, claims in the workspace, needs as ids.

Pure: it reads no file. Knows nothing of what was selected.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace

from polylane.describe.config import Config, TaskConfig, interpreter
from polylane.describe.workspace import Workspace
from polylane.errors import UserError, did_you_mean
from polylane.model import ROOT_PROJECT, Claim, Project, Recipe, Task, task_id


def all_tasks(config: Config, workspace: Workspace, bodies: Iterable[Task] = ()) -> dict[str, Task]:
    """Every task of the workspace by id: found ones, the configuration's, and Python bodies."""
    builder = _Builder(config, workspace)
    for project in workspace.projects.values():
        for language in workspace.descriptions[project.name]:
            for recipe in workspace.recipes(project.name, language):
                builder.add_recipe(project, language, recipe)
    for body in bodies:
        builder.add(body)
    for name, said in config.tasks.items():
        builder.configure(name, said)
    return builder.finish()


class _Builder:
    def __init__(self, config: Config, workspace: Workspace) -> None:
        self._config = config
        self._workspace = workspace
        self._tasks: dict[str, Task] = {}
        #: By task id: verbs and ``^verb`` that it needs, and those that it merely comes after.
        self._needs: dict[str, tuple[str, ...]] = {}
        self._after: dict[str, tuple[str, ...]] = {}
        #: Ids whose needs the configuration states, so that its verb's needs don't add to them.
        self._stated: set[str] = set()
        self._near: dict[str, list[str]] = {}
        #: Ids by verb and project, once all are known.
        self._by_place: dict[tuple[str, str], list[str]] = {}

    def add(self, task: Task) -> None:
        other = self._tasks.get(task.id)
        if other is not None:
            raise UserError(
                f"two tasks have the id {task.id}: {_origin(other)} and {_origin(task)};"
                " give one of them another name"
            )
        self._tasks[task.id] = task

    def add_recipe(self, project: Project, language: str, recipe: Recipe) -> None:
        task = Task(
            id=task_id(recipe.verb, project.name, recipe.tool),
            verb=recipe.verb,
            project=project.name,
            language=language,
            tool=recipe.tool,
            argv=_with_interpreter(recipe.argv),
            cwd=project.path,
            claim=self._claim(project, recipe),
            env=recipe.env,
            timeout=self._config.timeout,
            ok_codes=recipe.ok_codes,
            skip_codes=recipe.skip_codes,
            takes_arguments=recipe.takes_arguments,
            file_endings=recipe.file_endings,
            fix_argv=_with_interpreter(recipe.fix_argv),
            creates=tuple(_join(project.path, path) for path in recipe.creates),
            source=f"the language {language}",
        )
        self.add(task)
        self._needs[task.id] = recipe.needs
        self._after[task.id] = recipe.after

    def configure(self, name: str, said: TaskConfig) -> None:
        """Override a found task, or add one."""
        old = self._tasks.pop(name, None)
        if said.enabled is False:
            if old is None:
                self._unknown(name, ("tasks", name, "enabled"))
            return
        base = old or self._new(name, said)
        self._tasks[name] = self._overridden(base, said, name)
        if said.needs is not None:
            self._needs[name] = said.needs
            self._after.pop(name, None)
            self._stated.add(name)

    def _new(self, name: str, said: TaskConfig) -> Task:
        verb, project_name, tool = name.split(":", 2)
        where = self._config.where("tasks", name)
        if said.command is None:
            self._unknown(name, ("tasks", name))
        if said.verb is not None and said.verb != verb:
            raise UserError(
                f"{where}.verb = {said.verb!r}: the id's first part is {verb!r}; make the two alike"
            )
        project = self._new_tasks_project(project_name, where)
        return Task(
            id=name,
            verb=verb,
            project=project.name,
            language=project.languages[0] if len(project.languages) == 1 else "",
            tool=tool,
            argv=(),
            cwd=project.path,
            claim=self._default_claim(project),
            timeout=self._config.timeout,
            source=where,
        )

    def _new_tasks_project(self, name: str, where: str) -> Project:
        """The project of a configured task; the workspace itself needs no manifest for that."""
        if name == ROOT_PROJECT and name not in self._workspace.projects:
            return Project(ROOT_PROJECT, ".")
        return self._workspace.project(name, where)

    def _unknown(self, name: str, keys: tuple[str, ...]) -> None:
        hint = did_you_mean(name, self._tasks)
        raise UserError(
            f"{self._config.where(*keys)}: no such task was found{hint};"
            " to add a task, give its command"
        )

    def _overridden(self, task: Task, said: TaskConfig, name: str) -> Task:
        where = self._config.where("tasks", name)
        if said.cwd is not None and not (self._config.folder / said.cwd).is_dir():
            raise UserError(f"{where}.cwd = {said.cwd!r}: is no folder of the workspace")
        argv, shell = _command(said, task)
        simple = {
            field: value
            for field in ("cwd", "slots", "timeout", "retries", "ok_codes", "leave")
            if (value := getattr(said, field)) is not None
        }
        env = (*task.env, *(said.env or {}).items())
        changed = replace(
            task, argv=argv, shell=shell, env=env, claim=_claim_over(task.claim, said), **simple
        )
        if said.command is not None:
            changed = replace(changed, file_endings=(), fix_argv=(), takes_arguments=True)
        return changed

    def finish(self) -> dict[str, Task]:
        """Resolve what each task needs into ids."""
        for task in self._tasks.values():
            self._by_place.setdefault((task.verb, task.project), []).append(task.id)
        return {name: self._resolved(task) for name, task in self._tasks.items()}

    def _resolved(self, task: Task) -> Task:
        # What a language says is of that language: Node's tests need no Python wheel.
        only = "" if task.id in self._stated else task.language
        needs = self._ids(task, self._needs.get(task.id, task.needs), only)
        after = self._ids(task, self._after.get(task.id, ()), only)
        if task.id not in self._stated:
            needs += self._ids(task, self._config.verb_needs.get(task.verb, ()))
        if (needs, after) == (task.needs, task.after):
            return task
        return replace(task, needs=tuple(dict.fromkeys(needs)), after=after)

    def _ids(self, task: Task, said: Iterable[str], language: str = "") -> tuple[str, ...]:
        """Resolve ids, verbs of the same project, and ``^verb`` of the projects depended on.

        Verbs mean the tasks of one language, where it is given.
        """
        ids: dict[str, None] = {}
        for need in said:
            if need in self._tasks:
                ids[need] = None
            elif ":" in need:
                where = self._config.where("tasks", task.id, "needs")
                hint = did_you_mean(need, self._tasks)
                raise UserError(f"{where}: there is no task {need!r}{hint}")
            else:
                projects = self._depends_on(task.project) if need[0] == "^" else [task.project]
                for project in projects:
                    found = self._by_place.get((need.removeprefix("^"), project), ())
                    ids.update(
                        (f, None)
                        for f in found
                        if not language or self._tasks[f].language == language
                    )
        ids.pop(task.id, None)
        return tuple(ids)

    def _depends_on(self, project: str) -> list[str]:
        if project not in self._workspace.projects:
            return []
        if project not in self._near:
            self._near[project] = self._workspace.depends_on(project)
        return self._near[project]

    def _claim(self, project: Project, recipe: Recipe) -> Claim:
        default = self._default_claim(project)
        reads = recipe.reads
        writes = recipe.writes
        return Claim(
            reads=default.reads if reads is None else self._in_workspace(project, reads),
            writes=default.writes if writes is None else self._in_workspace(project, writes),
            caches=self._in_workspace(project, recipe.caches),
            known=reads is not None and writes is not None,
        )

    def _default_claim(self, project: Project) -> Claim:
        """A task reads and writes its own project, and reads those that it depends on."""
        depends = [self._workspace.projects[name].path for name in self._depends_on(project.name)]
        tree = "**" if project.path == "." else f"{project.path}/**"
        return Claim(reads=(tree, *depends), writes=(tree,), known=False)

    def _in_workspace(self, project: Project, patterns: Iterable[str]) -> tuple[str, ...]:
        result: list[str] = []
        for pattern in patterns:
            mark = "!" if pattern.startswith("!") else ""
            path = pattern.removeprefix("!")
            if path.startswith("^"):
                names = self._depends_on(project.name)
                folders = [self._workspace.projects[name].path for name in names]
                result.extend(mark + _join(folder, path[1:]) for folder in folders)
            elif path.startswith("/"):
                result.append(mark + path[1:])
            else:
                result.append(mark + _join(project.path, path))
        return tuple(result)


def _origin(task: Task) -> str:
    return f"one from {task.source}"


def _with_interpreter(argv: tuple[str, ...]) -> tuple[str, ...]:
    return (interpreter(), *argv[1:]) if argv and argv[0] == "{python}" else argv


def _join(folder: str, path: str) -> str:
    """Join a project's folder and a path below it; ``..`` goes up as far as the workspace."""
    parts = [] if folder == "." else folder.split("/")
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or "."


def _command(said: TaskConfig, task: Task) -> tuple[tuple[str, ...], bool]:
    """The words of the command, and whether a shell runs them."""
    shell = task.shell if said.shell is None else said.shell
    command = said.command
    if command is None:
        return task.argv, shell
    if isinstance(command, tuple):
        return ((shlex.join(command),) if shell else command), shell
    return ((command,) if shell else tuple(shlex.split(command))), shell


def _claim_over(claim: Claim, said: TaskConfig) -> Claim:
    """What was said replaces what was found; saying what a task writes makes its claim known."""
    return Claim(
        reads=claim.reads if said.reads is None else said.reads,
        writes=claim.writes if said.writes is None else said.writes,
        caches=claim.caches if said.caches is None else said.caches,
        locks=claim.locks if said.locks is None else said.locks,
        known=claim.known or (said.reads is not None and said.writes is not None),
    )
