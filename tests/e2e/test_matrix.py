"""Nothing is left behind: every way in which a run can end, with a command that wants to live on.

The table is in `ways.WAYS`; each way is tried alone and four at a time, with commands and with
Python bodies, all of them at once. What `ways.LOST` has is lost but for strict tasks.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from polylane.run.views import overlay
from tests.e2e.matrix import Cell, Run, Way, cells, running
from tests.e2e.ways import LOST, POLITE, WAYS
from tests.support import FORKS, LIMIT_S

pytestmark = FORKS

ALL = {**WAYS, **POLITE}


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_left(name: str, tmp_path: Path) -> None:
    """No process of a task, no lane, no zygote: at once where the runner lives, else soon.

    The exit code says how it ended, and where the runner lives there is a result and a summary.
    """
    check(ALL[name], cells(name, ALL[name]), tmp_path)


@pytest.mark.parametrize("name", [*ALL, *LOST])
def test_nothing_is_left_of_strict_tasks(name: str, tmp_path: Path) -> None:
    """Also where nobody is left who watches; tried once for each way."""
    if why := overlay.available(tmp_path, tmp_path / "scratch", pid=True):
        pytest.skip(why)
    way = {**ALL, **LOST}[name]
    check(way, [Cell(name, max(way.sizes), body=False, strict=True)], tmp_path)


def check(way: Way, tried: list[Cell], folder: Path) -> None:
    """Start some cells together, end one after the other, and look what is left."""
    with ExitStack() as stack:
        runs = [stack.enter_context(running(cell, way, folder / str(cell))) for cell in tried]
        for act in (Run.get_ready, Run.end):
            for run in runs:
                act(run)
        for run in runs:
            code = run.exit_code()
            survivors = run.survivors(0.0 if way.outcome else LIMIT_S)
            assert (str(run.cell), code, survivors) == (str(run.cell), way.code, 0)
            assert not way.outcome or run.told() == (way.code, {way.outcome}, True)


def test_every_way_is_documented() -> None:
    """The table of the documentation has the ways that are tried, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "supervision.md").read_text(encoding="utf-8")
    measured = text.partition("## Measured")[2].partition("###")[0]
    assert re.findall(r"^\| `([\w-]+)` ", measured, re.MULTILINE) == [*ALL, *LOST]
