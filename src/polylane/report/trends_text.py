"""``lanes.stats``: what runs took over time, as tables. Sees only data."""

from __future__ import annotations

from collections.abc import Sequence

from polylane.report.formats.units import duration, share
from polylane.report.summary import printable
from polylane.report.trends import GOAL, Line, Side, Trends
from polylane.report.words import counted

_HEADERS = ("runs", "median", "95 %", "passed", "trend")

#: Where nobody says how wide it may be, and what a name gets at least: longer ones have a line of
#: their own.
_WIDTH = 80
_LEAST_NAME = 16


def text(trends: Trends, width: int = _WIDTH) -> str:
    """A table of selections, one of tasks, in so many columns, and what should be looked at."""
    if not trends.selections:
        return "nothing is known yet: the history begins with the first run"
    parts = [
        _table("selection", trends.selections, "saved", width),
        "",
        _table("task", trends.tasks, "flaky", width),
        "",
        *judgements(trends),
    ]
    return "\n".join(parts)


def judgements(trends: Trends) -> list[str]:
    """What should be looked at, in lines."""
    lines = [_success(trends)]
    lines += [_worse(task) for task in trends.tasks if task.worse]
    lines += [f"flaky: {printable(t.name)} {_flaky(t)}" for t in trends.tasks if t.flaky]
    return lines


def _flaky(task: Line) -> str:
    """How it had both outcomes with the same inputs."""
    failed, passed = task.contradicted
    said = []
    if failed:
        said.append(
            f"failed in {counted(failed, 'run')} and passed in {passed} with the same inputs"
        )
    if task.retried:
        said.append(f"passed on a retry in {counted(task.retried, 'run')}")
    return ", and ".join(said)


def _worse(task: Line) -> str:
    """Of how many runs the shares are says whether they mean much."""
    one, other = (f"{share(s.success)} of {s.runs}" for s in (task.parallel, task.sequential))
    return f"passes less often in parallel: {printable(task.name)}: {one}, and {other} in sequence"


def _success(trends: Trends) -> str:
    """The plan's measure, judged."""
    if (found := trends.success()) is None:
        return "success in parallel against in sequence: unknown, for both must have run"
    one, other = found.parallel, found.sequential
    sign = "below" if found.worse else "at least"
    of = f"the mean of {counted(found.tasks, 'task')}"
    return (
        f"success in parallel against in sequence: {share(one)}, and {share(other)} in sequence,"
        f" {of}: {sign} {share(GOAL)} of it"
    )


def _table(kind: str, lines: Sequence[Line], last: str, width: int) -> str:
    """A line for each mode in which something ran."""
    rows: list[tuple[str, ...]] = [("", *_HEADERS, last)]
    names = [kind]
    for line in lines:
        sides = (("parallel", line.parallel), ("sequence", line.sequential))
        ran = [(mode, side) for mode, side in sides if side.runs]
        # What is said of both modes stands in the first line.
        ends = [_end(line, last), ("", "")]
        rows += [(m, *_side(side), *end) for (m, side), end in zip(ran, ends, strict=False)]
        names += [printable(line.name), ""][: len(ran)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = max(width - sum(widths) - 2 * len(widths), _LEAST_NAME)
    room = min(room, max(map(len, names)))
    found = []
    for name, (mode, *figures) in zip(names, rows, strict=True):
        if len(name) > room:
            found.append(name)
            name = ""  # noqa: PLW2901
        cells = (f"{cell:>{wide}}" for cell, wide in zip(figures, widths[1:], strict=True))
        found.append("  ".join((f"{name:<{room}}", f"{mode:<{widths[0]}}", *cells)).rstrip())
    return "\n".join(found)


def _side(side: Side) -> tuple[str, ...]:
    return (str(side.runs), duration(side.median), duration(side.high), share(side.success))


def _end(line: Line, last: str) -> tuple[str, str]:
    return trend(line), _share(line.saved) if last == "saved" else str(line.flaky or "")


def _share(part: float | None) -> str:
    return "" if part is None else share(part)


def trend(line: Line) -> str:
    """``+12 %``: the newest runs took so much longer; empty where too few are known."""
    if line.trend is None:
        return ""
    return f"{round(100 * line.trend) or 0:+d} %"
