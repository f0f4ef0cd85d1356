"""A machine that is kept busy for a while."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from polylane.prove.busy import busy
from polylane.run import tree
from tests.support import FORKS, is_gone, pids_in, state, wait_for, wait_gone

pytestmark = FORKS


def test_processes_run_until_the_end() -> None:
    """As many as were asked for, also where an error ends it."""
    before = set(tree.children())

    def run() -> None:
        with busy(2):
            spinning = set(tree.children()) - before
            assert len(spinning) == 2
            wait_for(lambda: set(map(state, spinning)) == {"R"}, "work")
            raise KeyError(*spinning)

    with pytest.raises(KeyError) as error:
        run()
    assert all(map(is_gone, error.value.args))
    assert set(tree.children()) == before


def test_they_end_with_their_parent(tmp_path: Path) -> None:
    """However it ends."""
    pids = tmp_path / "pids"
    parent = os.fork()
    if parent == 0:
        with busy(1):
            pids.write_text(f"{tree.children()[0]}\n", encoding="utf-8")
            signal.pause()
    spinning = pids_in(pids)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    wait_gone(spinning)
