"""The board's own work without a terminal: what it prints, paints, hides and is told."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polylane.execution import Insight
from polylane.model import Claim, Task
from polylane.outcome import Outcome, TaskResult
from polylane.plan.durations import Span
from polylane.plan.graph import Graph, build
from polylane.report import board as module
from polylane.report import canvas
from polylane.report.board import Board, awaited
from polylane.report.plain import Screen
from tests.support import wait_for


class Written(Screen):
    """A screen that keeps what is written."""

    def __init__(self) -> None:
        super().__init__(colour=False)
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def text(self) -> str:
        return self.data.decode()


def task(name: str, *needs: str, reads: tuple[str, ...] = ()) -> Task:
    wanted = tuple(f"all:root:{each}" for each in needs)
    claim = Claim(reads=reads)
    return Task(f"all:root:{name}", "all", "root", "", name, (name,), ".", claim, needs=wanted)


def graph(*tasks: Task) -> Graph:
    return build(tasks, lambda each: (each.id,))


def ended(of: Task, outcome: Outcome = Outcome.PASSED, **more: Any) -> TaskResult:
    values: dict[str, Any] = {"exit_code": 0, "started_s": 0.0, "wall_s": 1.5, **more}
    return TaskResult(of.id, outcome, **values)


def insight(of: Graph, **more: Any) -> Insight:
    values: dict[str, Any] = {
        "slots": 3,
        "alone": frozenset(),
        "expected": [],
        "pid_of": lambda _: 0,
        "slots_used": lambda: 2,
        "waits_for": lambda: "",
        **more,
    }
    return Insight(of, **values)


A, B, C = task("a"), task("b"), task("c", "a")


@pytest.fixture
def screen() -> Written:
    """Where the board writes."""
    return Written()


@pytest.fixture
def board(screen: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """A board that takes its terminal to be 80 columns by 24 lines, and starts at once."""
    monkeypatch.setattr(module, "_FIRST_S", 0.0)
    monkeypatch.setattr(canvas, "size", lambda: (80, 24))
    monkeypatch.setattr(canvas, "in_foreground", lambda: True)
    monkeypatch.setattr(os, "isatty", lambda _: False)
    made = Board(screen, tmp_path, unicode=True, colour=False)
    yield made
    made.close()


def shows(screen: Written, *texts: str) -> None:
    """Wait until all of these were written."""
    wait_for(lambda: all(text in screen.text() for text in texts), f"{texts}")


class TestPaint:
    """What runs."""

    def test_it_paints_what_runs_and_its_last_line(
        self, board: Board, screen: Written, tmp_path: Path
    ) -> None:
        """With what the run says of itself; nothing of it is left at the end."""
        (tmp_path / "a.log").write_bytes(b"old\n10%\r\x1b[31m50%\0\n")
        board.watch(insight(graph(A, B, C), waits_for=lambda: "other runs"))
        board.started(A, str(tmp_path / "a.log"))
        board.started(B, str(tmp_path / "none.log"))
        shows(screen, "0/3 · waits for other runs · ", "2 of 3 slots", "all:root:a", "  50%\x1b")
        board.close()
        assert screen.text().endswith(canvas._ERASE)

    @pytest.mark.parametrize("why", ["memory", "a lower load", "other runs"])
    def test_it_says_what_a_start_waits_for(self, board: Board, screen: Written, why: str) -> None:
        """As the runner says it, anew at each turn of its loop."""
        said = [""]
        board.watch(insight(graph(A, B, C), waits_for=lambda: said[0]))
        board.started(A, "")
        shows(screen, "0/3 · ")
        assert "waits for" not in screen.text()
        said[0] = why
        board.tick()
        shows(screen, f"0/3 · waits for {why} · ")

    def test_it_says_what_is_left(self, board: Board, screen: Written) -> None:
        """Where history can tell."""
        expected = [Span(9.0, 10.0, 11.0, 5), Span(9.0, 10.0, 11.0, 5)]
        board.watch(insight(graph(A, B), expected=expected, slots=1))
        board.started(A, "")
        wait_for(lambda: re.search(r"about (?:20|1\d) s left", screen.text()), "the time left")

    def test_a_task_that_ended_has_its_line_above(
        self, board: Board, screen: Written, tmp_path: Path
    ) -> None:
        """In the order of their ends, with the output of what failed."""
        (tmp_path / "a.log").write_bytes(b"why\n")
        board.watch(insight(graph(A, B, C)))
        board.started(A, str(tmp_path / "a.log"))
        board.started(B, "")
        shows(screen, "0/3")
        board.finished(B, ended(B))
        board.finished(A, ended(A, Outcome.FAILED, exit_code=3, log="a.log"))
        shows(screen, "2/3 · 1 failed")
        lines = (
            "== all:root:b passed (1.50 s)\n== all:root:a failed with exit code 3 (1.50 s)\nwhy\n"
        )
        assert f"{canvas._ERASE}== " in screen.text()
        assert lines in screen.text().replace(canvas._ERASE, "")

    def test_while_it_is_hidden_nothing_is_painted(self, board: Board, screen: Written) -> None:
        """Before Ctrl-Z it leaves nothing; later it is back."""
        board.watch(insight(graph(A, B)))
        board.started(A, "")
        shows(screen, "0/2")
        board.hide()
        assert screen.text().endswith(canvas._ERASE)
        before = len(screen.data)
        board.say("still here")
        shows(screen, "polylane: still here\n")
        assert "0/2" not in screen.data[before:].decode()
        board.show()
        wait_for(lambda: b"0/2" in screen.data[before:], "the board")

    def test_in_the_background_nothing_is_painted(
        self, board: Board, screen: Written, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What ended is printed all the same."""
        monkeypatch.setattr(canvas, "in_foreground", lambda: False)
        board.watch(insight(graph(A, B)))
        board.started(A, "")
        board.finished(A, ended(A))
        shows(screen, "== all:root:a passed")
        board.close()
        assert "\x1b" not in screen.text()


