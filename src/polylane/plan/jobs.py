"""How many slots a run gets where nobody says it: as many as earlier runs show to help.

Pure: it sees figures of runs of the same tasks, and knows nothing of where they are remembered.
"""

from collections.abc import Iterable, Sequence

from polylane.records import NamedTuple

#: More side by side helps few repositories, until their history says so.
CAP = 4

#: More slots are tried where the figures promise a run this much shorter.
_PROMISE = 0.9

#: They are kept where the run was this much shorter indeed; else they only cost memory.
_KEEP = 0.95

#: A run whose tasks used less than this of the usual CPU time did less: a tool gave up at once.
_WHOLE = 0.8


class Trial(NamedTuple):
    """A run of the tasks in question, each of which came to its own end; times in seconds."""

    jobs: int
    wall_s: float
    #: The sums of its tasks' wall times, and of their CPU times.
    work_s: float
    cpu_s: float
    #: The longest path of tasks that waited for each other.
    critical_path_s: float


def auto_jobs(cores: int, trials: Iterable[Trial]) -> int:
    """Slots for the next run: the cores, at most 4, or more where runs with more were shorter.

    ``trials``: the last parallel runs, in any order. For a run, the best number so far is doubled,
    or where each core has a slot, a quarter is added: that helps where tasks wait for the disk,
    the network or a timer, so that cores are idle. It is done only if no task's wait, nor the
    work of the cores, is longer than the rest of the run would be then. What a number of slots
    takes is the shortest of its runs that did all the work: others may have met a cold cache or a
    busy machine. A number that did not help is not tried again for as long as a run with it is
    remembered.
    """
    cap, most = min(cores, CAP), cores + max(1, cores // 4)
    known = _shortest(trial for trial in trials if cap <= trial.jobs <= most)
    if cap not in known:
        return cap
    best = cap
    for jobs in sorted(known):
        if known[jobs].wall_s <= known[best].wall_s * _KEEP:
            best = jobs
    more = min(2 * best, cores) if best < cores else most
    tried = any(jobs > best for jobs in known)
    return more if not tried and _promises(known[best], more, cores) else best


def _shortest(trials: Iterable[Trial]) -> dict[int, Trial]:
    by_jobs: dict[int, list[Trial]] = {}
    for trial in trials:
        by_jobs.setdefault(trial.jobs, []).append(trial)
    return {jobs: _shortest_of(each) for jobs, each in by_jobs.items()}


def _shortest_of(trials: Sequence[Trial]) -> Trial:
    usual = sorted(trial.cpu_s for trial in trials)[len(trials) // 2]
    whole = (trial for trial in trials if trial.cpu_s >= usual * _WHOLE)
    return min(whole, key=lambda trial: trial.wall_s)


def _promises(trial: Trial, jobs: int, cores: int) -> bool:
    """Whether a run would be shorter with so many slots, if tasks took as long as they did."""
    least = max(trial.critical_path_s, trial.work_s / jobs, trial.cpu_s / cores)
    return jobs > trial.jobs and least <= trial.wall_s * _PROMISE
