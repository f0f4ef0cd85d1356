"""Random workspaces traced and validated, with all claims or with one taken away.

To be called by `random_runs.in_child`. Knows nothing of how claims are traced or orders chosen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from invoke.config import Config

from polylane.integrations.trace import trace
from polylane.integrations.validate import validate
from polylane.plan.graph import Graph
from polylane.planning import make_plan
from tests.e2e.random_runs import Way, run_all
from tests.e2e.random_world import RandomTask, RandomWorkspace, met, shared

#: A removal whose effect no order shows in the files is not looked for longer.
_TRIES = 3

#: By pairs of ids, in reference order: where they meet.
Pairs = dict[tuple[str, str], frozenset[str]]


class Removal(NamedTuple):
    """A workspace that lacks a claim, which some order shows in the files."""

    workspace: RandomWorkspace
    #: The task that lacks it, and what it lacks.
    task: str
    field: str
    pattern: str
    #: Those which nothing orders any more.
    pairs: Pairs


def traced(workspace: RandomWorkspace, folder: Path) -> dict[str, Any]:
    """What ``lanes.trace`` finds: its ``trace.json``."""
    folder.mkdir()
    workspace.make(folder)
    trace(workspace.request(folder), [], save=False, merge=False)
    return _json(folder / ".polylane" / "last" / "trace.json")


def observed(workspace: RandomWorkspace, folder: Path) -> str:
    """What ``lanes.trace --write`` writes: its ``polylane.claims.toml``."""
    folder.mkdir()
    workspace.make(folder)
    trace(workspace.request(folder), [], save=True, merge=False)
    return (folder / "polylane.claims.toml").read_text(encoding="utf-8")


def validated(workspace: RandomWorkspace, folder: Path, rounds: int, seed: int) -> dict[str, Any]:
    """What ``lanes.validate`` finds: its ``certificate.json``."""
    folder.mkdir()
    workspace.make(folder)
    validate(workspace.request(folder, jobs=4), [], Config(), str(rounds), str(seed))
    (path,) = (folder / ".polylane" / "certificates").glob("*/certificate.json")
    return _json(path)


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def find_removal(workspace: RandomWorkspace, folder: Path, seed: int) -> Removal | None:
    """Take one claim away at random, so that a pair which meets is in no order any more.

    Nothing is confined, or the task could not do what nobody claims.
    """
    workspace = workspace._replace(sandbox="off")
    folders = (folder / str(number) for number in count())
    candidates = [*_candidates(workspace)]
    Random(seed).shuffle(candidates)
    tries = 0
    for place, field, pattern in candidates:
        less = _without(workspace, place, field, pattern)
        task = less.tasks[place]
        lost = _lost(less, task)
        if not lost or tries == _TRIES:
            continue
        home = next(folders)
        home.mkdir(parents=True)
        less.make(home)
        graph = make_plan(less.request(home)).graph
        pairs = _free(graph, task.id, lost)
        if pairs:
            tries += 1
            if _shows(less, next(folders), graph, min(pairs)):
                return Removal(less, task.id, field, pattern, pairs)
    return None


def _candidates(workspace: RandomWorkspace) -> Iterator[tuple[int, str, str]]:
    for place, task in enumerate(workspace.tasks):
        for field, patterns in (("reads", task.reads), ("writes", task.writes)):
            for pattern in dict.fromkeys(patterns or ()):
                if not pattern.startswith("!") and pattern != task.work.own:
                    yield place, field, pattern


def _without(workspace: RandomWorkspace, place: int, field: str, pattern: str) -> RandomWorkspace:
    task = workspace.tasks[place]
    less: dict[str, Any] = {field: tuple(each for each in getattr(task, field) if each != pattern)}
    tasks = [*workspace.tasks]
    tasks[place] = task._replace(**less)
    return workspace._replace(tasks=tuple(tasks))


def _lost(workspace: RandomWorkspace, task: RandomTask) -> dict[str, frozenset[str]]:
    """By id, the tasks that one meets and does not conflict with; and where they meet."""
    return {
        other.id: where
        for other in workspace.tasks
        if other is not task
        and (where := met(task, other))
        and not shared(task, other)
        and not set(task.locks) & set(other.locks)
    }


def _free(graph: Graph, task: str, lost: dict[str, frozenset[str]]) -> Pairs:
    """The pairs of a task and those that nothing orders."""
    place = {each.id: i for i, each in enumerate(graph.tasks)}
    before = graph.ancestors()
    pairs = {tuple(sorted((task, other), key=place.__getitem__)): lost[other] for other in lost}
    return {
        (first, second): where
        for (first, second), where in pairs.items()
        if not before[place[second]] >> place[first] & 1
    }


def _shows(workspace: RandomWorkspace, folder: Path, graph: Graph, pair: tuple[str, str]) -> bool:
    """Whether both run, and the files tell which of them ran first."""
    ids = [task.id for task in graph.tasks]
    second = ids.index(pair[1])
    ahead = [i for i in range(second) if graph.ancestors()[second] >> i & 1]
    early = [*ahead, second]
    order = (*early, *(i for i in range(len(ids)) if i not in early))
    folder.mkdir()
    one, other = run_all(workspace, folder, (Way(), Way(1, order=order)))
    return {*pair} <= one.spans.keys() & other.spans.keys() and one.tree != other.tree
