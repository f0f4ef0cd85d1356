"""Starts what a task is: a command, or a Python body in a forked child; with its log.

Knows nothing of what becomes of it.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from polylane.errors import SIGNAL_BASE
from polylane.run.log_file import Log, Logs
from polylane.run.protocol import Assignment, Report
from polylane.run.sandbox import Confinement, Sandbox
from polylane.run.spawn import keep_to_itself, spawn

if TYPE_CHECKING:
    from polylane.run.strict import StrictStart
    from polylane.run.traced import TracedStart

#: A Python body: takes the words after ``--``, returns an exit code.
Body = Callable[[tuple[str, ...]], int]

#: What a lane handles or ignores, and a task must not.
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)

#: What a command inherits.
_STREAMS = (0, 1, 2)


class Launcher:
    """Starts assignments from one process, which must have no other threads."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        bodies: Mapping[str, Body],
        terminal: bool,
        private: tuple[int, ...],
    ) -> None:
        """Tasks read what we do; with ``terminal`` they also write there, in our session.

        ``private``: descriptors that are not for Python bodies: what these leave behind keeps them.
        """
        self._environment = dict(environment)
        self._encoded = {os.fsencode(k): os.fsencode(v) for k, v in environment.items()}
        self._added: tuple[tuple[str, str], ...] = ()
        self._whole = self._encoded
        self._bodies = bodies
        self._terminal = terminal
        self._private = private
        self._sandbox = Sandbox()
        self._logs = Logs()
        self._log: Log | None = None
        keep_to_itself()

    def start(
        self, job: Assignment, traced: TracedStart | None = None, strict: StrictStart | None = None
    ) -> int:
        """Start an assignment; returns its main process, a child of ours that is not reaped.

        `OSError` or `ValueError` where that cannot be; `refusal` says it in words.
        """
        if self._terminal:
            return self._start(job, None, traced, strict)
        self._log = self._logs.open(job.log)
        try:
            return self._start(job, self._log.descriptor, traced, strict)
        except BaseException:
            self.ended(cleanly=False)
            raise

    def ended(self, *, cleanly: bool) -> None:
        """What was started has ended; ``cleanly``: it will not start again, and left nothing."""
        if self._log is not None:
            self._logs.ended(self._log, reusable=cleanly)
            self._log = None

    def _start(
        self,
        job: Assignment,
        log: int | None,
        traced: TracedStart | None,
        strict: StrictStart | None,
    ) -> int:
        if job.argv and strict is None:
            return self._spawn(job, log, traced)
        return self._fork(job, log, traced, strict)

    def _spawn(self, job: Assignment, log: int | None, traced: TracedStart | None) -> int:
        os.chdir(job.cwd)
        environment = self._encoded_for(job.env)
        if job.place is None:
            return self._spawned(job, environment, log, traced)
        from polylane.run import jobserver  # few tasks have a place at one

        joined = jobserver.join(jobserver.Place(*job.place))
        try:
            return self._spawned(job, {**environment, **joined.variables}, log, traced)
        finally:
            joined.close()

    def _spawned(
        self,
        job: Assignment,
        environment: Mapping[bytes, bytes],
        log: int | None,
        traced: TracedStart | None,
    ) -> int:
        command = _command(job)

        def start() -> int:
            return spawn(command, environment, output=log, session=not self._terminal)

        if traced is not None:
            return traced.start(start)
        if job.confinement is None:
            return start()
        return self._sandbox.start(Confinement(*job.confinement), start)

    def _encoded_for(self, more: tuple[tuple[str, str], ...]) -> Mapping[bytes, bytes]:
        """The environment with this added; tasks of a project in a row have the same."""
        if more != self._added:
            self._added = more
            encoded = {os.fsencode(name): os.fsencode(value) for name, value in more}
            self._whole = {**self._encoded, **encoded}
        return self._whole

    def _environ(self, job: Assignment) -> dict[str, str]:
        return {**self._environment, **dict(job.env)}

    def _fork(
        self,
        job: Assignment,
        log: int | None,
        traced: TracedStart | None,
        strict: StrictStart | None,
    ) -> int:
        if not os.path.isdir(job.cwd):  # noqa: PTH112 - as `Popen` says it
            raise FileNotFoundError(2, os.strerror(2), job.cwd)
        if job.confinement is not None:
            self._sandbox.ready(Confinement(*job.confinement))
        self._sandbox.rest()  # a fork has one thread
        return os.fork() or self._be_child(job, log, traced, strict)

    def _be_child(
        self,
        job: Assignment,
        log: int | None,
        traced: TracedStart | None,
        strict: StrictStart | None,
    ) -> NoReturn:
        code = 1
        try:
            self._get_ready(job, log, traced, strict)
            code = _call(self._bodies[job.id], job.words)
        except BaseException:  # noqa: BLE001 - nothing may go on as a second lane
            with suppress(Exception):
                traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):  # the body may have closed it
                    stream.flush()
            os._exit(code & 0xFF)

    def _get_ready(
        self,
        job: Assignment,
        log: int | None,
        traced: TracedStart | None,
        strict: StrictStart | None,
    ) -> None:
        """Return ready for a body's call, or become the command."""
        try:
            self._prepare_child(job, log)
            if strict is not None:
                _enter(strict, log)
            if traced is not None:
                traced.bind()
            elif job.confinement is not None:
                self._sandbox.confine_self(Confinement(*job.confinement))
            if job.argv:
                _become(job, self._environ(job))
        except (OSError, ValueError) as error:
            if strict is None:
                raise
            strict.refuse(error)
            os._exit(1)

    def _prepare_child(self, job: Assignment, log: int | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL if job.argv else signal.default_int_handler)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for descriptor in self._private:
            os.close(descriptor)
        if log is not None:
            os.setsid()
            _redirect(log)
        os.environ.clear()
        os.environ.update(self._environ(job))
        if known := sys.modules.get("tempfile"):
            known.tempdir = None  # type: ignore[attr-defined] # it may remember another TMPDIR
        os.chdir(job.cwd)


