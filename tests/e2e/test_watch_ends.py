"""``--watch``: how it ends, on a terminal and without one, and that nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from polylane.run import tree
from tests.e2e.terminal import CTRL_C, CTRL_Z, terminal
from tests.e2e.watching import GATE, Watching, edit, environ, made, ran, task, two, watching
from tests.integrations.repository import Repository
from tests.support import is_alive, wait_for


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 0),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_nothing_is_left_of_who_waits(number: int, code: int, tmp_path: Path) -> None:
    """However it is ended; no process, and no file of its own."""
    with watching(two(tmp_path), "all", "--watch") as inv:
        inv.waits()
        assert len(tree.descendants(inv.process.pid)) == 1
        assert inv.end(number) == code
    assert not list((tmp_path / "repository/.polylane").glob("watch*"))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_nothing_is_left_of_a_run(number: int, code: int, tmp_path: Path) -> None:
    """A signal ends the run as ever, and the watching with it."""
    repository = made(tmp_path, a=task("a", GATE, reads=["a"]), b=task("b", GATE, reads=["b"]))
    with watching(repository, "all", "--watch", "--jobs", "2") as inv:
        wait_for(lambda: (tmp_path / "ran").exists() and len(ran(tmp_path)) == 2, "both tasks")
        assert inv.end(number) == code


def _on_terminal(repository: Repository, *words: str) -> tuple[list[str], Path, dict[str, str]]:
    return [sys.executable, "-m", "invoke", "all", "--watch", *words], repository.folder, environ()


def test_the_only_task_gets_the_terminal_each_time(tmp_path: Path) -> None:
    """Ctrl-C while it runs is for it, and the watching ends with it."""
    script = "import sys; print(sys.stdin.isatty() and 'has it'); a = input(); print('read', a)"
    repository = Repository(tmp_path / "r").write({"a/x": "1"})
    repository.tasks(a={"command": [sys.executable, "-c", script], "reads": ["a"]})
    with terminal(*_on_terminal(repository)) as shell:
        shell.expect(b"has it")
        shell.type(b"one\r")
        shell.expect(b"read one")
        shell.expect(b"waiting for changes")
        edit(repository.folder / "a/x", "2")
        shell.expect(b"a/x changed: 1 of 1 task")
        shell.expect_match(re.compile(rb"1 of 1 task.*has it", re.DOTALL))
        shell.type(CTRL_C)
        assert shell.event() in {"exited 130", "exited 1"}


def test_one_of_several_tasks_does_not_get_the_terminal(tmp_path: Path) -> None:
    """A selection is shown in one way; Ctrl-C while nothing runs ends at once, and Ctrl-Z stops."""
    repository = made(
        tmp_path, a=task("a", "test -t 0 || echo no tty", reads=["a"]), b=task("b", reads=["b"])
    )
    with terminal(*_on_terminal(repository, "--output", "auto")) as shell:
        shell.expect(b"waiting for changes")
        edit(repository.folder / "a/x.py", "2\n")
        shell.expect_match(re.compile(rb"1 of 2 tasks.*waiting for changes", re.DOTALL))
        assert ran(tmp_path) == ["a", "b", "a"]
        assert repository.result()["tasks"][0]["log"]
        shell.type(CTRL_Z)
        assert shell.event() == "stopped"
        edit(repository.folder / "b/y.py", "2\n")
        shell.go_on()
        shell.expect(b"b/y.py changed: 1 of 2 tasks")
        shell.expect_match(re.compile(rb"y.py changed.*waiting for changes", re.DOTALL))
        shell.type(CTRL_C)
        assert shell.event() == "exited 0"


def test_a_watcher_that_is_killed_is_said(tmp_path: Path) -> None:
    """Nobody waits for changes that nobody sees."""
    with watching(two(tmp_path), "all", "--watch") as inv:
        inv.waits()
        (watcher,) = tree.descendants(inv.process.pid)
        os.kill(watcher, signal.SIGKILL)
        assert inv.process.wait(30) == 2
        assert "--watch: the process that watches ended with -9; start again" in inv.text()


def test_many_runs_leave_nothing_behind(tmp_path: Path) -> None:
    """No descriptor, no process, no memory that grows with them."""
    repository = two(tmp_path)

    def change(inv: Watching, first: int, last: int) -> tuple[int, int, int]:
        for number in range(first, last):
            inv.waits(number)
            edit(repository.folder / "a/x.py", f"{number}0\n")
        inv.waits(last)
        proc = Path(f"/proc/{inv.process.pid}")
        pages = int((proc / "statm").read_text(encoding="ascii").split()[1])
        open_files = len(list((proc / "fd").iterdir()))
        return open_files, len(tree.descendants(inv.process.pid)), pages * 4096

    with watching(repository, "all", "--watch", "--output", "errors") as inv:
        files, processes, memory = change(inv, 1, 8)
        later = change(inv, 8, 24)
        assert later[:2] == (files, processes)
        assert later[2] < memory + 2 * 1024 * 1024
        assert is_alive(inv.process.pid)
