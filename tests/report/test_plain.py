"""How a run looks while it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polylane.model import Claim, Task
from polylane.outcome import Outcome, TaskResult
from polylane.report.plain import Grouped, Quiet, Screen, Stream, ending


def task(name: str) -> Task:
    return Task(name, "all", "root", "", "t", ("true",), ".", Claim())


def result(name: str, outcome: Outcome = Outcome.PASSED, **more: object) -> TaskResult:
    values = {"exit_code": 0, "started_s": 0.0, "wall_s": 1.5, "log": f"{name}.log", **more}
    return TaskResult(name, outcome, **values)  # type: ignore[arg-type]


class TestEnding:
    """A task's end in words."""

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (result("a"), "passed (1.50 s)"),
            (result("a", Outcome.FAILED, exit_code=3), "failed with exit code 3 (1.50 s)"),
            (
                result("a", Outcome.FAILED, exit_code=137, signal=9),
                "failed by signal 9 (SIGKILL) (1.50 s)",
            ),
            (
                result("a", Outcome.FAILED, exit_code=163, signal=35),
                "failed by signal 35 (signal 35) (1.50 s)",
            ),
            (
                result("a", Outcome.TIMED_OUT, signal=15, reason="no end within 2 s"),
                "timed out: no end within 2 s (1.50 s)",
            ),
            (
                TaskResult("a", Outcome.SKIPPED, reason="needs b, which failed"),
                "skipped: needs b, which failed",
            ),
            (result("a", attempts=2), "passed (1.50 s), attempt 2"),
        ],
    )
    def test_it_says_what_how_and_how_long(self, given: TaskResult, words: str) -> None:
        """Exit code, signal, reason, time and attempts, as far as they say something."""
        assert ending(given) == words


class TestGrouped:
    """Each task's output whole."""

    def test_output_is_printed_byte_for_byte(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """Invalid UTF-8 goes through, and a last line without an end gets one."""
        (tmp_path / "a.log").write_bytes(b"one\r\n\xff\xfe\x00two")
        Grouped(Screen(colour=False), tmp_path).finished(task("a"), result("a"))
        assert capfdbinary.readouterr().out == b"== a passed (1.50 s)\none\r\n\xff\xfe\x00two\n"

    def test_errors_prints_failures_only(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """``errors``: what passed is silent."""
        for name in "ab":
            (tmp_path / f"{name}.log").write_bytes(name.encode())
        observer = Grouped(Screen(colour=False), tmp_path, errors_only=True)
        observer.started(task("a"), "a.log")
        observer.finished(task("a"), result("a"))
        observer.finished(task("b"), result("b", Outcome.FAILED, exit_code=1))
        observer.tick()
        assert capfdbinary.readouterr().out == b"== b failed with exit code 1 (1.50 s)\nb\n"

    def test_leftovers_are_named(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """With their command lines."""
        (tmp_path / "a.log").write_bytes(b"")
        Grouped(Screen(colour=False), tmp_path).finished(
            task("a"), result("a", leftovers=("sleep 60",))
        )
        assert b"== a left a process behind, which was ended: sleep 60\n" in (
            capfdbinary.readouterr().out
        )

    def test_colour_marks_our_lines_only(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """The task's own bytes stay as they are."""
        (tmp_path / "a.log").write_bytes(b"plain\n")
        Grouped(Screen(colour=True), tmp_path).finished(task("a"), result("a"))
        assert capfdbinary.readouterr().out == b"\x1b[32m== a passed (1.50 s)\x1b[0m\nplain\n"


class TestStream:
    """Lines as they come."""

    def test_only_whole_lines_are_printed(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """A line waits for its end, and the last one for the task's."""
        log = tmp_path / "a.log"
        observer = Stream(Screen(colour=False), tmp_path)
        observer.started(task("a"), str(log))
        log.write_bytes(b"one\ntw")
        observer.tick()
        assert capfdbinary.readouterr().out == b"a | one\n"
        log.write_bytes(b"one\ntwo\nthree")
        observer.tick()
        assert capfdbinary.readouterr().out == b"a | two\n"
        observer.finished(task("a"), result("a", leftovers=("sleep 60",)))
        out = capfdbinary.readouterr().out
        assert out.startswith(b"a | three\n== a passed")
        assert b"sleep 60" in out

    def test_a_task_that_never_started_has_no_lines(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """Only its outcome."""
        observer = Stream(Screen(colour=False), tmp_path)
        observer.finished(task("a"), TaskResult("a", Outcome.SKIPPED, reason="x"))
        assert capfdbinary.readouterr().out == b"== a skipped: x\n"


def test_quiet_says_nothing(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The task that has the terminal is not talked over."""
    observer = Quiet()
    observer.started(task("a"), "")
    observer.tick()
    observer.finished(task("a"), result("a"))
    assert capfdbinary.readouterr().out == b""


def test_a_reader_that_went_away_is_no_error(tmp_path: Path) -> None:
    """``inv qa | head`` ends without a traceback."""
    program = (
        "from polylane.report.plain import Screen\n"
        "screen = Screen(colour=False)\n"
        "for _ in range(10000): screen.line('x' * 100)\n"
        "import os, sys; os.write(2, b'alive'); os._exit(0)\n"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"alive")


def test_a_stdout_without_bytes_gets_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that replaced ``sys.stdout`` by a text stream sees replacement characters."""
    import io

    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    Screen(colour=False).write(b"a\xff\n")
    assert text.getvalue() == "a\ufffd\n"
