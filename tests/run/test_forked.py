"""What a fork is asked, and what becomes of it."""

from __future__ import annotations

import os

import pytest

from polylane.run import forked, tree
from tests.support import descriptors


@pytest.mark.parametrize("answer", ["", "no", "ä\n" * 100_000])
def test_its_answer_comes_whole(answer: str) -> None:
    """None at all is one, too; and nothing of it stays."""
    before = (descriptors(), tree.children())
    assert forked.ask(lambda: answer) == answer
    assert (descriptors(), tree.children()) == before


@pytest.mark.parametrize("code", [0, 3])
def test_one_that_ends_before_says_nothing(code: int) -> None:
    """Whatever its exit code."""

    def end() -> str:
        os._exit(code)

    assert forked.ask(end) is None
