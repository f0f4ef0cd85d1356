"""Helpers of tests with real processes: they wait for events with a limit, and never sleep blindly.

Knows nothing of any one test.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import platform
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from polylane.run import tree
from polylane.run.launch import Body
from polylane.run.pool import LanePool
from polylane.run.protocol import Assignment, Report

#: Seconds that an event may take on a loaded machine.
LIMIT_S = 30.0

#: Newer Pythons warn where a process with threads forks; pytest's watchdog is one.
FORKS = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

#: A shell command that cannot be ended by TERM.
STUBBORN = "trap '' TERM; exec sleep 300"


def wait_for(event: Callable[[], Any], what: str, limit: float = LIMIT_S) -> Any:
    """Wait until ``event`` returns something true, and return that."""
    deadline = time.monotonic() + limit
    while not (found := event()):
        assert time.monotonic() < deadline, f"no {what} within {limit:g} s"
        time.sleep(0.002)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    return not tree.is_zombie(pid)


def is_gone(pid: int) -> bool:
    """Whether a process has ended and was reaped."""
    return not Path(f"/proc/{pid}").exists()


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def state(pid: int) -> str:
    """The state of a process as one letter of proc(5); empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def parent(pid: int) -> int:
    """The parent of a process, by proc(5)."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(text.rpartition(")")[2].split()[1])


def pids_in(file: Path, count: int = 1) -> list[int]:
    """Wait until a file holds ``count`` whole lines with process ids, and return them."""

    def read() -> list[int]:
        with suppress(OSError):
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            found = [int(line) for line in lines if line.endswith("\n")]
            return found if len(found) >= count else []
        return []

    pids: list[int] = wait_for(read, f"{count} process ids in {file.name}")
    return pids


def wait_gone(pids: Sequence[int]) -> None:
    """Wait until processes have ended."""
    wait_for(lambda: not any(map(is_alive, pids)), f"end of {pids}")


def kill_left(pids: Sequence[int]) -> None:
    """End processes of a test that was about keeping them."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def in_fork(function: Callable[[], Any]) -> Any:
    """Call a function in a forked child, a subreaper without children; returns plain data."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            tree.become_subreaper()
            os.write(theirs, marshal.dumps(function()))
            code = 0
        except BaseException:  # noqa: BLE001 - told to the test
            os.write(theirs, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        said = file.read()
    _, status = os.waitpid(pid, 0)
    assert status == 0, said.decode()
    return marshal.loads(said)


def job(folder: Path, *argv: str, name: str = "log", **changes: Any) -> Assignment:
    """An assignment of a command; one word is a script for the shell."""
    said: dict[str, Any] = {
        "id": f"all:root:{name}",
        "argv": argv,
        "shell": len(argv) == 1,
        "cwd": str(folder),
        "env": (),
        "log": str(folder / name),
        "timeout": 100.0,
        "grace": 0.2,
        "leave": False,
    }
    return Assignment(**{**said, **changes})


def python(program: str) -> tuple[str, ...]:
    """The words that run a program in this Python, as fast as it starts."""
    return (sys.executable, "-I", "-S", "-c", program)


@contextmanager
def lanes(
    environment: Mapping[str, str] = os.environ,
    bodies: Mapping[str, Body] | None = None,
    wakeup: int | None = None,
    ready: int = 0,
) -> Iterator[LanePool]:
    """A pool of real lanes."""
    pool = LanePool(environment=environment, bodies=bodies or {}, wakeup=wakeup, ready=ready)
    try:
        yield pool
    finally:
        pool.close()


def reports(pool: LanePool, count: int = 1) -> dict[int, Report]:
    """Wait for the ends of so many tasks."""
    ended: dict[int, Report] = {}
    deadline = time.monotonic() + 3 * LIMIT_S
    while len(ended) < count:
        left = deadline - time.monotonic()
        assert left > 0, f"{len(ended)} of {count} tasks have ended"
        ended.update(pool.wait(left))
    return ended


def run(*jobs: Assignment, bodies: Mapping[str, Body] | None = None) -> list[Report]:
    """Run assignments one after the other in one lane."""
    ended = []
    with lanes(bodies=bodies) as pool:
        for each in jobs:
            pool.assign(0, each)
            ended.append(reports(pool)[0])
    return ended


#: System calls by their names: their numbers on x86-64 and on others.
_CALLS = {
    "renameat2": (316, 276),
    "fcntl": (72, 25),
    "flock": (73, 32),
    "landlock_create_ruleset": (444, 444),
    "pidfd_open": (434, 434),
    "seccomp": (317, 277),
    "setxattr": (188, 5),
    "unshare": (272, 97),
}


def forbid(call: str, error: int = errno.EPERM, *, second: int | None = None) -> None:
    """Have the kernel answer a system call with an error, from now on, by a filter (seccomp(2)).

    Here and in all that is started; so in a fork. ``second``: only with this second argument.
    """
    number = _CALLS[call][platform.machine() != "x86_64"]
    # Each condition that does not hold jumps to the last instruction, which allows.
    tests = [(0, number)] if second is None else [(0, number), (24, second)]
    code = []
    for left, (offset, value) in zip(range(len(tests) * 2, 0, -2), tests, strict=True):
        code += [(0x20, 0, 0, offset), (0x15, 0, left - 1, value)]
    code += [(0x06, 0, 0, 0x50000 | error), (0x06, 0, 0, 0x7FFF0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in code))
    given = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    assert libc.prctl(22, 2, given, 0, 0) == 0
