"""JUnit XML, as GitLab, Jenkins and most others read it: a suite a verb, a test case a task.

There is no one standard; this keeps to the schema of Jenkins' xUnit plugin (junit-10.xsd), which
is the strictest that is in use, and of which GitLab reads a part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Only makes XML, and reads none.
from xml.etree import ElementTree as ET  # nosec B405

from polylane.report.formats import excerpt
from polylane.report.formats.finished import Finished, Task, bad, ended

#: Bytes of a log that a failure carries, and any other task: readers have limits of some 30 MB.
_FAILURE = 64_000
_OTHER = 4_000
_ALL = 20_000_000

#: What XML 1.0 cannot hold, in whatever form (section 2.2).
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: The outcomes that are neither passed nor failed.
_NOT_RUN = ("skipped", "cancelled")


def render(run: Finished) -> bytes:
    """The whole document."""
    root = ET.Element("testsuites", _counts(run.tasks, run.result["wall_s"], "polylane"))
    del root.attrib["skipped"]  # the schema wants it in suites only
    by_verb: dict[str, list[Task]] = {}
    for task in run.tasks:
        by_verb.setdefault(task["verb"], []).append(task)
    room = _ALL
    for verb, tasks in by_verb.items():
        spent = sum(task["wall_s"] for task in tasks)
        attributes = {**_counts(tasks, spent, verb), "timestamp": run.result["started"][:19]}
        suite = ET.SubElement(root, "testsuite", attributes)
        for task in tasks:
            room -= _case(suite, run, task, min(room, _FAILURE if bad(task) else _OTHER))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _counts(tasks: Iterable[Task], seconds: float, name: str) -> dict[str, str]:
    outcomes = [task["outcome"] for task in tasks]
    return {
        "name": _valid(name),
        "tests": str(len(outcomes)),
        "failures": str(sum(each in ("failed", "timed-out") for each in outcomes)),
        "errors": str(outcomes.count("crashed")),
        "skipped": str(sum(each in _NOT_RUN for each in outcomes)),
        "time": f"{seconds:.3f}",
    }


def _case(suite: ET.Element, run: Finished, task: Task, limit: int) -> int:
    """Add a test case; returns how much of its log it carries."""
    names = {"name": _valid(task["id"]), "classname": _valid(f"{task['verb']}.{task['project']}")}
    case = ET.SubElement(suite, "testcase", {**names, "time": f"{task['wall_s']:.3f}"})
    text = _valid(excerpt.read(run.log(task), limit).text()) if limit > 0 else ""
    outcome = task["outcome"]
    said = {"type": outcome, "message": _valid(ended(task))}
    if bad(task):
        kind = "error" if outcome == "crashed" else "failure"
        refused = "".join(f"\n{_valid(line)}" for line in task.get("refused", ()))
        ET.SubElement(case, kind, said).text = text + refused
        return len(text)
    if outcome in _NOT_RUN:
        ET.SubElement(case, "skipped", said)
    if text:
        ET.SubElement(case, "system-out").text = text
    return len(text)


def _valid(text: str) -> str:
    return _INVALID.sub("\ufffd", text)
