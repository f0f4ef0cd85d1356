"""PID namespaces, with real processes: who dies with whom."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from polylane.run import tree
from polylane.run.views import namespaces, pids
from polylane.run.views.namespaces import Refused
from tests.run.views.places import Place, become_nobody, names, place
from tests.support import FORKS, in_fork, pids_in, wait_for, wait_gone

pytestmark = FORKS

__all__ = ["place"]


def _start(task: Callable[[], Any], left: Callable[[], Any] | None = None) -> int:
    """Fork a guard with a task that ends with the code that a function returns; the guard."""
    parent = os.getpid()
    guard = os.fork()
    if guard == 0:
        code = 99
        try:
            pids.enter(namespaces.unshare(pids=True), parent=parent, left=left)
            code = task() or 0
        finally:
            os._exit(code)
    return guard


def _end(guard: int) -> int:
    """Wait for a guard; its exit code, below zero for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1])


def _shell(script: str) -> Callable[[], Any]:
    return lambda: os.execv("/bin/sh", ["sh", "-c", script])


#: A main process with four others, of which TERM, sessions and double forks free none.
_HOSTILE = """
sleep 301 & trap '' TERM; sleep 302 & setsid sleep 303 & (setsid sleep 304 & exec true) &
wait $!
"""


def _hostile() -> list[int]:
    """Start a hostile task and wait until its four processes run; its guard, and all below."""
    guard = _start(_shell(_HOSTILE + "exec sleep 305"))

    def names() -> list[str]:
        return sorted(filter(None, map(tree.command_line, tree.descendants(guard))))

    wait_for(lambda: names()[-5:] == [f"sleep {n}" for n in range(301, 306)], "five sleepers")
    return [guard, *tree.descendants(guard)]


def test_pids_are_the_namespaces_own(place: Place) -> None:
    """The task is process 2, and /proc shows it and its init only."""

    def task() -> int:
        shown = {name for name in names(Path("/proc")) if name.isdigit()}
        return 0 if shown == {"1", "2"} and os.getpid() == 2 and os.getppid() == 1 else 1

    assert place.run(lambda: _end(_start(task))) == 0


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", -9), ("kill $$", -15)],
)
def test_a_guard_ends_as_its_task(script: str, code: int) -> None:
    """With its exit code, or by its signal, also where its caller handles that."""

    def look() -> int:
        signal.signal(signal.SIGTERM, lambda *_: None)
        return _end(_start(_shell(script)))

    assert in_fork(look) == code


def test_an_orphan_does_not_take_the_tasks_status() -> None:
    """The init reaps what the task leaves, which ends before it does."""
    script = "o=$(sh -c 'exit 7' & echo $!); while kill -0 $o 2>&-; do :; done; exit 3"
    assert in_fork(lambda: _end(_start(_shell(script)))) == 3


def test_what_a_task_leaves_is_killed(place: Place) -> None:
    """When its guard has ended, nothing of it is alive."""

    def look() -> Any:
        guard = _start(_shell(_HOSTILE))
        code = _end(guard)
        return code, tree.descendants()

    assert place.run(look) == (0, [])


@pytest.mark.parametrize("who", ["guard", "init", "parent", "parent and guard"])
def test_whoever_is_killed_nothing_lives_on(place: Place, who: str) -> None:
    """The guard as the lane would be; the parent as if lane and runner were killed."""

    def parent(say: int) -> None:
        living = _hostile()
        os.write(say, f"{os.getpid()} {' '.join(map(str, living))}".encode())
        os.waitpid(living[0], 0)

    def look() -> Any:
        said, say = os.pipe()
        main = os.fork()
        if main == 0:
            with suppress(BaseException):
                parent(say)
            os._exit(0)
        living = list(map(int, os.read(said, 4096).split()))
        victims = {"guard": living[1:2], "init": living[2:3], "parent": living[:1]}
        for pid in victims.get(who, living[:2]):
            os.kill(pid, signal.SIGKILL)
        wait_gone(living)
        return len(living)

    assert place.run(look) == 8


def test_a_parent_that_is_gone_already_starts_nothing() -> None:
    """Its death could be signalled no more."""

    def look() -> Any:
        guard = os.fork()
        if guard == 0:
            pids.enter(namespaces.unshare(pids=True), parent=1)
            os._exit(0)
        return _end(guard)

    assert in_fork(look) == 1


def test_a_task_that_is_asked_to_end_may_take_its_time(tmp_path: Path) -> None:
    """TERM to all of the tree ends neither guard nor init; the task's own handler counts."""
    script = f"trap 'exit 5' TERM; echo $$ > {tmp_path}/pid; sleep 300 & wait"

    def look() -> Any:
        guard = _start(_shell(script))
        pids_in(tmp_path / "pid")
        tree.terminate()
        return _end(guard), tree.descendants()

    assert in_fork(look) == (5, [])


def test_a_task_has_the_signals_that_its_caller_had() -> None:
    """None is blocked by our waiting."""

    def task() -> int:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        return 0 if mask == {signal.SIGUSR1} else 1

    def look() -> Any:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        return _end(_start(task))

    assert in_fork(look) == 0


def test_the_init_can_look_at_what_is_left() -> None:
    """When the task has ended: by the names that it has, in the pids of the namespace."""

    def look() -> Any:
        said, say = os.pipe()

        def left() -> None:
            for pid in tree.children():
                os.write(say, tree.command_line(pid).encode() + b"\n")

        begun = 'until [ "$(tr "\\0" . < /proc/$!/cmdline)" = sleep.300. ]; do :; done'
        ended = _end(_start(_shell(f"setsid sleep 300 & {begun}; exit 4"), left))
        os.close(say)
        with os.fdopen(said) as file:
            return ended, file.read()

    assert in_fork(look) == (4, "sleep 300\n")


def test_the_init_asks_nobody_where_nothing_is_left() -> None:
    """A task that ends alone."""

    def look() -> Any:
        said, say = os.pipe()
        ended = _end(_start(_shell("sleep 0 & wait"), lambda: os.write(say, b"?") and None))
        os.close(say)
        return ended, os.read(said, 9)

    assert in_fork(look) == (0, b"")


def test_a_proc_that_may_not_be_mounted_is_an_error_of_the_caller() -> None:
    """As in containers, which hide parts of /proc: the caller is told and has its signals back."""

    def look() -> Any:
        if os.geteuid() == 0:
            become_nobody()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            space = namespaces.unshare(pids=True)
            space.give_up_rights()  # after which nothing can be mounted
            try:
                pids.enter(space, parent=parent)
            except Refused as error:
                alone = not signal.pthread_sigmask(signal.SIG_BLOCK, ())
                os._exit(7 if "mounting proc" in str(error) and alone else 8)
            os._exit(9)
        return _end(child)

    assert in_fork(look) == 7
