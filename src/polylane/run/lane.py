"""Inside a lane: runs one task at a time, and leaves nothing of it behind.

A lane is a forked process with a session of its own. It is a subreaper, so that it sees the end of
every process of its task; its socket to the runner is its lifeline: when the runner dies, however
it dies, the socket ends, and the lane ends its task's tree and itself.

Knows nothing of graphs, slots or what a task is for.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from polylane.run import protocol, tree
from polylane.run.protocol import Assignment, Report

#: A Python body: takes the words after ``--``, returns an exit code.
Body = Callable[[tuple[str, ...]], int]

#: What ends by itself so soon after its task was not left behind.
_SETTLE_S = 0.1

#: The tree's memory is looked at after so many seconds, then ever more rarely.
_FIRST_SAMPLE_S = 0.02
_SAMPLE_S = 0.25


class _Ending(BaseException):
    """The lane was told to end by a signal."""


class Lane:
    """One lane; `serve` returns when its runner is gone."""

    def __init__(
        self,
        channel: socket.socket,
        *,
        environment: Mapping[str, str],
        bodies: Mapping[str, Body],
        terminal: bool,
    ) -> None:
        self._channel = channel
        self._environment = dict(environment)
        self._bodies = bodies
        self._terminal = terminal
        #: Processes of ended tasks which may live on.
        self._left: set[int] = set()
        self._orphaned = False

    def serve(self) -> None:
        """Run assignments until the runner is gone."""
        try:
            while (message := protocol.receive(self._channel)) is not None:
                if message[0] != protocol.RUN:
                    continue  # a cancellation that crossed the report on its way
                report = self._run(Assignment(*message[1]))
                if self._orphaned:
                    return
                protocol.send(self._channel, *report)
        except OSError:
            pass
        finally:
            tree.end_all(tree.Usage(), grace=0.0, spare=self._left)

    def _run(self, job: Assignment) -> Report:
        begun = time.monotonic()
        usage = tree.Usage()
        try:
            pid = self._start(job)
        except OSError as error:
            return _not_started(job, error, time.monotonic() - begun)
        kind, status, peak, grace = self._wait(job, pid, usage, begun + job.timeout)
        leftovers = self._settle(job, usage, kind, grace)
        exit_code = os.waitstatus_to_exitcode(status)
        return Report(
            kind=kind,
            exit_code=exit_code if exit_code >= 0 else 128 - exit_code,
            signal=-exit_code if exit_code < 0 else None,
            reason=f"no end within {job.timeout:g} s" if kind == "timed-out" else "",
            wall_s=time.monotonic() - begun,
            cpu_s=usage.cpu_s,
            max_rss_bytes=_peak(peak, usage.max_rss_bytes),
            read_bytes=usage.read_bytes,
            write_bytes=usage.write_bytes,
            leftovers=leftovers,
        )

    def _start(self, job: Assignment) -> int:
        if self._terminal:
            return self._spawn(job, stdin=None, output=None)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        log = os.open(job.log, flags, 0o666)
        try:
            if not job.argv:
                return self._fork_body(job, log)
            return self._spawn(job, stdin=subprocess.DEVNULL, output=log)
        finally:
            os.close(log)

    def _spawn(self, job: Assignment, *, stdin: int | None, output: int | None) -> int:
        if not job.argv:
            return self._fork_body(job, None)
        process = subprocess.Popen(
            ["/bin/sh", "-c", *job.argv] if job.shell else job.argv,
            stdin=stdin,
            stdout=output,
            stderr=output,
            cwd=job.cwd,
            env={**self._environment, **dict(job.env)},
            start_new_session=not self._terminal,
        )
        process.returncode = 0  # we reap it ourselves; Popen must not
        return process.pid

    def _fork_body(self, job: Assignment, log: int | None) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            self._channel.close()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if log is not None:
                os.setsid()
                _redirect(log)
            os.environ.clear()
            os.environ.update({**self._environment, **dict(job.env)})
            os.chdir(job.cwd)
            code = self._bodies[job.id](job.words)
        except BaseException:  # noqa: BLE001 - whatever a body raises is its failure, in its log
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _wait(
        self, job: Assignment, pid: int, usage: tree.Usage, limit: float
    ) -> tuple[str, int, int, float]:
        """Wait for the main process, and end it where it must.

        Returns how it ended, its status, the tree's peak memory, and what is left of the grace.
        """
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        done = os.pidfd_open(pid)
        try:
            poller.register(done, select.POLLIN)
            kind, peak = self._watch(poller, done, limit)
        finally:
            os.close(done)
        grace = job.grace
        if kind in _ENDINGS:
            # Our own child is reaped by its pid first: a sweep before that would take its status.
            grace = 0.0 if kind == "killed" else self._end_main(pid, job.grace)
            tree.signal_all([pid], signal.SIGKILL)
        _, status, used = os.wait4(pid, 0)
        usage.add(used)
        return _ENDINGS.get(kind, kind), status, peak, grace

    def _end_main(self, pid: int, grace: float) -> float:
        """Ask the tree to end, and give its main process time to; returns the seconds left."""
        limit = time.monotonic() + grace
        tree.signal_all(self._targets(), signal.SIGTERM)
        tree.signal_all(self._targets(), signal.SIGCONT)
        done = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(done, select.POLLIN)
            poller.register(self._channel, select.POLLIN)
            while (left := limit - time.monotonic()) > 0:
                ready = dict(poller.poll(left * 1000))
                if done in ready:
                    return left
                if ready and self._asked() in ("killed", "orphaned"):
                    return 0.0
        finally:
            os.close(done)
        return 0.0

    def _targets(self) -> list[int]:
        return [pid for pid in tree.descendants() if pid not in self._left]

    def _watch(self, poller: select.poll, done: int, limit: float) -> tuple[str, int]:
        """Watch the child and the runner; returns how it ends, and the tree's peak memory."""
        peak = 0
        pause = _FIRST_SAMPLE_S
        while True:
            left = limit - time.monotonic()
            if left <= 0:
                return "timed-out", peak
            ready = dict(poller.poll(min(left, pause) * 1000))
            if done in ready:
                return "exited", peak
            if ready:
                asked = self._asked()
                if asked:
                    return asked, peak
            peak = max(peak, tree.resident_bytes(self._targets()))
            pause = min(pause * 2, _SAMPLE_S)

    def _asked(self) -> str:
        """Obey one request of the runner; returns how the task ends, if it does."""
        message = protocol.receive(self._channel)
        if message is None:
            self._orphaned = True
            return "orphaned"
        if message[0] == protocol.STOP:
            tree.signal_all(self._targets(), signal.SIGSTOP)
            protocol.send(self._channel, protocol.STOP)
        elif message[0] == protocol.CONTINUE:
            tree.signal_all(self._targets(), signal.SIGCONT)
        return {protocol.CANCEL: "cancelled", protocol.KILL: "killed"}.get(message[0], "")

    def _settle(
        self, job: Assignment, usage: tree.Usage, kind: str, grace: float
    ) -> tuple[str, ...]:
        """Find what the task left behind, and end it where it must not live."""
        if kind != "exited":
            tree.end_all(usage, grace=grace, spare=self._left)
            return ()
        if tree.settles(usage, spare=self._left, within_s=_SETTLE_S):
            return ()
        living = [pid for pid in self._targets() if not tree.is_zombie(pid)]
        names = tuple(filter(None, map(tree.command_line, living)))
        if job.leave:
            self._left.update(living)
            return ()
        tree.end_all(usage, grace=grace, spare=self._left)
        return names


