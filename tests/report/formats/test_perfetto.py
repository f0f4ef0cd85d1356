"""The trace, by the rules of the Trace Event Format."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from polylane.report.formats import perfetto
from tests.report.formats.made import failed, finished, task


def events(*tasks: dict[str, Any]) -> list[dict[str, Any]]:
    trace = json.loads(perfetto.render(finished(Path(), *tasks)))
    found: list[dict[str, Any]] = trace["traceEvents"]
    return found


def test_every_event_has_what_its_kind_needs() -> None:
    """Kind, name and process; times are whole microseconds."""
    found = events(task("a:b:c", 0, 1), failed("b:b:c", start=1, waited_for=["a:b:c"]))
    assert {event["ph"] for event in found} == set("XMCsf")
    for event in found:
        assert {"name", "pid"} <= event.keys()
        assert event["ph"] == "M" or isinstance(event["ts"], int)
        assert event["ph"] == "C" or isinstance(event["tid"], int)


#: What each kind of event must have, and may have, by the Trace Event Format's description.
KINDS: dict[str, tuple[set[str], set[str]]] = {
    "M": ({"name", "pid", "tid", "args"}, set()),
    "X": ({"name", "cat", "pid", "tid", "ts", "dur"}, {"args", "cname"}),
    "s": ({"name", "cat", "id", "pid", "tid", "ts"}, set()),
    "f": ({"name", "cat", "id", "pid", "tid", "ts"}, {"bp"}),
    "C": ({"name", "pid", "ts", "args"}, set()),
}


def test_a_trace_of_many_tasks_keeps_every_rule() -> None:
    """Bars of a lane never overlap, arrows have two ends in bars, values come in order of time."""
    tasks = [
        task(
            f"a:p{i}:c",
            i // 4 * 0.7,
            0.1 + i % 7 / 10,
            waited_for=[f"a:p{i - 5}:c"] if i > 4 else [],
        )
        for i in range(400)
    ]
    found = events(*tasks, task("gone:x:y", None))
    for event in found:
        must, may = KINDS[event["ph"]]
        assert must <= event.keys() - {"ph"} <= must | may
        times = [event[key] for key in ("ts", "dur") if key in event]
        assert all(isinstance(time, int) and time >= 0 for time in times)
    bars = [event for event in found if event["ph"] == "X"]
    for lane in {bar["tid"] for bar in bars}:
        line = sorted((bar["ts"], bar["ts"] + bar["dur"]) for bar in bars if bar["tid"] == lane)
        assert all(end <= start for (_, end), (start, _) in pairwise(line))
    named = {e["tid"] for e in found if e["ph"] == "M" and e["name"] == "thread_name"}
    assert named == {bar["tid"] for bar in bars}
    ends = {kind: {e["id"]: e for e in found if e["ph"] == kind} for kind in "sf"}
    assert len(ends["s"]) == len(ends["f"]) == 395
    assert ends["s"].keys() == ends["f"].keys()
    for event in (*ends["s"].values(), *ends["f"].values()):
        around = [b for b in bars if b["tid"] == event["tid"] and b["ts"] <= event["ts"]]
        assert any(event["ts"] <= bar["ts"] + bar["dur"] for bar in around)
    for name in {event["name"] for event in found if event["ph"] == "C"}:
        moments = [e["ts"] for e in found if e["ph"] == "C" and e["name"] == name]
        assert moments == sorted(set(moments))


def test_a_task_is_a_bar_in_its_lane() -> None:
    """Two at once are in two lanes, which are named; what never started is left out."""
    found = events(task("a:b:c", 0.5, 1.25), task("d:e:f", 1, 2), task("g:h:i", None))
    bars = {event["name"]: event for event in found if event["ph"] == "X"}
    assert set(bars) == {"a:b:c", "d:e:f"}
    assert (bars["a:b:c"]["ts"], bars["a:b:c"]["dur"]) == (500_000, 1_250_000)
    assert {event["tid"] for event in bars.values()} == {1, 2}
    names = [event["args"]["name"] for event in found if event["name"] == "thread_name"]
    assert names == ["lane 1", "lane 2"]


def test_an_arrow_leads_from_what_was_waited_for() -> None:
    """It leaves within the one bar and arrives where the other begins."""
    found = events(task("a:b:c", 0, 1), task("d:b:c", 1, 1, waited_for=["a:b:c", "gone:x:y"]))
    leaves, arrives = (next(e for e in found if e["ph"] == kind) for kind in "sf")
    assert leaves["id"] == arrives["id"]
    assert 0 <= leaves["ts"] < 1_000_000 == arrives["ts"]


def test_what_was_used_are_counters() -> None:
    """Slots, cores and megabytes, which end with nothing."""
    found = [event for event in events(task("a:b:c", 0, 2, cpu_s=3)) if event["ph"] == "C"]
    values = {(e["name"], e["ts"]): e["args"]["value"] for e in found}
    assert values["CPU, cores", 0] == 1.5
    assert values["slots used", 0] == values["memory at most, MB", 0] == 1
    assert values["slots used", 2_000_000] == 0


def test_a_name_that_is_not_utf8_is_valid_json() -> None:
    """A lone surrogate is none: it stands escaped."""
    assert b"\\\\udcff" in perfetto.render(finished(Path(), task("a:b\udcff:c")))
