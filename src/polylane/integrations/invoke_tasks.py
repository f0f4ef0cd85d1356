"""``namespace()``: the Invoke tasks of a workspace, for ``tasks.py``.

Turns what Invoke was given into a `Request`, and a `RunResult` into Invoke's way to end.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from polylane import garbage
from polylane.integrations import bodies, invoke_program, lanes, offers
from polylane.integrations.invoke_flags import exits, invoke_task, names, request
from polylane.integrations.offers import Offer
from polylane.plan.selection import Selection

if TYPE_CHECKING:
    from polylane.planning import Request


def namespace(existing: Collection | None = None) -> Collection:
    """Return the collection of a workspace: the folder of the ``tasks.py`` that calls this.

    Invoke tasks defined anywhere in that file remain, and win over ours where names meet;
    so do those of ``existing``. Nothing is looked for until Invoke asks what tasks there are.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - whose tasks.py this is
    caller = frame.f_globals
    folder = _folder(caller.get("__file__"))
    invoke_program.attach_above(frame, folder)
    return WorkspaceCollection(folder, caller, existing or _own_collection(caller))


def _folder(file: str | None) -> Path:
    """The folder of ``tasks.py``, or of the package ``tasks``."""
    if not file:
        return Path.cwd()
    path = Path(file).resolve()
    return path.parent.parent if path.name == "__init__.py" else path.parent


def _own_collection(caller: Mapping[str, Any]) -> Collection | None:
    found = caller.get("ns")
    return found if isinstance(found, Collection) else None


class WorkspaceCollection(Collection):
    """A collection that is filled when it is first looked at, when ``tasks.py`` is loaded whole."""

    def __init__(
        self, folder: Path, caller: Mapping[str, Any], existing: Collection | None = None
    ) -> None:
        self._filled = True
        super().__init__()
        self._filled = False
        self._folder = folder
        self._caller = caller
        self._existing = existing

    @property
    def tasks(self) -> Any:
        """Invoke's own attribute: the tasks by name."""
        self._fill()
        return self._tasks

    @tasks.setter
    def tasks(self, tasks: Any) -> None:
        self._tasks = tasks

    @property
    def collections(self) -> Any:
        """Invoke's own attribute: the collections below this one, by name."""
        self._fill()
        return self._collections

    @collections.setter
    def collections(self, collections: Any) -> None:
        self._collections = collections

    def filled(self) -> WorkspaceCollection:
        """This collection, once it knows its tasks."""
        self._fill()
        return self

    def _fill(self) -> None:
        if self._filled:
            return
        self._filled = True
        with exits():
            taken = self._add_own()
            for offer in offers.find(self._folder, bodies.registry):
                if offer.name not in taken:
                    self.add_task(_invoke_task(self._folder, offer))
            if "lanes" not in taken:
                self.add_collection(lanes.collection(self._folder))

    def _add_own(self) -> set[str]:
        """Add the tasks of ``tasks.py`` itself; returns the names that are taken."""
        decorated = {id(body.function) for body in bodies.registry}
        if self._existing is not None:
            self.configure(self._existing.configuration())
            for name, task in self._existing.tasks.items():
                self.add_task(task, name=name, default=name == self._existing.default)
            for name, collection in self._existing.collections.items():
                self.add_collection(collection, name=name)
        for value in list(self._caller.values()):
            is_own = isinstance(value, Task) and id(value.body) not in decorated
            if is_own and self.transform(value.name) not in self.tasks:
                self.add_task(value)
        return {*self.tasks, *self.tasks.aliases, *self.collections}


def _invoke_task(folder: Path, offer: Offer) -> Task[Any]:
    def for_all(
        c: Any,
        jobs: str = "",
        sequential: bool = False,
        fail_fast: bool = False,
        project: Sequence[str] | None = None,
        language: str = "",
        output: str = "auto",
        timeout: str = "",
        sandbox: str = "",
        report: Sequence[str] | None = None,
        watch: bool = False,
    ) -> None:
        flags = {
            "jobs": jobs,
            "sequential": sequential,
            "fail_fast": fail_fast,
            "project": project or (),
            "language": language,
            "output": output,
            "timeout": timeout,
            "sandbox": sandbox,
            "report": report or (),
            "watch": watch,
        }
        with exits(), garbage.paused():
            _run(folder, offer, c, flags)

    def for_one(
        c: Any,
        jobs: str = "",
        sequential: bool = False,
        fail_fast: bool = False,
        project: Sequence[str] | None = None,
        output: str = "auto",
        timeout: str = "",
        sandbox: str = "",
        report: Sequence[str] | None = None,
        watch: bool = False,
    ) -> None:
        given = (jobs, sequential, fail_fast, project, "", output, timeout, sandbox, report, watch)
        for_all(c, *given)

    body = for_one if offer.languages else for_all
    body.__doc__ = offer.help
    return invoke_task(body, offer.name, ("project", "report"), offer.aliases)


def _run(folder: Path, offer: Offer, c: Context, flags: Mapping[str, Any]) -> None:
    languages = offer.languages or names(flags.get("language", ""))
    selection = Selection(offer.verbs, languages, tuple(flags["project"]), offer.ids)
    asked = request(folder, selection, c, flags, parallel=offer.parallel)
    if c.config.run.dry:
        from polylane.report import plan_text

        print(plan_text.commands(offers.plan(asked, bodies.registry)))
        return
    if code := _started(asked, c, watched=flags["watch"]):
        raise Exit(code=code)


def _started(asked: Request, c: Context, *, watched: bool) -> int:
    """Run, or run and watch; the exit code."""
    if not watched:
        return offers.run(asked, bodies.registry, c.config).exit_code
    from polylane.integrations.watch import watch

    with garbage.working():
        return watch(offers.with_bodies(asked, bodies.registry, c.config))
