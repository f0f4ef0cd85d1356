"""``lanes.report``: reports of a run that has ended, from its folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from polylane.describe import config as configuration
from polylane.errors import UserError, did_you_mean
from polylane.remember import ended
from polylane.report import reports

#: So many ids an error names.
_NEWEST = 3


def write(folder: Path, run: str, paths: Sequence[str]) -> None:
    """Write reports of the run with this id, or of the newest where it is empty."""
    if not paths:
        endings = ", ".join(reports.ENDINGS)
        raise UserError(f"lanes.report: give --report PATH; its ending says the format: {endings}")
    checked = reports.check(paths)
    workspace = configuration.load(folder).folder
    chosen = _chosen(ended.ids(workspace), run)
    where = ended.folder(workspace, chosen)
    if lines := reports.write(ended.result(where), where, checked):
        raise UserError("; ".join(lines))
    print(f"{chosen}: wrote {', '.join(paths)}", file=sys.stderr)


def _chosen(ids: Sequence[str], run: str) -> str:
    """The run that is meant, of those that ended, the newest first."""
    if not ids:
        raise UserError(
            f"--run {run}: no run has ended here yet" if run else "no run has ended yet"
        )
    if run and run not in ids:
        newest = ", ".join(ids[:_NEWEST])
        raise UserError(f"--run {run}: there is no such run; the newest: {newest}{_hint(run, ids)}")
    return run or ids[0]


def _hint(run: str, ids: Sequence[str]) -> str:
    hint = did_you_mean(run, ids)
    return "" if any(repr(each) in hint for each in ids[:_NEWEST]) else hint
