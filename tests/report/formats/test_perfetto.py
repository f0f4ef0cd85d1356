"""The trace, by the rules of the Trace Event Format."""

from __future__ import annotations

import json
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
