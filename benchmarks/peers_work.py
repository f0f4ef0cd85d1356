"""The work that runners are compared by: tasks, what they need, and what we want to reach.

Knows nothing of runners, nor of how anything is measured.
"""

from __future__ import annotations

import heapq
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import workspaces

_TASK = (os.path.realpath(sys.executable), "-I", "-S", str(Path(__file__).parent / "peers_task.py"))

#: The first is in a log before the command runs, the second behind it.
_RECORD = """record=$1 name=$2; shift 2
echo "$name begins" >>"$record"
"$@" || exit
echo "$name ends" >>"$record"
"""

#: A quantity with a limit. ``ratio``: our wall time over the reference; ``net``: the same without
#: that of ``inv`` doing nothing; ``net ms``; ``MB``: the runner's own memory at its peak.
Quantity = Literal["ratio", "net", "net ms", "MB"]


@dataclass(frozen=True, slots=True)
class Task:
    """One command."""

    name: str
    argv: Sequence[str]
    needs: Sequence[str] = ()
    #: How long it takes where nothing disturbs it, as far as that is known.
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """What all runners run."""

    name: str
    #: For people.
    what: str
    tasks: Sequence[Task]
    jobs: int
    limits: Mapping[Quantity, float]
    #: Seconds that no runner can beat; 0: the reference is ninja.
    bound: float = 0.0
    #: Lines that each task prints.
    lines: int = 0


def _name(number: int) -> str:
    return f"t{number}"


def independent(count: int, _: float) -> Work:
    """``count`` times /bin/true."""
    limits: dict[int, dict[Quantity, float]] = {
        10: {"net ms": 40},
        1000: {"ratio": 1.0},
        10_000: {"ratio": 1.2, "MB": 150},
    }
    tasks = [Task(_name(i), [workspaces.TRUE]) for i in range(count)]
    return Work("", f"{count:,} tasks of /bin/true", tasks, 2, limits.get(count, {}))


def chain(count: int, _: float) -> Work:
    """``count`` times /bin/true, each after the one before."""
    names = ["", *map(_name, range(count))]
    tasks = [
        Task(names[i + 1], [workspaces.TRUE], needs=[names[i]] if i else []) for i in range(count)
    ]
    return Work("", f"a chain of {count:,} tasks of /bin/true", tasks, 2, {"net": 1.2})


def dag(_: int, scale: float) -> Work:
    """64 sleeps: three layers of short ones, and beside them a chain that is declared last.

    The chain takes as long as all sleeps over four slots: a runner that does not know it is late.
    """
    return _of_sleeps(_sleeps(scale), "64 sleeps with a long chain declared last")


def shuffled(_: int, scale: float) -> Work:
    """The same sleeps under other names, declared in another order."""
    tasks = _sleeps(scale)
    order = random.Random(11).sample(range(len(tasks)), len(tasks))
    named = {task.name: _name(place) for task, place in zip(tasks, order, strict=True)}
    again = [
        replace(task, name=named[task.name], needs=[named[need] for need in task.needs])
        for task in tasks
    ]
    again.sort(key=lambda task: int(task.name[1:]))
    return _of_sleeps(again, "the same sleeps, shuffled")


_SLOTS = 4
_CHAIN = 8
_LINK_S = 0.8
_LAYERS = (19, 19, 18)


def _sleeps(scale: float) -> list[Task]:
    chosen = random.Random(5)
    short = [chosen.uniform(0.05, 0.8) for _ in range(sum(_LAYERS))]
    # What the chain leaves of four slots.
    stretch = _CHAIN * _LINK_S * (_SLOTS - 1) / sum(short)
    tasks: list[Task] = []
    above: list[str] = []
    for size in _LAYERS:
        layer = [_name(len(tasks) + i) for i in range(size)]
        for name in layer:
            needs = chosen.sample(above, 2) if above else []
            tasks.append(_sleep(name, short[len(tasks)] * stretch * scale, needs))
        above = layer
    for link in range(_CHAIN):
        needs = [tasks[-1].name] if link else []
        tasks.append(_sleep(_name(len(tasks)), _LINK_S * scale, needs))
    return tasks


def _sleep(name: str, seconds: float, needs: Sequence[str]) -> Task:
    text = f"{seconds:.3f}"
    return Task(name, ["sleep", text], needs, float(text))


