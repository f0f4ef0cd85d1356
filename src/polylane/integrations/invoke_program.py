"""Invoke's program while it reads a command line: what it cannot read ends with exit code 2.

Knows where Invoke stands, and nothing of what is said (`misread`), of workspaces or of runs.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from polylane.errors import UserError


def attach_above(frame: FrameType | None) -> None:
    """Attach to the program that loads the ``tasks.py`` of this frame, where one does."""
    while frame is not None:
        program = frame.f_locals.get("self")
        if isinstance(program, Program):
            attach(program)
            return
        frame = frame.f_back


def attach(program: Program) -> None:
    """Let the next command line that a program reads end as ours do where it cannot be read."""
    parse = program.parse_tasks

    def parse_tasks(*args: Any, **kwargs: Any) -> None:
        # Once: the next run of this program may load a tasks.py that is none of ours.
        program.parse_tasks = parse  # type: ignore[method-assign]
        try:
            parse(*args, **kwargs)
        except ParseError as error:
            from polylane.integrations.misread import misread

            raise _exit(misread(program, error)) from None
        asked = program.args.help.value
        if isinstance(asked, str) and asked not in program.parser.contexts:
            from polylane.integrations.misread import no_task

            raise _exit(no_task(program, asked))

    program.parse_tasks = parse_tasks  # type: ignore[method-assign]


def _exit(message: str) -> Exit:
    error = UserError(message)
    return Exit(str(error), error.exit_code)
