"""``lanes.stats``: what runs took over time, as tables. Sees only data."""

from __future__ import annotations

from collections.abc import Sequence

from polylane.report.formats.units import duration, share
from polylane.report.summary import printable
from polylane.report.trends import GOAL, Line, Side, Trends
from polylane.report.words import counted

_HEADERS = (
    *("runs", "median", "95 %", "passed"),
    *("runs", "median", "95 %", "passed"),
)


def text(trends: Trends) -> str:
    """A table of selections, one of tasks, and what should be looked at."""
    if not trends.selections:
        return "nothing is known yet: the history begins with the first run"
    parts = [
        _table("selection", trends.selections, "saved"),
        "",
        _table("task", trends.tasks, "flaky"),
        "",
        *judgements(trends),
    ]
    return "\n".join(parts)


def judgements(trends: Trends) -> list[str]:
    """What should be looked at, in lines."""
    lines = [_success(trends)]
    lines += [f"passes less often in parallel: {_compared(t)}" for t in trends.tasks if t.worse]
    lines += [
        f"flaky: {printable(task.name)} passed on a retry in {counted(task.flaky, 'run')}"
        for task in trends.tasks
        if task.flaky
    ]
    return lines


def _compared(line: Line) -> str:
    one, other = share(line.parallel.success), share(line.sequential.success)
    return f"{printable(line.name)}: {one}, and {other} in sequence"


def _success(trends: Trends) -> str:
    """Success in parallel against in sequence of all tasks that ran in both modes, judged."""
    both = [task for task in trends.tasks if task.parallel.runs and task.sequential.runs]
    parallel, sequential = (
        Side(sum(side.passed for side in sides), sum(side.failed for side in sides))
        for sides in ([task.parallel for task in both], [task.sequential for task in both])
    )
    whole = Line("all tasks", parallel, sequential)
    if whole.against is None:
        return "success in parallel against in sequence: unknown, for both must have run"
    sign = "below" if whole.worse else "at least"
    return (
        f"success in parallel against in sequence: {_compared(whole)}: {sign} {share(GOAL)} of it"
    )


def _table(kind: str, lines: Sequence[Line], last: str) -> str:
    from tabulate import tabulate  # few commands need it

    rows = [
        (printable(line.name), *_side(line.parallel), *_side(line.sequential), *_end(line, last))
        for line in lines
    ]
    headers = (kind, *_HEADERS, "trend", last)
    # What the two halves are stands above them.
    table = tabulate(
        rows,
        headers=headers,
        colalign=("left", *["right"] * (len(headers) - 1)),
        disable_numparse=True,
    )
    return f"{_halves(table)}\n{table}"


def _halves(table: str) -> str:
    """A line over a table: which columns are which mode's."""
    widths = [len(rule) + 2 for rule in table.split("\n")[1].split("  ")]
    first, second = sum(widths[:1]), sum(widths[:5])
    return f"{'':{first}}{'parallel':{second - first}}sequential"


def _side(side: Side) -> tuple[str, ...]:
    if not side.runs:
        return ("", "", "", "")
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
