"""One self-contained HTML page of a run: failures, a timeline, and every task with its log.

All of it stands in the page: it needs no network, and most of it no script. Nothing of a log, a
command or a name can become markup: the template escapes all, and a policy in the page lets no
script run but its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from polylane.records import NamedTuple
from polylane.report.formats import ansi, excerpt, page
from polylane.report.formats.finished import (
    Finished,
    Task,
    bad,
    command,
    ended,
    saved,
    title,
    verdict,
)
from polylane.report.formats.timeline import Curves, bars, chain, curves, ticks
from polylane.report.formats.units import duration, share, size

#: Bytes of logs on the page as they stand in it; and of one log, of a failure and of others.
_LOGS = 2_800_000
_FAILURE = 128_000
_OTHER = 8_000
_LEAST = 600
#: What a styled piece counts beside its text: 26 bytes, and the browser's time for an element.
_MARKUP = 60

#: Failures whose logs' ends stand on top, and how much of each.
_ON_TOP = 20
_TOP_LINES = 15
_TOP_BYTES = 4_000

#: The chain counts as the critical path where their lengths differ by less than this share.
_NEARLY = 0.01

#: Charts are drawn so wide and high, and stretched by the browser.
_WIDE, _HIGH = 10_000, 100
#: What lasted for a smaller share of the run is not drawn: between two tasks a lane is free.
_NARROW = 0.001


class Log(NamedTuple):
    """What the page shows of a log."""

    name: str
    head: list[ansi.Piece]
    note: str
    tail: list[ansi.Piece]


class Chart(NamedTuple):
    """A value over time: an SVG path, and its largest value in words."""

    name: str
    path: str
    most: str


def render(run: Finished) -> bytes:
    """The whole page."""
    result, used = run.result, curves(run.tasks)
    # A task may have been started so late that it ends after the run's own clock was read.
    whole = max(result["wall_s"], used.moments[-1]) or 1.0
    placed = bars(run.tasks)
    length, critical = chain(run.tasks)
    tasks = run.failures_first()
    return page.render(
        "run.html",
        run=result,
        title=title(run),
        verdict=verdict(run),
        saved=saved(result),
        tasks=tasks,
        numbers={task["id"]: number for number, task in enumerate(tasks)},
        failures=list(_on_top(run)),
        more_failures=max(0, sum(map(bad, tasks)) - _ON_TOP),
        bars=placed,
        rows=max((bar.row for bar in placed), default=-1) + 1,
        whole=whole,
        longest=max((task["wall_s"] for task in tasks), default=0.0) or 1.0,
        ticks=ticks(whole),
        charts=_charts(used, whole),
        curves=json.dumps(used._asdict(), separators=(",", ":")),
        critical=frozenset(critical),
        chain=length,
        is_critical_path=abs(length - result["critical_path_s"]) <= _NEARLY * length,
        logs=_logs(run, tasks),
        outcomes=_counted(tasks, "outcome"),
        filters={key: _counted(tasks, key) for key in ("verb", "project", "language")},
        ended=ended,
        command=command,
        duration=duration,
        size=size,
        share=share,
    )


def _counted(tasks: list[Task], key: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task[key]] = counts.get(task[key], 0) + 1
    return counts


def _on_top(run: Finished) -> Iterator[tuple[Task, list[ansi.Piece]]]:
    """The first failures, each with the end of its log."""
    for task in list(filter(bad, run.tasks))[:_ON_TOP]:
        found = excerpt.read(run.log(task), _TOP_BYTES)
        lines = (found.tail or found.head).rstrip().split(b"\n")[-_TOP_LINES:]
        yield task, ansi.pieces(b"\n".join(lines))


def _logs(run: Finished, tasks: list[Task]) -> dict[str, Log]:
    """What each log has room for: failures come first, the rest shares what they leave."""
    room, logs = _LOGS, {}
    with_log = [task for task in tasks if run.log(task)]
    for number, task in enumerate(with_log):
        fair = max(_LEAST, room // (len(with_log) - number))
        limit = min(_FAILURE, max(fair, room // 4)) if bad(task) else min(_OTHER, fair)
        log = _log(run, task, limit if room > 0 else 0)
        if (weight := _weight(log)) > limit:  # markup takes more than its text
            log = _log(run, task, limit * limit // weight)
        logs[task["id"]] = log
        room -= _weight(log)
    return logs


def _weight(log: Log) -> int:
    """How much of the page a log takes, in bytes."""
    return sum(page.weight(text) + _MARKUP * bool(style) for text, style in (*log.head, *log.tail))


def _log(run: Finished, task: Task, limit: int) -> Log:
    found = excerpt.read(run.log(task), limit)
    return Log(run.log_name(task), ansi.pieces(found.head), found.note, ansi.pieces(found.tail))


def _charts(used: Curves, whole: float) -> list[Chart]:
    def chart(name: str, values: list[float], most: str) -> Chart:
        return Chart(name, _path(used.moments, values, whole), most)

    running, cpu, memory = (max(each) for each in (used.running, used.cpu, used.memory))
    return [
        chart("slots used", used.running, f"at most {running:.0f}"),
        chart("CPU", used.cpu, f"at most {cpu:.1f} cores"),
        chart("memory", used.memory, f"at most {size(memory)}"),
    ]


def _path(moments: list[float], values: list[float], whole: float) -> str:
    """Steps, and down to the base line at both ends, so that it can be filled."""
    top = max(values) or 1.0
    parts = [f"M0 {_HIGH}"]
    for moment, value, until in zip(moments, values, [*moments[1:], math.inf], strict=True):
        if until - moment > whole * _NARROW:
            parts.append(f"H{moment / whole * _WIDE:.0f}V{_HIGH - value / top * (_HIGH - 2):.1f}")
    return "".join([*parts, f"V{_HIGH}Z"])