def _enter(strict: StrictStart, log: int | None) -> None:
    strict.enter()
    if log is not None:
        os.setsid()  # the view's first process keeps the session that it was started with


def _command(job: Assignment) -> list[str]:
    return ["/bin/sh", "-c", *job.argv] if job.shell else list(job.argv)


def _become(job: Assignment, environ: dict[str, str]) -> NoReturn:
    """Become the command, with the signals and the descriptors that `subprocess` would give it."""
    command = _command(job)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a Path costs as much
        with suppress(OSError):  # the listing's own
            os.set_inheritable(int(name), int(name) in _STREAMS)
    os.execvpe(command[0], command, environ)  # noqa: S606  # nosec B606


def _call(body: Body, words: tuple[str, ...]) -> int:
    """Call a body; what it raises is its failure, as a program's would be."""
    try:
        code: object = body(words)
    except SystemExit as error:
        code = error.code
    except KeyboardInterrupt:
        code = SIGNAL_BASE + signal.SIGINT
    if code is None or isinstance(code, int):
        return int(code or 0)
    print(code, file=sys.stderr)
    return 1


def _redirect(log: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdin, sys.stdout, sys.stderr = _stream(0, "r"), _stream(1, "w"), _stream(2, "w")


def _stream(descriptor: int, mode: str) -> Any:
    """A standard stream: by lines, so that the two that are written keep their order."""
    return os.fdopen(
        descriptor, mode, encoding="utf-8", errors="replace", closefd=False, buffering=1
    )


def refusal(job: Assignment, error: OSError | ValueError, wall_s: float) -> Report:
    """Report what could not be started, with the exit code that a shell gives."""
    program = job.argv[0] if job.argv else job.id
    code = 126
    if not isinstance(error, OSError):
        why = f"cannot start {program}: {error}"
    elif job.log and error.filename == job.log:
        why = f"cannot write its log: {error.strerror}"
    elif error.filename == job.cwd:
        why = f"cannot start in {job.cwd}: {error.strerror}"
    elif isinstance(error, FileNotFoundError):
        code = 127
        why = f"cannot start {program}: {_what_is_missing(job, program)}"
    else:
        why = f"cannot start {program}: {error.strerror or error}"
    return Report("not-started", code, None, why, wall_s)


def _what_is_missing(job: Assignment, program: str) -> str:
    if "/" in program and os.path.exists(os.path.join(job.cwd, program)):  # noqa: PTH110, PTH118
        return "the interpreter in its first line is missing"
    return "no such program"
