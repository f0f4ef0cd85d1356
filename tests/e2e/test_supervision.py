"""Whole runs that end badly: nothing is left of them, and they say how they ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from polylane.run import tree
from tests.e2e.terminal import CTRL_C, CTRL_Z, terminal
from tests.integrations.repository import Repository
from tests.support import FORKS, is_alive, pids_in, state, wait_for, wait_gone

pytestmark = FORKS

#: A tree of four that names itself in ``FILE``; nothing in it ends on TERM but the last one.
HOSTILE = (
    "trap '' TERM; echo $$ >> {0}; sleep 300 & echo $! >> {0};"
    " setsid sleep 300 & echo $! >> {0};"
    " (trap - TERM; setsid sh -c 'echo $$ >> {0}; exec sleep 300' &); while :; do sleep 1; done"
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


def hostile(name: str) -> dict[str, Any]:
    return {"command": HOSTILE.format(name), "shell": True}


def environ(**changes: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("USE_PARALLEL", "POLYLANE_RUN")}
    return {**inherited, "NO_COLOR": "1", **changes}


def configure(repository: Repository, *, grace: float = 0.3, **tasks: object) -> None:
    repository.tasks(**tasks)
    path = repository.folder / "pyproject.toml"
    path.write_text(f'[tool.polylane]\ngrace = {grace}\nmax_load = "100%"\n' + path.read_text())


@contextmanager
def running(repository: Repository, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """``inv`` in a session of its own, with what it prints in ``out``."""
    process = repository.start_inv(*words, out=repository.folder / "out", environ=environ())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def end_of(process: subprocess.Popen[bytes]) -> int:
    return process.wait(60)


def out(repository: Repository) -> str:
    return (repository.folder / "out").read_text(errors="replace")


class TestKilledRunner:
    """``kill -9`` of the runner, which can do nothing about it; see also ``test_matrix.py``."""

    def test_nothing_is_left_of_leftovers(self, repository: Repository) -> None:
        """Also while a lane gives a task's leftovers their long grace."""
        script = "trap '' TERM; sleep 300 & echo $! >> pids; echo $$ > main; exit 0"
        configure(repository, grace=500.0, a={"command": script, "shell": True})
        with running(repository, "all-parallel", "--jobs", "2") as process:
            pids = pids_in(repository.folder / "pids")
            wait_gone(pids_in(repository.folder / "main"))
            everything = {*pids, *tree.descendants(process.pid)}
            process.kill()
            process.wait()
            wait_gone(sorted(everything))


class TestSignals:
    """What is said of a run that a signal has ended; ``test_matrix.py`` has what is left of it."""

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
    def test_every_task_has_the_reason(self, repository: Repository, name: str) -> None:
        """Those that ran, and the one that never started."""
        configure(repository, a=hostile("a"), b=hostile("b"), c="true")
        with running(repository, "all-parallel", "--jobs", "2") as process:
            for task in "ab":
                pids_in(repository.folder / task, 4)
            os.kill(process.pid, signal.Signals[name])
            end_of(process)
        tasks = repository.result()["tasks"]
        assert {(task["outcome"], task["reason"]) for task in tasks} == {
            ("cancelled", f"interrupted by {name}")
        }
        assert "parallel: 3 cancelled" in out(repository)

    def test_many_signals_lose_neither_result_nor_summary(self, repository: Repository) -> None:
        """One signal after the other, until the result is there."""
        configure(repository, a=hostile("a"))
        with running(repository, "all") as process:
            pids_in(repository.folder / "a", 4)
            result = repository.folder / ".polylane" / "last" / "result.json"

            def interrupted() -> bool:
                if not result.exists():
                    os.kill(process.pid, signal.SIGINT)
                return result.exists()

            wait_for(interrupted, "result")
            assert end_of(process) == 130
        assert "sequential: 1 cancelled" in out(repository)


