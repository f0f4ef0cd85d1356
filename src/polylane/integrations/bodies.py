"""``@polylane.task``: people's own Invoke tasks with Python bodies become tasks of ours.

Knows Invoke's `Task` and `Context`, and nothing of how bodies are scheduled.
"""

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from invoke.config import Config as InvokeConfig
from invoke.context import Context
from invoke.exceptions import Exit, UnexpectedExit
from invoke.tasks import Task as InvokeTask
from invoke.tasks import task as invoke_task

from polylane.describe.config import Config
from polylane.describe.workspace import Workspace
from polylane.errors import UserError, did_you_mean
from polylane.model import ROOT_PROJECT, SANDBOXES, Claim, Task, task_id
from polylane.records import NamedTuple

Function = Callable[..., Any]


class Body(NamedTuple):
    """A decorated function and what its decorator said."""

    function: Function
    name: str
    verb: str
    language: str
    project: str
    reads: tuple[str, ...] | None
    writes: tuple[str, ...] | None
    caches: tuple[str, ...]
    locks: tuple[str, ...]
    needs: tuple[str, ...]
    slots: int
    timeout: float | None
    #: ``file:line`` of the function.
    source: str
    help: str
    #: Empty: what the configuration says.
    sandbox: str = ""

    @property
    def id(self) -> str:
        """The id of its task."""
        return task_id(self.verb, self.project, self.name)


#: Every decorated function of this process, in the order of their definition.
registry: list[Body] = []


def task(
    function: Function | None = None,
    *,
    verb: str,
    language: str = "",
    project: str = ROOT_PROJECT,
    reads: Iterable[str] | None = None,
    writes: Iterable[str] | None = None,
    caches: Iterable[str] = (),
    locks: Iterable[str] = (),
    needs: Iterable[str] = (),
    slots: int = 1,
    timeout: float | None = None,
    sandbox: str = "",
    name: str = "",
) -> Any:
    """Make an Invoke task of a function, and let it take part in the runs of its verb.

    The function takes an Invoke context as its only argument. ``reads`` and ``writes`` are path
    patterns relative to the workspace; without them the task is taken to read and write its whole
    project. Words after ``--`` are in ``c.remainder``.
    """

    def decorate(target: Function) -> Any:
        own: Any = target if isinstance(target, InvokeTask) else invoke_task(target)
        code = own.body.__code__
        body = Body(
            function=own.body,
            name=name or own.name.replace("_", "-"),
            verb=verb,
            language=language,
            project=project,
            reads=None if reads is None else tuple(reads),
            writes=None if writes is None else tuple(writes),
            caches=tuple(caches),
            locks=tuple(locks),
            needs=tuple(needs),
            slots=slots,
            timeout=timeout,
            sandbox=sandbox,
            source=f"{Path(code.co_filename).name}:{code.co_firstlineno}",
            help=(own.body.__doc__ or "").strip().split("\n")[0],
        )
        registry[:] = [each for each in registry if _place(each) != _place(body)]
        registry.append(body)
        return own

    return decorate if function is None else decorate(function)


def _place(body: Body) -> tuple[str, str]:
    """Where a body stands: a file that is loaded again replaces its own bodies."""
    return body.function.__code__.co_filename, body.function.__qualname__


def tasks(bodies: Iterable[Body], config: Config, workspace: Workspace) -> tuple[Task, ...]:
    """The tasks of bodies; a project that is not there is a `UserError`."""
    result = []
    for body in bodies:
        at_root = body.project == ROOT_PROJECT and body.project not in workspace.projects
        path = "." if at_root else workspace.project(body.project, body.source).path
        tree = "**" if path == "." else f"{path}/**"
        depends = () if at_root else workspace.depends_on(body.project)
        near = [workspace.projects[name].path for name in depends]
        result.append(
            Task(
                id=body.id,
                verb=body.verb,
                project=body.project,
                language=body.language,
                tool=body.name,
                argv=(),
                cwd=path,
                claim=Claim(
                    reads=(tree, *near) if body.reads is None else body.reads,
                    writes=(tree,) if body.writes is None else body.writes,
                    caches=body.caches,
                    locks=body.locks,
                    known=body.reads is not None and body.writes is not None,
                ),
                needs=body.needs,
                slots=body.slots,
                timeout=config.timeout if body.timeout is None else body.timeout,
                sandbox=body.sandbox or config.sandbox,
                source=body.source,
            )
        )
    return tuple(result)


def callables(
    bodies: Iterable[Body], config: InvokeConfig | None = None
) -> Mapping[str, Callable[[tuple[str, ...]], int]]:
    """What lanes call, by task id: takes the words after ``--``, returns an exit code."""
    return {body.id: _callable(body, config) for body in bodies}


def _callable(body: Body, config: InvokeConfig | None) -> Callable[[tuple[str, ...]], int]:
    def call(words: tuple[str, ...]) -> int:
        context = Context(config.clone() if config is not None else InvokeConfig())
        context._set(remainder=" ".join(words))  # noqa: SLF001 - Invoke 2 has no argument for it
        try:
            body.function(context)
        except Exit as error:
            if error.message:
                print(error.message, file=sys.stderr)
            return int(error.code)
        except UnexpectedExit as error:
            print(error, file=sys.stderr)
            return int(error.result.exited)
        except SystemExit as error:
            return _exit_code(error)
        except KeyboardInterrupt:
            return 130
        except Exception:  # noqa: BLE001 - whatever a body raises is its failure, in its log
            traceback.print_exc()
            return 1
        return 0

    return call


def _exit_code(error: SystemExit) -> int:
    if isinstance(error.code, int) or error.code is None:
        return error.code or 0
    print(error.code, file=sys.stderr)
    return 1


def check(bodies: Iterable[Body]) -> None:
    """Refuse what no plan could take: two bodies with one id, slots below 1, an empty verb."""
    seen: dict[str, Body] = {}
    for body in bodies:
        if body.id in seen:
            raise UserError(
                f"{body.source}: the id {body.id} is taken by {seen[body.id].source};"
                " give one of them another name"
            )
        seen[body.id] = body
        if body.sandbox not in ("", *SANDBOXES):
            hint = did_you_mean(body.sandbox, SANDBOXES)
            known = ", ".join(SANDBOXES)
            raise UserError(f"{body.source}: sandbox = {body.sandbox!r}: one of {known}{hint}")
        if body.slots < 1:
            raise UserError(f"{body.source}: slots = {body.slots}: must be a whole number above 0")
