"""When the cyclic collector works."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from polylane import garbage


class Cycle:
    """Garbage that only a collection finds."""

    def __init__(self, freed: list[str]) -> None:
        self.own = self
        self.freed = freed

    def __del__(self) -> None:
        self.freed.append("freed")


def test_nothing_is_collected_within() -> None:
    """However much is made."""
    freed: list[str] = []
    with garbage.paused():
        Cycle(freed)
        kept = [[index] for index in range(100_000)]
        assert not freed
    assert len(kept) == 100_000
    gc.collect()
    assert freed == ["freed"]


def test_the_collector_is_as_it_was_afterwards() -> None:
    """On, also after an error; or off, where somebody else had switched it off."""
    with pytest.raises(ValueError, match="x"), garbage.paused():
        raise ValueError("x")
    assert gc.isenabled()
    gc.disable()
    try:
        with garbage.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_within_a_pause_it_may_work_for_a_while() -> None:
    """Where it worked before; and a pause within that is one."""
    seen = []
    with garbage.paused(), garbage.paused():
        with garbage.working():
            seen.append(gc.isenabled())
            with garbage.paused():
                seen.append(gc.isenabled())
            seen.append(gc.isenabled())
        seen.append(gc.isenabled())
    assert seen == [True, False, True, False]
    assert gc.isenabled()
    with garbage.working():
        assert gc.isenabled()
    assert gc.isenabled()


def test_it_does_not_work_in_a_pause_where_somebody_had_switched_it_off() -> None:
    """Whose reason we don't know."""
    gc.disable()
    try:
        with garbage.paused(), garbage.working():
            assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_end_of_a_process_looks_for_no_garbage() -> None:
    """What is alive then is left out, once; files that somebody forgot to close are written."""
    code = """
import atexit, gc
from polylane import garbage
atexit.register(lambda: print(gc.get_freeze_count() > 1000))
for _ in range(2):
    garbage.spare_at_exit()
file = open(1, "w", closefd=False)
file.write("written\\n")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["True", "written"]
    assert not done.stderr
