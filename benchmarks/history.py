"""What the history costs a run, and what kills do to it.

``python benchmarks/history.py``: the time of reading it at a run's start and of adding a run at its
end, for ten tasks and for 10,000, each with fifty runs remembered; then rounds in which 20
processes add runs at once, and half of them are killed at a random moment; then the same with whole
runs.
"""

from __future__ import annotations

import argparse
import gc
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the tests' own programs

import workspaces
from measure import Sample, environment
from tests.remember.made import ended, run, tasks_of
from tests.remember.writers import EACH, fight

from polylane.remember import history

_IMPORT = """
import time, datetime, fcntl, json
from polylane import result
from polylane.remember import history
begun = time.perf_counter(), time.process_time()
from polylane.remember import database
print(time.perf_counter() - begun[0], time.process_time() - begun[1])
"""


def main() -> None:
    said = _arguments()
    print("| what | median | CPU time, median |")
    print("|---|---|---|")
    _print("importing SQLite, and what uses it", [_imported() for _ in range(said.repeat)])
    for tasks in (10, 10_000):
        read, added = _figures(tasks, said.repeat)
        _print(f"reading at the start, {tasks:,} tasks known", read)
        _print(f"adding a run of {tasks:,} tasks", added)
    with tempfile.TemporaryDirectory(prefix="polylane-history-") as folder:
        Path(folder, ".polylane").mkdir()
        chosen = random.Random(said.seed)
        begun = time.monotonic()
        runs = [fight(Path(folder), said.writers, chosen) for _ in range(said.rounds)]
    print(
        f"\n{said.rounds} rounds of {said.writers} writers, half of them killed:"
        f" {sum(runs):,} of {said.rounds * said.writers * EACH:,} runs added, each of them kept;"
        f" no damage, nothing refused; {time.monotonic() - begun:.0f} s"
    )
    with tempfile.TemporaryDirectory(prefix="polylane-history-") as name:
        workspace = workspaces.of_true(Path(name) / "true", 10)
        ended = [_whole_runs(workspace, said.writers, chosen) for _ in range(said.runs)]
    print(
        f"{said.runs} rounds of {said.writers} times `inv all-parallel` at once, half of them"
        f" killed: {sum(ended)} came to their end, with exit code 0 and nothing said"
    )


def _whole_runs(workspace: Path, count: int, chosen: random.Random) -> int:
    """Start whole runs, kill half of them while they write; returns how many ended."""
    started = [_start(workspace) for _ in range(count)]
    victims = chosen.sample(started, count // 2)
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(_kill, victims, [chosen.random() / 200 for _ in victims]))
    ended = 0
    for process in started:
        error = process.communicate()[1]
        if process.returncode not in (0, -signal.SIGKILL) or error:
            raise SystemExit(f"exit code {process.returncode}: {error.decode()}")
        ended += process.returncode == 0
    with closing(sqlite3.connect(workspace / ".polylane" / history.FILE)) as database:
        if (said := database.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            raise SystemExit(f"damaged: {said}")
    return ended


def _kill(process: subprocess.Popen[bytes], after: float) -> None:
    """Kill a run ``after`` seconds from its verdict: it is added to the history then."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"parallel:"):
            break
    time.sleep(after)
    process.kill()


def _start(workspace: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "inv"), "all-parallel", "--jobs", "2"],
        cwd=workspace,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _print(what: str, samples: list[Sample]) -> None:
    wall = statistics.median(sample.wall for sample in samples) * 1000
    cpu = statistics.median(sample.cpu for sample in samples) * 1000
    print(f"| {what} | {wall:.2f} ms | {cpu:.2f} ms |", flush=True)


def _imported() -> Sample:
    argv = [sys.executable, "-c", _IMPORT]
    done = subprocess.run(argv, env=environment(), stdout=subprocess.PIPE, check=True)
    return Sample(*map(float, done.stdout.split()))


def _figures(tasks: int, repeat: int) -> tuple[list[Sample], list[Sample]]:
    """Reading and adding, with as many runs remembered as are kept."""
    with tempfile.TemporaryDirectory(prefix="polylane-history-") as name:
        folder = Path(name)
        Path(folder, ".polylane").mkdir()

        def add() -> Sample:
            done = run(*(ended(f"lint:p{i}:ruff", i / 7, cpu_s=i / 9) for i in range(tasks)))
            of = tasks_of(done)
            return _timed(lambda: history.record(folder, done, of))

        for _ in range(52):
            add()
        added = [add() for _ in range(repeat)]
        return [_timed(lambda: history.past(folder)) for _ in range(repeat)], added


def _timed(work: Callable[[], object]) -> Sample:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Sample(time.perf_counter() - wall, time.process_time() - cpu)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--runs", type=int, default=20, help="rounds; default: %(default)s")
    parser.add_argument("--writers", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--repeat", type=int, default=9, help="of each time; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    return parser.parse_args()


if __name__ == "__main__":
    main()
