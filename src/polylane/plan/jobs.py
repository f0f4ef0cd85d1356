"""How many slots a run gets where nobody says it: as many as earlier runs show to help.

Pure: it sees figures of runs of the same tasks, and knows nothing of where they are remembered.
"""

from collections.abc import Iterable

from polylane.records import NamedTuple

#: More side by side helps few repositories, until their history says so.
CAP = 4

#: Twice as many slots are tried where the figures promise a run this much shorter.
_PROMISE = 0.9

#: They are kept where the run was this much shorter indeed; else they only cost memory.
_KEEP = 0.95


class Trial(NamedTuple):
    """A run that passed, of the tasks in question; times in seconds."""

    jobs: int
    wall_s: float
    #: The sum of its tasks' wall times.
    work_s: float
    #: The longest path of tasks that waited for each other.
    critical_path_s: float


def auto_jobs(cores: int, trials: Iterable[Trial]) -> int:
    """Slots for the next run: the cores, at most 4, or more where runs with more were shorter.

    ``trials``: the last parallel runs, in any order. The best number so far is doubled for a run
    if no task's wait is longer than the rest of the run would be then. What a number of slots
    takes is the shortest of its runs: others may have met a cold cache or a busy machine. A
    doubling that did not help is not tried again for as long as a run with it is remembered.
    """
    cap = min(cores, CAP)
    known = _shortest(trial for trial in trials if cap <= trial.jobs <= cores)
    if cap not in known:
        return cap
    best = cap
    for jobs in sorted(known):
        if known[jobs].wall_s <= known[best].wall_s * _KEEP:
            best = jobs
    more = min(2 * best, cores)
    tried = any(jobs > best for jobs in known)
    return more if not tried and _promises(known[best], more) else best


def _shortest(trials: Iterable[Trial]) -> dict[int, Trial]:
    found: dict[int, Trial] = {}
    for trial in trials:
        if trial.jobs not in found or trial.wall_s < found[trial.jobs].wall_s:
            found[trial.jobs] = trial
    return found


def _promises(trial: Trial, jobs: int) -> bool:
    """Whether a run would be shorter with so many slots, if tasks took as long as they did."""
    least = max(trial.critical_path_s, trial.work_s / jobs)
    return jobs > trial.jobs and least <= trial.wall_s * _PROMISE
