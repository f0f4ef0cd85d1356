"""How what was printed for a terminal is read."""

from __future__ import annotations

import pytest

from polylane.report.formats import ansi


@pytest.mark.parametrize(
    ("data", "pieces"),
    [
        (b"plain", [("plain", "")]),
        (b"\x1b[31mred\x1b[0m no", [("red", "f1"), (" no", "")]),
        (b"\x1b[1;32mboth\x1b[22mless", [("both", "bold f2"), ("less", "f2")]),
        (b"\x1b[94mbright\x1b[39m.", [("bright", "f12"), (".", "")]),
        (b"\x1b[41mback\x1b[49m.", [("back", "b1"), (".", "")]),
        (b"\x1b[38;5;196mcube\x1b[m.", [("cube", "f9"), (".", "")]),
        (b"\x1b[38;2;0;0;255mtrue\x1b[m.", [("true", "f12"), (".", "")]),
        (b"\x1b[31m\x1b[31mone\x1b[31m piece", [("one piece", "f1")]),
    ],
)
def test_styles_are_named(data: bytes, pieces: list[ansi.Piece]) -> None:
    """Basic, bright, 256 and true colours become one of 16; neighbours alike become one piece."""
    assert ansi.pieces(data) == pieces


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b[2K\x1b[1Ga\x1b[?25lb", "ab"),
        (b"\x1b]8;;file:///x\x1b\\name\x1b]8;;\x07", "name"),
        (b"\x1b]0;never ended", ""),
        (b"1 %\r50 %\r100 %\nnext", "100 %\nnext"),
        (b"dos\r\nends\r\n", "dos\nends\n"),
        (b"ab\b\bcd", "cd"),
        (b"bell\x07 nul\x00", "bell\u2407 nul\u2400"),
        (b"caf\xe9", "caf\ufffd"),
        ("safe\u202eelbisrever".encode(), "safe\ufffdelbisrever"),
    ],
)
def test_what_nobody_sees_vanishes_or_becomes_visible(data: bytes, text: str) -> None:
    """Cursor moves and titles vanish, progress bars end, controls and turned text are shown."""
    assert ansi.plain(data) == text


def test_a_colour_outlives_the_line_that_was_printed_over() -> None:
    """What a carriage return goes back over is gone, but for its switch of styles."""
    assert ansi.pieces(b"\x1b[31mold\rnew") == [("new", "f1")]


def test_text_and_no_text_are_told_apart() -> None:
    """Colours, progress bars and Latin-1 are text; a compressed file is none."""
    assert not ansi.is_binary(b"")
    assert not ansi.is_binary(b"\x1b[31mred\x1b[0m\r" * 50)
    assert not ansi.is_binary("Größe, klar".encode("latin-1") * 50)
    assert ansi.is_binary(bytes(range(256)) * 8)


def test_a_long_line_takes_no_time_of_its_own() -> None:
    """A line of 2 MB with no end is read by a pass, not by one for each character."""
    assert len(ansi.plain(b"x" * 2_000_000)) == 2_000_000
