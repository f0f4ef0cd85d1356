"""Inside the forked child of a round: enters the view, runs the plan, answers.

Knows nothing of what becomes of the answer.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import signal
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from polylane.execution import Manner, execute
from polylane.model import Task
from polylane.outcome import TaskResult
from polylane.plan.orders import Batch, in_batches
from polylane.planning import Mode, Plan, Request, make_plan
from polylane.records import NamedTuple
from polylane.remember import runs
from polylane.result import to_json
from polylane.run.signals import ENDING, Signals
from polylane.run.tracing.touches import Touches
from polylane.run.views.copies import Copy
from polylane.run.views.overlay import View

_PR_SET_PDEATHSIG = 1

#: Signals that wait from the fork on until the child can answer them.
HELD = (*ENDING, signal.SIGTSTP)

#: The run's id, what each traced task touched, what went wrong, and its traceback.
Answer = tuple[str, dict[str, tuple[Any, ...]], str, str]


class Order(NamedTuple):
    """How a round runs the graph."""

    #: The name of the round, and of the folder of its logs.
    name: str
    parallel: bool
    jobs: int
    #: Empty: as the plan has it.
    batches: tuple[Batch, ...] = ()
    #: Every task is traced.
    trace: bool = False
    #: So many processes keep the machine busy meanwhile.
    busy: int = 0


class _Silent:
    """Says nothing of a run."""

    period: float | None = None

    def started(self, task: Task, log: str) -> None:
        """See `Observer`."""

    def finished(self, task: Task, result: TaskResult) -> None:
        """See `Observer`."""

    def tick(self) -> None:
        """See `Observer`."""


class Child(NamedTuple):
    """What a round needs to know."""

    plan: Plan
    request: Request
    order: Order
    view: View | Copy
    #: Added to our own environment.
    environment: Mapping[str, str]
    #: The process with which this one is to end.
    parent: int
    #: The signals that were blocked before `HELD` were.
    blocked: Iterable[int]

    def main(self, say: int) -> NoReturn:
        """Be the round; answers into ``say``, and ends this process."""
        answer: Answer = ("", {}, "nothing was done", "")
        try:
            answer = self._run()
        except BaseException as error:  # noqa: BLE001 - a forked child goes nowhere else
            answer = ("", {}, f"{type(error).__name__}: {error}", traceback.format_exc())
        finally:
            _write(say, marshal.dumps(answer))
            os._exit(0)

    def _run(self) -> Answer:
        # A group of its own: what the terminal sends comes once, from the parent.
        os.setpgid(0, 0)
        _forget_handlers()
        os.environ.update(self.environment)
        self.view.enter()
        end_with(self.parent)
        with Signals() as signals:
            signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
            return self._execute(signals)

    def _execute(self, signals: Signals) -> Answer:
        plan, request = self._plan()
        touches: dict[str, tuple[Any, ...]] = {}

        def touched(task: str, seen: Touches) -> None:
            touches[task] = tuple(seen)

        folder = runs.new_run(plan.config.folder)
        manner = Manner(_Silent(), touched=touched if self.order.trace else None)
        result = execute(plan, request, folder, manner, signals)
        folder.write(to_json(result, plan.tasks))
        return folder.id, touches, "", ""

    def _plan(self) -> tuple[Plan, Request]:
        """The plan of this round; in a copy it is made anew, for the copy's path."""
        plan, request = self.plan, self.request
        if self.view.path != self.view.folder:
            request = request._replace(folder=Path(self.view.path))
            plan = make_plan(request)
        graph = in_batches(plan.graph, self.order.batches) if self.order.batches else plan.graph
        mode = Mode(parallel=self.order.parallel, jobs=self.order.jobs, narrow=True)
        # That tasks meet is the point: a high load holds nothing back.
        config = plan.config._replace(max_load=float("inf"))
        return plan._replace(config=config, graph=graph, mode=mode), request


def _forget_handlers() -> None:
    """Undo what the parent's `Signals` has set; an ignored signal stays ignored (nohup)."""
    signal.set_wakeup_fd(-1)
    for number in HELD:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def end_with(parent: int) -> None:
    """Be killed when the parent ends (prctl(2)); lanes then end what they run.

    After the view was entered, for new rights undo it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _write(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb") as file:
        file.write(data)
