"""A trace for Perfetto (and chrome://tracing): a row for each lane, arrows for who waited for whom.

In the Trace Event Format, as JSON: microseconds since the run's start; ``X`` is a bar, ``M`` a
name, ``C`` a value over time, ``s`` and ``f`` the ends of an arrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from polylane.report.formats.finished import Finished, command, title
from polylane.report.formats.timeline import Bar, bars, curves

_MEGA = 1e6

#: Names of colours that viewers of this format know.
_COLOURS = {"passed": "good", "failed": "terrible", "timed-out": "terrible", "crashed": "terrible"}


def render(run: Finished) -> bytes:
    """The whole trace."""
    found = bars(run.tasks)
    events = (*_names(run, found), *map(_bar, found), *_arrows(found), *_values(run))
    process = _process(run.result["run"])
    trace = {
        "traceEvents": [{**event, "pid": process} for event in events],
        "displayTimeUnit": "ms",
        "otherData": {
            key: run.result[key]
            for key in ("run", "mode", "jobs", "started", "wall_s", "exit_code")
        },
    }
    return json.dumps(_whole(trace), separators=(",", ":")).encode()


def _process(run: str) -> int:
    """The runner's process id, which ends a run's id.

    A viewer takes the thread with its process's number, which was lane 1, for the main thread.
    """
    number = run.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _whole(value: Any) -> Any:
    """Without lone surrogates, which readers of JSON may refuse."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


def _names(run: Finished, found: list[Bar]) -> Iterator[dict[str, Any]]:
    yield _meta("process_name", 0, {"name": f"polylane {title(run)}"})
    for row in sorted({bar.row for bar in found}):
        yield _meta("thread_name", row + 1, {"name": f"lane {row + 1}"})
        yield _meta("thread_sort_index", row + 1, {"sort_index": row + 1})


def _meta(name: str, thread: int, said: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "name": name, "tid": thread, "args": said}


def _bar(bar: Bar) -> dict[str, Any]:
    task = bar.task
    shown = ("outcome", "exit_code", "reason", "cpu_s", "max_rss_bytes", "attempts", "waited_for")
    event = {
        "ph": "X",
        "name": task["id"],
        "cat": task["verb"],
        "tid": bar.row + 1,
        "ts": _micro(bar.start),
        # Not the rounded difference: a bar must not end after the next one of its lane begins.
        "dur": _micro(bar.end) - _micro(bar.start),
        "args": {"command": command(task), **{key: task.get(key) for key in shown}},
    }
    colour = _COLOURS.get(task["outcome"])
    return {**event, "cname": colour} if colour else event


def _arrows(found: list[Bar]) -> Iterator[dict[str, Any]]:
    by_id = {bar.task["id"]: bar for bar in found}
    pairs = [
        (by_id[name], bar)
        for bar in found
        for name in bar.task.get("waited_for", ())
        if name in by_id
    ]
    for number, (before, after) in enumerate(pairs, 1):
        same = {"name": "waited for", "cat": "order", "id": number}
        # An arrow belongs to the bar around its end: just before this one's.
        leaves = max(_micro(before.start), _micro(before.end) - 1)
        yield {**same, "ph": "s", "tid": before.row + 1, "ts": leaves}
        yield {**same, "ph": "f", "bp": "e", "tid": after.row + 1, "ts": _micro(after.start)}


def _values(run: Finished) -> Iterator[dict[str, Any]]:
    used = curves(run.tasks)
    series = (
        ("slots used", used.running, 1.0),
        ("CPU, cores", used.cpu, 1.0),
        ("memory at most, MB", used.memory, _MEGA),
    )
    for name, values, unit in series:
        # Moments that are the same in microseconds have one value: the last.
        moments = map(_micro, used.moments)
        for moment, value in dict(zip(moments, values, strict=True)).items():
            said = {"value": round(value / unit, 3)}
            yield {"ph": "C", "name": name, "ts": moment, "args": said}


def _micro(seconds: float) -> int:
    return round(seconds * _MEGA)
