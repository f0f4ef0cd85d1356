"""Nothing is left behind: every way in which a run can end, with a command that wants to live on.

The table is in `ways.WAYS`; each way is tried alone and four at a time, with commands and with
Python bodies, all of them at once.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.matrix import Run, cells, running
from tests.e2e.ways import LOST, POLITE, WAYS
from tests.support import FORKS, LIMIT_S

pytestmark = FORKS

ALL = {**WAYS, **POLITE}


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_left(name: str, tmp_path: Path) -> None:
    """No process of a task, no lane, no zygote: at once where the runner lives, else soon.

    The exit code says how it ended, and where the runner lives there is a result and a summary.
    """
    way = ALL[name]
    with ExitStack() as stack:
        runs = [
            stack.enter_context(running(cell, way, tmp_path / str(cell)))
            for cell in cells(name, way)
        ]
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
