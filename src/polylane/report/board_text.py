"""The live board as lines of text, for a width and a height.

Pure: it sees what runs, in figures. Knows nothing of terminals, clocks and processes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from polylane.plan.estimate import Estimate
from polylane.records import NamedTuple

#: So many running tasks have a line at most: the oldest.
MOST_TASKS = 8

#: A narrower board has neither CPU nor memory, and one narrower still no last lines.
_WIDE, _NARROW = 60, 30

_NAME_SHARE = 0.4
_LEAST_LAST = 8

#: Sequences for terminals (ECMA-48): CSI, OSC, and those of two or three characters.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")


class Running(NamedTuple):
    """A task that runs."""

    task: str
    age_s: float
    #: The last line of its output.
    last: str = ""
    #: Of one core; None where it was not measured yet.
    cpu: float | None = None
    rss_bytes: int | None = None


class State(NamedTuple):
    """A run at a moment."""

    total: int
    done: int
    running: Sequence[Running] = ()
    failed: int = 0
    slots: int = 1
    slots_used: int = 0
    age_s: float = 0.0
    left: Estimate | None = None
    #: What a start waits for: ``memory``, ``other runs``; or nothing.
    waits: str = ""


class Look(NamedTuple):
    """What the terminal can show."""

    unicode: bool = True
    colour: bool = False

    def paint(self, text: str, style: str) -> str:
        """Text in a colour, by the numbers of an SGR sequence."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour and text else text


def lines(state: State, width: int, height: int, look: Look) -> list[str]:
    """The board: at most ``height`` lines of less than ``width`` columns."""
    room = min(max(height - 1, 0), MOST_TASKS)
    oldest = sorted(state.running, key=lambda each: -each.age_s)
    shown = oldest if len(oldest) <= room else oldest[: max(room - 1, 0)]
    names = [fit(plain(each.task), max(int(width * _NAME_SHARE), 10), look) for each in shown]
    longest = max(map(columns, names), default=0)
    found = [_head(state, width - 1, look)]
    found += [
        _line(each, name + " " * (longest - columns(name)), width - 1, look)
        for each, name in zip(shown, names, strict=True)
    ]
    if len(shown) < len(oldest) and room:
        found.append(fit(f"  and {len(oldest) - len(shown)} more", width - 1, look))
    return found


def _head(state: State, width: int, look: Look) -> str:
    """As many parts as there is room for, the most wanted first."""
    parts = [(f"{state.done}/{state.total}", "1")]
    if state.failed:
        parts.append((f"{state.failed} failed", "31"))
    if state.waits:
        parts.append((f"waits for {state.waits}", "33"))
    if state.left is not None and state.left.likely >= 1:
        parts.append((f"{_left(state.left)} left", ""))
    parts.append((age(state.age_s), ""))
    parts.append((f"{state.slots_used} of {state.slots} slots", ""))
    if used := sum(each.rss_bytes or 0 for each in state.running):
        parts.append((size(used), ""))
    between = " · " if look.unicode else " | "
    taken, shown = columns(parts[0][0]), [parts[0]]
    for text, style in parts[1:]:
        if taken + len(between) + columns(text) <= width:
            taken += len(between) + columns(text)
            shown.append((text, style))
    painted = [look.paint(text, style) if style else text for text, style in shown]
    return between.join(painted) if taken <= width else fit(shown[0][0], width, look)


def _left(left: Estimate) -> str:
    return f"about {age(left.likely)}"


def _line(each: Running, name: str, width: int, look: Look) -> str:
    figures = f" {age(each.age_s):>6}"
    if width >= _WIDE:
        cpu = "" if each.cpu is None else f"{each.cpu:.0%}"
        rss = "" if each.rss_bytes is None else size(each.rss_bytes)
        figures += f" {cpu:>5} {rss:>7}"
    head = fit(f"  {name}{figures}", width, look)
    room = width - columns(head) - 2
    if width < _NARROW or room < _LEAST_LAST or not each.last:
        return head.rstrip()
    return f"{head}  {look.paint(fit(each.last, room, look), '2')}"


def age(seconds: float) -> str:
    """``7 s``, ``2m05s``, ``3h12m``."""
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def size(number: int) -> str:
    """``12 MB``, ``1.5 GB``."""
    return f"{number / 1e6:.0f} MB" if number < 999.5e6 else f"{number / 1e9:.1f} GB"  # noqa: PLR2004


def last_line(data: bytes) -> str:
    """The last line of output that says something, as plain text; a progress bar's last state."""
    text = ESCAPES.sub("", data.decode(errors="replace"))
    for line in reversed(re.split(r"[\r\n]+", text)):
        if said := plain(line).strip():
            return said
    return ""


def plain(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def columns(text: str) -> int:
    """How many columns a terminal takes for a text, by Unicode Standard Annex 11."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, width: int, look: Look) -> str:
    """A text in at most so many columns; where it is cut, a mark says so."""
    if not look.unicode:
        text = text.encode("ascii", "replace").decode()
    if columns(text) <= width:
        return text
    mark = "…" if look.unicode else "~"
    kept, taken = [], columns(mark)
    for character in text:
        taken += _columns(character)
        if taken > width:
            break
        kept.append(character)
    return "".join(kept) + mark if width > 0 else ""
