"""Real make, ninja, cargo and pytest-xdist below one run: never more jobs than slots."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from polylane.model import Task
from polylane.outcome import Outcome, TaskResult
from polylane.plan.durations import Span
from polylane.plan.schedule import Schedule
from polylane.plan.width import narrow, widths
from polylane.run.inner import Inner, deaf
from polylane.run.jobserver import version
from polylane.run.protocol import Assignment
from polylane.run.runner import Runner
from tests.plan.examples import graph_of, task
from tests.run.test_runner import FakeGate, FakeObserver
from tests.support import FORKS, job, lanes

pytestmark = FORKS

#: Where this interpreter's own programs lie, which may be newer than the system's.
_PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

#: Notes a job's start and end; between them it lasts long enough to meet others.
_JOB = "@echo + $@ >> $(LOG); i=0; while [ $$i -lt 20000 ]; do i=$$((i+1)); done; echo - >> $(LOG)"


def needs(program: str, since: tuple[int, ...] = ()) -> None:
    """Skip a test without a program, or with an older one."""
    path = shutil.which(program, path=_PATH)
    if path is None:
        pytest.skip(f"{program} is not installed")
    if since and version(path) < since:
        pytest.skip(f"{program} is older than {'.'.join(map(str, since))}")


class Ran:
    """What became of a run."""

    def __init__(self, schedule: Schedule, results: Mapping[int, TaskResult]) -> None:
        self.free = schedule.free
        self.results = list(results.values())

    def outcomes(self) -> dict[str, Outcome]:
        return {each.id: each.outcome for each in self.results}


def run(folder: Path, tasks: Sequence[Task], slots: int, **environ: str) -> Ran:
    """Run tasks in real lanes, in a folder, as a parallel run does."""
    user = {"PATH": _PATH, "HOME": os.environ.get("HOME", "/"), **environ}
    graph = graph_of(*tasks)
    unheard = deaf(tasks, lambda _: _PATH, {})
    span = Span(0.0, 1.0, 1.0, 0)
    with lanes({**user, **narrow(user)}) as pool:
        wide = widths(tasks, [span] * len(tasks), user, {}, unheard)
        schedule = Schedule(graph, slots=slots, widths=wide)
        inner = Inner(tasks, schedule, user, pool.watch, deaf=unheard)

        def assignment(each: Task, attempt: int) -> Assignment:
            return job(folder, *each.argv, name=f"{each.id}.{attempt}", shell=each.shell)

        runner = Runner(graph, schedule, pool, FakeGate(), FakeObserver(), assignment, inner=inner)
        runner.run(lambda: "")
        inner.close()
    return Ran(schedule, runner.results)


def most(log: Path) -> int:
    """How many ran at once, at most, as the lines of a log say."""
    running = highest = 0
    for line in log.read_text().splitlines():
        running += 1 if line[0] == "+" else -1
        highest = max(highest, running)
    return highest


def makefile(folder: Path, name: str, count: int, recipe: str = _JOB) -> Path:
    """A makefile of independent jobs; returns their log."""
    log = folder / "jobs"
    names = " ".join(f"{name}{i}" for i in range(count))
    (folder / f"{name}.mk").write_text(
        f"LOG = {log}\nall: {names}\n.PHONY: all {names}\n{names}:\n\t{recipe}\n"
    )
    return log


def ninjafile(folder: Path, count: int) -> None:
    command = _JOB[1:].replace("$(LOG)", str(folder / "jobs")).replace("$@", "n")
    builds = "\n".join(f"build n{i}: job" for i in range(count))
    (folder / "build.ninja").write_text(f"rule job\n  command = {command}\n{builds}\n")


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_make_and_ninja_and_tasks_share_the_slots(tmp_path: Path, slots: int) -> None:
    """Never more jobs than slots, and all slots are free in the end."""
    needs("make")
    needs("ninja", (1, 13))
    log = makefile(tmp_path, "m", 12)
    makefile(tmp_path, "k", 12)
    ninjafile(tmp_path, 12)
    own = f"echo + >> {log}; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo - >> {log}"
    tasks = [
        task("make", argv=("make", "-j", "-f", "m.mk")),
        task("make2", argv=("make", "-f", "k.mk", "--jobs")),
        task("ninja", argv=("ninja",)),
        *(task(f"own{i}", argv=(own,), shell=True) for i in range(4)),
    ]
    ran = run(tmp_path, tasks, slots)
    assert set(ran.outcomes().values()) == {Outcome.PASSED}
    assert log.read_text().count("+") == 40
    assert most(log) <= slots
    assert ran.free == slots


@pytest.mark.parametrize("tool", ["make", "ninja"])
def test_a_lone_client_gets_all_slots(tmp_path: Path, tool: str) -> None:
    """Its jobs end only when three have started."""
    needs(tool, (1, 13) if tool == "ninja" else (4, 2))
    meet = f"touch {tmp_path}/at.$@; until [ $$(ls {tmp_path}/at.* | wc -l) -ge 3 ]; do :; done"
    makefile(tmp_path, "m", 3, f"@{meet}")
    meet = meet.replace("$@", "$out")
    builds = "\n".join(f"build n{i}: job" for i in range(3))
    (tmp_path / "build.ninja").write_text(f"rule job\n  command = {meet}\n{builds}\n")
    argv = ("make", "-j", "-f", "m.mk") if tool == "make" else ("ninja",)
    ran = run(tmp_path, [task("a", argv=argv, timeout=50.0)], 3)
    assert ran.outcomes() == {"a": Outcome.PASSED}


def test_a_ready_task_gets_its_slot_while_make_has_more_to_do(tmp_path: Path) -> None:
    """Make is lent one slot of three; two tasks become ready when one ends."""
    needs("make")
    log = tmp_path / "jobs"
    # The other tasks meet each other, so that both need a slot at the same time.
    makefile(tmp_path, "m", 40)
    meet = f"touch at.$$; until [ $(ls at.* | wc -l) -ge 2 ]; do :; done; echo '~' >> {log}"
    tasks = [
        task("m", argv=("make", "-j", "-f", "m.mk")),
        task("wait", argv=(f"until [ -s {log} ]; do :; done",), shell=True),
        task("one", argv=(meet,), shell=True, after=("wait",)),
        task("two", argv=(meet,), shell=True, after=("wait",)),
    ]
    ran = run(tmp_path, tasks, 3)
    assert set(ran.outcomes().values()) == {Outcome.PASSED}
    lines = [line[0] for line in log.read_text().splitlines()]
    assert lines[-20:].count("~") == 0
    assert ran.free == 3


@pytest.mark.parametrize("tool", ["make", "ninja"])
def test_what_a_killed_client_held_is_free_again(tmp_path: Path, tool: str) -> None:
    """It dies with three jobs; a task that needs all slots runs then."""
    needs(tool, (1, 13) if tool == "ninja" else (4, 2))
    meet = f"touch {tmp_path}/at.$@; until [ $$(ls {tmp_path}/at.* | wc -l) -ge 3 ]; do :; done"
    die = "kill -9 $$PPID; while :; do :; done"
    makefile(tmp_path, "m", 3, f"@{meet}; {die}")
    text = f"{meet}; {die}".replace("$@", "$out")
    builds = "\n".join(f"build n{i}: job" for i in range(3))
    (tmp_path / "build.ninja").write_text(f"rule job\n  command = {text}\n{builds}\n")
    argv = ("make", "-j", "-f", "m.mk") if tool == "make" else ("ninja",)
    tasks = [
        task("a", argv=argv, timeout=50.0),
        task("b", argv=("true",), slots=3, after=("a",)),
    ]
    ran = run(tmp_path, tasks, 3)
    assert ran.outcomes() == {"a": Outcome.FAILED, "b": Outcome.PASSED}
    assert (ran.results[0].signal, ran.free) == (9, 3)


def test_a_plain_make_runs_one_job_at_a_time(tmp_path: Path) -> None:
    """Its makefile may count on the order; slots of its own are a permit."""
    needs("make")
    log = makefile(tmp_path, "m", 6)
    assert set(run(tmp_path, [task("a", argv=("make", "-f", "m.mk"))], 3).outcomes().values()) == {
        Outcome.PASSED
    }
    assert most(log) == 1
    log.unlink()
    meet = f"touch {tmp_path}/at.$@; until [ $$(ls {tmp_path}/at.* | wc -l) -ge 2 ]; do :; done"
    makefile(tmp_path, "m", 2, f"@{meet}")
    own = task("a", argv=("make", "-f", "m.mk"), slots=2, timeout=50.0)
    assert run(tmp_path, [own], 3).outcomes() == {"a": Outcome.PASSED}


def test_a_ninja_that_knows_no_job_server_is_told_a_number(tmp_path: Path) -> None:
    """As one that is told its width, it takes its share of the slots when it starts."""
    ninja = tmp_path / "ninja"
    ninja.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1.11.1 || echo "$@" > said\n')
    ninja.chmod(0o755)
    run(tmp_path, [task("a", argv=(str(ninja), "all"))], 3)
    assert (tmp_path / "said").read_text() == "all -j3\n"


def test_cargo_takes_no_more_than_its_slots(tmp_path: Path) -> None:
    """Counted by a wrapper of its compiler."""
    needs("cargo")
    log = tmp_path / "jobs"
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *--crate-name\\ crate*) echo + >> {log};'
        f' "$@"; code=$?; echo - >> {log}; exit $code;; esac\nexec "$@"\n'
    )
    wrapper.chmod(0o755)
    names = [f"crate{i}" for i in range(5)]
    (tmp_path / "Cargo.toml").write_text(f'[workspace]\nresolver = "2"\nmembers = {names}\n')
    for name in names:
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "src" / "lib.rs").write_text("pub fn f() {}\n")
        (tmp_path / name / "Cargo.toml").write_text(
            f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
        )
    build = task("a", argv=("cargo", "build", "--offline"), timeout=100.0)
    ran = run(tmp_path, [build, task("b", argv=("true",))], 2, RUSTC_WRAPPER=str(wrapper))
    assert set(ran.outcomes().values()) == {Outcome.PASSED}
    assert log.read_text().count("+") == 5
    assert most(log) <= 2
    assert ran.free == 2


@pytest.mark.parametrize(("count", "workers"), [(1, 3), (3, 1)])
def test_pytest_workers_are_no_more_than_the_slots(
    tmp_path: Path, count: int, workers: int
) -> None:
    """``-n auto`` means its share of them."""
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    argv = ("python", "-m", "pytest", "-p", "xdist", "-n", "auto", "test_it.py")
    tasks = [task(f"t{i}", argv=argv) for i in range(count)]
    ran = run(tmp_path, tasks, 3, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")  # they take long to load
    assert set(ran.outcomes().values()) == {Outcome.PASSED}
    for each in tasks:
        log = (tmp_path / f"{each.id}.1").read_text()
        assert re.search(rf"(?:{workers} worker|{workers}/{workers} worker)", log), log