class TestWithoutAThread:
    """Runs in which nothing starts, or which end at once."""

    def test_what_never_started_is_printed_at_the_end(self, board: Board, screen: Written) -> None:
        """Nobody painted anything."""
        board.watch(insight(graph(A)))
        board.finished(A, ended(A, Outcome.SKIPPED, reason="no tests", started_s=None))
        assert screen.text() == ""
        board.close()
        assert screen.text() == "== all:root:a skipped: no tests\n"

    def test_a_short_run_shows_no_board(
        self, board: Board, screen: Written, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only its lines."""
        monkeypatch.setattr(module, "_FIRST_S", 100.0)
        board.watch(insight(graph(A)))
        board.started(A, "")
        board.finished(A, ended(A))
        board.close()
        assert screen.text() == "== all:root:a passed (1.50 s)\n"

    def test_a_turn_before_it_was_told_anything(self, board: Board) -> None:
        """Does nothing."""
        board.tick()


class TestAsked:
    """SIGUSR1, which shows the tails."""

    def test_the_tails_are_printed_above(
        self, board: Board, screen: Written, tmp_path: Path
    ) -> None:
        """And afterwards the signal is as it was."""
        (tmp_path / "a.log").write_bytes(b"one\ntwo\n")
        before = signal.getsignal(signal.SIGUSR1)
        board.watch(insight(graph(A)))
        board.started(A, str(tmp_path / "a.log"))
        signal.raise_signal(signal.SIGUSR1)
        shows(screen, "-- all:root:a runs since 0 s:\n   one\n   two\n")
        board.close()
        assert signal.getsignal(signal.SIGUSR1) == before


class TestDefects:
    """What goes wrong in its thread."""

    def test_a_defect_is_raised_where_it_is_seen(
        self, screen: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By `close`; the results that were to be printed are printed first."""
        monkeypatch.setattr(module, "_FIRST_S", 0.0)
        monkeypatch.setattr(canvas, "in_foreground", lambda: 1 // 0)
        made = Board(screen, tmp_path, unicode=True, colour=False)
        made.started(A, "")
        wait_for(lambda: made._defect, "the defect")
        made.finished(A, ended(A))
        with pytest.raises(ZeroDivisionError):
            made.close()
        assert screen.text() == "== all:root:a passed (1.50 s)\n"


def test_the_task_that_most_wait_for() -> None:
    """Of those that run; of what waits, not of what runs or has ended."""
    d = task("d", "b")
    e = task("e", "b")
    found = graph(A, B, C, d, e)
    assert awaited(found, ended={}, running={0: 1.0, 1: 1.0}) == 1
    assert awaited(found, ended={3: 1, 4: 1}, running={0: 1.0, 1: 1.0}) == 0
    assert awaited(found, ended={}, running={}) == -1
