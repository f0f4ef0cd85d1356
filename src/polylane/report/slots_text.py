"""Who has the machine's slots, in words. Sees only data."""

from __future__ import annotations

from collections.abc import Sequence

from polylane.report.summary import printable
from polylane.report.words import counted
from polylane.run.slot_survey import Survey, Who


def text(survey: Survey) -> str:
    """A table of the slots that are taken, then of the runs that wait, and a line above each."""
    if survey.slots is None:
        return f"no run is on this machine (looked in {printable(survey.folder)})"
    parts = [f"{len(survey.held)} of {counted(survey.slots, 'slot')} taken"]
    if survey.held:
        rows = [
            (each.slot, printable(each.task), _span(each.for_s), *_who(each.who))
            for each in survey.held
        ]
        parts.append(_table(rows, ("slot", "task", "for", *_WHO)))
    if survey.line:
        parts.append(f"\n{counted(len(survey.line), 'run')} waiting, in this order")
        waiting = [(e.has, e.wants, _span(e.for_s), *_who(e.who)) for e in survey.line]
        parts.append(_table(waiting, ("has", "wants", "for", *_WHO)))
    return "\n".join(parts)


_WHO = ("run", "asked for", "workspace", "pid")


def _who(who: Who) -> tuple[str, str, str, int]:
    return printable(who.run), printable(who.words), printable(who.workspace), who.pid


def _table(rows: Sequence[tuple[object, ...]], headers: tuple[str, ...]) -> str:
    from tabulate import tabulate  # few commands need it

    return tabulate(rows, headers=headers, disable_numparse=True)


def _span(seconds: float) -> str:
    """``4 s``, ``12 min``, ``3 h``."""
    if seconds < 100:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.0f} h"  # noqa: PLR2004
