"""Invoke's program while it reads a command line: what it cannot read ends with exit code 2.

Knows where Invoke stands, and nothing of what is said (`misread`), of workspaces or of runs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from polylane.describe.config import is_completing
from polylane.errors import UserError
from polylane.integrations.invoke_contexts import contexts


def attach_above(frame: FrameType | None, folder: Path) -> None:
    """Attach to the program that loads the ``tasks.py`` of this frame, where one does."""
    while frame is not None:
        program = frame.f_locals.get("self")
        if isinstance(program, Program):
            attach(program, folder)
            return
        frame = frame.f_back


def attach(program: Program, folder: Path) -> None:
    """Let the next command line that a program reads end as ours do where it cannot be read.

    One that our scripts want to be completed is answered by us. ``folder``: of the workspace.
    """
    parse = program.parse_tasks

    def parse_tasks(*args: Any, **kwargs: Any) -> None:
        # Once: the next run of this program may load a tasks.py that is none of ours.
        program.parse_tasks = parse  # type: ignore[method-assign]
        if isinstance(program.collection, Collection):
            late = partial(contexts, program.collection)
            program.collection.to_contexts = late  # type: ignore[method-assign]
        try:
            parse(*args, **kwargs)
        except ParseError as error:
            from polylane.integrations.misread import misread

            raise _exit(misread(program, error)) from None
        if program.args.complete.value and is_completing():
            from polylane.integrations.completion import answer

            print(answer(program, folder), end="")
            raise Exit
        asked = program.args.help.value
        if isinstance(asked, str) and asked not in program.parser.contexts:
            from polylane.integrations.misread import no_task

            raise _exit(no_task(program, asked))

    program.parse_tasks = parse_tasks  # type: ignore[method-assign]


def _exit(message: str) -> Exit:
    error = UserError(message)
    return Exit(str(error), error.exit_code)
