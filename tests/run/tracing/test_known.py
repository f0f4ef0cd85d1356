"""Where paths lead while links, folders and files come, go and move: held against the kernel."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polylane.run.tracing.known import Known
from tests.run.tracing.traces import TRACED, below, trace_python

pytestmark = TRACED

_PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
_TARGETS = st.one_of(_PATHS, _PATHS.map("../{}".format))  # may lead out, not far
_STEPS = st.one_of(
    st.tuples(st.sampled_from(["read", "append", "stat"]), _PATHS),
    st.tuples(st.sampled_from(["read", "append", "mkdir", "rmdir", "unlink"]), _PATHS),
    st.tuples(st.just("symlink"), _TARGETS, _PATHS),
    st.tuples(st.just("rename"), _PATHS, _PATHS),
)

#: Takes one step, in the current folder; the same text runs traced.
_TAKE = """
def take(what, *paths):
    if what in ("read", "append"):
        open(paths[0], what[0]).close()
    else:
        getattr(os, what)(*paths)
"""
exec(_TAKE)


class _Touched(NamedTuple):
    """What the kernel did in truth."""

    read: set[str]
    written: set[str]


def _in_truth(folder: Path, steps: list[list[str]]) -> _Touched:
    """Take the steps, and ask before each where it leads; only those that succeed count."""
    touched = _Touched(set(), set())
    for what, *paths in steps:
        followed = what in {"read", "append", "stat"}
        ends = [_led(path) for path in paths] if not followed else [os.path.realpath(paths[0])]
        with suppress(OSError):
            take(what, *paths)  # type: ignore[name-defined]  # noqa: F821
            named = ends[1:] if what == "symlink" else ends
            if what == "read":
                touched.read.update(named)
            elif what != "stat":
                touched.written.update(named)
    return _Touched(*(below(folder, frozenset(paths)) for paths in touched))


def _led(path: str) -> str:
    """Where a path leads, but for a link at its end."""
    folder, name = os.path.split(path)
    return f"{os.path.realpath(folder or '.')}/{name}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_STEPS, min_size=20, max_size=80))
def test_what_was_learned_of_a_path_holds_no_longer_than_it_is_true(
    steps: list[tuple[str, ...]],
) -> None:
    """Each step that succeeds is traced to where it led, whatever was asked and changed before."""
    with _folders() as (ours, traced):
        before = Path.cwd()
        os.chdir(ours)
        try:
            truth = _in_truth(ours, [list(step) for step in steps])
        finally:
            os.chdir(before)
        lines = (
            "import contextlib, json",
            _TAKE,
            f"for step in json.loads({json.dumps(json.dumps(steps))}):",
            "    with contextlib.suppress(OSError): take(*step)",
        )
        touches = trace_python(traced, *lines)
        assert truth.written <= below(traced, touches.written)
        # What a task made itself, after it looked for it in vain, it may read unnoticed.
        assert truth.read <= below(traced, touches.read | touches.written)


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """Two empty folders; a fixture would be shared by all examples."""
    with tempfile.TemporaryDirectory() as made:
        ours, traced = Path(made, "ours", "here"), Path(made, "traced", "here")
        ours.mkdir(parents=True)
        traced.mkdir(parents=True)
        yield ours, traced


def test_a_change_elsewhere_forgets_nothing_that_no_link_bent() -> None:
    """A tool that makes one link after the other does not have all else looked up again."""
    known = Known()
    known.add_folder("/w/src", "/w/src")
    known.add_folder("/w/way", "/w/src")
    known.settle(("straight", "/w/src/x", "/w/src/x"))
    known.settle(("bent", "/w/way/x", "/w/src/x"))
    known.change("/w/tmp/current")
    assert known.folders == {"/w/src": "/w/src"}
    assert known.settled == {"straight"}


def test_a_change_on_the_way_forgets_everything() -> None:
    """Also of what hangs on a folder far above, or when nobody knows what has changed."""
    for path in ("/w", "/w/src", "/w/src/x", ""):
        known = Known()
        known.add_folder("/w/src", "/w/src")
        known.settle(("straight", "/w/src/x", "/w/src/x"))
        known.change(path)
        assert not known.folders
        assert not known.settled