class TestLostLane:
    """A lane is killed in the middle of a run."""

    def test_only_its_task_is_crashed(self, repository: Repository) -> None:
        """The others go on, one of them in a new lane."""
        waits = "echo $$ > b; while ! [ -e go ]; do sleep 0.01; done"
        configure(
            repository,
            a={"command": f"echo $PPID > lane; {HOSTILE.format('a')}", "shell": True},
            b={"command": waits, "shell": True},
            c={"command": "touch go", "needs": []},
        )
        with running(repository, "all-parallel", "--jobs", "2") as process:
            pids = pids_in(repository.folder / "a", 4)
            pids_in(repository.folder / "b")
            os.kill(pids_in(repository.folder / "lane")[0], signal.SIGKILL)
            assert end_of(process) == 1
        assert not any(map(is_alive, pids))
        assert repository.outcomes() == {"a": "crashed", "b": "passed", "c": "passed"}
        assert "all:root:a crashed: its lane died" in out(repository)


class TestStop:
    """Ctrl-Z and ``fg``."""

    def test_all_stop_and_all_go_on(self, repository: Repository) -> None:
        """Every process of every task, and the runner itself."""
        configure(repository, a=hostile("a"), b=hostile("b"))
        inv = (sys.executable, "-m", "invoke", "all-parallel", "--jobs", "2")
        with terminal(inv, repository.folder, environ()) as shell:
            pids = [pid for name in "ab" for pid in pids_in(repository.folder / name, 4)]
            for _ in range(2):
                shell.type(CTRL_Z)
                assert shell.event() == "stopped"
                wait_for(lambda: {state(pid) for pid in pids} == {"T"}, "stop of all")
                shell.go_on()
                wait_for(lambda: "T" not in {state(pid) for pid in pids}, "going on")
            shell.type(CTRL_C)
            assert shell.event() == "exited 130"
        assert not any(map(is_alive, pids))


def one(repository: Repository, program: str) -> tuple[str, ...]:
    """A workspace with one task, a Python program; the command that runs it."""
    repository.write({"program.py": program})
    configure(repository, only=[sys.executable, "-I", "program.py"])
    return (sys.executable, "-m", "invoke", "all")


class TestTerminal:
    """The only task of a run has the terminal."""

    def test_it_reads_what_is_typed(self, repository: Repository) -> None:
        """And its output is live."""
        inv = one(repository, "print('you said', input('say: '))")
        with terminal(inv, repository.folder, environ()) as shell:
            shell.expect(b"say: ")
            shell.type(b"hello\n")
            shell.expect(b"you said hello")
            assert shell.event() == "exited 0"

    def test_a_debugger_works(self, repository: Repository) -> None:
        """Its prompt, its commands, and going on."""
        inv = one(repository, "x = 6\nbreakpoint()\nprint('end of', x)\n")
        with terminal(inv, repository.folder, environ()) as shell:
            shell.expect(b"(Pdb) ")
            shell.type(b"x = x * 7\n")
            shell.type(b"c\n")
            shell.expect(b"end of 42")
            assert shell.event() == "exited 0"

    def test_ctrl_c_is_the_tasks(self, repository: Repository) -> None:
        """A task that survives it goes on, and its exit code counts."""
        program = (
            "import time\n"
            "try:\n"
            "    print('ready', flush=True)\n"
            "    while True: time.sleep(0.05)\n"
            "except KeyboardInterrupt:\n"
            "    print('caught')\n"
            "input('go on')\n"
        )
        with terminal(one(repository, program), repository.folder, environ()) as shell:
            shell.expect(b"ready")
            shell.type(CTRL_C)
            shell.expect(b"caught")
            shell.expect(b"go on")
            shell.type(b"\n")
            assert shell.event() == "exited 0"

    def test_a_task_that_dies_of_ctrl_c_ends_the_run(self, repository: Repository) -> None:
        """With the exit code of an interruption."""
        program = "import time\nprint('ready', flush=True)\nwhile True: time.sleep(9)\n"
        with terminal(one(repository, program), repository.folder, environ()) as shell:
            shell.expect(b"ready")
            shell.type(CTRL_C)
            assert shell.event() == "exited 130"
        assert repository.result()["exit_code"] == 130

    def test_ctrl_z_stops_it(self, repository: Repository) -> None:
        """With the runner, and both go on."""
        program = "import os\nprint('pid', os.getpid(), 'end')\nprint(input('say: '))\n"
        with terminal(one(repository, program), repository.folder, environ()) as shell:
            shell.expect(b"say: ")
            pid = int(shell.output.split(b"pid ")[1].split()[0])
            shell.type(CTRL_Z)
            assert shell.event() == "stopped"
            wait_for(lambda: state(pid) == "T", "stop of the task")
            shell.go_on()
            shell.type(b"back\n")
            shell.expect(b"back\r\nback")
            assert shell.event() == "exited 0"


