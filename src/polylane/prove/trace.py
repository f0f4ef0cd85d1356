"""What a traced run says of its tasks: what their claims lacked, who met whom, what to write down.

Knows nothing of how a trace is shown, and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from polylane.describe.claims_file import SaidClaim
from polylane.errors import SIGNAL_BASE
from polylane.model import Claim, Task
from polylane.outcome import Outcome, TaskResult
from polylane.plan.claiming import Ground, claim_of, fold, ground, mended, united, with_claims
from polylane.plan.graph import Graph
from polylane.plan.observed import (
    Collision,
    Finding,
    Observed,
    collisions,
    collisions_outside,
    compare,
    heeded,
)
from polylane.plan.tasks import all_tasks
from polylane.planning import Plan
from polylane.records import NamedTuple
from polylane.result import RunResult

_KEYS = SaidClaim._fields

#: What others did to a task.
_BY_OTHERS = (Outcome.SKIPPED, Outcome.CANCELLED, Outcome.CACHED)

#: A collision on these is no path, and only a lock orders it.
_PORTS = ("tcp ", "udp ", "unix ")

Claims = Mapping[str, SaidClaim]


class TaskTrace(NamedTuple):
    """One task of a traced run."""

    task: Task
    result: TaskResult
    #: None: it did not run, or there is no trace of it.
    seen: Observed | None
    finding: Finding | None
    #: Why no claim is made of it; empty where there can be one.
    unfit: str = ""
    #: What the file says of it from now on; None: nothing.
    entry: SaidClaim | None = None
    #: Keys that the configuration says and that lack something, with the patterns that they lack.
    lacking: Mapping[str, tuple[str, ...]] = {}


class Trace(NamedTuple):
    """All that a traced run says."""

    tasks: tuple[TaskTrace, ...]
    collisions: tuple[Collision, ...]
    #: On paths outside of the workspace.
    outside: tuple[Collision, ...]
    #: What ``polylane.claims.toml`` says from now on.
    claims: Claims
    #: Ids in the file of which there is no such task any more.
    vanished: tuple[str, ...]
    graph: Graph
    #: The same tasks as they will be planned.
    planned: Graph
    interrupted: bool

    def remaining(self) -> set[tuple[str, str]]:
        """The pairs that met and will not be in order, written or not."""
        after = self.planned.ancestors()
        place = {task.id: i for i, task in enumerate(self.planned.tasks)}
        return {
            (met.first, met.second)
            for met in self.collisions
            if not after[place[met.second]] >> place[met.first] & 1
        }


def judge(
    plan: Plan,
    own: tuple[Task, ...],
    result: RunResult,
    seen: Mapping[str, Observed],
    *,
    merge: bool = False,
) -> Trace:
    """Hold a run's tasks against their claims and each other.

    ``own``: the tasks that the user wrote in Python. ``merge``: what the file says is kept.
    """
    paths = [project.path for project in plan.workspace.projects.values()]
    seen = heeded(plan.graph.tasks, seen, paths)
    met = tuple(collisions(plan.graph, seen))
    said = _Said(plan, own, met, ground(paths, seen.values()), merge=merge)
    tasks = tuple(
        said.judged(task, one, seen.get(task.id))
        for task, one in zip(plan.graph.tasks, result.tasks, strict=True)
    )
    claims = dict(plan.config.claims)
    for each in tasks:
        if not each.unfit:
            claims.pop(each.task.id, None)
            if each.entry is not None:
                claims[each.task.id] = each.entry
    for name in plan.vanished:
        del claims[name]
    return Trace(
        tasks,
        met,
        tuple(collisions_outside(plan.graph, seen)),
        claims,
        plan.vanished,
        plan.graph,
        with_claims(plan.graph, said.planned(claims)),
        interrupted=result.exit_code > SIGNAL_BASE,
    )


class _Said:
    """What is said of tasks, by whom, and what should be."""

    def __init__(
        self,
        plan: Plan,
        own: tuple[Task, ...],
        met: tuple[Collision, ...],
        where: Ground,
        *,
        merge: bool,
    ) -> None:
        self._plan = plan
        self._own = own
        self._merge = merge
        self._where = where
        #: As they are without the file.
        self._found = self._tasks({})
        self._ports: dict[str, set[str]] = {}
        for each in met:
            for port in filter(_is_port, each.paths):
                for name in (each.first, each.second):
                    self._ports.setdefault(name, set()).add(_lock(port))

    def _tasks(self, claims: Claims) -> dict[str, Task]:
        config = self._plan.config._replace(claims=claims)
        return all_tasks(config, self._plan.workspace, self._own)

    def planned(self, claims: Claims) -> dict[str, Claim]:
        return {name: task.claim for name, task in self._tasks(claims).items()}

    def judged(self, task: Task, result: TaskResult, seen: Observed | None) -> TaskTrace:
        if seen is None:
            return TaskTrace(task, result, None, None, _unfit(result, None))
        finding = compare(task, seen)
        unfit = _unfit(result, seen) or _unfit_verb(task)
        if unfit:
            return TaskTrace(task, result, seen, finding, unfit)
        before = self._found[task.id]
        wanted = self._wanted(before, seen)
        stated = self._stated(before)
        entry = self._entry(before, wanted, stated)
        lacking = self._lacking(before, seen, wanted, stated)
        return TaskTrace(task, result, seen, finding, "", entry, lacking)

    def _lacking(
        self, before: Task, seen: Observed, wanted: Claim, stated: set[str]
    ) -> dict[str, tuple[str, ...]]:
        """What the stated keys lack, where the others are as they will be."""
        others = {key: getattr(wanted, key) for key in _KEYS if key not in stated}
        lacks = compare(before._replace(claim=before.claim._replace(**others)), seen)
        lacking = {
            "reads": fold(lacks.reads, self._where.tops),
            "writes": fold(lacks.writes, self._where.tops, self._where.sources),
            "locks": tuple(each for each in wanted.locks if each not in before.claim.locks),
        }
        return {key: more for key, more in lacking.items() if more and key in stated}

    def _wanted(self, before: Task, seen: Observed) -> Claim:
        if before.claim.known:
            claim = mended(before.claim, compare(before, seen), self._where)
        else:
            claim = claim_of(before, seen, self._where)
        locks = (*claim.locks, *sorted(self._ports.get(before.id, set()) - {*claim.locks}))
        return claim._replace(locks=locks)

    def _stated(self, task: Task) -> set[str]:
        """The keys that the configuration says, or a Python body's decorator."""
        said = self._plan.config.tasks.get(task.id)
        keys = {key for key in _KEYS if said is not None and getattr(said, key) is not None}
        return keys | ({"reads", "writes"} if not task.argv and task.claim.known else set())

    def _entry(self, before: Task, wanted: Claim, stated: set[str]) -> SaidClaim | None:
        """What the file should say: what differs from what is found, but for what is stated."""
        old = self._plan.config.claims.get(before.id) if self._merge else None
        if old is not None:
            said = {k: v for k, v in old._asdict().items() if v is not None}
            wanted = united(wanted, before.claim._replace(**said))
        keys = {key for key in _KEYS if getattr(wanted, key) != getattr(before.claim, key)} - stated
        if not before.claim.known:
            keys |= {"reads", "writes"}  # both, or it stays unknown
        return SaidClaim(**{key: getattr(wanted, key) for key in keys}) if keys else None


def _unfit(result: TaskResult, seen: Observed | None) -> str:
    """Why a task may not have touched all that it touches as a rule."""
    if result.outcome is not Outcome.PASSED:
        was = "was " if result.outcome in _BY_OTHERS else ""
        return f"it {was}{result.outcome.value.replace('-', ' ')}"
    if seen is None:
        return "there is no trace of it"
    return "not all that it touched could be seen" if seen.lost else ""


def _unfit_verb(task: Task) -> str:
    # Claims leave node_modules out: a setup comes before them because it writes its whole project.
    return "a setup keeps its whole project for itself" if task.verb == "setup" else ""


def _is_port(path: str) -> bool:
    return path.startswith(_PORTS)


def _lock(port: str) -> str:
    """The lock that stands for a port, whichever address of it was bound."""
    protocol, _, where = port.partition(" ")
    return f"{protocol} {where.rpartition(':')[2]}" if protocol != "unix" else port


def kept_back(trace: Trace) -> Iterator[TaskTrace]:
    """The tasks of which nothing is written because of how they ended."""
    return (each for each in trace.tasks if each.unfit)
