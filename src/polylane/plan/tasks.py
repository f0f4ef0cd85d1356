"""Turns recipes and configuration into tasks: ids, claims in the workspace, needs as ids.

Reads no file: it only looks whether a configured folder exists. Knows nothing of what was selected.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from polylane.describe.config import Config, TaskConfig, interpreter
from polylane.describe.workspace import Workspace
from polylane.errors import UserError, did_you_mean
from polylane.model import ROOT_PROJECT, VERBS, Claim, Project, Recipe, Task, task_id

if TYPE_CHECKING:
    from polylane.describe.claims_file import SaidClaim


def all_tasks(config: Config, workspace: Workspace, bodies: Iterable[Task] = ()) -> dict[str, Task]:
    """Every task of the workspace by id: found ones, the configuration's, and Python bodies."""
    builder = _Builder(config, workspace)
    for project in workspace.projects.values():
        for language in workspace.descriptions[project.name]:
            for recipe in workspace.recipes(project.name, language):
                builder.add_recipe(project, language, recipe)
    for body in bodies:
        builder.add(body)
    builder.observe()
    for name, said in config.tasks.items():
        builder.configure(name, said)
    return builder.finish()


#: What a configured task's keys of the same names replace.
_SIMPLE = (
    *("cwd", "slots", "memory", "timeout", "retries"),
    *("ok_codes", "leave", "sandbox", "creates"),
)


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
        self._defaults: dict[str, Claim] = {}
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
        if recipe.audit and not self._config.audit:
            return
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
            sandbox=self._config.sandbox,
            ok_codes=recipe.ok_codes,
            skip_codes=recipe.skip_codes,
            takes_arguments=recipe.takes_arguments,
            file_endings=recipe.file_endings,
            fix_argv=_with_interpreter(recipe.fix_argv),
            creates=tuple(_join(project.path, path) for path in recipe.creates),
            inside=recipe.inside,
            source=f"the language {language}",
        )
        self.add(task)
        self._needs[task.id] = recipe.needs
        self._after[task.id] = recipe.after

    def observe(self) -> None:
        """Take over what ``polylane.claims.toml`` says of the tasks so far."""
        for name in self._config.claims:
            if name in self._tasks:
                self._tasks[name] = self._observed(self._tasks[name])

    def _observed(self, task: Task) -> Task:
        said = self._config.claims.get(task.id)
        return task if said is None else task._replace(claim=_claim_over(task.claim, said))

    def configure(self, name: str, said: TaskConfig) -> None:
        """Override a found task, or add one."""
        self._check_verb(name, said)
        old = self._tasks.get(name)
        if said.enabled is False:
            if old is None:
                self._unknown(name, ("tasks", name, "enabled"))
            del self._tasks[name]
            return
        base = old or self._observed(self._new(name, said))
        self._tasks[name] = self._overridden(base, said, name)
        if said.needs is not None:
            self._needs[name] = said.needs
            self._after.pop(name, None)
            self._stated.add(name)

    def _check_verb(self, name: str, said: TaskConfig) -> None:
        verb = name.partition(":")[0]
        if said.verb not in (None, verb):
            where = self._config.where("tasks", name, "verb")
            raise UserError(
                f"{where} = {said.verb!r}: the id's first part is {verb!r}; make the two alike"
            )

    def _new(self, name: str, said: TaskConfig) -> Task:
        verb, project_name, tool = name.split(":", 2)
        if said.command is None:
            self._unknown(name, ("tasks", name))
        project = self._new_tasks_project(project_name, name)
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
            sandbox=self._config.sandbox,
            source=self._config.file,
        )

    def _new_tasks_project(self, name: str, task: str) -> Project:
        """The project of a configured task; the workspace itself needs no manifest for that."""
        if name in self._workspace.projects:
            return self._workspace.projects[name]
        if name == ROOT_PROJECT:
            return Project(ROOT_PROJECT, ".")
        return self._workspace.project(name, self._config.where("tasks", task))

    def _unknown(self, name: str, keys: tuple[str, ...]) -> None:
        hint = did_you_mean(name, self._tasks)
        raise UserError(
            f"{self._config.where(*keys)}: no such task was found{hint};"
            " to add a task, give its command"
        )

    def _overridden(self, task: Task, said: TaskConfig, name: str) -> Task:
        if said.cwd is not None:
            self._config.check_folder(said.cwd, "tasks", name, "cwd")
        argv, shell = _command(said, task)
        changes = {name: getattr(said, name) for name in _SIMPLE if getattr(said, name) is not None}
        changes["claim"] = _claim_over(task.claim, said)
        if said.env:
            changes["env"] = (*task.env, *said.env.items())
        if said.command is not None:
            same_tool = argv[:1] == task.argv[:1] and task.argv[:1] == (task.tool,)
            changes.update(
                file_endings=(),
                fix_argv=(),
                takes_arguments=True,
                inside=task.inside if same_tool else "",
            )
        return task._replace(argv=argv, shell=shell, **changes)

    def finish(self) -> dict[str, Task]:
        """Resolve what each task needs into ids."""
        self._check_needs()
        for task in self._tasks.values():
            self._by_place.setdefault((task.verb, task.project), []).append(task.id)
        return {name: self._resolved(task) for name, task in self._tasks.items()}

    def _resolved(self, task: Task) -> Task:
        # What a language says is of that language: Node's tests need no Python wheel.
        told_by_language = task.id in self._needs and task.id not in self._stated
        only = task.language if told_by_language else ""
        needs = self._ids(task, self._needs.get(task.id, task.needs), only)
        after = self._ids(task, self._after.get(task.id, ()), only)
        if task.id not in self._stated:
            needs += self._ids(task, self._config.verb_needs.get(task.verb, ()))
        if (needs, after) == (task.needs, task.after):
            return task
        return task._replace(needs=tuple(dict.fromkeys(needs)), after=after)

    def _check_needs(self) -> None:
        """Refuse needs that a person wrote and that nothing could answer."""
        verbs = {*VERBS, *(task.verb for task in self._tasks.values())}
        for verb, needs in self._config.verb_needs.items():
            self._check_known(verb, verbs, partial(self._config.where, "verbs", verb))
            self._check_said(needs, verbs, partial(self._config.where, "verbs", verb, "needs"))
        for name, task in self._tasks.items():
            if name in self._stated:
                where = partial(self._config.where, "tasks", name, "needs")
                self._check_said(self._needs[name], verbs, where)
            elif name not in self._needs and task.needs:
                self._check_said(task.needs, verbs, partial("{}: needs".format, task.source))

    def _check_said(self, needs: Iterable[str], verbs: set[str], where: Callable[[], str]) -> None:
        for need in needs:
            if ":" not in need:
                self._check_known(need.removeprefix("^"), verbs, where)
            elif need not in self._tasks:
                hint = did_you_mean(need, self._tasks) or "; inv lanes.plan shows the ids"
                raise UserError(f"{where()}: there is no task {need!r}{hint}")

    def _check_known(self, verb: str, verbs: set[str], where: Callable[[], str]) -> None:
        if verb not in verbs:
            hint = did_you_mean(verb, verbs) or f"; verbs: {', '.join(sorted(verbs))}"
            raise UserError(f"{where()}: there is no verb {verb!r}{hint}")

    def _ids(self, task: Task, said: Iterable[str], language: str = "") -> tuple[str, ...]:
        """Resolve ids, verbs of the same project, and ``^verb`` of the projects depended on.

        Verbs mean the tasks of one language, where it is given, and never the task itself.
        """
        ids: dict[str, None] = {}
        for need in said:
            if ":" in need:
                ids.update({need: None} if need in self._tasks else {})
                continue
            projects = self._depends_on(task.project) if need[0] == "^" else [task.project]
            for project in projects:
                for name in self._by_place.get((need.removeprefix("^"), project), ()):
                    if name != task.id and language in ("", self._tasks[name].language):
                        ids[name] = None
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
        if project.name not in self._defaults:
            self._defaults[project.name] = self._made_default(project)
        return self._defaults[project.name]

    def _made_default(self, project: Project) -> Claim:
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


def _claim_over(claim: Claim, said: TaskConfig | SaidClaim) -> Claim:
    """What was said replaces what was found; saying what a task writes makes its claim known."""
    return Claim(
        reads=claim.reads if said.reads is None else said.reads,
        writes=claim.writes if said.writes is None else said.writes,
        caches=claim.caches if said.caches is None else said.caches,
        locks=claim.locks if said.locks is None else said.locks,
        known=claim.known or (said.reads is not None and said.writes is not None),
    )
