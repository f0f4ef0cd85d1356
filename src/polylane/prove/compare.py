"""What two rounds have in common, and what not: outcomes, files, logs.

Pure but for reading the logs. Knows nothing of why something differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from polylane.describe.home import NAME
from polylane.model import Task
from polylane.plan.observed import CACHES, one_holds
from polylane.prove.normal import Normal, first_difference
from polylane.prove.rounds import Round
from polylane.records import NamedTuple
from polylane.run.views import snapshot

OUTCOME, FILE, LOG = "outcome", "file", "log"

#: git's memory of times and inodes of files, which are new in every view.
_GIT_INDEX = ".git/index"


class Item(NamedTuple):
    """What can differ."""

    #: `OUTCOME`, `FILE` or `LOG`.
    kind: str
    #: A task's id, or a path.
    name: str


class Differences(NamedTuple):
    """How a round differs from the reference."""

    #: How each item differs, in words.
    items: dict[Item, str]
    #: Tasks whose logs have the same lines in another order.
    reordered: tuple[str, ...]


class Rules(NamedTuple):
    """Which paths are not compared."""

    ignored: snapshot.Ignored
    #: The rules in words.
    words: tuple[str, ...]


def rules(tasks: Iterable[Task]) -> Rules:
    """Everything counts but our own folder, git's index, and caches, claimed or known.

    A file that is only rewritten, or has other times, is the same.
    """
    known = list(tasks)
    caches = {pattern for task in known for pattern in task.claim.caches}.union(CACHES)
    held = one_holds(CACHES, *{task.claim.caches for task in known})

    def ignored(path: str) -> bool:
        return path in (NAME, _GIT_INDEX) or path.rpartition("/")[2] == NAME or held(path)

    return Rules(ignored, (f"{NAME}/", _GIT_INDEX, *sorted(caches)))


class Comparison:
    """Compares rounds with a reference."""

    def __init__(self, reference: Round) -> None:
        self._reference = reference
        self._logs = {name: tuple(lines) for name, lines in _logs(reference)}

    def differences(self, other: Round) -> Differences:
        """Say how another round differs from the reference."""
        items: dict[Item, str] = dict(self._outcomes(other))
        for path, how in snapshot.differences(self._reference.files, other.files):
            items[Item(FILE, path)] = _words(how)
        reordered = []
        for name, lines in _logs(other):
            ours = list(self._logs.get(name, ()))
            if ours != lines and Item(OUTCOME, name) not in items:
                if Counter(ours) == Counter(lines):
                    reordered.append(name)
                else:
                    items[Item(LOG, name)] = first_difference(ours, lines)
        return Differences(items, tuple(reordered))

    def _outcomes(self, other: Round) -> Iterator[tuple[Item, str]]:
        theirs = other.result["tasks"]
        for mine, task in zip(self._reference.result["tasks"], theirs, strict=True):
            if _ending(mine) != _ending(task):
                words = f"{_said(task)} instead of {_said(mine)}"
                yield Item(OUTCOME, task["id"]), words


_GONE = "not written, or as it was before"
_COME = "written, which it was not in sequence"

#: How it is said that a path was written in one of two rounds only.
COME_OR_GONE = (_COME, _GONE)

_WORDS = {
    "only in the first": _GONE,
    "only in the second": _COME,
    "content": "other content",
    "target": "another target",
}


def _words(how: str) -> str:
    """What `snapshot.differences` says of a first and a second."""
    said = how.replace("the first", "the sequential run").replace("the second", "the parallel one")
    return _WORDS.get(how, said)


def _ending(task: dict[str, object]) -> tuple[object, ...]:
    # Which of several needs failed first is a matter of time, and how much memory there was is too.
    ran = task["started_s"] is not None and task["outcome"] != "passed"
    keys = ("outcome", "exit_code", "signal", "reason")
    return tuple(task[key] for key in keys if key != "reason" or ran)


def _said(task: dict[str, object]) -> str:
    code = f" with exit code {task['exit_code']}" if task["exit_code"] else ""
    reason = f" ({task['reason']})" if task["reason"] else ""
    return f"{task['outcome']}{code}{reason}"


def _logs(each: Round) -> Iterator[tuple[str, list[bytes]]]:
    """The normalised log of each task that has one."""
    normal = Normal([(each.seen_at, "<workspace>"), (each.result["run"], "<run>")])
    for task in each.result["tasks"]:
        if task["log"]:
            yield task["id"], normal.lines(_read(each.folder / task["log"]))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
