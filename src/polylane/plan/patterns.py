"""Path patterns of claims as sets of paths: do two meet, does one hold the other.

Knows nothing of tasks, and never looks at a disk: it answers for every file that could ever exist.
Where it cannot be sure it errs to the safe side: `meet` says yes, `within` says no.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

#: A pattern as its path segments; ``**`` is any number of them, none included.
Segments = tuple[str, ...]

TREE = "**"


def parse(pattern: str) -> Segments:
    """Parse a pattern without its leading ``!``.

    A path without a wildcard at its end means the file, or the folder with all below it, so that
    it ends in ``**`` here. Only ``dir/*`` (the listing of ``dir``) stays as it is.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if not parts or (parts[-1] != "*" and parts[-1] != TREE):
        parts.append(TREE)
    return tuple(part for i, part in enumerate(parts) if part != TREE or parts[i - 1 : i] != [TREE])


def is_glob(segment: str) -> bool:
    """Whether a segment stands for more than its own name: ``[`` is a letter like any other."""
    return "*" in segment or "?" in segment


def literal_prefix(segments: Segments) -> Segments:
    """The folders that every path of the pattern lies in."""
    for i, segment in enumerate(segments):
        if is_glob(segment):
            return segments[:i]
    return segments


def meet(a: Segments, b: Segments) -> bool:
    """Whether some path may match both patterns."""
    for common, (x, y) in enumerate(zip(a, b, strict=False)):
        if is_glob(x) or is_glob(y):
            return _meet(a[common:], b[common:])
        if x != y:
            return False
    raise AssertionError("BUG: a pattern ends in no wildcard")


@lru_cache(maxsize=65536)
def _meet(a: Segments, b: Segments) -> bool:
    if not a or not b:
        return all(segment == TREE for segment in a or b)
    if a[0] == TREE:
        return len(a) == 1 or _meet(a[1:], b) or _meet(a, b[1:])
    if b[0] == TREE:
        return _meet(b, a)
    return _names_meet(a[0], b[0]) and _meet(a[1:], b[1:])


def within(inner: Segments, outer: Segments) -> bool:
    """Whether every path of ``inner`` surely matches ``outer``."""
    if outer == (TREE,):
        return True
    if outer[-1:] == (TREE,) and inner[: len(outer) - 1] == outer[:-1]:
        return True
    return _within(inner, outer)


@lru_cache(maxsize=65536)
def _within(inner: Segments, outer: Segments) -> bool:
    if not inner or not outer:
        return not inner and all(segment == TREE for segment in outer)
    if outer[0] == TREE:
        return _within(inner, outer[1:]) or _within(inner[1:], outer)
    if inner[0] == TREE:
        return False
    return _name_within(inner[0], outer[0]) and _within(inner[1:], outer[1:])


def _names_meet(a: str, b: str) -> bool:
    """Whether some name matches both; each may be a glob."""
    if not is_glob(a):
        return fnmatchcase(a, b.replace("[", "[[]")) if is_glob(b) else a == b
    return _globs_meet(a, b) if is_glob(b) else _names_meet(b, a)


def _name_within(inner: str, outer: str) -> bool:
    """Whether every name that matches ``inner`` surely matches ``outer``."""
    if is_glob(inner):
        return _glob_within(inner, outer)
    return _names_meet(inner, outer)


@lru_cache(maxsize=65536)
def _globs_meet(a: str, b: str) -> bool:
    if not a or not b:
        return not (a or b).strip("*")
    if b[0] == "*" and a[0] != "*":
        return _globs_meet(b, a)
    if a[0] == "*":
        return _globs_meet(a[1:], b) or _globs_meet(a, b[1:])
    return (a[0] == b[0] or "?" in {a[0], b[0]}) and _globs_meet(a[1:], b[1:])


@lru_cache(maxsize=65536)
def _glob_within(inner: str, outer: str) -> bool:
    if not inner or not outer:
        return not inner and not outer.strip("*")
    if outer[0] == "*":
        return _glob_within(inner, outer[1:]) or _glob_within(inner[1:], outer)
    if inner[0] == "*":
        return False
    return outer[0] in {"?", inner[0]} and _glob_within(inner[1:], outer[1:])
