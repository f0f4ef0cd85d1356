"""The end of a run in words: a table of its tasks, its times, and every failure once more.

Sees only data, and the logs of failed tasks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from polylane.outcome import BAD, Outcome, TaskResult
from polylane.report.plain import Screen, ending, style
from polylane.report.words import counted
from polylane.result import RunResult

#: Of more tasks than this only those that did not pass are listed, and the slowest.
_LIST_ALL = 100
_SLOWEST = 20

#: What `show` imports: it takes 7 ms, for which there is time while tasks run. tabulate needs html.
LATE = ("html", "tabulate")

_HEADERS = ("task", "outcome", "wall s", "CPU s", "peak MB", "read MB", "wrote MB")
#: So many columns stay on the narrowest terminal; the others go from the right.
_FEWEST = 3

_TAIL_LINES = 15

#: The exit code of a shell, and of ours, for a program that is not there.
_NO_PROGRAM = 127
_SETUP = "a program is missing: inv setup installs the tools of the projects"

_TAIL_BYTES = 64 * 1024


def show(screen: Screen, run: RunResult, folder: Path) -> None:
    """Print the summary; ``folder`` is the run's."""
    rows, more = _chosen(run.tasks)
    head, rule, *lines = table([_row(result) for result in rows], columns())
    screen.line(f"\n{head}\n{rule}")
    for line, result in zip(lines, rows, strict=True):
        passed = result.outcome is Outcome.PASSED
        screen.line(line, style="" if passed else style(result.outcome))
    if more:
        screen.line(f"... and {more} more that passed; all are in {_shown(folder / 'result.json')}")
    screen.line()
    screen.line(_times(run))
    if why := run.protection.get("why_not"):
        screen.line(f"not protected: tasks could write anywhere: {why}; inv lanes.doctor says more")
    if why := run.protection.get("no_views"):
        screen.line(f"not strict: no task had a private view: {why}; inv lanes.doctor says more")
    if what := run.protection.get("exposed"):
        tasks = counted(len(run.protection["whole_workspace"]), "task")
        screen.line(
            f"not protected: {what}, from {tasks} that may write the whole workspace;"
            " inv lanes.doctor says more",
            style="2",
        )
    for line in _memory(run):
        screen.line(line)
    for result in run.tasks:
        if result.outcome in BAD:
            screen.line()
            _failure(screen, result, folder)
    screen.line()
    if _lacks_a_program(run):
        screen.line(_SETUP)
    screen.line(verdict(run), style="32" if run.exit_code == 0 else "31")


def columns(terminal: int = 1) -> int:
    """How wide a terminal is, by its file descriptor; 0 where it is none."""
    try:
        return os.get_terminal_size(terminal).columns
    except OSError:
        return 0


def table(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """The lines of the table, with as many of its columns as fit; all where ``width`` is 0."""
    from tabulate import tabulate  # only a run's end needs it

    for count in range(len(_HEADERS), _FEWEST - 1, -1):
        text = tabulate(
            [row[:count] for row in rows],
            headers=_HEADERS[:count],
            colalign=("left", "left", *["right"] * (count - 2)),
            disable_numparse=True,
        )
        lines = text.split("\n")
        if not width or len(lines[1]) <= width:
            break
    return lines


def _memory(run: RunResult) -> list[str]:
    """What the lack of memory did to the run."""
    alone, killed = run.memory.get("ran_alone", {}), run.memory.get("killed", {})
    again = {result.id for result in run.tasks if result.attempts > 1}
    return [
        *(f"not enough memory: {name} {words}" for name, words in alone.items()),
        *(
            f"out of memory: {name}: {words}{'; retried alone' if name in again else ''}"
            for name, words in killed.items()
        ),
    ]


def brief(screen: Screen, run: RunResult, folder: Path) -> None:
    """Print a line a failure and the verdict, where the logs of failures were printed already."""
    for result in run.tasks:
        if result.outcome in BAD and result.log:
            screen.line(f"-- {result.id}: log: {_shown(folder / result.log)}")
    if _lacks_a_program(run):
        screen.line(f"-- {_SETUP}")
    screen.line(verdict(run), style="32" if run.exit_code == 0 else "31")


def _lacks_a_program(run: RunResult) -> bool:
    return any(result.exit_code == _NO_PROGRAM and result.outcome in BAD for result in run.tasks)


def verdict(run: RunResult) -> str:
    """One line: ``12 passed, 1 failed, 2 skipped``."""
    counts: dict[Outcome, int] = {}
    for result in run.tasks:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    words = [f"{counts[o]} {o.value.replace('-', ' ')}" for o in Outcome if o in counts]
    return f"{run.mode}: {', '.join(words) or 'nothing to do'}"


def _chosen(tasks: Sequence[TaskResult]) -> tuple[list[TaskResult], int]:
    if len(tasks) <= _LIST_ALL:
        return list(tasks), 0
    slowest = {t.id for t in sorted(tasks, key=lambda t: -t.wall_s)[:_SLOWEST]}
    rows = [t for t in tasks if t.outcome is not Outcome.PASSED or t.id in slowest]
    return rows, len(tasks) - len(rows)


def _row(result: TaskResult) -> tuple[str, ...]:
    name = printable(result.id)
    if result.started_s is None:
        return (name, result.outcome.value, "", "", "", "", "")
    peak = "-" if result.max_rss_bytes is None else f"{result.max_rss_bytes / 1e6:.0f}"
    return (
        name,
        result.outcome.value,
        f"{result.wall_s:.2f}",
        f"{result.cpu_s:.2f}",
        peak,
        f"{result.read_bytes / 1e6:.1f}",
        f"{result.write_bytes / 1e6:.1f}",
    )


def printable(name: str) -> str:
    """A name in one line, for folders may be called anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def _times(run: RunResult) -> str:
    text = f"wall {run.wall_s:.2f} s, work {run.work_s:.2f} s, slots {run.slots_used} of {run.jobs}"
    if run.mode == "sequential" or len(run.tasks) == 1:
        return text
    if run.sequential_wall_s is not None:
        saved, how = run.sequential_wall_s - run.wall_s, "measured against the last sequential run"
        whole = run.sequential_wall_s
    else:
        saved, how = run.work_s - run.wall_s, "an estimate: no sequential run was measured"
        whole = run.work_s
    share = f" ({saved / whole:.0%})" if whole > 0 else ""
    if saved < -whole / 100:
        return f"{text}\nsaved nothing: {-saved:.2f} s longer than in sequence, {how}"
    if saved < whole / 100:
        return f"{text}\nsaved nothing, {how}"
    return f"{text}\nsaved {saved:.2f} s{share}, {how}"


def _failure(screen: Screen, result: TaskResult, folder: Path) -> None:
    screen.line(f"-- {result.id} {ending(result)}", style=style(result.outcome))
    if result.log:
        lines = tail(folder / result.log)
        screen.lines(lines, b"   ")
        screen.line(f"   log: {_shown(folder / result.log)}")
    for line in result.refused:
        screen.line(f"   {line}")


def tail(log: Path) -> list[bytes]:
    """The last lines of a log, without their ends."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            return file.read().rstrip().split(b"\n")[-_TAIL_LINES:] if size else []
    except OSError:
        return []


def _shown(path: Path) -> str:
    """A path as short as it can be copied from a terminal."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
