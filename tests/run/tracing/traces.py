"""Helpers of the tracer's tests: run a command under a trace, as a lane does."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from polylane.run.tracing.tracer import Touches, Tracer, available
from tests.support import LIMIT_S, python

#: Why there can be no trace here.
TRACED = pytest.mark.skipif(bool(available()), reason=available() or "it can")


class Ended(NamedTuple):
    """The end of a traced command."""

    code: int
    output: str
    touches: Touches


def in_thread(tracer: Tracer, function: Callable[[], None]) -> None:
    """Install the trace in a thread of its own, and call a function there."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            tracer.install()
            function()
        except BaseException as error:  # noqa: BLE001 - raised below
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LIMIT_S)
    assert not thread.is_alive()
    if raised:
        raise raised[0]


def trace(folder: Path, *argv: str, reads: bool = True) -> Ended:
    """Run a command in a folder; one word is a script for the shell."""
    tracer = Tracer(reads=reads)
    ended: list[subprocess.CompletedProcess[str]] = []

    def run() -> None:
        words = ("/bin/sh", "-c", *argv) if len(argv) == 1 else argv
        ended.append(
            subprocess.run(
                words,
                cwd=folder,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=LIMIT_S,
            )
        )

    try:
        in_thread(tracer, run)
        touches = tracer.collect(LIMIT_S)
    finally:
        tracer.close()
    return Ended(ended[0].returncode, ended[0].stdout, touches)


def trace_python(folder: Path, *lines: str, reads: bool = True) -> Touches:
    """Run lines of Python in a folder, with ``os`` imported; they succeed."""
    ended = trace(folder, *python("\n".join(["import os", *lines])), reads=reads)
    assert ended.code == 0, ended.output
    return ended.touches


def below(folder: Path, paths: frozenset[str]) -> set[str]:
    """The paths in a folder, relative to it."""
    start = f"{os.path.realpath(folder)}/"
    return {path.removeprefix(start) for path in paths if path.startswith(start)}
