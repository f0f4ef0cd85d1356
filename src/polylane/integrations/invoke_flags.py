"""How our Invoke tasks are made: their flags, what these ask for, and Invoke's way to end.

Knows nothing of which Invoke tasks there are.
"""

from __future__ import annotations

import copy
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from polylane.errors import DEFECT, SIGNAL_BASE, UserError
from polylane.plan.selection import Selection

if TYPE_CHECKING:
    from polylane.planning import Request

_HELP = {
    "jobs": "slots: how many tasks run at once; a number, auto, or a percentage such as 50%",
    "sequential": "run one task at a time, in reference order",
    "fail-fast": "cancel the rest at the first failure",
    "project": "only this project (repeatable)",
    "language": "only this language",
    "output": "auto, live (a board), grouped (each task's output whole), stream (lines) or errors",
    "timeout": "seconds that each task may take",
    "sandbox": "projects (a task writes to its own project), strict (to what it claims) or off",
    "rounds": "how many parallel runs, in as many orders",
    "shuffle": "a number that chooses the orders; the one that is printed chooses them again",
    "write": "put the claims that were observed into polylane.claims.toml",
    "merge": "with --write: keep what the file says, and add to it",
    "report": "write a report: .html, .md, .xml (JUnit), .json, .trace.json (Perfetto); repeatable",
    "run": "the run's id, the name of its folder in .polylane/runs; without it the newest",
    "html": "write a page with plots there",
    "watch": "then run again what each change affects, until Ctrl-C (needs polylane[watch])",
    "select": "verbs or pipelines, with commas between; default: qa",
}


def invoke_task(
    body: Callable[..., None], name: str, repeatable: Iterable[str], aliases: Iterable[str] = ()
) -> Task[Any]:
    """Make an Invoke task of a function, with the help of the flags that it has."""
    code = body.__code__
    flags = {name.replace("_", "-") for name in code.co_varnames[: code.co_argcount]}
    return OurTask(
        body,
        name=name,
        aliases=tuple(aliases),
        positional=(),
        iterable=list(repeatable),
        auto_shortflags=False,
        help={flag: text for flag, text in _HELP.items() if flag in flags},
    )


class OurTask(Task[Any]):
    """An Invoke task whose repeatable flags want a value, as all others do."""

    def get_arguments(self, *args: Any, **kwargs: Any) -> Any:
        """Invoke's own method; its parser takes a list that is there for a value that was given."""
        texts = self.help.copy()
        found = super().get_arguments(*args, **kwargs)
        self.help = texts  # it takes them out, and may be asked again
        for argument in found:
            if argument.kind is list:
                argument.raw_value = None
        return found

    def __deepcopy__(self, _: Any) -> OurTask:
        """A copy that shares what nobody changes: Invoke copies every task that it loads."""
        return copy.copy(self)


def request(
    folder: Path,
    selection: Selection,
    c: Context,
    flags: Mapping[str, Any],
    *,
    parallel: bool = False,
) -> Request:
    """What the flags of one call ask for; those that a task has not are as if nobody said them."""
    from polylane.integrations.flags import jobs, output, reports, sandbox, seconds
    from polylane.planning import Request

    return Request(
        folder=folder,
        selection=selection,
        parallel=parallel,
        sequential=flags.get("sequential", False),
        jobs=jobs(flags.get("jobs", "")),
        fail_fast=flags.get("fail_fast", False),
        output=output(flags.get("output", "auto")),
        timeout=seconds(flags.get("timeout", "")),
        sandbox=sandbox(flags.get("sandbox", "")),
        words=_words(c),
        reports=reports(flags.get("report", ())),
    )


def names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name for name in text.split(",") if name)


def _words(c: Context) -> tuple[str, ...]:
    """The words after ``--``: Invoke joins them by spaces, so take them as they were typed."""
    typed = tuple(sys.argv[sys.argv.index("--") + 1 :]) if "--" in sys.argv else ()
    joined = getattr(c, "remainder", None)
    if not isinstance(joined, str):  # Invoke 2
        return typed
    return typed if " ".join(typed) == joined else tuple(shlex.split(joined))


@contextmanager
def exits() -> Iterator[None]:
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
