"""What earlier runs took, as a start wants to know it: ``.polylane/durations.cache``.

A summary of the history beside it, which says the same as the database and is read without SQLite:
that would cost each start 3 ms. Whoever writes a run into the database writes it too. It may be
removed at any time: then the database is asked.

Knows nothing of SQLite, nor of the run that asks.
"""

import marshal
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from polylane.describe.home import NAME
from polylane.model import Task
from polylane.plan.durations import Past, Walls
from polylane.plan.jobs import Trial
from polylane.records import NamedTuple
from polylane.result import RunResult

#: The database.
FILE = "history.sqlite3"
#: Its summary.
SUMMARY = "durations.cache"

#: What `record` imports: it takes 3 ms, for which there is time while tasks run.
LATE = ("sqlite3", "polylane.remember.database")

#: A task's wall time is the median of at most so many passed runs, the newest.
SAMPLES = 5
#: What a task needs of memory is the largest of so many peaks, the newest.
PEAKS = 10
#: A task that was shorter does not say how many cores it uses.
CORES_S = 0.5
#: So many selections are remembered with the wall times of their runs, the newest.
SELECTIONS = 50
#: So long a selection's parallel run is remembered with its number of slots, in runs.
TRIALS = 50

#: What wrote the file: another Python may marshal in another way.
_MARK = f"polylane history 4 {sys.implementation.cache_tag}\n".encode()
_SUM_BYTES = 4

#: A selection, by its words, of so many tasks.
Selection = tuple[tuple[str, ...], int]

#: The number of a selection's parallel run, counted from 1, and the values of its `Trial`.
Tried = tuple[int, int, float, float, float, float]

#: A task's tool, its `Walls` in parallel runs and in sequential ones, its key in the database, how
#: often it has run, and its last peaks of memory in bytes.
Entry = tuple[str, Walls, Walls, int, int, tuple[int, ...]]


class Summary(NamedTuple):
    """What the database says of durations and memory."""

    #: The newest run in the database, by its id; empty where there is none.
    run: str
    #: By the task's id.
    tasks: dict[str, Entry]
    #: As in `Past`.
    sequential: dict[Selection, float]
    #: By the task's id: how many cores it used on average, in its last passed runs.
    cores: dict[str, tuple[float, ...]]
    #: The newest last.
    trials: dict[Selection, tuple[Tried, ...]]


def past(workspace: Path) -> Past:
    """What is known of earlier runs; nothing where there is no history that can be read."""
    if not (workspace / NAME / FILE).exists():
        return Past()
    summary = read(workspace)
    if summary is None:
        try:
            from polylane.remember import database  # few starts need it
        except ImportError:
            return Past()
        summary = database.summary(workspace)
    trials = {key: [Trial(*each[1:]) for each in tried] for key, tried in summary.trials.items()}
    return Past(summary.tasks, summary.sequential, summary.cores, trials)


def record(
    workspace: Path,
    run: RunResult,
    tasks: Mapping[str, Task],
    *,
    narrowed: bool = False,
    inputs: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """Add a run; returns an empty text, or a line that says why it is not there.

    ``narrowed``: tasks got words or files of their own, so that their times are not the usual ones.
    ``inputs``: by task id, as `polylane.remember.inputs` says them.
    """
    try:
        from polylane.remember import database  # only a run's end needs it
    except ImportError as error:  # some Pythons are built without SQLite
        return f"no history: {error}"
    return database.record(workspace, run, tasks, narrowed=narrowed, inputs=inputs)


def read(workspace: Path) -> Summary | None:
    """The summary; None where there is none that we wrote, and whole."""
    try:
        data = (workspace / NAME / SUMMARY).read_bytes()
    except OSError:
        return None
    head = len(_MARK) + _SUM_BYTES
    body = memoryview(data)[head:]
    if data[:head] != _MARK + _sum(body):
        return None
    return Summary(*marshal.loads(body))  # noqa: S302 - our own file, and whole


def write(workspace: Path, summary: Summary) -> None:
    """Write it where nobody else writes; `OSError` where that cannot be.

    A new file: to replace one, or to empty it, makes some file systems flush it to the disk.
    """
    path = workspace / NAME / SUMMARY
    body = marshal.dumps(tuple(summary))
    path.unlink(missing_ok=True)
    path.write_bytes(_MARK + _sum(body) + body)


def _sum(body: bytes | memoryview) -> bytes:
    return zlib.crc32(body).to_bytes(_SUM_BYTES, "big")


def longer(walls: Walls, wall: float) -> Walls:
    """The newest of them, with one more."""
    return (*walls[1 - SAMPLES :], wall)


def with_trial(tried: tuple[Tried, ...], trial: Trial) -> tuple[Tried, ...]:
    """The newest of them, with one more: of each number of slots a few, while they are recent."""
    number = tried[-1][0] + 1 if tried else 1
    recent = [each for each in tried if each[0] > number - TRIALS]
    same = [each for each in recent if each[1] == trial.jobs]
    old = same[: max(0, len(same) + 1 - SAMPLES)]
    return (*(each for each in recent if each not in old), (number, *trial))


def with_cores(cores: tuple[float, ...], cpu_s: float, wall_s: float) -> tuple[float, ...]:
    """The newest of them, with one more; a short run says little of how many cores it used."""
    return (*cores[1 - SAMPLES :], cpu_s / wall_s) if wall_s >= CORES_S else cores


def with_peak(peaks: tuple[int, ...], peak: int | None, *, passed: bool) -> tuple[int, ...]:
    """The newest of them, with one more; a task that did not pass may have ended too soon.

    So its peak counts only where it is larger than all before.
    """
    if not peak or not (passed or peak > max(peaks, default=0)):
        return peaks
    return (*peaks[1 - PEAKS :], peak)
