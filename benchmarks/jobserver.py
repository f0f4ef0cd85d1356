"""What runs inside tasks at the same time: ``python benchmarks/jobserver.py``.

make, ninja and cargo below one run, and below two on one machine; the same with make or ninja
killed by SIGKILL while it holds tokens; four ``pytest -n auto``, in one run and in four. Counts
jobs at once. A task that takes every slot comes last: where all have ended, all tokens are back.
Tools that are not there are left out, and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import workspaces
from measure import environment

from polylane.run.jobserver import version

#: Computes for so many seconds of its own CPU time, and says when it began and ended.
_WORK = """
import os, sys, time
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(log, b"+\\n")
while time.process_time() < float(sys.argv[2]):
    pass
os.write(log, b"-\\n")
"""

#: A worker of pytest-xdist says the same.
_CONFTEST = """
import os

def _say(session, sign):
    if hasattr(session.config, "workerinput"):
        log = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, sign)
        os.close(log)

def pytest_sessionstart(session):
    _say(session, b"+\\n")

def pytest_sessionfinish(session):
    _say(session, b"-\\n")
"""
_TESTS = """
import time
import pytest

@pytest.mark.parametrize("number", range(12))
def test_it(number):
    end = time.process_time() + {seconds}
    while time.process_time() < end:
        pass
