"""Makes a certificate: sequential once, in parallel many times, and again where something differs.

``plan -> rounds -> differences -> explanations``. Prints nothing itself.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random

from polylane.describe import git
from polylane.describe.config import task_environment
from polylane.errors import SIGNAL_BASE
from polylane.plan.observed import Observed, heeded
from polylane.plan.orders import Batch, Coverage, next_round
from polylane.planning import Plan, Request
from polylane.prove import compare
from polylane.prove.certificate import Asked, Certificate, Finding
from polylane.prove.compare import Comparison, Differences, Item
from polylane.prove.explain import Evidence
from polylane.prove.inside import Order
from polylane.prove.rounds import Round, RoundDiedError, Rounds
from polylane.prove.touched import Whereabouts
from polylane.records import NamedTuple
from polylane.remember.certificates import CertificateFolder
from polylane.run.signals import Signals
from polylane.run.tracing import tracer
from polylane.run.views.places import Place

_EPOCH = "SOURCE_DATE_EPOCH"

#: 1980-01-01, the least time that a zip file can hold.
_LEAST_EPOCH = 315532800

#: A difference is looked for among so many more sequential runs; all but the first have a busy
#: machine, as a parallel run has: some tools print more of what is slow.
_AGAIN = 3


class Step(NamedTuple):
    """A round that has ended, for whoever waits."""

    round: Round
    coverage: Coverage
    #: None for the reference.
    differences: Differences | None


class _CutError(Exception):
    """A signal ended a round."""


class Certifier:
    """Makes one certificate of a plan; the caller has locked the workspace."""

    def __init__(
        self,
        plan: Plan,
        request: Request,
        asked: Asked,
        place: Place,
        folder: CertificateFolder,
        signals: Signals,
        tell: Callable[[Step], None],
    ) -> None:
        """``tell`` is told of each round; ``signals`` is entered. `OSError`: no scratch folder."""
        self._plan = plan
        self._asked = asked
        self._place = place
        self._folder = folder
        self._signals = signals
        self._tell = tell
        self._request = request
        self._started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        self._environment = epoch(plan.config.folder)
        self._rules = compare.rules(plan.graph.tasks)
        self._coverage = Coverage(plan.graph)
        #: What it would be if all tasks took equally long.
        self._planned = Coverage(plan.graph)
        self._comparison: Comparison | None = None
        self._sequential: list[Round] = []
        self._parallel: list[Round] = []
        self._found: list[Differences] = []
        self._again: list[Differences] = []
        self._seen: dict[str, Observed] = {}
        self._untraced = ""
        #: The signal that ended a round though it was not sent to us.
        self._cut = 0

    def run(self) -> Certificate:
        """Run all rounds; `RoundDiedError` where one does not come to its end."""
        self._rounds = Rounds(
            self._plan,
            self._request,
            self._place,
            self._folder.path,
            self._rules.ignored,
            self._environment,
            self._signals,
        )
        try:
            self._run_all()
        except _CutError:
            pass
        finally:
            self._rounds.close()
        return self._conclude()

    def _run_all(self) -> None:
        reference = self._round(Order("sequential", parallel=False, jobs=1))
        self._comparison = Comparison(reference)
        self._sequential.append(reference)
        self._tell(Step(reference, self._coverage, None))
        random = Random(self._asked.seed)  # noqa: S311 - it only has to be repeatable
        for number in range(1, self._asked.rounds + 1):
            self._parallel_round(number, random)
        if any(each.items for each in self._found):
            self._look_again(self._comparison)
        if self._real():
            self._trace()

    def _parallel_round(self, number: int, random: Random) -> None:
        """The first has the order that people's runs have, the others what is not covered yet."""
        assert self._comparison is not None
        jobs = self._asked.jobs
        batches = self._next(random) if number > 1 else ()
        done = self._round(Order(f"round-{number}", True, jobs, tuple(batches)))  # noqa: FBT003
        self._coverage.record(done.spans())
        self._parallel.append(done)
        self._found.append(self._comparison.differences(done))
        self._tell(Step(done, self._coverage, self._found[-1]))

    def _next(self, random: Random) -> list[Batch]:
        """What every run with the same seed chooses, until all pairs had their turns.

        Then what the times that tasks took have left out.
        """
        base = self._coverage if self._planned.complete else self._planned
        batches = next_round(self._plan.graph, base, self._asked.jobs, random)
        turns = {task: (i, i + 1.0) for i, batch in enumerate(batches) for task in batch}
        self._planned.record(turns)
        return batches

    def _look_again(self, comparison: Comparison) -> None:
        """Run in sequence until all that differs was seen to differ there too, or long enough."""
        for number in range(1, _AGAIN + 1):
            if not self._real():
                return
            load = self._asked.jobs if number > 1 else 0
            done = self._round(Order(f"sequential-{number}", parallel=False, jobs=1, busy=load))
            self._sequential.append(done)
            self._again.append(comparison.differences(done))
            self._tell(Step(done, self._coverage, self._again[-1]))

    def _trace(self) -> None:
        """See in a sequential run what tasks touch."""
        self._untraced = tracer.available()
        if self._untraced:
            return
        done = self._round(Order("traced", parallel=False, jobs=1, trace=True))
        projects = [project.path for project in self._plan.workspace.projects.values()]
        where = Whereabouts(Path(done.seen_at), projects, tempfile.gettempdir())
        seen = {name: where.observed(each) for name, each in done.touches.items()}
        self._seen = heeded(self._plan.graph.tasks, seen)
        shutil.rmtree(done.folder)

    def _round(self, order: Order) -> Round:
        try:
            done = self._rounds.run(order)
        except RoundDiedError as error:
            if self._signals.number:
                raise _CutError from None
            raise RoundDiedError(f"{order.name}: {error}") from error
        self._cut = max(0, done.result["exit_code"] - SIGNAL_BASE)
        if self._cut or self._signals.number:
            raise _CutError
        return done

    def _real(self) -> list[Item]:
        """What differs in a parallel round, and among sequential ones not."""
        unsteady = Unsteady(self._again)
        differing = [pair for found in self._found for pair in found.items.items()]
        return sorted({item for item, how in differing if not unsteady.holds(item, how)})

    def _conclude(self) -> Certificate:
        real = self._real()
        findings, unsteady = self._findings(real), self._findings(self._unsteady(real))
        orders = {name for each in (*self._found, *self._again) for name in each.reordered}
        certificate = Certificate(
            id=self._folder.id,
            started=self._started,
            selection=tuple(self._request.selection.words()),
            graph=self._plan.graph,
            asked=self._asked,
            place=self._place,
            environment=self._environment,
            ignored=self._rules.words,
            coverage=self._coverage,
            sequential=tuple(self._sequential),
            parallel=tuple(self._parallel),
            differences=findings,
            unsteady=unsteady,
            reordered=tuple(sorted(orders)),
            untraced=self._untraced,
            signal=self._signals.number or self._cut,
        )
        self._keep_logs_of(findings + unsteady)
        return certificate

    def _unsteady(self, real: Iterable[Item]) -> list[Item]:
        every = {i for found in (*self._found, *self._again) for i in found.items}
        return sorted(every.difference(real))

    def _findings(self, items: Iterable[Item]) -> tuple[Finding, ...]:
        spans = [each.spans() for each in self._parallel]
        evidence = Evidence(self._plan.graph, spans, self._seen, self._plan.config.table)
        return tuple(self._finding(item, evidence) for item in items)

    def _finding(self, item: Item, evidence: Evidence) -> Finding:
        rounds = [n for n, found in enumerate(self._found) if item in found.items]
        shown = [f for f in (*self._found, *self._again) if item in f.items]
        tasks = tuple(sorted(evidence.involved(item)))
        ends = [self._sequential[0], *(self._parallel[n] for n in rounds[:1])]
        return Finding(
            item,
            shown[0].items[item],
            tuple(n + 1 for n in rounds),
            tasks,
            evidence.suspects(item, rounds) if rounds else (),
            tuple(log for end in ends for log in _logs(end, tasks)),
        )

    def _keep_logs_of(self, findings: Iterable[Finding]) -> None:
        """Remove the logs of rounds that nobody has to look into."""
        kept = {log.parent for finding in findings for log in finding.logs}
        for folder in self._folder.path.iterdir():
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def _logs(end: Round, tasks: Iterable[str]) -> list[Path]:
    names = {task["id"]: task["log"] for task in end.result["tasks"]}
    return [end.folder / names[task] for task in tasks if names[task]]


class Unsteady:
    """What sequential runs differ in."""

    def __init__(self, again: Iterable[Differences]) -> None:
        items = [pair for each in again for pair in each.items.items()]
        self._items = {item for item, _ in items}
        self._places = {_place(item.name) for item, how in items if how in compare.COME_OR_GONE}

    def holds(self, item: Item, how: str) -> bool:
        """Whether an item is unsteady: also a new name beside such ones (``dist/app-1f3e.js``)."""
        if how in compare.COME_OR_GONE and _place(item.name) in self._places:
            return True
        return item in self._items


def _place(path: str) -> tuple[str, str]:
    """The folder and the ending of a path."""
    folder, _, name = path.rpartition("/")
    return folder, name.rpartition(".")[2]


def epoch(workspace: Path) -> Mapping[str, str]:
    """The time that builds are to write into files, where the user has not said one.

    https://reproducible-builds.org/specs/source-date-epoch/
    """
    said = task_environment().get(_EPOCH)
    return {_EPOCH: said or str(git.head_time(workspace) or _LEAST_EPOCH)}
