"""How many slots a run gets where nobody says it: also on machines that are simulated."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import pytest

from polylane.plan.jobs import CAP, Trial, auto_jobs

#: The share of its time in which a task that waits uses a core.
BUSY = 0.5

#: How many times as long a task takes, beside so many others on so many cores.
Slowdown = Callable[[int, int], float]


def _alone(running: int, cores: int) -> float:
    """Tasks that compute: they share the cores."""
    return max(1.0, running / cores)


def _disk(running: int, cores: int) -> float:
    """Tasks that share something which serves six of them."""
    return max(_alone(running, cores), running / 6)


def _crowded(running: int, cores: int) -> float:
    """Tasks that drive each other out of caches: more than six at once do less together."""
    return _alone(running, cores) * max(1.0, running / 6) * max(1.0, running / 12)


def _waiting(running: int, cores: int) -> float:
    """Tasks that wait for a timer half of their time."""
    return _alone(running, cores) if running * BUSY > cores else 1.0


def _run(lengths: list[float], jobs: int, slowdown: Slowdown, cores: int) -> Trial:
    """A run, roughly: each task is as slow as a full machine makes it."""
    busy = BUSY if slowdown is _waiting else 1.0
    factor = slowdown(min(jobs, len(lengths)), cores)
    taken = [length * factor for length in lengths]
    lanes = [0.0] * jobs
    for each in sorted(taken, reverse=True):
        heapq.heappush(lanes, heapq.heappop(lanes) + each)
    return Trial(jobs, max(lanes), sum(taken), sum(lengths) * busy, max(taken))


def _history(lengths: list[float], slowdown: Slowdown, cores: int, runs: int = 12) -> list[Trial]:
    done: list[Trial] = []
    for _ in range(runs):
        done.append(_run(lengths, auto_jobs(cores, done), slowdown, cores))
    return done


EVEN = [1.0] * 200
ONE_LONG = [100.0, *[1.0] * 60]
FEW = [1.0] * 3


def _most(cores: int) -> int:
    return cores + max(1, cores // 4)


@pytest.mark.parametrize("slowdown", [_alone, _disk, _crowded, _waiting])
@pytest.mark.parametrize("lengths", [EVEN, ONE_LONG, FEW])
def test_it_settles_near_the_best(lengths: list[float], slowdown: Slowdown) -> None:
    """On 1 to 128 cores: little above the cores, soon, and for good.

    It ends no slower than with the cap, and at most 1.4 times as slow as the best number of all:
    numbers between two doublings are not tried.
    """
    for cores in range(1, 129):
        done = _history(lengths, slowdown, cores)
        jobs = [trial.jobs for trial in done]
        assert jobs[0] == min(cores, CAP)
        assert all(1 <= each <= _most(cores) for each in jobs)
        assert len(set(jobs[7:])) == 1
        best = min(_run(lengths, n, slowdown, cores).wall_s for n in range(1, _most(cores) + 1))
        assert done[-1].wall_s <= done[0].wall_s
        assert done[-1].wall_s <= best * 1.4


def test_many_short_tasks_get_every_core() -> None:
    """Where each of them helps; not one more, for none is ever idle."""
    assert [_history(EVEN, _alone, cores)[-1].jobs for cores in (2, 4, 6, 8)] == [2, 4, 6, 8]


def test_cores_that_would_be_idle_at_the_end_get_more() -> None:
    """Three tasks on two cores: side by side they take 1.5 s, the third after the others 2 s."""
    assert [trial.jobs for trial in _history(FEW, _alone, 2)][:3] == [2, 3, 3]


def test_tasks_that_wait_get_a_quarter_more_than_the_cores() -> None:
    """One more at least: cores would be idle. Where they computed as well, none would."""
    tried = [[trial.jobs for trial in _history(EVEN, _waiting, cores)] for cores in (1, 2, 4, 16)]
    assert [jobs[:5] for jobs in tried] == [
        [1, 2, 2, 2, 2],
        [2, 3, 3, 3, 3],
        [4, 5, 5, 5, 5],
        [4, 8, 16, 20, 20],
    ]


@pytest.mark.parametrize("cpu_s", [90.0, 101.0])
def test_a_run_that_filled_the_cores_asks_for_no_more(cpu_s: float) -> None:
    """Work of 90 s on two cores takes 45 s, whatever waits; a tenth less must be in sight."""
    assert auto_jobs(2, [Trial(2, 50.0, 100.0, cpu_s, 1.0)]) == (3 if cpu_s == 90.0 else 2)


def test_a_run_that_gave_up_early_does_not_decide() -> None:
    """Its tools failed at their first error, which took them little time of any kind."""
    usual, more = Trial(4, 50.0, 200.0, 200.0, 1.0), Trial(8, 60.0, 400.0, 220.0, 1.0)
    early = Trial(8, 5.0, 20.0, 20.0, 1.0)
    assert auto_jobs(8, [usual, more, early]) == 4
    assert auto_jobs(8, [early, usual, more]) == 4


def test_one_long_task_gets_no_more_than_the_cap() -> None:
    """Nothing would be shorter."""
    assert {trial.jobs for trial in _history(ONE_LONG, _alone, 64)} == {CAP}


def test_a_try_that_did_not_help_is_not_repeated() -> None:
    """One run was longer, and that was it."""
    jobs = [trial.jobs for trial in _history(EVEN, _crowded, 64)]
    assert jobs[:4] == [4, 8, 16, 8]
    assert set(jobs[4:]) == {8}


def test_a_try_that_helped_is_kept() -> None:
    """And the next one is tried from there."""
    jobs = [trial.jobs for trial in _history(EVEN, _alone, 64)]
    assert jobs[:6] == [4, 8, 16, 32, 64, 80]


def test_one_slow_run_does_not_decide() -> None:
    """The cache was cold, or the machine busy: the shortest run with a number counts."""
    slow, fast = Trial(8, 100.0, 200.0, 240.0, 1.0), Trial(8, 30.0, 200.0, 240.0, 1.0)
    assert auto_jobs(8, [Trial(4, 50.0, 200.0, 200.0, 1.0), slow]) == 4
    assert auto_jobs(8, [Trial(4, 50.0, 200.0, 200.0, 1.0), slow, fast]) == 8


@pytest.mark.parametrize("jobs", [1, 2, 11, 64])
def test_runs_with_other_numbers_count_only_in_between(jobs: int) -> None:
    """Fewer than the cap, or many more than the cores: somebody asked for them."""
    usual = Trial(4, 50.0, 60.0, 60.0, 48.0)
    assert auto_jobs(8, [usual, Trial(jobs, 1.0, 100.0, 60.0, 1.0)]) == 4
    assert auto_jobs(8, [Trial(jobs, 1.0, 100.0, 60.0, 1.0)]) == 4


def test_nothing_known_is_the_cap() -> None:
    """Or the cores, where they are fewer."""
    assert [auto_jobs(cores, []) for cores in (1, 3, 4, 5, 128)] == [1, 3, 4, 4, 4]
