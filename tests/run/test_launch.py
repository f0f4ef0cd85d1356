"""How commands and Python bodies are started, and what their logs hold: with real processes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from polylane.run.protocol import Assignment, Report
from tests.support import FORKS, job, lanes, python, reports, run

pytestmark = FORKS


class TestLog:
    """The log is the bytes of the task."""

    def test_a_hundred_megabytes_arrive_whole(self, tmp_path: Path) -> None:
        """Nothing is lost or changed of a large output."""
        size, line = 100 << 20, b"0123456789abcde\n"
        [report] = run(job(tmp_path, f"yes 0123456789abcde | head -c {size}"))
        digest = hashlib.blake2b()
        with (tmp_path / "log").open("rb") as log:
            while data := log.read(1 << 20):
                digest.update(data)
        assert report.exit_code == 0
        assert digest.digest() == hashlib.blake2b(line * (size // len(line))).digest()

    @pytest.mark.parametrize(
        ("script", "log"),
        [
            (r"printf '\377\376\000x\n'", b"\xff\xfe\x00x\n"),
            ("printf 'no end'", b"no end"),
            (r"printf 'a\r\nb\rc\n'", b"a\r\nb\rc\n"),
            ("true", b""),
        ],
        ids=["invalid UTF-8", "no newline at the end", "carriage returns", "nothing"],
    )
    def test_bytes_are_kept(self, tmp_path: Path, script: str, log: bytes) -> None:
        """Whatever the bytes, the log has them unchanged."""
        run(job(tmp_path, script))
        assert (tmp_path / "log").read_bytes() == log

    def test_a_task_may_close_its_streams(self, tmp_path: Path) -> None:
        """What was written before is in the log, and the exit code is kept."""
        [report] = run(job(tmp_path, "echo before; exec <&- >&- 2>&-; exit 4"))
        assert (report.kind, report.exit_code) == ("exited", 4)
        assert (tmp_path / "log").read_bytes() == b"before\n"

    def test_both_streams_keep_their_order(self, tmp_path: Path) -> None:
        """Lines written in turn to the two streams stand in the log in that order."""
        program = "import os\nfor i in range(1000): os.write(1 + i % 2, b'%d\\n' % i)"
        run(job(tmp_path, *python(program)))
        assert (tmp_path / "log").read_text().split() == [str(i) for i in range(1000)]

    def test_programs_that_open_it_again_append(self, tmp_path: Path) -> None:
        """Whoever opens ``/dev/stdout`` for itself overwrites nothing, and is not overwritten."""
        run(job(tmp_path, "echo one; echo two >> /dev/stdout; echo three"))
        assert (tmp_path / "log").read_text() == "one\ntwo\nthree\n"

    def test_a_second_attempt_starts_anew(self, tmp_path: Path) -> None:
        """An older log of the same name is replaced."""
        run(job(tmp_path, "echo a long first line"), job(tmp_path, "echo second"))
        assert (tmp_path / "log").read_bytes() == b"second\n"


class TestWorld:
    """What a started command finds around itself."""

    def of(self, tmp_path: Path, script: str, **changes: Any) -> str:
        [report] = run(job(tmp_path, script, **changes))
        assert report.exit_code == 0
        return (tmp_path / "log").read_text()

    def test_only_the_standard_streams_are_open(self, tmp_path: Path) -> None:
        """No descriptor of ours or of the host's reaches a command."""
        leak = os.open(tmp_path, os.O_RDONLY)
        os.set_inheritable(leak, True)  # noqa: FBT003
        try:
            listed = self.of(tmp_path, "ls -l /proc/$$/fd | sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p'")
        finally:
            os.close(leak)
        log = tmp_path / "log"
        lines = [line for line in listed.splitlines() if "pipe:" not in line]
        assert listed.splitlines()[0] == "0 -> /dev/null"
        assert set(lines) <= {"0 -> /dev/null", f"1 -> {log}", f"2 -> {log}"}

    def test_standard_input_is_empty(self, tmp_path: Path) -> None:
        """A command that asks something gets the end of its input at once."""
        assert self.of(tmp_path, "cat; echo end") == "end\n"

    def test_signals_have_their_defaults(self, tmp_path: Path) -> None:
        """Nothing is ignored, handled or blocked, whatever Python and the host do."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            said = self.of(tmp_path, "exec cat /proc/self/status")
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            signal.signal(signal.SIGHUP, old)
        masks = dict(line.split(":\t") for line in said.splitlines() if line.startswith("Sig"))
        # 32 and 33 are the C library's own: a program that it starts ignores them until it asks.
        own = 0b11 << 31
        assert {name: int(masks[name], 16) & ~own for name in ("SigBlk", "SigIgn", "SigCgt")} == {
            "SigBlk": 0,
            "SigIgn": 0,
            "SigCgt": 0,
        }

    def test_the_environment_is_the_given_one(self, tmp_path: Path) -> None:
        """The pool's environment with the assignment's additions, and nothing else."""
        with lanes(environment={"A": "1", "B": "ä\udcff"}) as pool:
            pool.assign(0, job(tmp_path, "/usr/bin/env", "-u", "x", env=(("A", "2"), ("C", ""))))
            reports(pool)
        lines = (tmp_path / "log").read_bytes().splitlines()
        assert sorted(lines) == [b"A=2", b"B=\xc3\xa4\xff", b"C="]

    def test_programs_are_found_in_the_tasks_own_path(self, tmp_path: Path) -> None:
        """``PATH`` of the assignment decides which program a name means."""
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "ls").write_text("#!/bin/sh\necho mine\n")
        (tmp_path / "bin" / "ls").chmod(0o755)
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        run(job(tmp_path, "ls", "-l", env=(("PATH", path),)))
        assert (tmp_path / "log").read_text() == "mine\n"

    def test_umask_and_folder(self, tmp_path: Path) -> None:
        """The umask is the host's, the folder is the assignment's."""
        old = os.umask(0o027)
        try:
            assert self.of(tmp_path, "umask; pwd").split() == ["0027", str(tmp_path)]
        finally:
            os.umask(old)

    def test_a_session_of_its_own(self, tmp_path: Path) -> None:
        """A signal to the group of the runner or of the lane does not reach a command."""
        pid, group, session = self.of(
            tmp_path, 'echo $$; cut -d" " -f5 /proc/$$/stat; cut -d" " -f6 /proc/$$/stat'
        ).split()
        assert pid == group == session

    def test_large_argument_lists(self, tmp_path: Path) -> None:
        """200 KiB of arguments arrive."""
        words = ["x" * 1023] * 200
        [report] = run(job(tmp_path, "/bin/sh", "-c", 'echo $# "${200}"', "sh", *words))
        assert report.exit_code == 0
        assert (tmp_path / "log").read_text() == f"200 {words[-1]}\n"


def _file(folder: Path, text: str, mode: int) -> str:
    path = folder / "program"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def _cases(folder: Path) -> dict[str, tuple[Assignment, int, str]]:
    script = _file(folder, "plain text", 0o755)
    gone = folder / "gone"
    long = "x" * (200 << 10)
    return {
        "no program": (
            job(folder, "no-such-program", "-x"),
            127,
            "cannot start no-such-program: no such program",
        ),
        "no file": (
            job(folder, f"{gone}", "-x"),
            127,
            f"cannot start {gone}: no such program",
        ),
        "folder": (
            job(folder, str(folder.parent), "-x"),
            126,
            f"cannot start {folder.parent}: Permission denied",
        ),
        "format": (
            job(folder, script, "-x"),
            126,
            f"cannot start {script}: Exec format error",
        ),
        "cwd": (
            job(folder, "true", "x", cwd=str(gone)),
            126,
            f"cannot start in {gone}: No such file or directory",
        ),
        "cwd of a body": (
            job(folder, cwd=str(gone)),
            126,
            f"cannot start in {gone}: No such file or directory",
        ),
        "log": (
            job(folder, "true", "x", log=f"{script}/log"),
            126,
            "cannot write its log: Not a directory",
        ),
        "nul": (
            job(folder, "true", "a\0b"),
            126,
            "cannot start true: embedded null byte",
        ),
        "long": (
            job(folder, "true", long),
            126,
            "cannot start true: Argument list too long",
        ),
    }


class TestNotStarted:
    """What cannot be started is said in words, with the exit code that a shell gives."""

    @pytest.mark.parametrize(
        "case",
        ["no program", "no file", "folder", "format", "cwd", "cwd of a body", "log", "nul", "long"],
    )
    def test_reason_and_exit_code(self, tmp_path: Path, case: str) -> None:
        """The lane says why, and runs the next task."""
        bad, code, reason = _cases(tmp_path)[case]
        report, after = run(bad, job(tmp_path, "exit 5"))
        assert report[:4] == Report("not-started", code, None, reason)[:4]
        assert after.exit_code == 5

    def test_not_executable(self, tmp_path: Path) -> None:
        """A file without permission is 126."""
        path = _file(tmp_path, "#!/bin/sh\n", 0o644)
        [report] = run(job(tmp_path, path, "x"))
        assert (report.exit_code, report.reason) == (126, f"cannot start {path}: Permission denied")

    def test_missing_interpreter(self, tmp_path: Path) -> None:
        """A script whose interpreter is missing is not said to be missing itself."""
        _file(tmp_path, "#!/no/such/interpreter\n", 0o755)
        [report] = run(job(tmp_path, "./program", "x"))
        assert report.exit_code == 127
        assert (
            report.reason == "cannot start ./program: the interpreter in its first line is missing"
        )


def _raise(error: BaseException) -> NoReturn:
    raise error


def _close_streams() -> int:
    print("said")
    sys.stdout.close()
    sys.stderr.close()
    return 6


def _fork_and_exit() -> int:
    if os.fork() == 0:
        print("child")
        return 3
    os.wait()
    print("parent")
    return 4


def _command() -> int:
    done = subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 8"], check=False)
    return done.returncode


BODIES: dict[str, tuple[Callable[[], object], int, str]] = {
    "return": (lambda: 7, 7, ""),
    "none": (lambda: None, 0, ""),
    "large": (lambda: 256 + 9, 9, ""),
    "print": (lambda: print("out"), 0, "out\n"),
    "stderr": (lambda: print("err", file=sys.stderr), 0, "err\n"),
    "sys.exit": (lambda: sys.exit(5), 5, ""),
    "sys.exit()": (sys.exit, 0, ""),
    "sys.exit text": (lambda: sys.exit("why"), 1, "why\n"),
    "os._exit": (lambda: os._exit(11), 11, ""),
    "interrupt": (lambda: _raise(KeyboardInterrupt()), 130, ""),
    "closed": (_close_streams, 6, "said\n"),
    "fork": (_fork_and_exit, 4, "child\nparent\n"),
    "command": (_command, 8, "out\nerr\n"),
    "input": (lambda: print(repr(sys.stdin.read())), 0, "''\n"),
}


class TestBodies:
    """Python bodies run in a forked child of the lane."""

    @pytest.mark.parametrize("name", BODIES)
    def test_exit_code_and_output(self, tmp_path: Path, name: str) -> None:
        """A body ends as a program would, and its output is in the log."""
        body, code, log = BODIES[name]
        bodies = {"all:root:log": lambda _: body()}
        [report] = run(job(tmp_path), bodies=bodies)  # type: ignore[arg-type]
        assert (report.kind, report.exit_code) == ("exited", code)
        assert (tmp_path / "log").read_text() == log

    def test_a_traceback_is_in_the_log(self, tmp_path: Path) -> None:
        """What a body raises is its failure, and its log says where."""
        bodies = {"all:root:log": lambda _: _raise(ValueError("broken"))}
        report, after = run(job(tmp_path), job(tmp_path, "exit 3", name="next"), bodies=bodies)
        log = (tmp_path / "log").read_text()
        assert report.exit_code == 1
        assert log.startswith("Traceback")
        assert log.endswith("ValueError: broken\n")
        assert after.exit_code == 3

    def test_a_body_that_is_missing(self, tmp_path: Path) -> None:
        """An id without a body fails in its log, and the lane goes on."""
        report, after = run(job(tmp_path), job(tmp_path, "exit 3", name="next"))
        assert report.exit_code == 1
        assert (tmp_path / "log").read_text().endswith("KeyError: 'all:root:log'\n")
        assert after.exit_code == 3

    def test_the_world_of_a_body(self, tmp_path: Path) -> None:
        """Words, folder, environment, session and signals are the task's own."""

        def body(words: tuple[str, ...]) -> int:
            print(words, Path.cwd(), os.environ["A"], os.getsid(0) == os.getpid())
            print(*(signal.getsignal(n) for n in (15, 1, 3, 20, 17)), sep=" ")
            print(signal.getsignal(2) is signal.default_int_handler)
            return 0

        bodies = {"all:root:log": body}
        run(job(tmp_path, words=("-k", "a b"), env=(("A", "1"),)), bodies=bodies)
        first, second, third = (tmp_path / "log").read_text().splitlines()
        assert first == f"('-k', 'a b') {tmp_path} 1 True"
        assert second.split() == ["0"] * 5 or second == " ".join(["Handlers.SIG_DFL"] * 5)
        assert third == "True"

    def test_a_body_has_only_the_given_environment(self, tmp_path: Path) -> None:
        """What the host's process has besides is not a task's."""
        bodies = {"all:root:log": lambda _: print(dict(os.environ))}
        with lanes(environment={"A": "1"}, bodies=bodies) as pool:  # type: ignore[arg-type]
            pool.assign(0, job(tmp_path, env=(("B", "2"),)))
            reports(pool)
        assert (tmp_path / "log").read_text() == "{'A': '1', 'B': '2'}\n"

    def test_bodies_are_apart(self, tmp_path: Path) -> None:
        """What one body changes in its process, no other task sees."""

        def body(_: tuple[str, ...]) -> int:
            os.environ["LEAKED"] = "yes"
            os.chdir("/")
            os.umask(0)
            return 0

        command = job(tmp_path, 'echo "${LEAKED-no}"; pwd', name="next")
        run(job(tmp_path), command, bodies={"all:root:log": body})
        assert (tmp_path / "next").read_text().split() == ["no", str(tmp_path)]
