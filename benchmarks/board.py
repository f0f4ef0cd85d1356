"""What the live board costs: ``python benchmarks/board.py --help``.

The same runs with ``--output live`` and with ``--output grouped``, in turn, on a terminal of their
own that is read as fast as they write.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import workspaces
from measure import Command, Figure, Sample, ended, environment, interleaved, median_wall, table

from run import machine

_INV = str(Path(sys.executable).parent / "inv")

_ROWS, _COLUMNS = 40, 120

#: A run may be so much slower with the board, and the board take so much of a core.
_SLOWER = 1.02
_SHARE = 0.02

_COUNT = "import time\nwhile time.process_time() < {}: pass"
_SAY = "import time\nfor n in range({}): print('step', n, flush=True); time.sleep(0.05)"


def main() -> None:
    """Measure each work, and print the table."""
    said = _arguments()
    with tempfile.TemporaryDirectory(prefix="polylane-board-", dir=said.folder) as name:
        print(machine())
        figures: list[Figure] = []
        for number, work in enumerate(_works(said.scale)):
            folder = workspaces.of_tasks(Path(name) / str(number), work.tasks)
            figures += _measured(work, folder, said.rounds * work.pairs)
        print(table(figures))


class _Work(NamedTuple):
    """What both outputs are compared by."""

    what: str
    #: Commands, by name.
    tasks: Mapping[str, Sequence[str]]
    jobs: int
    #: So many times the pairs, where a run takes a second.
    pairs: int = 1


def _works(scale: float) -> list[_Work]:
    python = [os.path.realpath(sys.executable), "-I", "-S", "-c"]
    count = [*python, _COUNT.format(scale)]
    say = [*python, _SAY.format(round(200 * scale))]
    true = round(1000 * scale)
    return [
        _Work(f"8 tasks of {scale:g} s of CPU time", {f"t{i}": count for i in range(8)}, 2),
        _Work(
            f"4 tasks that print 20 lines a second, {10 * scale:g} s",
            {f"t{i}": say for i in range(4)},
            4,
        ),
        _Work(
            f"{true:,} tasks of /bin/true",
            {f"t{i}": [workspaces.TRUE] for i in range(true)},
            2,
            pairs=3,
        ),
    ]


def _measured(work: _Work, folder: Path, rounds: int) -> list[Figure]:
    commands = {
        output: Command(
            [_INV, "all-parallel", "--jobs", str(work.jobs), "--output", output],
            folder,
            {"TERM": "xterm-256color"},
        )
        for output in ("live", "grouped")
    }
    samples = interleaved(commands, rounds=rounds, warm_up=1, take=_on_terminal)
    live, grouped = samples["live"], samples["grouped"]
    wall = statistics.median(a.wall / b.wall for a, b in zip(live, grouped, strict=True))
    share = statistics.median((a.cpu - b.cpu) / a.wall for a, b in zip(live, grouped, strict=True))
    details = f"live {median_wall(live):.2f} s, grouped {median_wall(grouped):.2f} s"
    return [
        Figure(
            f"{work.what}: wall, live / grouped",
            f"{wall:.3f}",
            f"{_SLOWER:.2f}",
            wall <= _SLOWER,
            f"{details}; {rounds} pairs",
        ),
        Figure(
            f"{work.what}: more CPU time than grouped",
            f"{share:.1%} of a core",
            f"{_SHARE:.0%}",
            share <= _SHARE,
        ),
    ]


def _on_terminal(command: Command) -> Sample:
    """Run a command once on a terminal; one that fails ends the benchmark, with its output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    output: list[bytes] = []
    begun = time.perf_counter()
    process = subprocess.Popen(
        command.argv,
        cwd=command.folder,
        env={k: v for k, v in environment(**command.env).items() if k != "CI"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    with suppress(OSError):  # how a terminal says that nobody has it open any more
        while data := os.read(ours, 65536):
            output.append(data)
    taken = ended(command, process, begun, lambda: b"".join(output))
    os.close(ours)
    return taken


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs; default: %(default)s")
    parser.add_argument("--folder", type=Path, help="where the workspaces are made")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the size, for trials")
    return parser.parse_args()


if __name__ == "__main__":
    main()