def _of_sleeps(tasks: Sequence[Task], what: str) -> Work:
    below = longest_below(tasks)
    total = sum(task.seconds for task in tasks)
    bound = max(*below.values(), total / _SLOTS)
    place = {task.name: i for i, task in enumerate(tasks)}
    best = makespan(tasks, _SLOTS, lambda name: -below[name])
    plain = makespan(tasks, _SLOTS, lambda name: place[name])
    what = (
        f"{what}; bound {bound:.2f} s, the longest chain first would take {best / bound:.3f} of it,"
        f" the order of declaration {plain / bound:.3f}"
    )
    return Work("", what, tasks, _SLOTS, {"net": 1.02}, bound=bound)


def longest_below(tasks: Sequence[Task]) -> dict[str, float]:
    """For each task the seconds of the longest chain that begins with it."""
    users: dict[str, list[str]] = {task.name: [] for task in tasks}
    for task in tasks:
        for need in task.needs:
            users[need].append(task.name)
    seconds = {task.name: task.seconds for task in tasks}
    found: dict[str, float] = {}

    def below(name: str) -> float:
        if name not in found:
            found[name] = seconds[name] + max(map(below, users[name]), default=0.0)
        return found[name]

    for task in tasks:
        below(task.name)
    return found


def makespan(tasks: Sequence[Task], slots: int, rank: Callable[[str], float]) -> float:
    """The seconds that tasks take if of those that can start the lowest in rank does."""
    by_name = {task.name: task for task in tasks}
    waits = {task.name: set(task.needs) for task in tasks}
    ready = [(rank(name), name) for name, needs in waits.items() if not needs]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < slots:
            name = heapq.heappop(ready)[1]
            heapq.heappush(running, (now + by_name[name].seconds, name))
        now, done = heapq.heappop(running)
        for name, needs in waits.items():
            if done in needs:
                needs.remove(done)
                if not needs:
                    heapq.heappush(ready, (rank(name), name))
    return now


def busy(_: int, scale: float) -> Work:
    """Eight tasks of a second of CPU time on two slots."""
    tasks = [Task(_name(i), [*_TASK, "cpu", f"{scale:.3f}"], seconds=scale) for i in range(8)]
    what = f"8 tasks of {scale:g} s of CPU time; bound {4 * scale:.2f} s"
    return Work("", what, tasks, 2, {"net": 1.02}, bound=4 * scale)


def lines(_: int, scale: float) -> Work:
    """Four tasks at once which print 200,000 lines each."""
    count = round(200_000 * scale)
    tasks = [Task(_name(i), [*_TASK, "lines", _name(i), str(count)]) for i in range(4)]
    what = f"4 tasks that print {count:,} lines each into one pipe"
    return Work("", what, tasks, 4, {"net": 1.3, "MB": 60}, lines=count)


_KINDS: Mapping[str, Callable[[int, float], Work]] = {
    "true": independent,
    "chain": chain,
    "dag": dag,
    "dag-shuffled": shuffled,
    "cpu": busy,
    "lines": lines,
}

#: Where none are named; ``true`` and ``chain`` take any number.
USUAL = (
    *("true-10", "true-100", "true-1000", "true-10000", "chain-100"),
    *("dag", "dag-shuffled", "cpu", "lines"),
)


def make(name: str, scale: float = 1.0) -> Work:
    """The work of a name such as ``true-1000``; ``scale`` shortens what tasks do.

    A name that there is not is a `ValueError`.
    """
    kind, _, number = name.rpartition("-")
    counted = kind in {"true", "chain"} and number.isdigit() and int(number) > 0
    if not counted and (name not in _KINDS or name in {"true", "chain"}):
        raise ValueError(f"no workload {name}; there are {', '.join(USUAL)}")
    work = _KINDS[kind](int(number), scale) if counted else _KINDS[name](0, scale)
    return replace(work, name=name)


def recorded(work: Work, folder: Path, record: Path) -> Work:
    """The same, where each task writes into ``record`` when it begins and ends."""
    script = folder / "record.sh"
    script.write_text(_RECORD)
    head = ["sh", str(script), str(record)]
    tasks = [replace(task, argv=[*head, task.name, *task.argv]) for task in work.tasks]
    return replace(work, tasks=tasks)


def faults(work: Work, record: Path) -> list[str]:
    """What is wrong with a recorded run: each task runs once, after what it needs."""
    said = record.read_text().splitlines() if record.exists() else []
    places: dict[str, list[int]] = {}
    for place, line in enumerate(said):
        places.setdefault(line, []).append(place)
    found = []
    for task in work.tasks:
        begun = places.get(f"{task.name} begins", [])
        times = len(begun)
        if times != 1 or len(places.get(f"{task.name} ends", [])) != 1:
            found.append(f"{task.name} ran {times} times")
            continue
        early = [n for n in task.needs if places.get(f"{n} ends", [len(said)])[0] > begun[0]]
        found += [f"{task.name} began before {need} ended" for need in early]
    return found
