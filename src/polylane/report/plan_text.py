"""A plan in words: for ``lanes.plan``, and the commands for ``--dry``.

Sees a plan, and starts nothing.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from polylane.describe.claims_file import FILE
from polylane.describe.config import task_environment
from polylane.model import Claim, Task
from polylane.plan import memory
from polylane.plan.claiming import with_claims
from polylane.plan.durations import Past, cores, spans
from polylane.plan.estimate import Estimate, time_left
from polylane.plan.graph import Graph, longest_paths
from polylane.plan.width import Width, widths
from polylane.planning import Plan
from polylane.report.words import counted

#: So many ids are named in one line.
_LISTED = 8

#: Below, tenths of seconds count; from so many seconds on, minutes; from so many minutes on, hours.
_SHORT_S = 10
_LONG_S = 120
_HOUR_MIN = 120

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


def plan(plan: Plan, past: Past | None = None) -> str:
    """The whole plan; ``past``: what earlier runs took."""
    return "\n".join(_lines(plan, past or Past()))


def _lines(plan: Plan, past: Past) -> Iterator[str]:
    graph = plan.graph
    mode = "parallel" if plan.mode.parallel else "sequential"
    slots = counted(plan.mode.jobs, "slot")
    shares = _shares(plan, past)
    yield f"{counted(len(graph.tasks), 'task')}, {mode}, {slots}; in reference order:"
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
        if shares:
            yield f"    takes {shares[index]}"
    yield ""
    yield from _projects(plan)
    yield from _vanished(plan)
    yield from _cost(plan.graph)
    yield from _expected(plan, past)


def _shares(plan: Plan, past: Past) -> list[str]:
    """What each task takes of the slots and of the memory; in sequence it has all there is."""
    if not plan.mode.parallel:
        return []
    tasks = plan.graph.tasks
    expected = spans(tasks, past, parallel=True)
    wide = widths(tasks, expected, task_environment(), cores(past))
    needed = memory.needs(tasks, past)
    return [
        f"{_slots(each, plan.mode.jobs)}; {memory.in_words(need.size)} of memory, {need.why}"
        for each, need in zip(wide, needed, strict=True)
    ]


def _slots(width: Width, slots: int) -> str:
    least = min(width.least, slots)
    if width.elastic and slots > 1:
        return f"{least} to {slots} slots, and is told how many"
    return counted(least, "slot")


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


def _vanished(plan: Plan) -> Iterator[str]:
    if plan.vanished:
        yield (
            f"{FILE} speaks of tasks that are not there: {_listed([*plan.vanished])};"
            " inv lanes.trace --write drops them"
        )


def _cost(graph: Graph) -> Iterator[str]:
    """Say how much parallelism unknown claims cost."""
    if not graph.tasks:
        return
    yield f"longest chain: {chain(graph)} of {counted(len(graph.tasks), 'task')}"
    unknown = [task.id for task in graph.tasks if not task.claim.known]
    if not unknown:
        return
    best = chain(with_claims(graph, dict.fromkeys(unknown, Claim())))
    yield (
        f"{counted(len(unknown), 'task')} {'has' if len(unknown) == 1 else 'have'} unknown claims"
        f" ({_listed(unknown)});"
        f" if they touched nothing that others touch, the longest chain would be {best}"
    )


def _expected(plan: Plan, past: Past) -> Iterator[str]:
    """Say how long it may take, where earlier runs support that."""
    whole = _estimate(plan, past, parallel=plan.mode.parallel)
    if whole is None:
        return
    how = "in sequence"
    if plan.mode.parallel:
        how = f"in parallel with {counted(plan.mode.jobs, 'slot')}"
        alone = _estimate(plan, past, parallel=False)
        how += f" (about {seconds(alone.likely)} in sequence)" if alone is not None else ""
    runs = counted(whole.runs, "earlier run")
    yield f"expected: about {seconds(whole.likely)} {how}, from {runs}"


def _estimate(plan: Plan, past: Past, *, parallel: bool) -> Estimate | None:
    expected = spans(plan.graph.tasks, past, parallel=parallel)
    if not parallel:
        return time_left(plan.graph, expected, slots=1)
    return time_left(plan.graph, expected, slots=plan.mode.jobs, alone=plan.mode.alone)


def seconds(wall: float) -> str:
    """A time as people say it, no more exact than it can be known: ``0.4 s``, ``41 s``, ``3 min``.

    ``wall`` is in seconds.
    """
    if wall < _SHORT_S:
        return f"{max(wall, 0.1):.1f} s"
    if wall < _LONG_S:
        return f"{wall:.0f} s"
    minutes = round(wall / 60)
    return f"{minutes} min" if minutes < _HOUR_MIN else f"{minutes // 60} h {minutes % 60} min"


def chain(graph: Graph) -> int:
    """How many tasks the longest chain has."""
    return round(max(longest_paths(graph, lambda _: 1.0), default=0.0))
