"""Which observer shows a run, by what was asked for and where its output goes.

Knows every way to show a run, and nothing of how a run is made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polylane.describe import config
from polylane.describe.config import CIHost
from polylane.report import plain
from polylane.report.pulse import Pulse
from polylane.run.runner import Observer
from polylane.run.signals import Signals

#: The values of ``--output``.
OUTPUTS = ("auto", "live", "grouped", "stream", "errors")


def choose(
    output: str, screen: plain.Screen, folder: Path, total: int, *, host: CIHost, inside: bool
) -> Observer:
    """The observer for a value of ``--output`` and a run of so many tasks.

    ``inside``: the run is a task of another one, whose output must stay in one piece.
    """
    if output in {"auto", "live"} and not inside and _can_be_painted():
        from polylane.report.board import Board

        colour = config.wants_colour(terminal=True)
        return Board(screen, folder, unicode=config.has_unicode(), colour=colour)
    shown = _plain(output, screen, folder, host)
    return Pulse(shown, screen, total, beats=config.in_ci() and not inside)


def _can_be_painted() -> bool:
    if not (config.can_be_painted() and sys.stdout.isatty()):
        return False
    from polylane.report import canvas

    return canvas.is_big_enough() and canvas.in_foreground()


def _plain(output: str, screen: plain.Screen, folder: Path, host: CIHost) -> Observer:
    if output == "stream":
        return plain.Stream(screen, folder)
    if output == "auto" and host.name:
        from polylane.report.ci import Groups

        return Groups(screen, folder, host)
    few = output in {"errors", "live"}
    return plain.Grouped(screen, folder, errors_only=few, all_named=output == "live")


@contextmanager
def showing(observer: Observer, signals: Signals) -> Iterator[None]:
    """While a run goes on; when it ends, the terminal is as it was, and others may print."""
    if hide := getattr(observer, "hide", None):
        signals.hide, signals.show = hide, getattr(observer, "show", None)
    try:
        yield
    finally:
        signals.hide = signals.show = None
        if close := getattr(observer, "close", None):
            close()
