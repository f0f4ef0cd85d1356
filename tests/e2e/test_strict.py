"""Strict tasks at a terminal, and when nobody is left who watches them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polylane.run import tree
from polylane.run.views import overlay
from tests.e2e.terminal import CTRL_C, CTRL_Z, Terminal, terminal
from tests.e2e.test_supervision import environ, running
from tests.integrations.repository import Repository
from tests.support import FORKS, state, wait_for, wait_gone

pytestmark = FORKS

INV = (sys.executable, "-m", "invoke", "all")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """Its tasks have a temporary folder beside it."""
    made = Repository(tmp_path / "repository")
    if why := overlay.available(made.folder, tmp_path / "scratch", pid=True):
        pytest.skip(why)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    yield made
    assert list((tmp_path / "temporary").glob("polylane-*")) == []


def only(repository: Repository, program: str) -> Repository:
    """A workspace with one strict task, a Python program."""
    command = [sys.executable, "-I", "program.py"]
    repository.write({"program.py": program})
    return repository.tasks(only={"command": command, "sandbox": "strict", "writes": ["out"]})


class TestTerminal:
    """The only task of a run has the terminal, in a view too."""

    def test_it_reads_what_is_typed(self, repository: Repository) -> None:
        """Its output is live, and what it claims is kept."""
        only(repository, "open('out', 'w').write(input('say: '))\nprint('written')")
        with terminal(INV, repository.folder, environ()) as shell:
            shell.expect(b"say: ")
            shell.type(b"hello\n")
            shell.expect(b"written")
            assert shell.event() == "exited 0"
        assert (repository.folder / "out").read_text() == "hello"

    def test_ctrl_c_is_the_tasks(self, repository: Repository) -> None:
        """A task that survives it goes on, and its exit code counts."""
        only(
            repository,
            "import signal\n"
            "try:\n"
            "    print('ready', flush=True)\n"
            "    while True: signal.pause()\n"
            "except KeyboardInterrupt:\n"
            "    print('caught')\n"
            "input('go on')\n"
            "raise SystemExit(4)",
        )
        with terminal(INV, repository.folder, environ()) as shell:
            self.catch(shell)
            shell.type(b"\n")
            assert shell.event() == "exited 1"
        assert repository.result()["tasks"][0]["exit_code"] == 4

    def catch(self, shell: Terminal) -> None:
        shell.expect(b"ready")
        shell.type(CTRL_C)
        shell.expect(b"caught")
        shell.expect(b"go on")

    def test_a_task_that_dies_of_ctrl_c_ends_the_run(self, repository: Repository) -> None:
        """With the exit code of an interruption."""
        only(repository, "import signal\nprint('ready', flush=True)\nsignal.pause()\n")
        with terminal(INV, repository.folder, environ()) as shell:
            shell.expect(b"ready")
            shell.type(CTRL_C)
            assert shell.event() == "exited 130"

    def test_ctrl_z_stops_it(self, repository: Repository) -> None:
        """With the runner, and both go on."""
        only(repository, "print(input('say: '))")
        with terminal(INV, repository.folder, environ()) as shell:
            shell.expect(b"say: ")
            task = tree.descendants(shell.job)[-1]
            for _ in range(2):
                shell.type(CTRL_Z)
                assert shell.event() == "stopped"
                wait_for(lambda: state(task) == "T", "stop of the task")
                shell.go_on()
                wait_for(lambda: state(task) == "S", "going on")
            shell.type(b"back\n")
            shell.expect(b"back\r\nback")
            assert shell.event() == "exited 0"


def test_all_of_ours_are_killed_at_once(repository: Repository, tmp_path: Path) -> None:
    """Nothing lives on, nothing is mounted; what lies about is removed by the next run."""
    ready = tmp_path / "ready"
    script = f"echo > half; setsid sleep 300 & echo > $TMPDIR/x; echo > {ready}; sleep 300"
    strict = {"shell": True, "sandbox": "strict", "writes": ["half"]}
    repository.tasks(stay={"command": script, **strict})
    with running(repository, "all") as process:
        wait_for(ready.exists, "start of the task")
        living = tree.descendants(process.pid)
        ours = [process.pid, *living[:2]]  # the zygote and the lane come first
        for pid in ours:
            os.kill(pid, signal.SIGKILL)
        process.wait()
        wait_gone(living)
    assert len(living) >= len(ours) + 3
    assert str(repository.folder) not in Path("/proc/self/mountinfo").read_text()
    assert len(list((tmp_path / "temporary").glob("polylane-*"))) == 2
    assert not (repository.folder / "half").exists()
    repository.tasks(other={"command": "true", "sandbox": "strict"})
    assert repository.inv("all").code == 0
