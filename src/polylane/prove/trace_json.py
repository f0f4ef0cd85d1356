"""``trace.json``: all that a trace found, beside ``result.json`` of the same run; version 1.

Knows nothing of how a trace is made. docs/tracing.md says what each key means.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from polylane.model import Claim
from polylane.plan.observed import Collision
from polylane.prove.trace import TaskTrace, Trace
from polylane.remember.runs import RunFolder
from polylane.result import RunResult

FILE = "trace.json"
VERSION = 1


def write(folder: RunFolder, trace: Trace, result: RunResult) -> Path:
    """Write the file whole or not at all; returns its path."""
    path = folder.path / FILE
    new = folder.path / f"{FILE}.new"
    text = json.dumps(to_json(trace, result), ensure_ascii=False) + "\n"
    new.write_text(text, encoding="utf-8", errors="backslashreplace")
    new.replace(path)
    return path


def to_json(trace: Trace, result: RunResult) -> dict[str, Any]:
    """All of it as plain data."""
    remaining = trace.remaining()
    return {
        "version": VERSION,
        "run": result.id,
        "selection": list(result.selection),
        "interrupted": trace.interrupted,
        "tasks": [_task(each) for each in trace.tasks],
        "collisions": [
            {**_met(each), "ordered_after_write": (each.first, each.second) not in remaining}
            for each in trace.collisions
        ],
        "collisions_outside": [_met(each) for each in trace.outside],
        "vanished": list(trace.vanished),
    }


def _task(each: TaskTrace) -> dict[str, Any]:
    seen, finding = each.seen, each.finding
    return {
        "id": each.task.id,
        "outcome": each.result.outcome.value,
        "claim": _claim(each.task.claim),
        "reads": _sorted(seen.reads if seen else ()),
        "listed": _sorted(seen.listed if seen else ()),
        "writes": _sorted(seen.writes if seen else ()),
        "aside": _sorted(seen.aside if seen else ()),
        "written_outside": _sorted(seen.outside if seen else ()),
        "ports": list(seen.ports if seen else ()),
        "lost": list(seen.lost if seen else ()),
        "undeclared_writes": list(finding.writes if finding else ()),
        "undeclared_reads": list(finding.reads if finding else ()),
        "untouched": list(finding.untouched if finding else ()),
        "unfit": each.unfit,
        "entry": each.entry and {k: v for k, v in each.entry._asdict().items() if v is not None},
        "lacking": dict(each.lacking),
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {key: value if key == "known" else list(value) for key, value in claim._asdict().items()}


def _met(met: Collision) -> dict[str, Any]:
    return {**met._asdict(), "paths": list(met.paths)}


def _sorted(paths: Iterable[str]) -> list[str]:
    return sorted(paths)
