"""One round of a certificate: a normal run in a forked child, which sees a view of the workspace.

Knows nothing of which rounds there are, nor of what is compared.
"""

from __future__ import annotations

import json
import marshal
import os
import select
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from polylane.describe.home import NAME
from polylane.planning import Plan, Request
from polylane.prove.busy import busy
from polylane.prove.inside import HELD, Child, Order
from polylane.records import NamedTuple
from polylane.remember import runs
from polylane.run.signals import Signals
from polylane.run.tracing.touches import Touches
from polylane.run.views import snapshot
from polylane.run.views.copies import Copy
from polylane.run.views.overlay import View
from polylane.run.views.places import Place
from polylane.run.views.scratch import Scratch

#: Scratch folders begin so; the next certificate removes those of killed ones.
PREFIX = "polylane-round-"

#: After the sudden end of a round its lanes end what they run, for so long at most.
_END_LIMIT_S = 15.0
_READ_BYTES = 1 << 20


class RoundDiedError(Exception):
    """A round ended without an answer: a defect, or somebody killed it."""


class Round(NamedTuple):
    """What became of a round."""

    order: Order
    #: As in ``result.json``.
    result: Mapping[str, Any]
    #: What differs from the workspace as it was before.
    files: snapshot.Fingerprint
    #: Where its logs are kept.
    folder: Path
    #: The workspace's path as tasks saw it.
    seen_at: str
    #: By task, where they were traced.
    touches: Mapping[str, Touches]

    def spans(self) -> dict[int, tuple[float, float]]:
        """Start and end of each task that ran, by its place in the reference order."""
        return {
            place: (task["started_s"], task["started_s"] + task["wall_s"])
            for place, task in enumerate(self.result["tasks"])
            if task["started_s"] is not None
        }


class Rounds:
    """Runs rounds of a plan, one after the other; `close` removes its scratch folder."""

    def __init__(
        self,
        plan: Plan,
        request: Request,
        place: Place,
        kept: Path,
        ignored: snapshot.Ignored,
        environment: Mapping[str, str],
        signals: Signals,
    ) -> None:
        """``kept``: where logs are kept; ``environment``: what is added to the rounds' own.

        `OSError` where no scratch folder can be made.
        """
        self._plan = plan
        self._request = request
        self._copies = place.none
        self._kept = kept
        self._ignored = ignored
        self._environment = environment
        self._signals = signals
        self._scratch = Scratch(place.folder, PREFIX)

    def close(self) -> None:
        """Remove the scratch folder."""
        self._scratch.close()

    def run(self, order: Order) -> Round:
        """Run one round; `RoundDiedError` where it does not come to its end."""
        view = self._view()
        try:
            run, touches = self._answer(view, order)
            logs = Path(view.written, NAME, "runs", run)
            folder = self._kept / order.name
            shutil.copytree(logs, folder)
            return Round(
                order,
                json.loads((folder / runs.RESULT).read_text(encoding="utf-8")),
                view.fingerprint(self._ignored),
                folder,
                view.path,
                touches,
            )
        finally:
            view.discard()

    def _view(self) -> View | Copy:
        """At the same place for every round, for tools write down where they are."""
        scratch = self._scratch.path / "round"
        folder = self._plan.config.folder
        if self._copies:
            return Copy(folder, scratch, lambda path: path == NAME)
        return View(folder, scratch)

    def _answer(self, view: View | Copy, order: Order) -> tuple[str, dict[str, Touches]]:
        with busy(order.busy):
            data = self._in_child(view, order)
        if not data:
            raise RoundDiedError("its process was killed")
        run, touches, error, where = marshal.loads(data)  # noqa: S302 - from our own fork
        if error:
            died = RoundDiedError(error)
            died.add_note(where)
            raise died
        return run, {name: Touches(*each) for name, each in touches.items()}

    def _in_child(self, view: View | Copy, order: Order) -> bytes:
        """Run it in a forked child; returns what that answers."""
        said, say = os.pipe()
        parent = os.getpid()
        # A signal that comes before the child can answer it waits until it can.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        pid = os.fork()
        if pid == 0:
            os.close(said)
            plan, request, environment = self._plan, self._request, self._environment
            Child(plan, request, order, view, environment, parent, before).main(say)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(say)
        try:
            return _Watch(pid, said, self._signals).wait()
        finally:
            os.close(said)


class _Watch:
    """The parent's side: passes signals on, and collects the answer."""

    def __init__(self, pid: int, said: int, signals: Signals) -> None:
        self._pid = pid
        self._said = said
        self._signals = signals
        self._data = b""
        signals.suspend = lambda: os.kill(pid, signal.SIGTSTP)
        signals.resume = lambda: os.kill(pid, signal.SIGCONT)

    def wait(self) -> bytes:
        """Wait for the end of the round: of its process, and of all that it forked."""
        ended = os.pidfd_open(self._pid)
        poller = select.poll()
        for descriptor in (self._said, ended, self._signals.wakeup):
            poller.register(descriptor, select.POLLIN)
        try:
            while ended not in dict(poller.poll()):
                self._pass_on(poller)
        finally:
            os.close(ended)
            os.waitpid(self._pid, 0)
            self._signals.suspend = self._signals.resume = None
        self._read_rest()
        return self._data

    def _pass_on(self, poller: select.poll) -> None:
        with suppress(BlockingIOError):
            os.read(self._signals.wakeup, 4096)
        while self._signals.interrupted():
            os.kill(self._pid, self._signals.number)
        if self._said in dict(poller.poll(0)):
            data = os.read(self._said, _READ_BYTES)
            self._data += data
            if not data:
                poller.unregister(self._said)

    def _read_rest(self) -> None:
        """What is left in the pipe; where it ended with no answer, its lanes are waited for."""
        limit = time.monotonic() + (0 if self._data else _END_LIMIT_S)
        while select.select([self._said], [], [], max(0.0, limit - time.monotonic()))[0]:
            data = os.read(self._said, _READ_BYTES)
            if not data:
                return
            self._data += data
