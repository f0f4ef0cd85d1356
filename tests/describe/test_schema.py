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
    [
        ("1B", None),
        ("1kB", 1000),
        ("2 mb", 2_000_000),
        ("6GB", 6_000_000_000),
        ("1.5GiB", 3 << 29),
        (" 512 MiB ", 512 << 20),
        ("1TB", 10**12),
        ("1TiB", 1 << 40),
        ("0GB", None),
        ("0.0001KB", None),
        ("-1GB", None),
        ("1e3MB", None),
        ("1,5GB", None),
        ("GB", None),
        ("", None),
        (6_000_000_000, None),
        (True, None),
        ("auto", None),
        ("50%", None),
        ("\uff11GB", None),
    ],
)
def test_a_size_has_a_unit(said: object, value: int | None) -> None:
    """A number alone could be bytes or megabytes; a power of ten differs from one of two."""
    if value is not None:
        assert schema.size(said, _place, ("memory",)) == value
        assert schema.memory(said, _place, ("memory",)) == value
        return
    with pytest.raises(UserError) as caught:
        schema.size(said, _place, ("memory",))
    shown = str(said).lower() if isinstance(said, bool) else repr(said)
    assert str(caught.value) == f'--memory = {shown}: must be a size such as "1GB" or "512MiB"'


@pytest.mark.parametrize("said", ["auto", "50%", "100%", "1%"])
def test_a_runs_memory_may_be_auto_or_a_share(said: str) -> None:
    """Of what there is on the machine that runs it."""
    assert schema.memory(f" {said}", _place, ("memory",)) == said


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("6G", "; did you mean '6GB'?"),
        ("1.5 m", "; did you mean '1.5MB'?"),
        ("aut", "; did you mean 'auto'?"),
        ("0%", ""),
        ("101%", ""),
        ("lots", ""),
        (6, ""),
        ("6", ""),
        (None, ""),
    ],
)
def test_other_memory_is_refused(said: object, hint: str) -> None:
    """With what may have been meant: G is GB to some and GiB to others."""
    with pytest.raises(UserError) as caught:
        schema.memory(said, _place, ("memory",))
    assert str(caught.value) == (
        f'--memory = {said!r}: must be "auto", a size such as "6GB", or a percentage such as'
        f' "50%"{hint}'
    )
    with pytest.raises(UserError, match="must be a size such as"):
        schema.size(said, _place, ("memory",))


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
