"""Logs are whole: what a task had written before its end is there, in order, however it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.printing import KILLS, printed
from tests.support import FORKS

pytestmark = FORKS

_LINES = 20_000


@pytest.mark.parametrize("bodies", [False, True], ids=["commands", "bodies"])
@pytest.mark.parametrize("kill", KILLS)
def test_a_killed_task_has_its_log(tmp_path: Path, kill: str, *, bodies: bool) -> None:
    """Four print at once to both streams, and are killed in the middle of it."""
    after = (3_000, 5_000, 7_000, 9_000)
    total = printed(tmp_path / "repo", _LINES, kill, after, bodies=bodies)
    assert total >= after[0]


@pytest.mark.parametrize("bodies", [False, True], ids=["commands", "bodies"])
def test_a_task_that_passes_has_its_log(tmp_path: Path, *, bodies: bool) -> None:
    """All lines of all four."""
    total = printed(tmp_path / "repo", _LINES, "nothing", (_LINES,) * 4, bodies=bodies)
    assert total == 4 * _LINES
