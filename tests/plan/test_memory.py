"""What memory tasks are expected to need."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.plan.durations import Past
from polylane.plan.memory import (
    ASSUMED_BYTES,
    UNKNOWN_BYTES,
    floor,
    in_words,
    needs,
    still_to_take,
)
from tests.plan.examples import task

GB = 1_000_000_000


def past(**peaks: tuple[str, tuple[int, ...]]) -> Past:
    """A history of tasks by name: the tool, and the last peaks; each has passed in parallel."""
    return Past({name: (tool, (1.0,), (), 1, 1, each) for name, (tool, each) in peaks.items()})


def need_of(name: str, known: Past, **fields: Any) -> tuple[int, str]:
    size, why = needs([task(name, **fields)], known)[0]
    return size, why


def test_what_is_configured_comes_first() -> None:
    """Whatever the task took before."""
    known = past(a=("t", (5, 6)))
    assert need_of("a", known, memory=GB) == (GB, "as configured")


def test_the_largest_of_the_last_peaks_is_expected() -> None:
    """To expect too little costs an attempt; to expect too much only some time."""
    assert need_of("a", past(a=("t", (5, 9, 6)))) == (9, "the most of its last runs")


def test_a_task_too_short_to_be_measured_needs_nothing() -> None:
    """It ran, and was gone before anybody could look."""
    assert need_of("a", past(a=("t", ()))) == (0, "the most of its last runs")


@pytest.mark.parametrize("entry", [("t", (), (), 1, 3, ()), ("t", (), ())])
def test_a_task_that_never_passed_is_unknown(entry: tuple[Any, ...]) -> None:
    """Nothing was measured of it."""
    assert need_of("a", Past({"a": entry}))[0] == UNKNOWN_BYTES


def test_the_peak_of_a_task_that_failed_counts() -> None:
    """It needs at least as much."""
    assert need_of("a", Past({"a": ("t", (), (), 1, 1, (7,))}))[0] == 7


def test_an_unknown_task_needs_what_its_tool_needs() -> None:
    """The median of the tool's tasks, selected or not."""
    known = past(a=("mypy", (1, 100)), b=("mypy", (300,)), c=("mypy", (900,)), d=("ruff", (5,)))
    assert need_of("new", known, tool="mypy") == (300, "as other tasks of its tool")


def test_of_an_unknown_tool_something_is_assumed() -> None:
    """By its name, or the same for all others."""
    assert need_of("new", Past(), tool="eslint") == (ASSUMED_BYTES["eslint"], "a guess by its tool")
    assert need_of("new", Past(), tool="own") == (UNKNOWN_BYTES, "a guess by its tool")


def test_each_task_has_a_need_of_its_own() -> None:
    """In their order, known ones and unknown ones."""
    known = past(a=("t", (5,)), c=("t", (7,)))
    tasks = [task("a"), task("b"), task("c"), task("d", tool="ruff")]
    assert [need.size for need in needs(tasks, known)] == [5, 7, 7, ASSUMED_BYTES["ruff"]]
    assert needs([], known) == []


@given(st.dictionaries(st.integers(0, 5), st.integers(0, 99)))
def test_what_is_still_to_take_is_never_negative(expected: dict[int, int]) -> None:
    """A task that took more than was expected leaves no more to the others."""
    assert still_to_take(expected, {}) == sum(expected.values())
    assert still_to_take(expected, dict.fromkeys(range(6), 100)) == 0
    assert still_to_take({1: 10, 2: 10}, {1: 50, 2: 4}) == 6


@pytest.mark.parametrize(
    ("whole", "left_free"),
    [
        (64 * GB, 2 * GB),
        (24 * GB, 1_200_000_000),
        (4 * GB, 256_000_000),
        (400_000_000, 100_000_000),
    ],
)
def test_something_is_left_to_others(whole: int, left_free: int) -> None:
    """A twentieth, 256 MB at least and 2 GB at most, and in a small container a quarter."""
    assert floor(whole) == left_free


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 MB"),
        (-5, "0 MB"),
        (340_400_000, "340 MB"),
        (999_499_999, "999 MB"),
        (999_600_000, "1.0 GB"),
        (1_240_000_000, "1.2 GB"),
    ],
)
def test_sizes_are_said_in_few_digits(size: int, words: str) -> None:
    """As the table says them."""
    assert in_words(size) == words
