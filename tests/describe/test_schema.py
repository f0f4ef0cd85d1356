"""Checks of single values, as hosts and the configuration share them."""

from __future__ import annotations

import pytest

from polylane.describe import schema
from polylane.errors import UserError


def _place(keys: tuple[str, ...]) -> str:
    return f"--{keys[-1]}"


@pytest.mark.parametrize(
    ("said", "value"),
    [(1, 1), ("7", 7), (" 7 ", 7), ("auto", "auto"), ("50%", "50%"), ("200%", "200%")],
)
def test_jobs_are_a_number_auto_or_a_percentage(said: object, value: object) -> None:
    """As a text, from a flag, or as TOML says it."""
    assert schema.jobs(said, _place, ("jobs",)) == value


@pytest.mark.parametrize(
    "said", ["0", "many", "-1", "1.5", "", "%", "0%", "5 %", "\uff11", None, [1]]
)
def test_other_jobs_are_refused(said: object) -> None:
    """The message names the flag and the value."""
    with pytest.raises(UserError) as caught:
        schema.jobs(said, _place, ("jobs",))
    assert str(caught.value) == (
        f'--jobs = {said!r}: must be a number above 0, "auto", or a percentage such as "50%"'
    )


@pytest.mark.parametrize(
    ("said", "value"),
    [(".", "."), ("a/", "a"), ("./a//b/.", "a/b"), ("a/../b", "b"), ("a/..", ".")],
)
def test_a_path_is_normalised(said: str, value: str) -> None:
    """So that it can be compared."""
    assert schema.path(said, _place, ("path",)) == value


@pytest.mark.parametrize("said", ["..", "a/../..", "/a", "", "a\0b", 3])
def test_a_path_out_of_the_workspace_is_refused(said: object) -> None:
    """Absolute, upwards, empty, with NUL, or no text."""
    with pytest.raises(UserError, match="--path = "):
        schema.path(said, _place, ("path",))


@pytest.mark.parametrize(("said", "value"), [("80%", 0.8), ("100 %", 1.0), ("1%", 0.01)])
def test_a_percentage_is_a_fraction(said: str, value: float) -> None:
    """Of one."""
    assert schema.percentage(said, _place, ("max_load",)) == value


@pytest.mark.parametrize("said", ["lint", "test-unit", "größe", "Ab2"])
def test_a_verb_is_letters_digits_and_dashes(said: str) -> None:
    """It becomes the name of an Invoke task."""
    assert schema.verb(said, _place, ("verb",)) == said


def test_an_integer_is_as_good_as_a_float() -> None:
    """TOML tells them apart, seconds don't."""
    assert schema.seconds(3, _place, ("timeout",)) == 3.0
    assert isinstance(schema.seconds(3, _place, ("timeout",)), float)
    assert schema.seconds_or_zero(0, _place, ("grace",)) == 0.0
