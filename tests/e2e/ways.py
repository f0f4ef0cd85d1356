"""Every way in which a run can end, as a table: what ends it, and what it then should come to.

Used by ``test_matrix.py`` and ``benchmarks/survivors.py``.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from polylane.run import tree
from tests.e2e.matrix import FAILS, Run, Way
from tests.e2e.terminal import CTRL_BACKSLASH, CTRL_C
from tests.support import wait_for


def _signal(number: int, *, group: bool = False) -> Callable[[Run], None]:
    return lambda run: run.kill(run.pid, number, group=group)


def _press(keys: bytes) -> Callable[[Run], None]:
    return lambda run: run.type(keys)


def _press_ctrl_c_twice(run: Run) -> None:
    """The second time when the first one has been seen: the plain processes have ended."""
    run.type(CTRL_C)
    wait_for(lambda: "plain" not in run.living(), "end of the plain processes")
    run.type(CTRL_C)


def _leave(run: Run) -> None:
    run.release(*(file.name for file in run.lives))


def _fail(run: Run) -> None:
    run.release(FAILS)


def _nothing(_: Run) -> None:
    """It ends by itself."""


def _kill_lanes(run: Run) -> None:
    """One first: the others' processes live on when its own are gone."""
    first, *others = run.lanes()
    run.kill(first, signal.SIGKILL)
    wait_for(lambda: not run.living(run.lives[:1]), "end of the lane's tree")
    assert len(run.living()) == run.roles * len(others)
    for lane in others:
        run.kill(lane, signal.SIGKILL)


def _kill_zygote(run: Run) -> None:
    """The run goes on without it, and is then told to end."""
    zygote = run.zygote()
    run.kill(zygote, signal.SIGKILL)
    wait_for(lambda: tree.is_zombie(zygote), "end of the zygote")
    assert len(run.living()) == run.roles * len(run.lives)
    run.kill(run.pid, signal.SIGTERM)


def _kill_runner_and_lanes(run: Run) -> None:
    for pid in (*run.lanes(), run.pid):
        run.kill(pid, signal.SIGKILL)


_GROUPED = ("--output", "grouped")
_KILLED = -int(signal.SIGKILL)
_QUIT = -int(signal.SIGQUIT)

WAYS = {
    "success": Way(_leave, 0, "passed", mode="leave"),
    "INT": Way(_signal(signal.SIGINT), 130, "cancelled"),
    "INT-group": Way(_signal(signal.SIGINT, group=True), 130, "cancelled"),
    "TERM": Way(_signal(signal.SIGTERM), 143, "cancelled"),
    "TERM-group": Way(_signal(signal.SIGTERM, group=True), 143, "cancelled"),
    "HUP": Way(_signal(signal.SIGHUP), 129, "cancelled"),
    "HUP-group": Way(_signal(signal.SIGHUP, group=True), 129, "cancelled"),
    "QUIT": Way(_signal(signal.SIGQUIT), _QUIT),
    "QUIT-group": Way(_signal(signal.SIGQUIT, group=True), _QUIT),
    "ctrl-c": Way(_press(CTRL_C), 130, "cancelled", terminal=True, words=_GROUPED),
    # The only task of a run has the terminal, and Ctrl-C is for it.
    "ctrl-c-to-the-task": Way(_press(CTRL_C), 130, "failed", terminal=True, sizes=(1,)),
    "ctrl-c-twice": Way(
        _press_ctrl_c_twice, 130, "cancelled", grace=500.0, terminal=True, words=_GROUPED
    ),
    "ctrl-backslash": Way(_press(CTRL_BACKSLASH), _QUIT, terminal=True),
    "terminal-closed": Way(Run.hang_up, 129, "cancelled", terminal=True),
    "time-out": Way(_nothing, 1, "timed-out", words=("--timeout", "3")),
    "fail-fast": Way(_fail, 1, "cancelled", words=("--fail-fast",), fails=True),
    "lane-killed": Way(_kill_lanes, 1, "crashed"),
    "zygote-killed": Way(_kill_zygote, 143, "cancelled"),
    "runner-killed": Way(_signal(signal.SIGKILL), _KILLED),
    # The zygote is in the runner's group, lanes are not.
    "group-killed": Way(_signal(signal.SIGKILL, group=True), _KILLED),
}

#: Ways in which children that end on TERM end at once, however long the grace.
POLITE = {
    f"polite-{number.name.removeprefix('SIG')}": Way(
        _signal(number), 128 + number, "cancelled", mode="polite", grace=500.0
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
}

#: What nothing can be done about without a namespace of process ids.
LOST = {
    "runner-and-lanes-killed": Way(_kill_runner_and_lanes, _KILLED),
    # The only task of a run has the terminal: its lane is in the runner's group.
    "group-killed-at-a-terminal": Way(
        _signal(signal.SIGKILL, group=True), _KILLED, terminal=True, sizes=(1,)
    ),
}
