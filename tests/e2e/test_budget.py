"""Several runs on one machine, with real tasks: they share its slots."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import CTRL_Z, terminal
from tests.integrations.repository import TASKS, Repository
from tests.support import FORKS, STUBBORN, is_alive, kill_left, pids_in, wait_for, wait_gone

pytestmark = FORKS

INV = (sys.executable, "-m", "invoke")


@pytest.fixture
def slots(tmp_path: Path) -> Path:
    """A machine's slots for one test."""
    (tmp_path / "slots").mkdir()
    return tmp_path / "slots"


def made(
    folder: Path, *, machine_jobs: int | str = 2, grace: float = 2.0, **tasks: Any
) -> Repository:
    """A repository whose tasks are shell scripts that touch nothing of each other."""
    repository = Repository(folder)
    repository.tasks(
        **{
            name: said if isinstance(said, dict) else {"command": said, "shell": True}
            for name, said in tasks.items()
        }
    )
    path = repository.folder / "pyproject.toml"
    value = machine_jobs if isinstance(machine_jobs, int) else f'"{machine_jobs}"'
    head = f'[tool.polylane]\nmax_load = "100%"\ngrace = {grace}\nmachine_jobs = {value}\n'
    path.write_text(head + path.read_text())
    return repository


def environ(slots: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("USE_PARALLEL", "POLYLANE_RUN")}
    return {**inherited, "NO_COLOR": "1", "POLYLANE_SLOTS_DIR": str(slots)}


