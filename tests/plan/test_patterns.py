"""Patterns as sets of paths."""

from __future__ import annotations

import pytest
from hypothesis import given

from polylane.plan.patterns import literal_prefix, meet, parse, within
from tests.plan.examples import matched, patterns, searched


@searched
@given(patterns, patterns)
def test_patterns_that_share_a_path_meet(a: str, b: str) -> None:
    """Meet errs to yes only: two patterns with a path in common always meet, either way round."""
    if matched(a) & matched(b):
        assert meet(parse(a), parse(b))
        assert meet(parse(b), parse(a))


@searched
@given(patterns, patterns)
def test_a_pattern_within_another_has_only_its_paths(a: str, b: str) -> None:
    """Within errs to no only: what it says is within has no path outside."""
    if within(parse(a), parse(b)):
        assert matched(a) <= matched(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("a", "b"),
        ("a/x", "a/y"),
        ("*.py", "*.ts"),
        ("test_*", "spec_*"),
        ("a?c", "axxc"),
        ("a*b", "b*a"),
        ("?", "ab"),
        ("?", "?X*"),
        ("*a*b*", "a"),
        ("src/**/x/*", "tests/**"),
        ("**/dist/*", "**/src/*"),
        ("a/*", "a/b/c"),
        ("[ab]", "a"),
        ("[ab]*", "abc"),
    ],
)
def test_patterns_without_a_common_path_do_not_meet(a: str, b: str) -> None:
    """Meet says no where no path can match both; ``[`` is a letter."""
    assert not meet(parse(a), parse(b))
    assert not meet(parse(b), parse(a))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("a", "a/b"),
        ("a/*", "a"),
        ("a/*", "a/b"),
        ("**", "."),
        ("*.py", "test_*"),
        ("a*c", "ab?"),
        ("*a*", "*b*"),
        ("**/x", "x/**/y"),
        ("**/x/*", "a/**/y"),
        ("src/[id]", "src/[id]/page"),
        ("src/[id]", "src/*d]"),
        ("src/[id]x", "src/[id]*"),
        ("a/**/**/b", "a/b"),
        ("a/./b/", "a//b"),
    ],
)
def test_patterns_with_a_common_path_meet(a: str, b: str) -> None:
    """Meet says yes for a folder and what is below it, and for names that both globs match."""
    assert meet(parse(a), parse(b))
    assert meet(parse(b), parse(a))


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("a/b", "a"),
        ("a", "a/**"),
        ("a/*.py", "a"),
        ("a/*", "**"),
        ("a/b", "a/*/**"),
        ("test_*.py", "*.py"),
        ("test_a.py", "test_?.py"),
        ("a/b/c.pyc", "**/*.pyc"),
        ("a/**/x", "**/x"),
        ("a/x", "**/x"),
        ("a/b/**/c", "a/b"),
        ("ab*", "?b*"),
        ("[a]x", "[a]*"),
        ("ab*", "a*"),
        ("?", "*/**"),
        ("[a]", "[a]"),
        (".", "."),
    ],
)
def test_a_pattern_that_is_plainly_held_is_within(inner: str, outer: str) -> None:
    """Within says yes where a folder, a tree or a glob plainly holds the other pattern."""
    assert within(parse(inner), parse(outer))


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("a", "a/b"),
        ("a", "a/*"),
        ("a/**", "a/*/**"),
        ("**", "a"),
        ("*", "a"),
        ("*.py", "test_*"),
        ("?", "a"),
        ("?", "?X*"),
        ("*", "?"),
        ("a*", "a?"),
        ("a*", "ab*"),
        ("a", "[a]"),
        ("a/b/c", "a/*"),
        ("**/x", "a/**"),
    ],
)
def test_a_pattern_with_paths_outside_is_not_within(inner: str, outer: str) -> None:
    """Within says no where some path of the inner pattern does not match the outer one."""
    assert not within(parse(inner), parse(outer))


@pytest.mark.parametrize(
    ("pattern", "segments"),
    [
        ("a/b", ("a", "b", "**")),
        ("a/", ("a", "**")),
        ("./a//b/.", ("a", "b", "**")),
        (".", ("**",)),
        ("", ("**",)),
        ("a/*", ("a", "*")),
        ("*", ("*",)),
        ("a/**", ("a", "**")),
        ("a/**/**/b", ("a", "**", "b", "**")),
        ("a/*.py", ("a", "*.py", "**")),
    ],
)
def test_a_pattern_is_parsed_into_its_segments(pattern: str, segments: tuple[str, ...]) -> None:
    """Only a listing and a tree end as they are said: all else means what lies below, too."""
    assert parse(pattern) == segments


@pytest.mark.parametrize(
    ("pattern", "folders"),
    [
        ("a/b/*.py", ("a", "b")),
        ("**/a", ()),
        ("a/b?/c", ("a",)),
        ("a/[b]/c*", ("a", "[b]")),
    ],
)
def test_the_literal_prefix_ends_before_the_first_wildcard(
    pattern: str, folders: tuple[str, ...]
) -> None:
    """The folders that hold every path of a pattern."""
    assert literal_prefix(parse(pattern)) == folders


def test_a_pattern_of_literal_segments_is_its_own_prefix() -> None:
    """Without a wildcard everything is prefix."""
    assert literal_prefix(("a", "b")) == ("a", "b")


def test_long_patterns_are_compared_at_once() -> None:
    """Many wildcards, and names of 255 letters, neither take for ever nor exhaust the stack."""
    many = "/".join(["**", "a*a*a*a*a*c"] * 20)
    assert not meet(parse(many), parse("/".join(["a" * 200 + "b"] * 30) + "/*"))
    assert meet(parse("*" + "a" * 253 + "*"), parse("a" * 255))
    assert within(parse("a" * 250 + "*"), parse("a" * 200 + "*"))
