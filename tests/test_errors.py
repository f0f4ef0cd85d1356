"""Errors of the user's: one line, whatever they quote."""

from __future__ import annotations

import os

import pytest

from polylane.errors import UserError, did_you_mean


def test_a_users_error_is_one_printable_line() -> None:
    """Newlines, escapes and broken names of files are written out; letters are not."""
    broken = os.fsdecode(b"\xff")
    error = UserError(f"größe a\nb\r\x1b[31m {broken}\u2028")
    assert str(error) == r"größe a\nb\r\x1b[31m \udcff\u2028"
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("lnit", ["lint", "test"], "; did you mean 'lint'?"),
        ("zzz", ["lint", "test"], ""),
        ("lint", [], ""),
        ("", ["lint"], ""),
    ],
)
def test_a_hint_names_the_closest_word(word: str, known: list[str], hint: str) -> None:
    """Or says nothing."""
    assert did_you_mean(word, known) == hint