@contextmanager
def running(repository: Repository, slots: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """``inv`` in a session of its own, with what it prints in ``out``."""
    said = words or ("all-parallel", "--jobs", "2")
    process = repository.start_inv(*said, out=repository.folder / "out", environ=environ(slots))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def out(repository: Repository) -> str:
    return (repository.folder / "out").read_text(errors="replace")


def shown(slots: Path, repository: Repository) -> str:
    """What ``lanes.slots`` prints."""
    return repository.inv("lanes.slots", POLYLANE_SLOTS_DIR=str(slots)).out


def most(file: Path) -> int:
    """How many tasks ran at once, by the lines that they wrote when they began and ended."""
    running, found = 0, 0
    for line in file.read_text().split():
        running += 1 if line == "+" else -1
        found = max(found, running)
    return found


def test_runs_at_once_share_the_slots(tmp_path: Path, slots: Path) -> None:
    """Never more tasks than slots, whoever's they are; all runs end, and all tasks pass."""
    log = tmp_path / "log"
    script = f"echo + >> {log}; sleep 0.03; echo - >> {log}"
    tasks: dict[str, Any] = {f"t{n}": script for n in range(4)}
    runs = [made(tmp_path / f"r{i}", **tasks) for i in range(3)]
    with running(runs[0], slots) as a, running(runs[1], slots) as b, running(runs[2], slots) as c:
        assert [process.wait(60) for process in (a, b, c)] == [0, 0, 0]
    assert len(log.read_text().split()) == 24
    assert most(log) == 2


def test_a_second_run_gets_a_slot_when_a_task_ends(tmp_path: Path, slots: Path) -> None:
    """Though the first one has more to start."""
    go = tmp_path / "go"
    os.mkfifo(go)
    long = f"echo $$ >> pids; read _ < {go}"
    one = made(tmp_path / "one", a=long, b=long, c=long)
    two = made(tmp_path / "two", a=f"echo $$ >> pids; read _ < {go}")
    with running(one, slots):
        first = pids_in(one.folder / "pids", 2)
        with running(two, slots, "all"):
            wait_for(lambda: "1 run waiting" in shown(slots, one), "run that waits")
            assert not (two.folder / "pids").exists()
            os.kill(first[0], signal.SIGKILL)
            pids_in(two.folder / "pids")
            assert len(pids_in(one.folder / "pids")) == 2


def test_a_result_says_whether_other_runs_held_it_up(tmp_path: Path, slots: Path) -> None:
    """Its times are not those that it takes alone."""
    go = tmp_path / "go"
    os.mkfifo(go)
    one = made(tmp_path / "one", machine_jobs=1, a=f"echo $$ >> pids; read _ < {go}")
    two = made(tmp_path / "two", machine_jobs=1, a="true", b="true")

    def shared() -> bool:
        text = (two.folder / ".polylane" / "last" / "result.json").read_text()
        return bool(json.loads(text)["shared"])

    with running(one, slots):
        pids_in(one.folder / "pids")
        with running(two, slots) as other:
            wait_for(lambda: "1 run waiting" in shown(slots, one), "run that waits")
            go.write_text("\n")
            assert other.wait(60) == 0
    assert shared()
    with running(two, slots) as alone:
        assert alone.wait(60) == 0
    assert not shared()


def test_what_a_task_of_another_run_will_take_is_not_there(tmp_path: Path, slots: Path) -> None:
    """It has taken nothing yet, so that the kernel says it is free; a task waits for its end."""
    left = next(
        int(line.split()[1]) // 1000
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemAvailable")
    )
    go = tmp_path / "go"
    os.mkfifo(go)
    waits = f"echo $$ >> pids; read _ < {go}"
    large = {"shell": True, "memory": f"{left * 6 // 10}MB"}
    one = made(tmp_path / "one", machine_jobs=4, a={"command": waits, **large})
    quick = {"command": "true", "memory": "1MB"}
    small = {"command": "echo $$ >> small; read _ < end", "shell": True, "memory": "1MB"}
    small["needs"] = ["all:root:quick"]
    two = made(
        tmp_path / "two", machine_jobs=4, quick=quick, a=small, b={"command": waits, **large}
    )
    os.mkfifo(two.folder / "end")
    with running(one, slots):
        pids_in(one.folder / "pids")
        with running(two, slots):
            pids_in(two.folder / "small")  # there was room for two tasks one after the other
            assert not (two.folder / "pids").exists()
            go.write_text("\n")
            pids_in(two.folder / "pids")


def test_a_killed_run_has_its_slot_until_its_task_has_ended(tmp_path: Path, slots: Path) -> None:
    """What it started is ended first, and uses the machine as long."""
    one = made(tmp_path / "one", machine_jobs=1, grace=300.0, a=f"echo $$ >> pids; {STUBBORN}")
    two = made(tmp_path / "two", machine_jobs=1, a="true")
    with running(one, slots) as process:
        (task,) = pids_in(one.folder / "pids")
        with running(two, slots, "all") as other:
            wait_for(lambda: "1 run waiting" in shown(slots, one), "run that waits")
            process.kill()
            process.wait()
            assert other.wait(60) == 0
    wait_gone([task])


def test_what_a_body_left_behind_keeps_no_slot_of_a_killed_run(tmp_path: Path, slots: Path) -> None:
    """A daemon without a program of its own has what a lane had open, but for the slots."""
    body = """
import os, time
import polylane

@polylane.task(verb="all", reads=[], writes=[])
def a(c):
    if os.fork() == 0:
        os.setsid()
        with open("pids", "a") as file:
            file.write(f"{os.getpid()}\\n")
        time.sleep(300)

@polylane.task(verb="all", reads=[], writes=[])
def b(c):
    with open("pids", "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(300)
"""
    one = made(tmp_path / "one", machine_jobs=1)
    one.write({"tasks.py": f"{TASKS}{body}"})
    table = '[tool.polylane.tasks."all:root:a"]\nleave = true\n'
    path = one.folder / "pyproject.toml"
    path.write_text(path.read_text() + table)
    two = made(tmp_path / "two", machine_jobs=1, a="true")
    with running(one, slots, "all-parallel", "--jobs", "1") as process:
        daemon, _ = pids_in(one.folder / "pids", 2)
        try:
            process.kill()
            process.wait()
            with running(two, slots, "all") as other:
                assert other.wait(60) == 0
            assert is_alive(daemon)
        finally:
            kill_left([daemon])


def test_a_killed_run_that_waits_holds_up_nobody(tmp_path: Path, slots: Path) -> None:
    """The next in the line comes instead."""
    go = tmp_path / "go"
    os.mkfifo(go)
    one = made(tmp_path / "one", machine_jobs=1, a=f"echo $$ >> pids; read _ < {go}")
    two = made(tmp_path / "two", machine_jobs=1, a="true")
    three = made(tmp_path / "three", machine_jobs=1, a="true")
    with running(one, slots):
        (task,) = pids_in(one.folder / "pids")
        with running(two, slots) as second:
            wait_for(lambda: "1 run waiting" in shown(slots, one), "run that waits")
            with running(three, slots) as third:
                wait_for(lambda: "2 runs waiting" in shown(slots, one), "runs that wait")
                second.kill()
                second.wait()
                os.kill(task, signal.SIGKILL)
                assert third.wait(60) == 0


def test_ctrl_c_ends_a_run_that_waits(tmp_path: Path, slots: Path) -> None:
    """It blocks nowhere; its tasks never started."""
    one = made(tmp_path / "one", machine_jobs=1, a="echo $$ >> pids; sleep 300")
    two = made(tmp_path / "two", machine_jobs=1, a="true")
    with running(one, slots):
        pids_in(one.folder / "pids")
        with running(two, slots) as waiting:
            wait_for(lambda: "all of its slots (1)" in out(two), "word that it waits")
            os.kill(waiting.pid, signal.SIGINT)
            assert waiting.wait(60) == 130
        assert "1 cancelled" in out(two)
        assert "waiting" not in shown(slots, one)


def test_a_stopped_run_gives_its_slot_away(tmp_path: Path, slots: Path) -> None:
    """Ctrl-Z, and forgotten in the background."""
    one = made(tmp_path / "one", machine_jobs=1, a="echo $$ >> pids; sleep 300", b="true")
    two = made(tmp_path / "two", machine_jobs=1, a="true")
    argv = [*INV, "all-parallel", "--jobs", "1"]
    with terminal(argv, one.folder, environ(slots)) as shell:
        pids_in(one.folder / "pids")
        shell.type(CTRL_Z)
        with running(two, slots) as other:
            assert other.wait(60) == 0


def test_a_run_inside_a_task_uses_its_slot(tmp_path: Path, slots: Path) -> None:
    """Where there is one slot in all, it would wait for ever otherwise."""
    log = tmp_path / "log"
    script = f"echo + >> {log}; sleep 0.03; echo - >> {log}"
    inner = made(tmp_path / "inner", machine_jobs=1, a=script, b=script, c=script)
    words = " ".join([*INV, "all-parallel", "--jobs", "2"])
    outer = made(tmp_path / "outer", machine_jobs=1, a=f"cd {inner.folder} && {words}")
    with running(outer, slots, "all") as process:
        assert process.wait(60) == 0
    assert [task["outcome"] for task in inner.result()["tasks"]] == ["passed"] * 3
    assert most(log) == 1


def test_off_shares_nothing(tmp_path: Path, slots: Path) -> None:
    """The run starts what it may, and is seen by nobody."""
    one = made(tmp_path / "one", machine_jobs=1, a="echo $$ >> pids; sleep 300")
    two = made(tmp_path / "two", machine_jobs="off", a="true")
    with running(one, slots):
        pids_in(one.folder / "pids")
        with running(two, slots) as other:
            assert other.wait(60) == 0


def test_a_folder_that_cannot_be_used_stops_no_run(tmp_path: Path) -> None:
    """One line, then as if alone."""
    one = made(tmp_path / "one", a="true")
    file = tmp_path / "file"
    file.touch()
    with running(one, file) as process:
        assert process.wait(60) == 0
    assert out(one).count("other runs on this machine are not seen") == 1


def test_who_has_a_slot_is_shown(tmp_path: Path, slots: Path) -> None:
    """The task, its run, its workspace; and nothing when all have ended."""
    one = made(tmp_path / "one", a="echo $$ >> pids; sleep 300")
    with running(one, slots) as process:
        pids_in(one.folder / "pids")
        text = shown(slots, one)
        assert text.startswith("1 of 2 slots taken\n")
        row = text.splitlines()[3].split()
        assert row[:2] == ["0", "all:root:a"]
        assert row[-2:] == [str(one.folder), str(process.pid)]
        process.terminate()
        assert process.wait(60) == 143
    assert shown(slots, one) == f"no run is on this machine (looked in {slots})\n"