#: Ways to end before the process does, and what the report calls them.
_ENDINGS = {
    "timed-out": "timed-out",
    "cancelled": "cancelled",
    "killed": "cancelled",
    "orphaned": "cancelled",
}


def _peak(sampled: int, reaped: int) -> int | None:
    """The peak memory of the tree, from samples of it and the largest of its processes.

    A child's own maximum includes ours from before it became another program, so that a small one
    says nothing.
    """
    own = _own_peak()
    known = max(sampled, reaped if reaped > own * 1.05 else 0)
    return known or None


def _own_peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _not_started(job: Assignment, error: OSError, wall_s: float) -> Report:
    """Report a command that could not be started, with the exit code that a shell gives."""
    if error.filename == job.log and job.log:
        return Report("not-started", 126, None, f"cannot write its log: {error.strerror}", wall_s)
    if error.filename == job.cwd:
        return Report(
            "not-started", 126, None, f"cannot start in {job.cwd}: {error.strerror}", wall_s
        )
    program = job.argv[0] if job.argv else job.id
    missing = isinstance(error, FileNotFoundError)
    why = "no such program" if missing else error.strerror or str(error)
    return Report(
        "not-started", 127 if missing else 126, None, f"cannot start {program}: {why}", wall_s
    )


def _redirect(log: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)


def _end(*_: Any) -> None:
    raise _Ending


def main(
    channel: socket.socket,
    *,
    environment: Mapping[str, str],
    bodies: Mapping[str, Body],
    terminal: bool,
) -> NoReturn:
    """Be a lane, in a process just forked for it, and never return."""
    code = 0
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        tree.become_subreaper()
        if not terminal:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, _end)
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            os.close(null)
        Lane(channel, environment=environment, bodies=bodies, terminal=terminal).serve()
    except _Ending:
        code = 1
    except BaseException:  # noqa: BLE001 - a defect of ours: the runner sees a crashed lane
        code = 3
        traceback.print_exc()
    finally:
        os._exit(code)
