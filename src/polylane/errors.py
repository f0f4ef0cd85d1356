"""What can go wrong that is not a task's failure, and the exit codes that say so.

Knows nothing of tasks, files or processes.
"""

from __future__ import annotations

from collections.abc import Iterable

PASSED = 0
FAILED = 1
USAGE = 2
DEFECT = 3

#: Exit code of a run that a signal ended: 128 + the signal's number, as shells say it.
SIGNAL_BASE = 128


class UserError(Exception):
    """Bad usage or configuration: one line with what, which value, where, and how to mend it."""

    exit_code = USAGE

    def __init__(self, message: str) -> None:
        """Whatever names and values the message holds, it stays one line."""
        super().__init__("".join(c if c.isprintable() else _escaped(c) for c in message))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the closest of ``known``, else an empty string."""
    import difflib  # only bad input needs it

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
