"""Signs of life, and the tails of what runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from polylane.model import Claim, Task
from polylane.outcome import Outcome, TaskResult
from polylane.report.plain import Grouped, Screen, Stream
from polylane.report.pulse import SILENT_S, Pulse


def task(name: str) -> Task:
    return Task(name, "all", "root", "", "t", ("true",), ".", Claim())


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def pulse(folder: Path, *, beats: bool) -> tuple[Pulse, Clock]:
    screen = Screen(colour=False)
    clock = Clock(screen.printed)
    made = Pulse(Grouped(screen, folder), screen, 9, beats=beats, clock=clock)
    made.started(task("a"), str(folder / "a.log"))
    return made, clock


class TestHeartbeat:
    """Nothing was printed for long."""

    def test_it_says_what_runs(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """And how much is done; once, until it is silent for as long again."""
        beating, clock = pulse(tmp_path, beats=True)
        clock.now += SILENT_S - 1
        beating.tick()
        assert capfd.readouterr().out == ""
        clock.now += 1.5
        beating.tick()
        assert capfd.readouterr().out == "-- 0 of 9 done, running: a since 30 s\n"
        beating.close()

    def test_it_names_the_oldest_few(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """And counts the rest."""
        beating, clock = pulse(tmp_path, beats=True)
        for name in "bcdef":
            beating.started(task(name), "")
        beating.finished(task("f"), TaskResult("f", Outcome.PASSED))
        capfd.readouterr()
        clock.now += 2 * SILENT_S
        beating.tick()
        said = "a since 1m00s, b since 1m00s, c since 1m00s, d since 1m00s, 1 more"
        assert capfd.readouterr().out == f"-- 1 of 9 done, running: {said}\n"
        beating.close()

    def test_it_is_silent_where_nobody_wants_it(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """And then needs no ticks."""
        quiet, clock = pulse(tmp_path, beats=False)
        clock.now += 9 * SILENT_S
        quiet.tick()
        assert capfd.readouterr().out == ""
        assert quiet.period is None
        quiet.close()

    def test_it_ticks_as_often_as_the_observer_inside_wants(self, tmp_path: Path) -> None:
        """The shorter period of both."""
        screen = Screen(colour=False)
        assert Pulse(Stream(screen, tmp_path), screen, 1, beats=True).period == Stream.period


class TestSignal:
    """SIGUSR1."""

    def test_it_shows_the_last_lines_of_all_that_runs(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """At the next tick; and when the run has ended, the signal is what it was."""
        (tmp_path / "a.log").write_text("one\ntwo\n", encoding="utf-8")
        asked, _ = pulse(tmp_path, beats=False)
        os.kill(os.getpid(), signal.SIGUSR1)
        asked.tick()
        asked.tick()
        assert capfd.readouterr().out == "-- a runs since 0 s:\n   one\n   two\n"
        asked.close()
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL

    def test_a_handler_of_somebody_else_stays(self, tmp_path: Path) -> None:
        """The host may use the signal."""
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        try:
            asked, _ = pulse(tmp_path, beats=False)
            assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
            asked.close()
            assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
