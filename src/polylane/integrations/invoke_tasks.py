"""``namespace()``: the Invoke tasks of a workspace, for ``tasks.py``.

Turns what Invoke was given into a `Request`, and a `RunResult` into Invoke's way to end.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from polylane.errors import DEFECT, SIGNAL_BASE, UserError
from polylane.integrations import bodies, invoke_program, offers
from polylane.integrations.offers import Offer
from polylane.plan.selection import Selection

_HELP = {
    "jobs": "slots: how many tasks run at once; a number, auto, or a percentage such as 50%",
    "sequential": "run one task at a time, in reference order",
    "fail-fast": "cancel the rest at the first failure",
    "project": "only this project (repeatable)",
    "language": "only this language",
    "output": "auto, grouped (each task's output whole), stream (lines as they come) or errors",
    "timeout": "seconds that each task may take",
    "sandbox": "projects (each task writes to its own project only) or off",
    "select": "verbs or pipelines, with commas between; default: qa",
}


def namespace(existing: Collection | None = None) -> Collection:
    """Return the collection of a workspace: the folder of the ``tasks.py`` that calls this.

    Invoke tasks defined anywhere in that file remain, and win over ours where names meet;
    so do those of ``existing``. Nothing is looked for until Invoke asks what tasks there are.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - whose tasks.py this is
    invoke_program.attach_above(frame)
    caller = frame.f_globals
    file = caller.get("__file__")
    return WorkspaceCollection(_folder(file), caller, existing or _own_collection(caller))


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
        with _exits():
            taken = self._add_own()
            for offer in offers.find(self._folder, bodies.registry):
                if offer.name not in taken:
                    self.add_task(_invoke_task(self._folder, offer))
            if "lanes" not in taken:
                self.add_collection(_lanes(self._folder))

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


def _lanes(folder: Path) -> Collection:
    lanes = Collection("lanes")

    def plan(
        c: Any,
        select: str = "",
        project: Sequence[str] | None = None,
        language: str = "",
        jobs: str = "",
        sequential: bool = False,
    ) -> None:
        """Show the plan: every task, its command, what it comes after, and what was left out."""
        from polylane.report import plan_text

        with _exits():
            verbs = offers.verbs_of(folder, select or "qa", bodies.registry)
            request = _request(
                folder,
                Selection(verbs, _names(language), tuple(project or ())),
                c,
                {"jobs": jobs, "sequential": sequential},
            )
            print(plan_text.plan(offers.plan(request, bodies.registry)))

    lanes.add_task(_task(plan, "plan", ("project",)))
    return lanes


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
        }
        with _exits():
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
    ) -> None:
        for_all(c, jobs, sequential, fail_fast, project, "", output, timeout, sandbox)

    body = for_one if offer.languages else for_all
    body.__doc__ = offer.help
    return _task(body, offer.name, ("project",), offer.aliases)


def _task(
    body: Callable[..., None], name: str, repeatable: Iterable[str], aliases: Iterable[str] = ()
) -> Task[Any]:
    flags = {name.replace("_", "-") for name in body.__code__.co_varnames}
    return _Task(
        body,
        name=name,
        aliases=tuple(aliases),
        positional=(),
        iterable=list(repeatable),
        auto_shortflags=False,
        help={flag: text for flag, text in _HELP.items() if flag in flags},
    )


class _Task(Task[Any]):
    """An Invoke task whose repeatable flags want a value, as all others do."""

    def get_arguments(self, *args: Any, **kwargs: Any) -> Any:
        """Invoke's own method; its parser takes a list that is there for a value that was given."""
        found = super().get_arguments(*args, **kwargs)
        for argument in found:
            if argument.kind is list:
                argument.raw_value = None
        return found


def _run(folder: Path, offer: Offer, c: Context, flags: Mapping[str, Any]) -> None:
    languages = offer.languages or _names(flags.get("language", ""))
    selection = Selection(offer.verbs, languages, tuple(flags["project"]), offer.ids)
    request = _request(folder, selection, c, flags, parallel=offer.parallel)
    if c.config.run.dry:
        from polylane.report import plan_text

        print(plan_text.commands(offers.plan(request, bodies.registry)))
        return
    result = offers.run(request, bodies.registry, c.config)
    if result.exit_code:
        raise Exit(code=result.exit_code)


def _request(
    folder: Path,
    selection: Selection,
    c: Context,
    flags: Mapping[str, Any],
    *,
    parallel: bool = False,
) -> Any:
    from polylane.integrations.flags import jobs, output, sandbox, seconds
    from polylane.planning import Request

    return Request(
        folder=folder,
        selection=selection,
        parallel=parallel,
        sequential=flags["sequential"],
        jobs=jobs(flags["jobs"]),
        fail_fast=flags.get("fail_fast", False),
        output=output(flags.get("output", "auto")),
        timeout=seconds(flags.get("timeout", "")),
        sandbox=sandbox(flags.get("sandbox", "")),
        words=_words(c),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _words(c: Context) -> tuple[str, ...]:
    """The words after ``--``: Invoke joins them by spaces, so take them as they were typed."""
    typed = tuple(sys.argv[sys.argv.index("--") + 1 :]) if "--" in sys.argv else ()
    joined = getattr(c, "remainder", None)
    if not isinstance(joined, str):  # Invoke 2
        return typed
    return typed if " ".join(typed) == joined else tuple(shlex.split(joined))


@contextmanager
def _exits() -> Iterator[None]:
    """Turn our errors into Invoke's `Exit`, and a defect into a file with its traceback."""
    try:
        yield
    except UserError as error:
        raise Exit(str(error), error.exit_code) from None
    except Exit:
        raise
    except KeyboardInterrupt:  # before or after the run itself, which has its own way to end
        raise Exit(code=SIGNAL_BASE + SIGINT) from None
    except BrokenPipeError:  # whoever read went away (`| head`); say no more, at the exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 - whatever it is, people get one line
        from polylane.integrations.defect import report

        raise Exit(report(error), DEFECT) from None
