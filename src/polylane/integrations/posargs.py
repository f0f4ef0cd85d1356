"""Splits the words after nox's ``--`` into our flags and words for the tools.

Our flags come first. The first word that is none of them goes to the tools, and so does all that
follows it; a further ``--`` does the same for tools whose flags are spelled like ours. Knows
nothing of nox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from polylane.errors import UserError
from polylane.integrations import flags
from polylane.integrations.offers import Offer

_SWITCHES = ("--sequential", "--fail-fast")
_VALUES = ("--jobs", "--project", "--language", "--output", "--timeout", "--sandbox", "--report")


@dataclass(slots=True)
class Said:
    """What was said; values as texts."""

    switches: set[str] = field(default_factory=set)
    values: dict[str, list[str]] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    def last(self, flag: str) -> str:
        """The value of a flag that counts once, or an empty text."""
        return self.values.get(flag, [""])[-1]

    def names(self, flag: str) -> tuple[str, ...]:
        """The names that a flag was given, each time with commas between."""
        given = ",".join(self.values.get(flag, ())).split(",")
        return tuple(name.strip() for name in given if name.strip())

    def request(self) -> dict[str, Any]:
        """What goes into a `Request` as it is; a bad value is a `UserError`."""
        return {
            "sequential": "--sequential" in self.switches,
            "fail_fast": "--fail-fast" in self.switches,
            "jobs": flags.jobs(self.last("--jobs")),
            "output": flags.output(self.last("--output") or "auto"),
            "timeout": flags.seconds(self.last("--timeout")),
            "sandbox": flags.sandbox(self.last("--sandbox")),
            "reports": flags.reports(self.values.get("--report", ())),
            "words": self.words,
        }


def split(posargs: Sequence[str], offer: Offer) -> Said:
    """Split the words after ``--`` of the session for ``offer``."""
    said = Said()
    todo = list(posargs)
    while todo:
        flag, equals, value = todo[0].partition("=")
        if flag in _SWITCHES and not equals:
            said.switches.add(flag)
        elif flag in _VALUES:
            if not equals:
                value = _value(flag, todo)
            said.values.setdefault(flag, []).append(value)
        else:
            break
        del todo[0]
    said.words = tuple(todo[1:] if todo[:1] == ["--"] else todo)
    if offer.languages and "--language" in said.values:
        raise UserError(
            f"--language {said.last('--language')}: the session {offer.name} is for"
            f" {offer.languages[0]} already; leave one of them out"
        )
    return said


def _value(flag: str, todo: list[str]) -> str:
    """Take a flag's value, which is its next word."""
    if len(todo) < 2 or todo[1] == "--":  # noqa: PLR2004 - the flag and its value
        raise UserError(f"{flag}: has no value; give it as {flag} VALUE")
    return todo.pop(1)
