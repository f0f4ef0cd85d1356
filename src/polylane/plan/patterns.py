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
    """Whether a segment stands for more than its own name."""
    return "*" in segment or "?" in segment or "[" in segment


def literal_prefix(segments: Segments) -> Segments:
    """The folders that every path of the pattern lies in."""
    for i, segment in enumerate(segments):
        if is_glob(segment):
            return segments[:i]
    return segments


@lru_cache(maxsize=65536)
def meet(a: Segments, b: Segments) -> bool:
    """Whether some path may match both patterns."""
    if not a or not b:
        rest = a or b
        return all(segment == TREE for segment in rest)
    if a[0] == TREE:
        return len(a) == 1 or meet(a[1:], b) or meet(a, b[1:])
    if b[0] == TREE:
        return meet(b, a)
    return _names_meet(a[0], b[0]) and meet(a[1:], b[1:])


@lru_cache(maxsize=65536)
def within(inner: Segments, outer: Segments) -> bool:
    """Whether every path of ``inner`` surely matches ``outer``."""
    if outer == (TREE,):
        return True
    if not inner or not outer:
        return not inner and all(segment == TREE for segment in outer)
    if outer[0] == TREE:
        return within(inner, outer[1:]) or within(inner[1:], outer)
    if inner[0] == TREE:
        return False
    return _name_within(inner[0], outer[0]) and within(inner[1:], outer[1:])


def _names_meet(a: str, b: str) -> bool:
    if not is_glob(a):
        return a == b if not is_glob(b) else fnmatchcase(a, b)
    if not is_glob(b):
        return fnmatchcase(b, a)
    return _ends_agree(a, b) and _ends_agree(a[::-1], b[::-1])


def _ends_agree(a: str, b: str) -> bool:
    """Whether two globs may start alike: compares up to the first wildcard of either."""
    for x, y in zip(a, b, strict=False):
        if x in "*?[]" or y in "*?[]":
            return True
        if x != y:
            return False
    return True


def _name_within(inner: str, outer: str) -> bool:
    if outer in ("*", inner):
        return True
    return not is_glob(inner) and is_glob(outer) and fnmatchcase(inner, outer)
