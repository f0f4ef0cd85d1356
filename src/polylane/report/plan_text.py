"""A plan in words: for ``lanes.plan``, and the commands for ``--dry``.

Sees a plan, and starts nothing.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from polylane.model import Claim, Task
from polylane.plan.graph import build, longest_paths
from polylane.planning import Plan

#: So many ids are named in one line.
_LISTED = 8

#: The bytes that stand for themselves between a shell's ``$'`` and ``'``.
_PLAIN = frozenset(range(ord(" "), ord("~") + 1)) - frozenset(b"'\\")


def commands(plan: Plan) -> str:
    """Every command in reference order, as a shell would take it."""
    return "\n".join(f"{task.id}: {command(task)}" for task in plan.graph.tasks)


def command(task: Task) -> str:
    """A task's command, with its folder where that is not the workspace."""
    if not task.argv:
        text = f"<Python body at {task.source}>"
    else:
        text = task.argv[0] if task.shell else " ".join(map(_word, task.argv))
    env = "".join(f"{name}={_word(value)} " for name, value in task.env)
    return f"{env}{text}" if task.cwd == "." else f"cd {_word(task.cwd)} && {env}{text}"


def _word(text: str) -> str:
    """A word as a shell takes it, and as a terminal may show it."""
    if text.isprintable():
        return shlex.quote(text)
    letters = (chr(b) if b in _PLAIN else f"\\x{b:02x}" for b in os.fsencode(text))
    return f"$'{''.join(letters)}'"


def plan(plan: Plan) -> str:
    """The whole plan."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    graph = plan.graph
    mode = "parallel" if plan.mode.parallel else "sequential"
    slots = f"{plan.mode.jobs} slot{'s' if plan.mode.jobs > 1 else ''}"
    yield f"{len(graph.tasks)} tasks, {mode}, {slots}; in reference order:"
    for index, task in enumerate(graph.tasks):
        yield f"{task.id}"
        yield f"    {command(task)}"
        before = [graph.tasks[i] for i in graph.tasks_before(index)]
        needs = [t.id for t in before if t.id in task.needs]
        other = [t.id for t in before if t.id not in task.needs]
        if needs:
            yield f"    needs {_listed(needs)}"
        if other:
            yield f"    after {_listed(other)}"
        if not task.claim.known:
            yield "    reads and writes are unknown: taken to be its whole project"
    yield ""
    yield from _projects(plan)
    yield from _cost(plan)


def _listed(ids: list[str]) -> str:
    more = len(ids) - _LISTED
    return ", ".join(ids[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _projects(plan: Plan) -> Iterator[str]:
    projects = plan.workspace.projects.values()
    yield f"{len(projects)} projects:"
    for project in projects:
        depends = f", depends on {', '.join(project.depends)}" if project.depends else ""
        found = ", ".join(project.languages) or "no language"
        path = project.path if project.path.isprintable() else _word(project.path)
        yield f"    {project.name}: {path} ({found}){depends}"
    left_out = plan.workspace.left_out()
    if left_out:
        yield "left out:"
        for name, what, why in left_out:
            yield f"    {name}: {what}: {why}"


def _cost(plan: Plan) -> Iterator[str]:
    """Say how much parallelism unknown claims cost."""
    graph = plan.graph
    if not graph.tasks:
        return
    length = round(max(longest_paths(graph, lambda _: 1.0)))
    yield f"longest chain: {length} of {len(graph.tasks)} tasks"
    unknown = [task.id for task in graph.tasks if not task.claim.known]
    if not unknown:
        return
    place = {task.id: i for i, task in enumerate(graph.tasks)}
    free = [t if t.claim.known else t._replace(claim=Claim()) for t in graph.tasks]
    without = build(free, lambda task: (place[task.id],))
    best = round(max(longest_paths(without, lambda _: 1.0)))
    yield (
        f"{len(unknown)} tasks have unknown claims ({_listed(unknown)});"
        f" if they touched nothing that others touch, the longest chain would be {best}"
    )
