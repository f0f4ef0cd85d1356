"""Rounds as tests make them, without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polylane.prove.inside import Order
from polylane.prove.rounds import Round
from polylane.run.views import snapshot

FILE = snapshot.Print("file", content="1")


def task(name: str, **said: Any) -> dict[str, Any]:
    """A task as it stands in ``result.json``; half a second each."""
    ended = {
        "id": name,
        "outcome": "passed",
        "exit_code": 0,
        "signal": None,
        "reason": "",
        "log": "",
        "started_s": 0.0,
        "wall_s": 0.5,
        "cpu_s": 0.25,
        "max_rss_bytes": 1_000_000,
        "read_bytes": 0,
        "write_bytes": 0,
        "reported_s": None,
    }
    return {**ended, **said}


def made(
    folder: Path,
    *tasks: dict[str, Any],
    name: str = "sequential",
    files: snapshot.Fingerprint | None = None,
    logs: dict[str, str] | None = None,
    **said: Any,
) -> Round:
    """A round of tasks; ``logs``: texts by task."""
    kept = folder / name
    kept.mkdir(parents=True)
    for each in tasks:
        if logs and each["id"] in logs:
            each["log"] = f"{each['id']}.log"
            (kept / each["log"]).write_text(logs[each["id"]], encoding="utf-8")
    result = {
        "run": name,
        "mode": "sequential" if name.startswith("sequential") else "parallel",
        "wall_s": 1.0,
        "work_s": 1.0,
        "critical_path_s": 0.5,
        "slots_used": 2,
        "exit_code": int(any(each["outcome"] == "failed" for each in tasks)),
        "tasks": list(tasks),
    }
    order = Order(name, parallel=not name.startswith("sequential"), jobs=2)
    return Round(order, {**result, **said}, files or {}, kept, "/w", {})