class TestOtherRuns:
    """Runs beside and inside each other."""

    def test_a_second_run_waits_for_the_project(self, repository: Repository) -> None:
        """It says for whom, and goes on when the first one is killed."""
        configure(
            repository,
            a={"command": HOSTILE.format("a"), "shell": True, "writes": ["**"]},
        )
        repository.write({"other.toml": ""})
        with running(repository, "all") as first:
            pids = pids_in(repository.folder / "a", 4)
            second = subprocess.Popen(
                [sys.executable, "-m", "invoke", "all", "--timeout", "0.5"],
                cwd=repository.folder,
                env=environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            assert second.stderr is not None
            said = second.stderr.readline().decode()
            first.kill()
            first.wait()
            wait_gone(pids)
            assert second.wait(60) == 1
            second.stderr.close()
        assert said.startswith(f"polylane: waiting for process {first.pid} (")
        assert repository.outcomes() == {"a": "timed-out"}

    def test_ctrl_c_while_it_waits(self, repository: Repository) -> None:
        """Ends with the exit code of an interruption, and no traceback."""
        configure(repository, a={"command": HOSTILE.format("a"), "shell": True, "writes": ["**"]})
        with running(repository, "all"):
            pids = pids_in(repository.folder / "a", 4)
            second = subprocess.Popen(
                [sys.executable, "-m", "invoke", "all"],
                cwd=repository.folder,
                env=environ(),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            assert second.stderr is not None
            second.stderr.readline()
            second.send_signal(signal.SIGINT)
            rest = second.stderr.read().decode()
            second.stderr.close()
            assert (second.wait(60), "Traceback" in rest) == (130, False)
        wait_gone(pids)

    def test_a_run_inside_a_task_has_its_parents_locks(self, repository: Repository) -> None:
        """It does not wait for the run that waits for it."""
        inner = [sys.executable, "-m", "invoke", "inner"]
        configure(repository, outer={"command": inner, "reads": ["**"], "writes": ["**"]})
        path = repository.folder / "pyproject.toml"
        path.write_text(
            path.read_text()
            + '[tool.polylane.tasks."inner:root:x"]\nverb = "inner"\ncommand = "touch done"\n'
        )
        done = repository.inv("all")
        assert done.code == 0, done.all
        assert (repository.folder / "done").exists()


class TestVerdicts:
    """Retries and ``--fail-fast``, with real processes."""

    def test_fail_fast_ends_what_runs(self, repository: Repository) -> None:
        """At once, and with its tree."""
        fails = "while ! [ -s a ]; do sleep 0.01; done; exit 3"
        configure(repository, a=hostile("a"), b={"command": fails, "shell": True}, c="true")
        done = repository.inv("all-parallel", "--jobs", "2", "--fail-fast")
        assert done.code == 1
        assert repository.outcomes() == {"a": "cancelled", "b": "failed", "c": "cancelled"}
        assert not any(map(is_alive, pids_in(repository.folder / "a")))

    def test_each_attempt_has_its_log(self, repository: Repository) -> None:
        """A task that passes the second time has passed."""
        script = "echo x >> tries; wc -l < tries; [ $(wc -l < tries) = 2 ]"
        configure(repository, a={"command": script, "shell": True, "retries": 2})
        assert repository.inv("all").code == 0
        [task] = repository.result()["tasks"]
        assert (task["outcome"], task["attempts"]) == ("passed", 2)
        folder = repository.folder / ".polylane" / "last"
        assert (folder / task["log"]).read_text().strip() == "2"

    def test_a_run_reports_leftovers(self, repository: Repository) -> None:
        """They are in the result and on the screen, and change no verdict."""
        configure(repository, a={"command": "sleep 300 & exit 0", "shell": True})
        done = repository.inv("all")
        [task] = repository.result()["tasks"]
        assert (done.code, task["leftover_processes"]) == (0, ["sleep 300"])
        assert "left a process behind, which was ended: sleep 300" in done.out
