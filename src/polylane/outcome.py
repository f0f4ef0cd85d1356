"""What became of a task and of a run. Frozen data.

Knows nothing of how tasks are run or shown.
"""

from enum import StrEnum

from polylane.records import NamedTuple


class Outcome(StrEnum):
    """How a task ended. A run passes when every task passed, or was skipped or cached rightly."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CACHED = "cached"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"


#: Outcomes that make the run's exit code 1.
BAD = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CRASHED})


class TaskResult(NamedTuple):
    """One task's end: times in seconds since the run's start, sizes in bytes."""

    id: str
    outcome: Outcome
    exit_code: int | None = None
    #: The signal that ended the main process, where one did.
    signal: int | None = None
    reason: str = ""
    started_s: float | None = None
    wall_s: float = 0.0
    #: User and system time of the whole process tree.
    cpu_s: float = 0.0
    #: Peak of the resident memory of the tree; None where the task was too short to be measured.
    max_rss_bytes: int | None = None
    read_bytes: int = 0
    write_bytes: int = 0
    #: Relative to the run's folder; empty where the task never started.
    log: str = ""
    attempts: int = 0
    #: When the failure reached the user, in seconds since the run's start.
    reported_s: float | None = None
    #: Command lines of the processes that the task left behind.
    leftovers: tuple[str, ...] = ()
    #: Ids of the tasks whose end this one's start waited for.
    waited_for: tuple[str, ...] = ()
    #: What its sandbox refused it, and what would allow it: lines for people.
    refused: tuple[str, ...] = ()
