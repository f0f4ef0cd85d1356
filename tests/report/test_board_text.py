"""The lines of the live board, for a width and a height."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.plan.estimate import Estimate
from polylane.report.board_text import (
    MOST_TASKS,
    Look,
    Running,
    State,
    age,
    columns,
    fit,
    last_line,
    lines,
    size,
)

PLAIN = Look(unicode=True, colour=False)
ASCII = Look(unicode=False, colour=False)


def state(*running: Running, **more: object) -> State:
    values = {"total": 9, "done": 2, "slots": 4, "slots_used": 3, "age_s": 65.0, **more}
    return State(running=running, **values)  # type: ignore[arg-type]


class TestHead:
    """The first line."""

    def test_it_says_all_that_there_is_room_for(self) -> None:
        """Progress, failures, what is waited for, time left and gone, slots, memory."""
        full = state(
            Running("a", 1.0, rss_bytes=1_500_000_000),
            failed=1,
            waits="memory",
            left=Estimate(30.0, 41.0, 60.0, 3),
        )
        assert lines(full, 120, 5, PLAIN)[0] == (
            "2/9 · 1 failed · waits for memory · about 41 s left · 1m05s · 3 of 4 slots · 1.5 GB"
        )

    def test_a_narrow_one_keeps_what_matters_most(self) -> None:
        """What does not fit is left out whole."""
        assert lines(state(failed=1), 21, 5, PLAIN) == ["2/9 · 1 failed"]

    def test_an_estimate_below_a_second_is_not_said(self) -> None:
        """It would stay until the end."""
        assert "left" not in lines(state(left=Estimate(0.1, 0.2, 0.3, 3)), 80, 5, PLAIN)[0]

    def test_ascii(self) -> None:
        """Where the terminal shows nothing else."""
        assert lines(state(), 80, 5, ASCII) == ["2/9 | 1m05s | 3 of 4 slots"]

    def test_colour(self) -> None:
        """Progress in bold, failures in red."""
        head = lines(state(failed=1), 80, 5, Look(unicode=True, colour=True))[0]
        assert head.startswith("\x1b[1m2/9\x1b[0m · \x1b[31m1 failed\x1b[0m · ")


class TestTasks:
    """A line for each task that runs."""

    def test_the_oldest_come_first_in_columns(self) -> None:
        """Name, age, CPU, memory, last line."""
        young = Running("lint:api:ruff", 3.4, "checking", 0.5, 12_000_000)
        old = Running("test:a:pytest", 70.0, "x.py ....", 1.92, 310_000_000)
        assert lines(state(young, old), 80, 5, PLAIN)[1:] == [
            "  test:a:pytest  1m10s  192%  310 MB  x.py ....",
            "  lint:api:ruff    3 s   50%   12 MB  checking",
        ]

    def test_narrow_terminals_show_name_age_and_last_line(self) -> None:
        """And narrower ones no last line."""
        one = state(Running("lint:api:ruff", 3.4, "checking files", 0.5, 12_000_000))
        assert lines(one, 44, 5, PLAIN)[1] == "  lint:api:ruff    3 s  checking files"
        assert lines(one, 26, 5, PLAIN)[1] == "  lint:api:…    3 s"

    def test_what_does_not_fit_is_counted(self) -> None:
        """Below the height, and never more than the most."""
        many = state(*(Running(f"t{i}", 100.0 - i) for i in range(20)))
        assert lines(many, 80, 4, PLAIN)[1:] == ["  t0  1m40s", "  t1  1m39s", "  and 18 more"]
        assert len(lines(many, 80, 50, PLAIN)) == 1 + MOST_TASKS
        assert len(lines(many, 80, 1, PLAIN)) == 1

    @given(
        st.lists(st.tuples(st.text(min_size=1), st.floats(0, 1e6), st.text()), max_size=12),
        st.integers(20, 200),
        st.integers(1, 60),
        st.sampled_from([PLAIN, ASCII]),
    )
    def test_every_line_fits(
        self, running: list[tuple[str, float, str]], width: int, height: int, look: Look
    ) -> None:
        """Whatever names and outputs are."""
        plain = [
            Running(name, gone, last_line(said.encode(errors="replace")))
            for name, gone, said in running
        ]
        found = lines(state(*plain), width, height, look)
        assert 1 <= len(found) <= height
        assert all(0 < columns(line) < width for line in found)


class TestLastLine:
    """What a task printed last."""

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", ""),
            (b"one\ntwo\n\n  \n", "two"),
            (b"old\n 10%\r 50%\r", "50%"),
            (b"\x1b[31mred\x1b[0m \x1b]0;title\x07end\x1b[K", "red end"),
            (b"a\tb\x07c", "a b c"),
            (b"\x1b]0;a title without an end\nnext\x1b(B", "next"),
            ("日本語 ✅ \N{RIGHT-TO-LEFT OVERRIDE}e".encode(), "日本語 ✅  e"),
            (b"\xff\xfe caf\xc3\xa9", "\ufffd\ufffd café"),
        ],
    )
    def test_it_is_plain_text(self, data: bytes, said: str) -> None:
        """Without sequences and control characters; the last state of a progress bar."""
        assert last_line(data) == said


class TestFigures:
    """Sizes and times in words."""

    def test_ages(self) -> None:
        """Seconds, minutes, hours."""
        assert [age(s) for s in (0.9, 59.9, 60, 3599, 3600, 45000)] == [
            "0 s",
            "59 s",
            "1m00s",
            "59m59s",
            "1h00m",
            "12h30m",
        ]

    def test_sizes(self) -> None:
        """Megabytes, then gigabytes."""
        assert [size(n) for n in (0, 999_400_000, 999_500_000)] == ["0 MB", "999 MB", "1.0 GB"]

    def test_wide_and_combining_characters_are_counted_as_they_are_shown(self) -> None:
        """Two columns for a Chinese one, none for an accent of its own."""
        assert (columns("日本"), columns("e\u0301")) == (4, 1)
        assert fit("日本語", 5, PLAIN) == "日本…"
        assert fit("abc", 0, PLAIN) == ""
