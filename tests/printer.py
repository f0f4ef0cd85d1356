"""A command that prints numbered lines as fast as it can, and says how far it is.

Every third line goes to standard error, the others to standard output. The process's id and the
number of lines whose writing has returned stand in a file of two numbers, which is mapped into
memory: so what was written is known also of a process that was killed.

``python -I -S printer.py FILE LINES``, or `be` in a Python body. Knows nothing of logs.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from pathlib import Path

_SAID = struct.Struct("=QQ")


def line(number: int) -> bytes:
    """A line by its number, from 0: of many lengths, so that they cross pages everywhere."""
    return b"%d %s\n" % (number, b"x" * (number % 97))


def said(file: Path) -> tuple[int, int]:
    """The process id, 0 before it has started, and how many lines it has written."""
    try:
        pid, lines = _SAID.unpack(file.read_bytes())
    except (OSError, struct.error):
        return 0, 0
    return pid, lines


def be(file: str, lines: int, *, body: bool = False) -> int:
    """Print, and exit with 0 when all is printed."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(descriptor, _SAID.size)
    write = _print if body else _write
    # Each number is written at once, as a whole.
    with mmap.mmap(descriptor, _SAID.size) as told, memoryview(told).cast("Q") as numbers:
        numbers[0] = os.getpid()
        for number in range(lines):
            write(number)
            numbers[1] = number + 1
    return 0


def _write(number: int) -> None:
    os.write(1 if number % 3 else 2, line(number))


def _print(number: int) -> None:
    """As bodies do; the process's streams are flushed with each line."""
    print(line(number).decode(), end="", file=sys.stdout if number % 3 else sys.stderr)


def whole_lines(log: bytes) -> int:
    """How many lines a log has, all whole and in order; the last may be cut by a kill.

    Raises:
        AssertionError: a line is not the one that belongs there.
    """
    *whole, rest = log.split(b"\n")
    for number, found in enumerate(whole):
        assert found + b"\n" == line(number), f"line {number} is {found[:120]!r}"
    assert line(len(whole)).startswith(rest), f"after {len(whole)} lines comes {rest[:120]!r}"
    return len(whole)


if __name__ == "__main__":
    sys.exit(be(sys.argv[1], int(sys.argv[2])))
