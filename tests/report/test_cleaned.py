"""What a terminal is shown of a task's output."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.report import cleaned

RESET = b"\x1b[0m"


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (
            b"plain\n\ttext \xe6\x97\xa5\xf0\x9f\x8e\x89\n",
            b"plain\n\ttext \xe6\x97\xa5\xf0\x9f\x8e\x89\n",
        ),
        (b"\x1b[1;31mred\x1b[0m done\n", b"\x1b[1;31mred\x1b[0m done\n"),
        (b"\x1b[38:5:1mred\x1b[m", b"\x1b[38:5:1mred\x1b[m"),
        (b"\x1b[31mopen\n", b"\x1b[31mopen\n" + RESET),
        (b"\x1b[2J\x1b[Hgone\x1b[?25l\x1b[?1049h\x1b[5;5H\x1b[K", b"gone"),
        (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", b"alink"),
        (b"\x1b]0;never ended\nnext", b"\nnext"),
        (b"\x1bPdevice\x1b\\\x1b(0\x1bcend\x1b", b"end"),
        (b"nul\0 bell\x07 shift\x0e\x0f del\x7f csi\xc2\x9b2J", b"nul bell shift del csi2J"),
        (b" 10%\r100%\r\n", b" 10%\r100%\r\n"),
    ],
)
def test_text_and_colours_are_kept(printed: bytes, shown: bytes) -> None:
    """Nothing that moves, clears, hides or renames; a colour ends with the text."""
    assert cleaned.whole(printed) == shown


@pytest.mark.parametrize(
    ("printed", "shown"),
    [(b" 10%\r100%", b"100%"), (b"end\r", b"end"), (b"\r \r", b""), (b"", b"")],
)
def test_of_a_line_the_last_state_is_shown(printed: bytes, shown: bytes) -> None:
    """As a progress bar leaves it."""
    assert cleaned.line(printed) == shown


@given(st.lists(st.sampled_from([b"\x1b[31m", b"a\n", b"\x1b[2J", b"\x1b]0;t\x07", b"\0"])))
def test_pieces_are_shown_as_the_whole(parts: list[bytes]) -> None:
    """Wherever a log is cut, but for resets."""
    data, shown, rest = b"".join(parts), b"", b""
    for number in range(len(data)):
        piece, rest = cleaned.cut(rest + data[number : number + 1])
        shown += cleaned.whole(piece)
    shown += cleaned.whole(rest)
    assert shown.replace(RESET, b"") == cleaned.whole(data).replace(RESET, b"")


PROGRAM = """
import sys
from pathlib import Path
from polylane.report.plain import Screen
screen = Screen(colour=False)
screen.copy("log")
screen.lines([b"\\x1b[2Jone\\rtwo"], b"| ")
"""

LOG = b"\x1b[2J\x1b[31mred\n\x1b[?25llast"


def test_a_pipe_gets_the_bytes(tmp_path: Path) -> None:
    """Unchanged, but for the end of the last line."""
    (tmp_path / "log").write_bytes(LOG)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == LOG + b"\n| \x1b[2Jone\rtwo\n"


def test_a_terminal_gets_text_and_colours(tmp_path: Path) -> None:
    """Of a log, and of lines."""
    (tmp_path / "log").write_bytes(LOG)
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, stdout=theirs, check=True)
    os.close(theirs)
    seen = b""
    while b"two\r\n" not in seen:
        seen += os.read(ours, 1000)
    os.close(ours)
    assert seen == b"\x1b[31mred\r\n\x1b[0mlast\r\n| two\r\n"
