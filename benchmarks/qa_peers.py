"""The commands of ``qa`` as other runners' files: the same tasks, each after the same others.

Knows nothing of what is measured. The files lie in a folder of their own; each task is a script
that does in the workspace what we do there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Command, environment
from peers_found import Runner
from peers_work import Task, Work

from polylane import model
from polylane.describe import config as configuration
from polylane.plan.selection import Selection
from polylane.planning import Plan, Request, make_plan
from polylane.run.assignments import Assignments


@dataclass(frozen=True, slots=True)
class Others:
    """Commands by the runner's name, and why some that were asked for are not among them."""

    commands: Mapping[str, Command]
    missing: Sequence[str] = ()


def others(
    workspace: Path, folder: Path, runners: Iterable[Runner], ran: Sequence[Any], jobs: int
) -> Others:
    """Write files for each runner below ``folder``; ``ran``: the tasks of our ``result.json``."""
    verbs = configuration.load(workspace).pipelines["qa"]
    plan = make_plan(Request(workspace, Selection(verbs), parallel=True))
    outcomes = {task["id"]: task["outcome"] for task in ran if task["attempts"]}
    if lost := sorted(set(outcomes) - set(plan.tasks)):
        return Others({}, [f"Peers are left out: {', '.join(lost)} cannot be run without us."])
    work = _work(plan, folder, outcomes, jobs)
    return Others({runner.name: runner.command(folder / runner.name, work) for runner in runners})


def _work(plan: Plan, folder: Path, outcomes: Mapping[str, str], jobs: int) -> Work:
    """The tasks that had a turn; a name is a place in the reference order."""
    assign = Assignments(
        plan.config, plan.workspace, environment(), run_folder=folder, log_name=None
    )
    graph, tasks = plan.graph, []
    for place, task in enumerate(graph.tasks):
        if task.id in outcomes:
            job = assign(task, 1)
            script = folder / f"t{place}.sh"
            passed = outcomes[task.id] == "passed"
            script.write_text(_script(task, job.cwd, job.env, passed=passed))
            before = [f"t{i}" for i in graph.tasks_before(place) if graph.tasks[i].id in outcomes]
            tasks.append(Task(f"t{place}", ["sh", str(script)], before))
    return Work("qa", f"qa of {plan.config.folder.name}", tasks, jobs, {})


def _script(task: model.Task, cwd: str, env: Iterable[tuple[str, str]], *, passed: bool) -> str:
    """The command in its folder; one that failed fails here too, and stops nobody."""
    lines = [f"cd {shlex.quote(cwd)} || exit"]
    for name, value in env:
        if name != configuration.RUN_VARIABLE:
            lines.append(f"export {name}={shlex.quote(value)}")
    command = task.argv[0] if task.shell else shlex.join(task.argv)
    # A subshell: an exit of the command's own ends it and no more.
    lines.append(f"({command}\n)" if task.shell else command)
    return "\n".join([*lines, *([] if passed else ["exit 0"]), ""])
