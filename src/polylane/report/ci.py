"""What hosts of continuous integration show beside the log: groups, marks at lines, a summary.

Text for GitHub Actions (docs.github.com, "Workflow commands") and GitLab (docs.gitlab.com, "Custom
collapsible sections", and "Code Quality report format"). Sees only data and logs of failed tasks.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from polylane.describe.config import CIHost
from polylane.model import Task
from polylane.outcome import BAD, TaskResult
from polylane.report.plain import Grouped, Screen, ending
from polylane.report.problems import Problem, problems
from polylane.report.summary import verdict
from polylane.result import RunResult

#: A log that is longer is read from its end.
_MOST_BYTES = 4 << 20

#: Where GitLab's report lies, in the folder ``.polylane``.
CODE_QUALITY = "gl-code-quality.json"

#: Cells of a table in Markdown take no such characters as they are.
_CELL = str.maketrans({"|": "\\|", "\n": " ", "<": "&lt;", "`": "'"})


class Groups(Grouped):
    """Each task's output as a group that can be folded; open where it failed."""

    def __init__(self, screen: Screen, folder: Path, host: CIHost) -> None:
        super().__init__(screen, folder)
        self._host = host
        self._count = 0

    def finished(self, task: Task, result: TaskResult) -> None:
        """See `Observer`."""
        path = f"{self._folder}/{result.log}" if result.log else ""
        with suppress(OSError):
            path = path if path and os.stat(path).st_size else ""  # noqa: PTH116
        # GitHub cannot open a group by itself, so what failed stands outside of one.
        if not path or (self._host.name == "github" and result.outcome in BAD):
            super().finished(task, result)
            return
        self._count += 1
        title = f"== {task.id} {ending(result)}"
        begin, end = _group(self._host, title, self._count, opened=result.outcome in BAD)
        self._screen.line(begin)
        self._screen.copy(path)
        self._screen.line(end)
        self._after(result)


def _group(host: CIHost, title: str, number: int, *, opened: bool) -> tuple[str, str]:
    if host.name == "github":
        return f"::group::{_data(title)}", "::endgroup::"
    now, name = int(time.time()), f"polylane_{os.getpid()}_{number}"
    fold = "" if opened else "[collapsed=true]"
    return (
        f"\x1b[0Ksection_start:{now}:{name}{fold}\r\x1b[0K{title}",
        f"\x1b[0Ksection_end:{now}:{name}\r\x1b[0K",
    )


def ended(
    screen: Screen, run: RunResult, tasks: Mapping[str, Task], folder: Path, host: CIHost
) -> None:
    """Mark the lines that failed tasks speak of, and hand in what else the host takes.

    ``folder``: the run's, which lies in the ``.polylane`` of its workspace.
    """
    home = folder.parent.parent
    found = {
        result.id: _placed(folder / result.log, tasks[result.id], home.parent, host)
        for result in run.tasks
        if result.outcome in BAD and result.log
    }
    with suppress(OSError):  # what a host is told beside the log must not end a run
        if host.name == "github":
            for line in commands(found):
                screen.line(line)
            if host.summary:
                with open(host.summary, "a", encoding="utf-8") as file:
                    file.write(markdown(run, found))
        elif host.name == "gitlab":
            for line in lines(found):
                screen.line(line)
            (home / CODE_QUALITY).write_text(code_quality(found), encoding="utf-8")


def _placed(log: Path, task: Task, workspace: Path, host: CIHost) -> list[Problem]:
    """The problems of a task's log in files of the workspace, by their paths in the checkout."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_BYTES))
        told = problems(file.read().decode(errors="replace"))
        top = Path(host.folder).resolve() if host.folder else workspace
        places = ((each, _place(each.path, workspace / task.cwd, top)) for each in told)
        return [each._replace(path=path) for each, path in places if path]
    return []


def _place(path: str, cwd: Path, top: Path) -> str:
    """A file relative to the checkout; empty where it is not there, or not in it."""
    file = Path(os.path.normpath(cwd / path))
    with suppress(ValueError, OSError):
        relative = file.resolve().relative_to(top)
        return relative.as_posix() if file.is_file() else ""
    return ""


def commands(found: Mapping[str, Sequence[Problem]]) -> Iterable[str]:
    """GitHub's commands, a line each: an annotation for each problem."""
    for task, told in found.items():
        for each in told:
            place = {"file": each.path, "line": str(each.line), "title": _title(task, each)}
            if each.column is not None:
                place["col"] = str(each.column)
            values = ",".join(f"{key}={_property(value)}" for key, value in place.items())
            yield f"::{'warning' if each.warning else 'error'} {values}::{_data(each.message)}"


def _title(task: str, each: Problem) -> str:
    return f"{task} {each.rule}" if each.rule else task


def _data(text: str) -> str:
    """A command's text, escaped as GitHub's toolkit does it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def lines(found: Mapping[str, Sequence[Problem]]) -> Iterable[str]:
    """The problems for people, a line each."""
    for task, told in found.items():
        for each in told:
            yield f"{each.path}:{each.line}: {each.message} ({_title(task, each)})"


def code_quality(found: Mapping[str, Sequence[Problem]]) -> str:
    """GitLab's Code Quality report: what merge requests show at the lines."""
    entries = []
    for task, told in found.items():
        for each in told:
            key = f"{task}\0{each.path}\0{each.line}\0{each.column}\0{each.rule}\0{each.message}"
            entries.append(
                {
                    "description": each.message,
                    "check_name": each.rule or task,
                    "fingerprint": sha256(key.encode(errors="replace")).hexdigest()[:32],
                    "severity": "minor" if each.warning else "major",
                    "location": {"path": each.path, "lines": {"begin": each.line}},
                }
            )
    return json.dumps(entries, indent=1) + "\n"


def markdown(run: RunResult, found: Mapping[str, Sequence[Problem]]) -> str:
    """The run for people who look at the host's page: the verdict, what failed, all tasks."""
    text = [f"### polylane: {' '.join(run.selection)}", "", verdict(run), ""]
    bad = [result for result in run.tasks if result.outcome in BAD]
    if bad:
        text += ["| failed | how | where |", "| --- | --- | --- |"]
        for result in bad:
            places = [f"`{each.path}:{each.line}`" for each in found.get(result.id, [])[:3]]
            cells = (result.id, ending(result))
            text.append(f"| {' | '.join(c.translate(_CELL) for c in cells)} | {' '.join(places)} |")
        text.append("")
    text += ["<details><summary>All tasks</summary>", "", "| task | outcome | wall s | CPU s |"]
    text.append("| --- | --- | ---: | ---: |")
    for each in run.tasks:
        times = f"{each.wall_s:.2f} | {each.cpu_s:.2f}" if each.started_s is not None else " | "
        text.append(f"| {each.id.translate(_CELL)} | {each.outcome.value} | {times} |")
    return "\n".join([*text, "", "</details>", ""]) + "\n"
