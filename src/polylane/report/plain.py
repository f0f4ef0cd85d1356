"""Prints a run as plain text: a task's output whole when it ends, or line by line with its name.

Sees tasks, results and log files; knows nothing of how they came about.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from polylane.model import Task
from polylane.outcome import BAD, Outcome, TaskResult

_COPY_BYTES = 1 << 20
_COLOURS = {
    Outcome.PASSED: "32",
    Outcome.CACHED: "32",
    Outcome.SKIPPED: "33",
    Outcome.CANCELLED: "33",
}


#: A pipe without a reader, and a terminal whose window was closed.
_READER_GONE = (errno.EPIPE, errno.EIO)


def _mute() -> None:
    """Send the rest nowhere, or its flush at the exit would fail and change the exit code."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


class Screen:
    """Where people read: bytes go through unchanged; a reader that went away is no error."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._binary: BinaryIO | None = getattr(sys.stdout, "buffer", None)
        self._gone = False
        self._is_terminal = sys.stdout is not None and sys.stdout.isatty()
        #: When something was printed last, by the monotonic clock.
        self.printed = time.monotonic()

    def line(self, text: str = "", *, style: str = "") -> None:
        """Print one line of ours."""
        if style and self._colour:
            text = f"\x1b[{style}m{text}\x1b[0m"
        self.write(f"{text}\n".encode(errors="backslashreplace"))

    def write(self, data: bytes) -> None:
        """Print bytes as they are, at once."""
        if self._gone:
            return
        self.printed = time.monotonic()
        try:
            if self._binary is None:
                sys.stdout.write(data.decode(errors="replace"))
            else:
                sys.stdout.flush()
                self._binary.write(data)
                self._binary.flush()
        except OSError as error:
            if error.errno not in _READER_GONE:
                raise
            self._gone = True
            _mute()

    def lines(self, lines: Iterable[bytes], mark: bytes = b"") -> None:
        """Print lines of tasks, each after a mark; on a terminal as text and colours only."""
        if self._is_terminal:
            from polylane.report import cleaned

            lines = map(cleaned.line, lines)
        self.write(b"".join(mark + line + b"\n" for line in lines))

    def copy(self, log: str) -> None:
        """Print a log whole, and end its last line where it has no end.

        On a terminal it is text and colours, else its bytes.
        """
        with suppress(OSError):
            if not os.stat(log).st_size:  # noqa: PTH116 - most logs are empty
                return
        last = b"\n"
        with suppress(OSError), open(log, "rb", buffering=0) as file:
            for data in self._pieces(file):
                self.write(data)
                last = data
        if not last.removesuffix(b"\x1b[0m").endswith(b"\n"):
            self.write(b"\n")

    def _pieces(self, file: BinaryIO | FileIO) -> Iterator[bytes]:
        if not self._is_terminal:
            yield from iter(lambda: file.read(_COPY_BYTES), b"")
            return
        from polylane.report import cleaned

        rest = b""
        while data := file.read(_COPY_BYTES):
            data, rest = cleaned.cut(rest + data)
            yield cleaned.whole(data)
        if rest := cleaned.whole(rest):
            yield rest


def ending(result: TaskResult) -> str:
    """How a task ended, in words: ``failed with exit code 1 in 0.3 s``."""
    words = result.outcome.value.replace("-", " ")
    if result.signal is not None and result.outcome is Outcome.FAILED:
        words += f" by signal {result.signal} ({_signal_name(result.signal)})"
    elif result.outcome is Outcome.FAILED and not result.reason:
        words += f" with exit code {result.exit_code}"
    if result.reason:
        words += f": {result.reason}"
    if result.started_s is not None:
        words += f" ({result.wall_s:.2f} s)"
    if result.attempts > 1:
        words += f", attempt {result.attempts}"
    return words


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def style(outcome: Outcome) -> str:
    """The colour of an outcome, as the numbers of an SGR sequence."""
    return _COLOURS.get(outcome, "31")


class Grouped:
    """Each task's output whole, when it has ended; with ``errors_only`` that of failures.

    With ``all_named`` every task has its line all the same.
    """

    period: float | None = None

    def __init__(
        self, screen: Screen, folder: Path, *, errors_only: bool = False, all_named: bool = False
    ) -> None:
        self._screen = screen
        self._folder = folder
        self._errors_only = errors_only
        self._all_named = all_named or not errors_only

    def started(self, task: Task, log: str) -> None:
        """See `Observer`."""

    def finished(self, task: Task, result: TaskResult) -> None:
        """See `Observer`."""
        bad = result.outcome in BAD
        if bad or self._all_named:
            self._screen.line(f"== {task.id} {ending(result)}", style=style(result.outcome))
        if result.log and (bad or not self._errors_only):
            self._screen.copy(f"{self._folder}/{result.log}")
        self._after(result)

    def _after(self, result: TaskResult) -> None:
        _after(self._screen, result)

    def tick(self) -> None:
        """See `Observer`."""


def _after(screen: Screen, result: TaskResult) -> None:
    """What else is to be said of a task."""
    for line in result.refused:
        screen.line(f"== {result.id}: {line}")
    for leftover in result.leftovers:
        screen.line(f"== {result.id} left a process behind, which was ended: {leftover}")


class Stream:
    """Each task's output as it comes, in whole lines, with the task's id in front."""

    period: float | None = 0.05

    def __init__(self, screen: Screen, folder: Path) -> None:
        self._screen = screen
        self._folder = folder
        self._open: dict[str, tuple[Path, int, bytes]] = {}

    def started(self, task: Task, log: str) -> None:
        """See `Observer`."""
        if log:
            self._open[task.id] = (Path(log), 0, b"")

    def finished(self, task: Task, result: TaskResult) -> None:
        """See `Observer`."""
        self._follow(task.id)
        _, _, rest = self._open.pop(task.id, (None, 0, b""))
        if rest:
            self._print(task.id, [rest])
        self._screen.line(f"== {task.id} {ending(result)}", style=style(result.outcome))
        _after(self._screen, result)

    def tick(self) -> None:
        """See `Observer`."""
        for name in list(self._open):
            self._follow(name)

    def _follow(self, name: str) -> None:
        if name not in self._open:
            return
        log, position, rest = self._open[name]
        with suppress(OSError), log.open("rb") as file:
            file.seek(position)
            while data := file.read(_COPY_BYTES):
                position += len(data)
                *lines, rest = (rest + data).split(b"\n")
                self._print(name, lines)
        self._open[name] = (log, position, rest)

    def _print(self, name: str, lines: list[bytes]) -> None:
        if lines:
            self._screen.lines(lines, f"{name} | ".encode())


class Quiet:
    """Says nothing: the one task that runs has the terminal."""

    period: float | None = None

    def started(self, task: Task, log: str) -> None:
        """See `Observer`."""

    def finished(self, task: Task, result: TaskResult) -> None:
        """See `Observer`."""

    def tick(self) -> None:
        """See `Observer`."""