"""

_LIMIT_S = 600


class Case(NamedTuple):
    """One row: what is run, and where."""

    what: str
    #: The workspaces of runs that go on at once, on so many slots of the machine.
    runs: Sequence[Path]
    slots: int
    #: The exit code of each: 1 where a tool is killed.
    code: int = 0


class Size(NamedTuple):
    """How much each tool has to do."""

    jobs: int
    #: CPU time of each job.
    seconds: float
    #: Where jobs say when they begin and end.
    log: Path


def main() -> None:
    said = _arguments()
    with tempfile.TemporaryDirectory(prefix="polylane-jobserver-") as name:
        folder = Path(name)
        size = Size(said.jobs, said.seconds, folder / "log")
        print("| what | slots | jobs | at once, at most | exit codes | wall s |")
        print("|---|---|---|---|---|---|")
        cases = (case for slots in said.slots for case in _cases(folder, size, slots))
        good = [_row(case, folder, size) for case in cases]
    raise SystemExit(0 if all(good) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4], help="of the machine")
    parser.add_argument("--jobs", type=int, default=12, help="that each tool has to run")
    parser.add_argument("--seconds", type=float, default=0.1, help="CPU time of each job")
    return parser.parse_args()


def _cases(folder: Path, size: Size, slots: int) -> Iterator[Case]:
    tools = _tools()
    names = ", ".join(tools)
    one, two = (_of_tools(folder / f"{each}{slots}", tools, size, slots) for each in "ab")
    yield Case(f"{names} and four tasks in one run", [one], slots)
    yield Case("the same in two runs", [one, two], slots)
    for tool in sorted({"make", "ninja"} & tools.keys()):
        made = _of_tools(folder / f"{tool}{slots}", tools, size, slots, killed=tool)
        yield Case(f"the same in one run, {tool} is killed", [made], slots, code=1)
    if importlib.util.find_spec("xdist"):
        four = _of_pytest(folder / f"four{slots}", size, slots, count=4)
        yield Case("workers of four pytest -n auto in one run", [four], slots)
        each = [_of_pytest(folder / f"pytest{i}-{slots}", size, slots) for i in range(4)]
        yield Case("workers of one in each of four runs", each, slots)


def _tools() -> dict[str, list[str]]:
    """The tools that are there, and their commands."""
    found = {}
    for name, words, since in (
        ("make", ["-j"], (4, 2)),
        ("ninja", [], (1, 13)),
        ("cargo", ["build", "--offline"], ()),
    ):
        program = shutil.which(name, path=environment()["PATH"])
        if program is None or (since and version(program) < since):
            print(f"({name} {'.'.join(map(str, since))} is not there)")
        else:
            found[name] = [name, *words]
    return found


def _of_tools(
    folder: Path, tools: Mapping[str, list[str]], size: Size, slots: int, killed: str = ""
) -> Path:
    """Their tasks, four of our own, and one that takes every slot when all of them have ended."""
    made = workspaces.of_tasks(folder, {})
    (made / "work.py").write_text(_WORK)
    words = [sys.executable, "-I", "-S", str(made / "work.py"), str(size.log), str(size.seconds)]
    names = [f"j{i}" for i in range(size.jobs)]
    # The last jobs kill the tool that has started them.
    last = {tool: "; kill -9 $$PPID" if tool == killed else "" for tool in ("make", "ninja")}
    _makefile(made, names, shlex.join(words), last["make"])
    _ninjafile(made, names, shlex.join(words), last["ninja"])
    _crates(made, names, size.log)
    own = {f"own{i}": words for i in range(4)}
    lines = _head(slots)
    for name, argv in {**tools, **own}.items():
        lines += _task(name, argv, reads=[], writes=[f"out/{name}"])
    lines += [*_task("zzz", words, reads=["out"], writes=[]), f"slots = {slots}"]
    (made / "pyproject.toml").write_text("\n".join(lines) + "\n")
    return made


def _head(slots: int) -> list[str]:
    return ["[tool.polylane]", f"machine_jobs = {slots}", 'max_load = "100%"', "keep_runs = 2"]


def _task(name: str, argv: Sequence[str], **claim: list[str]) -> list[str]:
    said = [f"{key} = {json.dumps(paths)}" for key, paths in claim.items()]
    return [f'[tool.polylane.tasks."all:root:{name}"]', f"command = {json.dumps(argv)}", *said]


def _makefile(folder: Path, names: Sequence[str], job: str, last: str) -> None:
    (folder / "Makefile").write_text(
        f"all: {' '.join(names)}\n.PHONY: all {' '.join(names)}\n"
        f"{' '.join(names[:-3])}:\n\t@{job}\n{' '.join(names[-3:])}:\n\t@{job}{last}\n"
    )


def _ninjafile(folder: Path, names: Sequence[str], job: str, last: str) -> None:
    rules = f"rule job\n  command = {job}\nrule last\n  command = {job}{last}\n"
    builds = [f"build {name}: {'last' if name in names[-3:] else 'job'}" for name in names]
    (folder / "build.ninja").write_text(rules + "\n".join(builds) + "\n")


def _crates(folder: Path, names: Sequence[str], log: Path) -> None:
    """A crate for each name, and a wrapper of the compiler that says when it works."""
    members = json.dumps([f"crates/{name}" for name in names])
    (folder / "Cargo.toml").write_text(f'[workspace]\nresolver = "2"\nmembers = {members}\n')
    for name in names:
        sources = folder / "crates" / name / "src"
        sources.mkdir(parents=True)
        (sources / "lib.rs").write_text("pub fn f() {}\n")
        manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
        (sources.parent / "Cargo.toml").write_text(manifest)
    (folder / ".cargo").mkdir()
    (folder / ".cargo" / "config.toml").write_text(f'[build]\nrustc-wrapper = "{folder}/rustc"\n')
    (folder / "rustc").write_text(
        f'#!/bin/sh\ncase "$*" in *crates/*) echo + >> {log}; "$@"; code=$?; echo - >> {log};'
        ' exit $code;; esac\nexec "$@"\n'
    )
    (folder / "rustc").chmod(0o755)


def _of_pytest(folder: Path, size: Size, slots: int, count: int = 1) -> Path:
    made = workspaces.of_tasks(folder, {})
    (made / "conftest.py").write_text(_CONFTEST.format(log=str(size.log)))
    (made / "test_it.py").write_text(_TESTS.format(seconds=size.seconds))
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "auto"]
    lines = _head(slots)
    for i in range(count):
        lines += _task(f"pytest{i}", argv, reads=[], writes=[])
    (made / "pyproject.toml").write_text("\n".join(lines) + "\n")
    return made


def _row(case: Case, folder: Path, size: Size) -> bool:
    """Run a case and print it; whether it is as it must be."""
    size.log.write_bytes(b"")
    for run in case.runs:
        shutil.rmtree(run / "target", ignore_errors=True)
        (run / ".ninja_log").unlink(missing_ok=True)
    begun = time.monotonic()
    processes = [_start(run, folder / "slots", case.slots) for run in case.runs]
    codes = [process.wait(_LIMIT_S) for process in processes]
    wall = time.monotonic() - begun
    count, most = _logged(size.log)
    said = " ".join(map(str, codes))
    print(f"| {case.what} | {case.slots} | {count} | {most} | {said} | {wall:.2f} |", flush=True)
    return most <= case.slots and set(codes) == {case.code}


def _start(run: Path, slots_folder: Path, slots: int) -> subprocess.Popen[bytes]:
    slots_folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "invoke", "all-parallel", "--jobs", str(slots)],
        cwd=run,
        env=environment(POLYLANE_SLOTS_DIR=str(slots_folder)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _logged(log: Path) -> tuple[int, int]:
    """How many jobs have begun, and how many of them ran at once, at most.

    A job that is killed says no end: those of a tool that dies are the last that it has.
    """
    running = most = count = 0
    for line in log.read_text().splitlines():
        running += 1 if line == "+" else -1
        count += line == "+"
        most = max(most, running)
    return count, most


if __name__ == "__main__":
    main()
