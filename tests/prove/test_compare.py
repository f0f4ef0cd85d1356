"""What two rounds have in common, and what not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polylane.model import Claim, Task
from polylane.prove.compare import FILE, LOG, OUTCOME, Comparison, Item, rules
from polylane.run.views import snapshot
from tests.prove.made import made, task

ONE, TWO = snapshot.Print("file", content="1"), snapshot.Print("file", content="2")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"outcome": "failed", "exit_code": 3}, "failed with exit code 3 instead of passed"),
        ({"outcome": "skipped", "reason": "no tests"}, "skipped (no tests) instead of passed"),
        ({"exit_code": 5}, "passed with exit code 5 instead of passed"),
        ({"signal": 9}, "passed instead of passed"),
    ],
)
def test_an_ending_counts_whole(tmp_path: Path, said: dict[str, Any], words: str) -> None:
    """Outcome, exit code, signal and reason."""
    reference = made(tmp_path, task("a"), task("b"))
    other = made(tmp_path, task("a"), task("b", **said), name="round-1")
    assert Comparison(reference).differences(other).items == {Item(OUTCOME, "b"): words}


def test_which_need_failed_first_does_not_count(tmp_path: Path) -> None:
    """Of two that fail, a task that needs both is skipped for the one that ends first."""
    one, other = (
        task("c", outcome="skipped", reason=f"needs {need}, which failed", started_s=None)
        for need in "ab"
    )
    reference = made(tmp_path, one)
    assert Comparison(reference).differences(made(tmp_path, other, name="round-1")).items == {}


def test_that_it_ran_alone_for_memory_does_not_count(tmp_path: Path) -> None:
    """Nor that the kernel killed a first attempt: it has passed."""
    reference = made(tmp_path, task("a"))
    other = made(tmp_path, task("a", reason="ran alone", attempts=2), name="round-1")
    assert Comparison(reference).differences(other).items == {}


def test_how_long_it_took_does_not_count(tmp_path: Path) -> None:
    """Nor when it started, nor what it used."""
    reference = made(tmp_path, task("a"))
    other = made(tmp_path, task("a", wall_s=9.0, cpu_s=9.0, started_s=3.0), name="round-1")
    assert Comparison(reference).differences(other).items == {}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"x": ONE}, {"x": TWO}, "other content"),
        ({"x": ONE}, {}, "not written, or as it was before"),
        ({}, {"x": ONE}, "written, which it was not in sequence"),
        ({"x": ONE}, {"x": snapshot.GONE}, "file in the sequential run, gone in the parallel one"),
    ],
)
def test_a_file_counts(
    tmp_path: Path, before: snapshot.Fingerprint, after: snapshot.Fingerprint, words: str
) -> None:
    """Whether it is there, its kind and its content."""
    reference = made(tmp_path, task("a"), files=before)
    other = made(tmp_path, task("a"), name="round-1", files=after)
    assert Comparison(reference).differences(other).items == {Item(FILE, "x"): words}


def test_a_log_counts_but_for_times(tmp_path: Path) -> None:
    """Two logs: one differs in its times only, one in a word."""
    logs = {"a": "ok in 0.1s\n", "b": "good\n"}
    reference = made(tmp_path, task("a"), task("b"), logs=logs)
    logs = {"a": "ok in 0.9s\n", "b": "bad\n"}
    other = made(tmp_path, task("a"), task("b"), name="round-1", logs=logs)
    found = Comparison(reference).differences(other)
    assert found.items == {Item(LOG, "b"): "line 1: 'bad' instead of 'good'"}
    assert found.reordered == ()


def test_what_one_task_ignores_another_may_cache() -> None:
    """A ``!`` takes away from the caches of its own task."""
    claims = Claim(caches=("out", "!out/x")), Claim(caches=("tmp",))
    found = rules(
        Task(name, "v", "p", "", name, ("x",), ".", claim)
        for name, claim in zip("ab", claims, strict=True)
    )
    assert [path for path in ("out/x", "out/y", "tmp/x") if found.ignored(path)] == [
        "out/y",
        "tmp/x",
    ]


def test_the_order_of_lines_is_told_apart(tmp_path: Path) -> None:
    """Tools with threads print as these end."""
    reference = made(tmp_path, task("a"), logs={"a": "1\n2\n"})
    other = made(tmp_path, task("a"), name="round-1", logs={"a": "2\n1\n"})
    assert Comparison(reference).differences(other) == ({}, ("a",))


def test_a_line_more_is_no_other_order(tmp_path: Path) -> None:
    """Each line counts as often as it stands there."""
    reference = made(tmp_path, task("a"), logs={"a": "1\n1\n2\n"})
    other = made(tmp_path, task("a"), name="round-1", logs={"a": "2\n1\n2\n"})
    assert Item(LOG, "a") in Comparison(reference).differences(other).items


def test_the_log_of_another_outcome_is_not_told_as_well(tmp_path: Path) -> None:
    """It is bound to differ."""
    reference = made(tmp_path, task("a"), logs={"a": "ok\n"})
    failed = task("a", outcome="failed", exit_code=1)
    other = made(tmp_path, failed, name="round-1", logs={"a": "bad\n"})
    assert set(Comparison(reference).differences(other).items) == {Item(OUTCOME, "a")}


def test_an_exception_counts_for_its_own_task_only() -> None:
    """A ``!`` takes away from the patterns of the same claim before it."""
    claims = [Claim(caches=("a", "!a/kept")), Claim(caches=("b",))]
    found = rules(Task(str(c), "v", "p", "", "t", ("x",), ".", c) for c in claims)
    assert found.ignored("a/x")
    assert not found.ignored("a/kept/x")
    assert found.ignored("b/kept/x")


def test_what_is_ignored_is_named() -> None:
    """Our folder, git's index, and caches, claimed or known, at any depth below them."""
    claim = Claim(caches=("a/.cache", "**/*.tmp"))
    found = rules([Task("t", "v", "p", "", "t", ("x",), ".", claim)])
    assert found.words[:2] == (".polylane/", ".git/index")
    assert {"**/*.tmp", "a/.cache", "**/__pycache__", "**/node_modules/.vite"} < {*found.words}
    for path in (
        ".polylane",
        "a/__pycache__/x",
        "x/node_modules/.vite/y",
        ".git/index",
        "a/.cache",
        "a/.cache/x",
        "b/x.tmp",
    ):
        assert found.ignored(path), path
    for path in ("a", "a/x", ".git", ".git/HEAD", "a/pycache", "polylane"):
        assert not found.ignored(path), path
