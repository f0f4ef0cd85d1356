"""Starts one command or Python body under a trace, confined or not.

Knows nothing of what becomes of it, nor of what a trace is for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from polylane.run.sandbox import Confinement, Sandbox
from polylane.run.tracing.tracer import Touches, TraceFailedError, Tracer

__all__ = ["TraceFailedError", "TracedStart"]

#: The tracer has seen everything when the tree has ended; its result is a few megabytes.
_COLLECT_S = 30.0


class TracedStart:
    """One start, and its trace; `collect` or `close` ends it."""

    def __init__(self, confinement: Confinement | None, *, reads: bool) -> None:
        """Fork the tracer's process; `OSError` where that cannot be."""
        self._confinement = confinement
        self._tracer = Tracer(reads=reads)
        self._thread: threading.Thread | None = None
        self._may_end = threading.Event()

    @property
    def session(self) -> int:
        """The session of the tracer's process, a child of ours that is no part of the tree."""
        return self._tracer.session

    @property
    def lives_on(self) -> bool:
        """After `collect`: the tracer's process still serves what the task left (``leave``)."""
        return self._tracer.lives_on

    def start(self, spawn: Callable[[], int]) -> int:
        """Call ``spawn`` in a thread of its own, which lasts until the end of the trace.

        Raises what ``spawn`` raises, and `OSError` where the kernel refuses a trace.
        """
        box: list[int | BaseException] = []
        begun = threading.Event()

        def run() -> None:
            try:
                self.bind()
                box.append(spawn())
            except BaseException as error:  # noqa: BLE001 - raised where it was asked for
                box.append(error)
            begun.set()
            self._may_end.wait()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        begun.wait()
        if isinstance(box[0], BaseException):
            raise box[0]
        return box[0]

    def bind(self) -> None:
        """Confine and trace the calling thread for good, or a forked child."""
        if self._confinement is not None:
            Sandbox().confine_self(self._confinement)
        self._tracer.install()

    def collect(self) -> Touches:
        """What was touched, once the tree has ended; `TraceFailedError` where nobody can tell."""
        self._end_thread()
        return self._tracer.collect(_COLLECT_S)

    def close(self) -> None:
        """End a trace that nobody asks for."""
        self._end_thread()
        self._tracer.close()

    def _end_thread(self) -> None:
        self._may_end.set()
        if self._thread is not None:
            self._thread.join()
