"""The part of a log that a report has room for: its beginning and its end, in whole lines.

Reads no more of a log than that, however long it is. Knows nothing of formats.
"""

from __future__ import annotations

from pathlib import Path

from polylane.records import NamedTuple
from polylane.report.formats import ansi
from polylane.report.formats.units import size

#: Of a log that is cut, so much of what there is room for goes to its beginning.
_HEAD = 0.125


class Excerpt(NamedTuple):
    """What is shown of a log; sizes in bytes."""

    head: bytes = b""
    #: Empty where all stands in ``head``.
    tail: bytes = b""
    size: int = 0

    @property
    def left_out(self) -> int:
        """What is not shown."""
        return self.size - len(self.head) - len(self.tail)

    @property
    def note(self) -> str:
        """What stands between the two; empty where nothing is left out."""
        if not self.left_out:
            return ""
        if not self.head and not self.tail:
            return f"{size(self.size)}, not shown"
        return f"{size(self.left_out)} of {size(self.size)} left out"

    def text(self) -> str:
        """All of it without styles, with the note where something is left out."""
        parts = [ansi.plain(self.head), f"[... {self.note} ...]\n" if self.note else ""]
        return "".join([*parts, ansi.plain(self.tail)])


def read(log: Path | None, limit: int) -> Excerpt:
    """At most ``limit`` bytes of a log; nothing of one that cannot be read or holds no text."""
    try:
        return Excerpt() if log is None else _read(log, limit)
    except OSError:
        return Excerpt()


def _read(log: Path, limit: int) -> Excerpt:
    with log.open("rb") as file:
        whole = file.seek(0, 2)
        file.seek(0)
        if whole <= limit:
            data = file.read(limit)
            return Excerpt(size=whole) if ansi.is_binary(data) else Excerpt(data, b"", len(data))
        head = file.read(int(limit * _HEAD))
        file.seek(whole - (limit - len(head)))
        tail = file.read(limit - len(head))
    if ansi.is_binary(head or tail) or ansi.is_binary(tail):
        return Excerpt(size=whole)
    return Excerpt(_to_last_line(head), _from_first_line(tail), whole)


def _to_last_line(head: bytes) -> bytes:
    return head[: head.rfind(b"\n") + 1]


def _from_first_line(tail: bytes) -> bytes:
    """Without the rest of a line whose beginning is not there; one long line stays as it is."""
    return tail[tail.find(b"\n") + 1 :] if b"\n" in tail[:-1] else tail
