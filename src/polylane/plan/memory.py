"""What memory each task is expected to need, and whether it fits beside those that run.

Pure: it sees figures, and knows nothing of where they are measured or remembered.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polylane.model import Task
from polylane.plan.durations import Past
from polylane.records import NamedTuple

#: A tool of which nothing is known takes so much, and these take more or less: peaks of their
#: whole process trees in runs on this repository and its example, rounded up.
UNKNOWN_BYTES = 256_000_000
ASSUMED_BYTES = {
    "bandit": 64_000_000,
    "biome": 128_000_000,
    "eslint": 600_000_000,
    "jest": 512_000_000,
    "mypy": 320_000_000,
    "ng": 1_000_000_000,
    "npm": 450_000_000,
    "oxlint": 128_000_000,
    "prettier": 128_000_000,
    "pyright": 600_000_000,
    "ruff": 64_000_000,
    "ruff-format": 64_000_000,
    "svelte-check": 600_000_000,
    "tsc": 320_000_000,
    "vue-tsc": 600_000_000,
    "webpack": 1_000_000_000,
}


class Need(NamedTuple):
    """What a task is expected to need at its peak."""

    size: int
    #: In words, for people: where the figure comes from.
    why: str


def needs(tasks: Sequence[Task], past: Past) -> list[Need]:
    """What each task is expected to need, in bytes.

    What the configuration says; else the largest of its last peaks; else the median of what other
    tasks of its tool need; else an assumption by the tool. The largest, because to expect too
    little costs an attempt, or brings the machine to a halt, and to expect too much only some time;
    a peak that does not come again is forgotten after ten runs.
    """
    known = [_known(task, past) for task in tasks]
    if None not in known:
        return [need for need in known if need is not None]
    missing = {task.tool for task, need in zip(tasks, known, strict=True) if need is None}
    tools = _tools(missing, past)
    return [
        need if need is not None else tools[task.tool]
        for task, need in zip(tasks, known, strict=True)
    ]


def _known(task: Task, past: Past) -> Need | None:
    if task.memory is not None:
        return Need(task.memory, "as configured")
    peak = _learned(past.tasks.get(task.id))
    return None if peak is None else Need(peak, "the most of its last runs")


def _learned(entry: tuple[Any, ...] | None) -> int | None:
    """The largest of a task's last peaks; 0 for one that was always too short to be measured."""
    if entry is None:
        return None
    _, parallel, sequential, *more = entry
    peaks: tuple[int, ...] = more[2] if len(more) > 2 else ()  # noqa: PLR2004 - see `Past`
    return max(peaks, default=0) if peaks or parallel or sequential else None


def _tools(wanted: Iterable[str], past: Past) -> dict[str, Need]:
    found: dict[str, list[int]] = {tool: [] for tool in wanted}
    for entry in past.tasks.values():
        if entry[0] in found and (peak := _learned(entry)) is not None:
            found[entry[0]].append(peak)
    return {
        tool: Need(sorted(peaks)[len(peaks) // 2], "as other tasks of its tool")
        if peaks
        else Need(ASSUMED_BYTES.get(tool, UNKNOWN_BYTES), "a guess by its tool")
        for tool, peaks in found.items()
    }


def still_to_take(expected: Mapping[int, int], used: Mapping[int, int]) -> int:
    """What running tasks are expected to take beyond what each of them uses now."""
    return sum(max(0, size - used.get(task, 0)) for task, size in expected.items())


def floor(whole: int) -> int:
    """What of the whole memory is left to others: a twentieth, 256 MB to 2 GB.

    The page cache, and what a task takes above its expectation, live on it. Never more than a
    quarter: a small container is there to be used.
    """
    return min(max(whole // 20, 256_000_000), 2_000_000_000, whole // 4)


def in_words(size: int) -> str:
    """A size for people: ``1.2 GB``, ``340 MB``; nothing is less than 0."""
    size = max(0, size)
    return f"{size / 1e9:.1f} GB" if size >= 999_500_000 else f"{size / 1e6:.0f} MB"  # noqa: PLR2004
