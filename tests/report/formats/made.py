"""Makes finished runs in a folder: ``result.json`` as a dict, and logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polylane.report.formats.finished import Finished


def task(name: str, start: float | None = 0.0, wall: float = 1.0, **more: Any) -> dict[str, Any]:
    """A task as ``result.json`` has it; passed, unless something else is said."""
    verb, project, tool = name.split(":")
    started = start is not None
    return {
        "id": name,
        "verb": verb,
        "project": project,
        "language": "python",
        "tool": tool,
        "argv": [tool, "."],
        "cwd": ".",
        "outcome": "passed" if started else "skipped",
        "exit_code": 0 if started else None,
        "started_s": start,
        "wall_s": wall if started else 0.0,
        "cpu_s": wall if started else 0.0,
        "max_rss_bytes": 1_000_000 if started else None,
        "read_bytes": 0,
        "write_bytes": 0,
        "log": f"{verb}%3A{project}%3A{tool}.log" if started else "",
        "signal": None,
        "reason": "",
        "attempts": int(started),
        "reported_s": None,
        "leftover_processes": [],
        "waited_for": [],
        "refused": [],
        **more,
    }


def failed(name: str, **more: Any) -> dict[str, Any]:
    """A task that failed with exit code 1."""
    return task(name, **{"outcome": "failed", "exit_code": 1, **more})


def finished(
    folder: Path, *tasks: dict[str, Any], logs: dict[str, bytes] | None = None, **more: Any
) -> Finished:
    """A parallel run of these tasks; ``logs`` by the task's id."""
    by_id = {each["id"]: each for each in tasks}
    for name, log in (logs or {}).items():
        (folder / by_id[name]["log"]).write_bytes(log)
    ends = [each["started_s"] + each["wall_s"] for each in tasks if each["started_s"] is not None]
    result = {
        "version": 1,
        "run": "20261123-120000-000-4711",
        "mode": "parallel",
        "selection": ["qa"],
        "jobs": 4,
        "started": "2026-11-23T12:00:00+0000",
        "wall_s": max(ends, default=0.0),
        "work_s": sum(each["wall_s"] for each in tasks),
        "critical_path_s": max(ends, default=0.0),
        "slots_used": 2,
        "sequential_wall_s": None,
        "exit_code": int(any(each["outcome"] == "failed" for each in tasks)),
        "task_count": len(tasks),
        "protection": {},
        "memory": {},
        "tasks": list(tasks),
        **more,
    }
    return Finished(result, folder)
