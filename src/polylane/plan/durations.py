"""What tasks may take, by what earlier runs took.

Pure: it sees figures, and knows nothing of where they are remembered.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polylane.model import Task
from polylane.plan.graph import Graph, longest_paths
from polylane.plan.jobs import Trial
from polylane.records import NamedTuple

#: A task of which nothing is known, nor of its tool, is taken to last so many seconds.
UNKNOWN_S = 1.0

#: A single measurement is taken to be right within this, our guess, until a second says more.
_ONCE = (0.75, 1.5)

#: Wall times in seconds of a task's last passed runs, the newest last.
Walls = tuple[float, ...]


class Past(NamedTuple):
    """What earlier runs took."""

    #: By the task's id: its tool, `Walls` in parallel runs, `Walls` in sequential ones, and what
    #: else is remembered; its last peaks of memory are third of that.
    tasks: Mapping[str, tuple[Any, ...]] = {}
    #: The wall time of the newest sequential run that passed, by the words of its selection and
    #: the number of its tasks.
    sequential: Mapping[tuple[tuple[str, ...], int], float] = {}
    #: By the task's id: how many cores it used on average, in its last passed runs.
    cores: Mapping[str, tuple[float, ...]] = {}
    #: Parallel runs, by the words of their selection and the number of their tasks.
    trials: Mapping[tuple[tuple[str, ...], int], Sequence[Trial]] = {}


class Span(NamedTuple):
    """What a task may take, in seconds."""

    low: float
    likely: float
    high: float
    #: How many runs say so; 0 where the task itself is unknown.
    runs: int


def spans(tasks: Sequence[Task], past: Past, *, parallel: bool) -> list[Span]:
    """What each task may take in a run of this kind.

    Likely is the median of its last passed runs: one slow run (a cold cache, a busy machine) does
    not move it, and a lasting change does after three. Runs of the other kind count where there is
    none of this kind: beside others a task takes longer. An unknown task takes the median of what
    other tasks of its tool take.
    """
    known = [_known(past.tasks.get(task.id), parallel=parallel) for task in tasks]
    if None not in known:
        return [span for span in known if span is not None]
    tools = _tools({task.tool for task in tasks}, past, parallel=parallel)
    longest = max((span.high for span in known if span is not None), default=UNKNOWN_S)
    nothing = Span(0.0, UNKNOWN_S, max(longest, UNKNOWN_S), 0)
    return [
        span if span is not None else tools.get(task.tool, nothing)
        for task, span in zip(tasks, known, strict=True)
    ]


def _known(entry: tuple[Any, ...] | None, *, parallel: bool) -> Span | None:
    if entry is None:
        return None
    walls: Walls = entry[1] or entry[2] if parallel else entry[2] or entry[1]
    return _span(walls) if walls else None


def _span(walls: Walls) -> Span:
    """The median, and the quartiles on both sides of it."""
    if len(walls) == 1:
        (wall,) = walls
        return Span(wall * _ONCE[0], wall, wall * _ONCE[1], 1)
    line = sorted(walls)
    quarter = len(line) // 4
    return Span(line[quarter], _median(line), line[-1 - quarter], len(line))


def _median(line: Sequence[float]) -> float:
    """Of sorted numbers; the statistics module costs a start 5 ms."""
    middle = len(line) // 2
    return line[middle] if len(line) % 2 else (line[middle - 1] + line[middle]) / 2


def _tools(wanted: Iterable[str], past: Past, *, parallel: bool) -> dict[str, Span]:
    found: dict[str, list[float]] = {tool: [] for tool in wanted}
    for entry in past.tasks.values():
        if entry[0] in found and (span := _known(entry, parallel=parallel)) is not None:
            found[entry[0]].append(span.likely)
    return {
        tool: Span(min(likely), _median(sorted(likely)), max(likely), 0)
        for tool, likely in found.items()
        if likely
    }


def cores(past: Past) -> dict[str, float]:
    """How many cores each task used on average in its last passed runs, by its id."""
    return {name: _median(sorted(each)) for name, each in past.cores.items() if each}


def priorities(graph: Graph, expected: Sequence[Span]) -> list[float]:
    """For each vertex the longest time from its start to the end of all that follows it."""
    likely = {task.id: span.likely for task, span in zip(graph.tasks, expected, strict=True)}
    return longest_paths(graph, lambda task: likely[task.id])
