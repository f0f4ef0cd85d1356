"""JUnit XML, as its readers want it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from polylane.report.formats import junit
from polylane.report.formats.finished import Finished
from tests.report.formats.made import failed, finished, task

#: The schema junit-10.xsd of Jenkins' xUnit plugin, as far as we use it: what each element must
#: have, may have, and may hold.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp"},
        {"testcase"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname"},
        {"skipped", "error", "failure", "system-out"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def parsed(run: Finished) -> ET.Element:
    root = ET.fromstring(junit.render(run))
    for element in root.iter():
        must, may, holds = SCHEMA[element.tag]
        assert must <= set(element.attrib) <= must | may
        assert {child.tag for child in element} <= holds
        assert re.fullmatch(r"[0-9]*\.[0-9]*", element.get("time", "0.0"))
    return root


def test_every_task_is_a_case_in_the_suite_of_its_verb(tmp_path: Path) -> None:
    """With its times; suites and the whole count outcomes; all of it fits the schema."""
    run = finished(
        tmp_path,
        task("lint:api:ruff", wall=1.5),
        failed("lint:web:eslint"),
        task("test:api:pytest", outcome="timed-out", reason="took longer than 1 s"),
        task("test:web:jest", outcome="crashed"),
        task("test:docs:x", None, reason="needs lint:web:eslint, which failed"),
        task("test:more:x", outcome="cancelled"),
    )
    root = parsed(run)
    assert [suite.get("name") for suite in root] == ["lint", "test"]
    counts = ("tests", "failures", "errors", "skipped")
    assert [root.get(each) for each in counts] == ["6", "2", "1", None]
    assert [root[1].get(each) for each in counts] == ["4", "1", "1", "2"]
    assert root[0].get("timestamp") == "2026-11-23T12:00:00"
    case = root[0][0]
    assert case.attrib == {"name": "lint:api:ruff", "classname": "lint.api", "time": "1.500"}
    kinds = [[child.tag for child in case] for case in root.iter("testcase")]
    assert kinds == [[], ["failure"], ["failure"], ["error"], ["skipped"], ["skipped"]]
    assert "took longer than 1 s" in root[1][0][0].get("message", "")


def test_a_log_is_text_whatever_it_holds(tmp_path: Path) -> None:
    """Without colours; markup, and what XML cannot hold, does no harm. Failures carry theirs."""
    logs = {
        "lint:api:ruff": b"\x1b[31m</system-out> ]]> & \x00\xff\xef\xbf\xbf",
        "lint:web:eslint": b"why\n",
    }
    run = finished(tmp_path, task("lint:api:ruff"), failed("lint:web:eslint"), logs=logs)
    root = parsed(run)
    assert root.findtext(".//system-out") == "</system-out> ]]> & \u2400\ufffd\ufffd"
    assert root.findtext(".//failure") == "why\n"


def test_a_name_that_is_not_utf8_does_no_harm(tmp_path: Path) -> None:
    """It comes as JSON's escape of a lone surrogate."""
    assert parsed(finished(tmp_path, task("lint:a\udcff:x")))[0][0].get("name") == "lint:a\ufffd:x"


def test_many_long_logs_stay_within_what_readers_take(tmp_path: Path) -> None:
    """Of 1,000 failures with 1 MB each some 20 MB are kept."""
    tasks = [failed(f"test:p{number}:x", log="log") for number in range(1000)]
    (tmp_path / "log").write_bytes(b"x" * 79 + b"\n" + b"y" * 1_000_000)
    assert len(junit.render(finished(tmp_path, *tasks))) < 25_000_000
