"""Logs without what changes from run to run though nothing differs: times, addresses, names.

Knows nothing of runs and tasks. `WHAT` says in words what is replaced.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_CLOCK = rb"\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?: ?[AaPp]\.?[Mm]\.?)?"
_ZONE = rb"(?: ?(?:Z|UTC|GMT|[A-Z]{3,4}|[+-]\d\d:?\d\d))?"
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? "
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_NUMBER = rb"\d+(?:[.,]\d+)?"
_UNIT = rb"(?:ns|us|\xc2\xb5s|\xce\xbcs|ms|s|secs?|seconds?|milliseconds?|mins?|minutes?)"
_SIZE = rb"(?:[kKMG]i?)?[bB](?:ytes)?"

#: What is replaced, by what, and how it is found; each sees what those before it have left.
_RULES: tuple[tuple[str, bytes, bytes], ...] = (
    ("colours and cursor movements", rb"\x1b\[[0-9;?]*[A-Za-z]", b""),
    ("what a carriage return has overwritten", rb"[^\n]*\r(?=[^\n])", b""),
    ("ids of runs", rb"\b\d{8}-\d{6}-\d{3,}-\d+\b", b"<run>"),
    (
        "dates",
        rb"\b(?:" + _DAY + rb")?\d{4}-\d\d-\d\d(?:[T ]" + _CLOCK + _ZONE + rb")?"
        rb"|\b" + _DAY + _MONTH + rb" +\d{1,2} " + _CLOCK + rb"(?: [A-Z]{3,4})?(?: \d{4})?"
        rb"|\b" + _DAY + rb"\d{1,2} " + _MONTH + rb"(?: \d{4})?(?: " + _CLOCK + _ZONE + rb")?",
        b"<date>",
    ),
    ("times of day", rb"(?<![\w:.])" + _CLOCK + _ZONE + rb"\b", b"<time>"),
    (
        "durations and speeds",
        rb"\b(?:duration|time|elapsed)(?:_ms|_s)?[\"']?[ :=]+" + _NUMBER + rb"\b"
        rb"|(?<![\w.])(?:" + _NUMBER + rb" ?(?:" + _SIZE + rb"|\w+)/s(?:ec(?:ond)?)?\b"
        rb"|(?:\d+ ?h ?)?(?:\d+ ?m(?:in)? ?)" + _NUMBER + rb" ?s\b"
        rb"|" + _NUMBER + rb" ?" + _UNIT + rb"\b)",
        b"<duration>",
    ),
    # jest says them of slow tests only, vitest has a line for each of these.
    ("durations between parentheses", rb" ?\(<duration>\)", b""),
    ("slow tests that have a line of their own", rb"(?m)^ {3,}\S+ .* <duration>$\n?", b""),
    ("addresses in memory", rb"\b0x[0-9a-fA-F]{6,}\b", b"<address>"),
    (
        "process ids",
        rb"(?<=\(node:)\d+(?=\))|\b(?:pid|PID|Pid|process|Process)[ =:#]{1,2}\d+\b",
        b"<pid>",
    ),
    (
        "ports",
        (
            rb"(?<=localhost:)\d{2,5}\b|(?<=\b127\.0\.0\.1:)\d{2,5}\b|(?<=\b0\.0\.0\.0:)\d{2,5}\b"
            rb"|(?<=\[::1\]:)\d{2,5}\b|(?<=\[::\]:)\d{2,5}\b|\b[Pp]ort[ =:]{1,2}\d{2,5}\b"
        ),
        b"<port>",
    ),
    ("counted names of temporary folders", rb"\bpytest-\d+\b", b"pytest-<n>"),
    ("the length of ruled lines", rb"(=|-|_|\*|\xe2\x94\x80)\1{3,}", rb"\1\1\1\1"),
    ("the width of gaps", rb"[ \t]+(?=\n|$)|(?<=\S)[ \t]{2,}", b" "),
)

_COMPILED = [(re.compile(pattern), new) for _, pattern, new in _RULES]

#: What is replaced, in words.
WHAT = ("names in the temporary folder", *(words for words, _, _ in _RULES))


class Normal:
    """Makes logs of one round comparable with those of another."""

    def __init__(self, replaced: Iterable[tuple[str, str]] = ()) -> None:
        """``replaced``: texts that a round has instead of others, such as the path of a copy."""
        self._replaced = [(a.encode(), b.encode()) for a, b in replaced if a != b]
        self._temporary = _temporary_names()

    def lines(self, log: bytes) -> list[bytes]:
        """The lines of a log, normalised."""
        for old, new in self._replaced:
            log = log.replace(old, new)
        log = self._temporary(log)
        for pattern, new in _COMPILED:
            log = pattern.sub(new, log)
        return [line.rstrip() for line in log.split(b"\n")]


def _temporary_names() -> Callable[[bytes], bytes]:
    """Replace the first name below the temporary folder, which is made up as a rule."""
    folders = {tempfile.gettempdir(), str(Path(tempfile.gettempdir()).resolve()), *_USUAL}
    names = b"|".join(re.escape(folder.encode()) for folder in sorted(folders, reverse=True))
    private = rb"(?:/polylane-[^/\s]+)?"  # a task's own one, in a workspace that lies in there
    pattern = re.compile(rb"(?<![\w.-])(" + names + rb")" + private + rb"/[^\s/'\"`:,;()<>\[\]]+")
    return lambda log: pattern.sub(rb"\1/<name>", log)


_USUAL = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  # nosec B108 - looked for, not used


def first_difference(one: list[bytes], other: list[bytes]) -> str:
    """The first line that only one of two logs has: ``line 3: 'a' instead of 'b'``."""
    for number, (mine, theirs) in enumerate(_pairs(one, other), 1):
        if mine != theirs:
            return f"line {number}: {_shown(theirs)} instead of {_shown(mine)}"
    return "nothing"


def _pairs(one: list[bytes], other: list[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    for i in range(max(len(one), len(other))):
        yield (one[i] if i < len(one) else None), (other[i] if i < len(other) else None)


_SHOWN = 90


def _shown(line: bytes | None) -> str:
    if line is None:
        return "no line"
    text = repr(line.decode(errors="backslashreplace").strip())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
