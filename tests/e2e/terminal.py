"""A terminal for programs under test: a pseudo-terminal, and the part of a shell that starts jobs.

The job is the foreground group of a session of its own, and its parent is in that session but not
in that group, as with a shell: only then do Ctrl-C and Ctrl-Z mean what they mean to people.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support import LIMIT_S

CTRL_C = b"\x03"
CTRL_Z = b"\x1a"
CTRL_BACKSLASH = b"\x1c"


class Terminal:
    """One program in a terminal."""

    def __init__(self, argv: Sequence[str], folder: Path, environ: dict[str, str]) -> None:
        said, say = os.pipe()
        self._shell, self._master = pty.fork()
        if self._shell == 0:
            os.close(said)
            _be_shell(argv, folder, environ, say)
        os.close(say)
        self._events = os.fdopen(said, "r", encoding="ascii")
        self.job = int(self._events.readline())
        self.output = b""

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def expect(self, text: bytes) -> None:
        """Read what the program shows until ``text`` is there."""
        self.expect_match(re.compile(re.escape(text)))

    def expect_match(self, pattern: re.Pattern[bytes]) -> None:
        """Read what the program shows until the pattern is found."""
        deadline = time.monotonic() + LIMIT_S
        while not pattern.search(self.output):
            said = f"no {pattern.pattern!r} in {self.output!r}"
            left = deadline - time.monotonic()
            assert left > 0, said
            assert self._read(left), f"{said}, and nothing more comes"

    def _read(self, limit: float) -> bool:
        if not select.select([self._master], [], [], limit)[0]:
            return True
        with suppress(OSError):
            if data := os.read(self._master, 65536):
                self.output += data
                return True
        return False

    def event(self) -> str:
        """What the shell sees next of its job: ``stopped``, or ``exited`` and its code."""
        deadline = time.monotonic() + LIMIT_S
        while not select.select([self._events], [], [], 0.05)[0]:
            assert time.monotonic() < deadline, f"no event; the output is {self.output!r}"
            if not self.is_closed:
                self._read(0)  # or the job could not write on
        return self._events.readline().strip()

    def go_on(self) -> None:
        """What ``fg`` does."""
        os.killpg(self.job, signal.SIGCONT)

    @property
    def is_closed(self) -> bool:
        """Whether the window was closed."""
        return self._master < 0

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End the shell; its job has ended, or the test has failed."""
        with suppress(ProcessLookupError):
            os.kill(self.job, signal.SIGKILL)
        os.kill(self._shell, signal.SIGKILL)
        os.waitpid(self._shell, 0)
        self._events.close()
        if not self.is_closed:
            self.hang_up()


def _be_shell(argv: Sequence[str], folder: Path, environ: dict[str, str], say: int) -> None:
    try:
        os.closerange(3, say)  # other terminals are among them, which would not hang up
        os.closerange(say + 1, os.sysconf("SC_OPEN_MAX"))
        os.chdir(folder)
        for number in (signal.SIGTTOU, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            for number in (signal.SIGTTOU, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(argv[0], list(argv), environ)
        signal.signal(signal.SIGHUP, lambda *_: os.killpg(pid, signal.SIGHUP))
        os.write(say, f"{pid}\n".encode())
        while True:
            _, status = os.waitpid(pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                os.write(say, f"exited {os.waitstatus_to_exitcode(status)}\n".encode())
                signal.pause()
            os.write(say, b"stopped\n")
    finally:
        os._exit(1)


@contextmanager
def terminal(argv: Sequence[str], folder: Path, environ: dict[str, str]) -> Iterator[Terminal]:
    """A program in a terminal, while the test looks at it."""
    made = Terminal(argv, folder, environ)
    try:
        yield made
    finally:
        made.close()
