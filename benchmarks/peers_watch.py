"""Runs a command once, without timing it, and sees what it needs and prints.

Knows nothing of runners: of memory it sees the process that it starts, and that process's forks.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from measure import Command, Sample, ended, environment
from peers_task import REST

from polylane.run import tree

#: Between two looks at the memory.
_LOOK_MS = 10

#: A process that was seen more often is a fork that stays, as a lane does.
_LOOKS = 10

_WHOLE = re.compile(rb".{0,80}?(t\d+ L\d{6}) %s\s*" % re.escape(REST[:-1]))
_KB = 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """One run; memory in bytes."""

    #: None: it ran into the limit, and was ended.
    exit_code: int | None
    #: The most that the process itself held at any time (the kernel's count, VmHWM).
    memory: int
    #: The most that it held at once with its forks: what they share counts once (PSS).
    with_forks: int
    #: The end of its output.
    said: str


def watch(command: Command, *, limit_s: float) -> Seen:
    """Run it, looking at its memory; after ``limit_s`` it and its tree are killed."""
    with tempfile.TemporaryFile() as output:
        process = _start(command, output.fileno())
        peaks = _Peaks(process.pid)
        pidfd = os.pidfd_open(process.pid)
        try:
            in_time = _look(pidfd, peaks, limit_s)
        finally:
            os.close(pidfd)
            if process.poll() is None:
                _kill(process)
        code = process.wait() if in_time else None
        output.seek(-min(2000, output.seek(0, os.SEEK_END)), os.SEEK_END)
        said = output.read().decode(errors="replace")
    return Seen(code, peaks.alone, max(peaks.alone, peaks.with_forks), said)


def _start(command: Command, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.argv,
        cwd=command.folder,
        env=environment(**command.env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


class _Peaks:
    """The most that a process held in several looks, alone and with its forks."""

    def __init__(self, pid: int) -> None:
        self.alone = self.with_forks = 0
        self._pid = pid
        #: How often each fork was seen.
        self._looks: dict[int, int] = {}

    def look(self) -> None:
        """Look once; a fork that is about to start a program shares all, and does not count."""
        self.alone = max(self.alone, _number(Path(f"/proc/{self._pid}/status"), b"VmHWM:"))
        own = _cmdline(self._pid)
        forks = [pid for pid in tree.descendants(self._pid) if _cmdline(pid) == own]
        self._looks = {pid: self._looks.get(pid, 0) + 1 for pid in forks}
        stay = [pid for pid, looks in self._looks.items() if looks > _LOOKS]
        all_ = [Path(f"/proc/{pid}/smaps_rollup") for pid in [self._pid, *stay]]
        self.with_forks = max(self.with_forks, sum(_number(path, b"Pss:") for path in all_))


def _look(pidfd: int, peaks: _Peaks, limit_s: float) -> bool:
    """Look until the process ends; whether it does in time."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        peaks.look()
        if poll.poll(_LOOK_MS):
            return True
    return False


def _cmdline(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _number(path: Path, name: bytes) -> int:
    """The bytes of a line such as ``VmHWM:  1234 kB``; 0 where the process is gone."""
    with suppress(OSError):
        for line in path.read_bytes().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * _KB
    return 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it started; stopped, it starts nothing meanwhile."""
    os.kill(process.pid, signal.SIGSTOP)
    for pid in [*tree.descendants(process.pid), process.pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


@dataclass(frozen=True, slots=True)
class Printed:
    """What came out of one run that prints numbered lines."""

    #: Lines that are whole, each counted once.
    whole: int
    #: The same line again.
    again: int


def sample_of_lines(command: Command) -> tuple[Sample, Printed]:
    """Time a run whose output goes through a pipe; one that fails ends the benchmark.

    The time ends when the process does and all has come out of the pipe.
    """
    with tempfile.TemporaryFile() as output:
        with _drained(output) as pipe:
            begun = time.perf_counter()
            process = _start(command, pipe)
        # Here the pipe is empty, and nobody holds its other end.
        taken = ended(command, process, begun)
        output.seek(0)
        return taken, count_lines(output)


@contextmanager
def _drained(output: IO[bytes]) -> Iterator[int]:
    """A pipe's writing end; what comes through is in ``output`` when its last holder closed it."""
    reading, writing = os.pipe()

    def drain() -> None:
        while data := os.read(reading, 1 << 20):
            os.write(output.fileno(), data)

    thread = threading.Thread(target=drain)
    thread.start()
    try:
        yield writing
    finally:
        os.close(writing)
        thread.join()
        os.close(reading)


def count_lines(output: IO[bytes]) -> Printed:
    """Whole lines of `peers_task.lines`, whatever a runner puts before them."""
    found: set[bytes] = set()
    matches = 0
    for line in output:
        if match := _WHOLE.fullmatch(line):
            matches += 1
            found.add(match[1])
    return Printed(len(found), matches - len(found))
