"""Markdown, as GitHub and GitLab show it in a pull request or a job's summary.

The verdict, then every failure with the end of its log, then the tasks. Short enough for GitHub's
limit of 1 MiB for a summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from polylane.report.formats import excerpt
from polylane.report.formats.finished import Finished, Task, bad, ended, ran, saved, title, verdict
from polylane.report.formats.units import duration, share, size

#: Characters that mean something to Markdown or to HTML within it.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&$@:]")

#: Bytes of a failure's log, and of all together.
_LOG = 8_000
_LOGS = 400_000

#: Of more tasks than this only those that did not pass are listed, and the slowest.
_LIST_ALL = 100
_SLOWEST = 20
#: Not even of those that did not pass are more listed than this.
_LIST_MOST = 1_000

_MARKS = {"passed": "✅", "skipped": "⏭️", "cancelled": "⏹️", "cached": "✅"}


def render(run: Finished) -> bytes:
    """The whole page."""
    return ("\n".join(_lines(run)) + "\n").encode("utf-8", "backslashreplace")


def _lines(run: Finished) -> Iterator[str]:
    result = run.result
    mark = "✅" if result["exit_code"] == 0 else "❌"
    yield f"## {mark} {_escaped(title(run))}: {verdict(run)}\n"
    yield f"{_figures(run)}\n"
    yield from _failures(run)
    yield from _table(run)


def _figures(run: Finished) -> str:
    result = run.result
    parts = [
        f"wall **{duration(result['wall_s'])}**",
        f"work {duration(result['work_s'])}",
        f"critical path {duration(result['critical_path_s'])}",
        f"slots {result['slots_used']} of {result['jobs']}",
        result["mode"],
    ]
    if spared := saved(result):
        seconds, part, measured = spared
        how = "measured" if measured else "estimated"
        parts.append(f"saved {duration(seconds)} ({share(part)}, {how})")
    return " · ".join(parts)


def _failures(run: Finished) -> Iterator[str]:
    room = _LOGS
    for task in filter(bad, run.tasks):
        log = excerpt.read(run.log(task), _LOG).text().rstrip() if room > 0 else ""
        room -= len(log.encode())
        head = f"<b>{_escaped(task['id'])}</b> {_escaped(ended(task))}"
        if log:
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", log)), default=0))
            yield f"<details open><summary>{head}</summary>\n"
            yield f"{fence}text\n{log}\n{fence}\n\n</details>\n"
        elif room > -_LOGS:
            room -= len(head.encode())
            yield f"- {head}\n"


def _table(run: Finished) -> Iterator[str]:
    tasks, more = _chosen(run.failures_first())
    if not tasks:
        return
    yield "| | task | wall | CPU | peak memory | read | written |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for task in tasks:
        yield f"| {' | '.join(_row(task))} |"
    if more:
        yield f"\n{more:,} more are in `{run.result['run']}`."


def _chosen(tasks: Sequence[Task]) -> tuple[Sequence[Task], int]:
    if len(tasks) <= _LIST_ALL:
        return tasks, 0
    slowest = {task["id"] for task in sorted(tasks, key=lambda t: -t["wall_s"])[:_SLOWEST]}
    chosen = [task for task in tasks if task["outcome"] != "passed" or task["id"] in slowest]
    return chosen[:_LIST_MOST], len(tasks) - len(chosen[:_LIST_MOST])


def _row(task: Task) -> tuple[str, ...]:
    mark, name = _MARKS.get(task["outcome"], "❌"), _escaped(task["id"])
    if not ran(task):
        return (mark, f"{name}<br>{_escaped(ended(task))}", "", "", "", "", "")
    return (
        mark,
        name,
        duration(task["wall_s"]),
        duration(task["cpu_s"]),
        size(task["max_rss_bytes"]),
        size(task["read_bytes"]),
        size(task["write_bytes"]),
    )


def _escaped(text: str) -> str:
    """A text in one line that means nothing to Markdown: character references mean themselves."""
    seen = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", seen)
