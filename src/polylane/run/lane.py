"""Inside a lane: runs one task at a time, and leaves nothing of it behind.

A lane is a forked process with a session of its own. It is a subreaper, so that it sees the end of
every process of its task; its socket to the runner is its lifeline: when the runner dies, however
it dies, the socket ends, and the lane ends its task's tree and itself.

Knows nothing of graphs, slots or what a task is for.
"""

from __future__ import annotations

import os
import signal
import socket
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from polylane.run import protocol, tree
from polylane.run.attempt import Attempt
from polylane.run.launch import Body, Launcher, refusal
from polylane.run.protocol import Assignment, Report
from polylane.run.sandbox import Confinement

if TYPE_CHECKING:
    from polylane.run.strict import StrictStart
    from polylane.run.traced import TracedStart

__all__ = ["Body", "Lane", "main"]


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Ending(BaseException):
    """The lane was told to end by a signal."""


class Lane:
    """One lane; `serve` returns when its runner is gone."""

    def __init__(self, channel: socket.socket, launcher: Launcher) -> None:
        self._channel = channel
        self._launcher = launcher
        #: Sessions of ended tasks' processes which may live on.
        self._left: set[int] = set()
        self._orphaned = False

    def serve(self) -> None:
        """Run assignments until the runner is gone."""
        try:
            while not self._orphaned and (message := protocol.receive(self._channel)) is not None:
                if message[0] == protocol.RUN:  # else it crossed our report on its way
                    report = self._run(Assignment(*message[1]))
                    protocol.send(self._channel, *report)
        except OSError:
            pass  # the runner is gone
        finally:
            tree.end_all(tree.Usage(), grace=0.0, spare=self._left)

    def _run(self, job: Assignment) -> Report:
        if job.trace:
            return self._traced(job)
        report = self._attempt(job) if job.view is None else self._strict(job)
        failed = report.kind == "exited" and report.exit_code != 0 and report.signal is None
        if failed and _is_bound(job) and not self._orphaned:
            report = report._replace(refused=self._refused(job))
        return report

    def _refused(self, job: Assignment) -> tuple[str, ...]:
        """What a task tried to write and was refused: by its log, or by a second run, traced."""
        from polylane.run import refusals
        from polylane.run.tracing import tracer
        from polylane.run.tracing.touches import Touches

        if not refusals.may_be(job.log):
            return ()
        found = refusals.in_log(job)
        if found or not job.again or job.view is not None or tracer.available():
            return found  # in a view, a second run would differ
        again = job._replace(trace="writes", log=f"{job.log}.again")
        report = self._traced(again)
        with suppress(OSError):
            os.unlink(again.log)  # noqa: PTH108
        return refusals.attempted(job, Touches(*report.touches).written) if report.touches else ()

    def _traced(self, job: Assignment) -> Report:
        from polylane.run.traced import TracedStart, TraceFailedError

        confinement = None if job.confinement is None else Confinement(*job.confinement)
        begun = time.monotonic()
        try:
            traced = TracedStart(confinement, reads=job.trace == "all")
        except OSError as error:
            return refusal(job, error, time.monotonic() - begun)
        self._left.add(traced.session)
        try:
            report = self._attempt(job, traced)
            return report._replace(touches=tuple(traced.collect()))
        except TraceFailedError as error:
            return report._replace(kind="crashed", reason=f"its trace failed: {error}")
        finally:
            traced.close()
            if not traced.lives_on:
                self._left.discard(traced.session)

    def _strict(self, job: Assignment) -> Report:
        from polylane.run.strict import Private, StrictStart

        assert job.view is not None
        begun = time.monotonic()
        try:
            strict = StrictStart(Private(*job.view))
        except OSError as error:
            return refusal(job, error, time.monotonic() - begun)
        try:
            report = self._attempt(job, strict=strict)
            if (failure := strict.failure()) is not None:
                return refusal(job, failure, report.wall_s)
            return strict.conclude(report)
        except Exception as error:  # noqa: BLE001 - a defect of ours, which the runner shall name
            return _bug(error, begun)
        finally:
            strict.close()

    def _attempt(
        self, job: Assignment, traced: TracedStart | None = None, strict: StrictStart | None = None
    ) -> Report:
        begun = time.monotonic()
        try:
            pid = self._launcher.start(job, traced, strict)
        except (OSError, ValueError) as error:
            return refusal(job, error, time.monotonic() - begun)
        try:
            attempt = Attempt(job, pid, self._channel, self._left, begun)
            report = attempt.see_through()
            self._orphaned = attempt.orphaned
        except Exception as error:  # noqa: BLE001 - a defect of ours, which the runner shall name
            tree.end_all(tree.Usage(), grace=0.0, spare=self._left)
            report = _bug(error, begun)
        self._launcher.ended(cleanly=traced is None and strict is None and _is_clean(report))
        return report


def _bug(error: Exception, begun: float) -> Report:
    where = traceback.extract_tb(error.__traceback__)[-1]
    why = f"BUG: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return Report("crashed", reason=why, wall_s=time.monotonic() - begun)


def _is_clean(report: Report) -> bool:
    """Whether a task passed and nothing of it may live."""
    is_over = report.kind == "exited" and not report.leftovers and not report.left
    return is_over and report.exit_code == 0


def _is_bound(job: Assignment) -> bool:
    """Whether it may have been refused to write something."""
    return job.confinement is not None and not Confinement(*job.confinement).is_free


def _end(*_: Any) -> None:
    for number in _ENDING:  # one more must not cut short what ends the tree
        signal.signal(number, signal.SIG_IGN)
    raise _Ending


def main(
    channel: socket.socket,
    *,
    environment: Mapping[str, str],
    bodies: Mapping[str, Body],
    terminal: bool,
    private: tuple[int, ...] = (),
) -> NoReturn:
    """Be a lane, in a process just forked for it, and never return; see `Launcher`."""
    code = 0
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        tree.become_subreaper()
        if not terminal:
            _leave_terminal()
        launcher = Launcher(
            environment=environment,
            bodies=bodies,
            terminal=terminal,
            private=(channel.fileno(), *private),
        )
        Lane(channel, launcher).serve()
    except _Ending:
        code = 1
    except BaseException:  # noqa: BLE001 - a defect of ours: the runner sees a crashed lane
        code = 3
        traceback.print_exc()
    finally:
        os._exit(code)


def _leave_terminal() -> None:
    os.setsid()
    for number in _ENDING:
        signal.signal(number, _end)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    if null > 2:  # noqa: PLR2004 - the runner may have had one of them closed
        os.close(null)
