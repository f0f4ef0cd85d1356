r"""The bottom of a terminal, which is painted again and again below text that scrolls.

Between two paints the cursor stands at the start of the board's first line. A terminal that is
resized wraps or cuts lines as it likes, but keeps the cursor with its text: so the next paint finds
its place again without counting rows, and ``ESC [ J`` removes all that is left below. (Libraries
that leave the cursor below, and count, leave torn lines behind when a window gets narrower.) While
the board is painted, lines do not wrap, so that a character which is wider than thought does no
harm. Two more rules: never erase with the cursor in the upper left corner, where tmux keeps what is
erased in its history; and one write for one paint.

What cannot be helped: when a window of tmux gets narrower, lines that are too long for it are cut
into more (``grid_reflow``), and as many rows leave the top for its history, where nothing can be
erased, even if the lower part of the window is empty. They are rows of the board where fewer rows
stand above it than its own lines grow by; nobody can ask for that number without taking away keys
that were typed ahead, and tmux does this before we hear of the new size.

Sequences: ECMA-48, and DEC's private mode 7 (wrap). Knows nothing of what is shown.
"""

from __future__ import annotations

import os
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress

#: Where the terminal is smaller, there is no board.
LEAST_COLUMNS, LEAST_LINES = 20, 4

_OUT, _IN = 1, 0
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"
#: Needs no translation by the terminal's driver, as a line feed does.
_NEXT_LINE = "\x1bE"
#: Leaves the corner before it erases what is below.
_ERASE = f"\r {_ERASE_BELOW}\r{_ERASE_LINE}"


def size() -> tuple[int, int]:
    """Columns and lines of the terminal; zeros where nobody knows."""
    with suppress(OSError):
        return os.get_terminal_size(_OUT)
    return (0, 0)


def is_big_enough() -> bool:
    """Whether there is room for a board."""
    width, height = size()
    return width >= LEAST_COLUMNS and height >= LEAST_LINES


def in_foreground() -> bool:
    """Whether the terminal is ours now, and not a shell's that put us into the background."""
    with suppress(OSError):
        return os.tcgetpgrp(_OUT) == os.getpgrp()
    return False


class Canvas:
    """One board. ``write`` puts a text on the terminal, whole."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._shown: tuple[tuple[int, int], tuple[str, ...]] | None = None
        self._echo: list[object] | None = None

    def paint(self, lines: Sequence[str]) -> None:
        """Show these lines, each narrower than the terminal and not empty."""
        now = size(), tuple(lines)
        if now == self._shown or not lines:
            return
        if self._shown is None:
            self._silence()
        self._shown = now
        up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        body = f"{_ERASE_LINE}{_NEXT_LINE}".join(lines)
        self._write(f"\r{_NO_WRAP}{body}{_ERASE_BELOW}{up}\r{_WRAP}")

    def clear(self) -> None:
        """Leave nothing of it: what is written next stands in its place."""
        if self._shown is not None:
            self._shown = None
            self._write(_ERASE)

    def close(self) -> None:
        """Leave nothing, and the terminal as it was."""
        self.clear()
        self._restore()

    def _silence(self) -> None:
        """Keys that are typed ahead shall not show up in the board; the next program reads them."""
        if self._echo is None and os.isatty(_IN):
            with suppress(termios.error):
                self._echo = termios.tcgetattr(_IN)
                changed = termios.tcgetattr(_IN)
                changed[3] &= ~termios.ECHO
                termios.tcsetattr(_IN, termios.TCSANOW, changed)

    def _restore(self) -> None:
        if self._echo is not None:
            with suppress(termios.error):
                termios.tcsetattr(_IN, termios.TCSANOW, self._echo)  # type: ignore[arg-type]
            self._echo = None
