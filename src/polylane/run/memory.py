"""Says whether a task may start, by the memory that it needs, and whether memory ended it.

Joins what tasks are expected to need with what the machine has left. Knows nothing of slots, nor of
how tasks run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from polylane.plan.memory import Need, floor, in_words, still_to_take
from polylane.run.oom import Kills
from polylane.run.protocol import Report
from polylane.run.share import Unshared

if TYPE_CHECKING:
    from polylane.run.available import Available

#: While there is plenty, what is left is read no more often than this.
_LOOK_S = 0.1
#: What was found out of running tasks holds for so long.
_FRESH_S = 0.01


class Plenty:
    """As if there were always enough."""

    held_back = False

    def fits(self, task: int) -> bool:  # noqa: ARG002
        """See `Budget`."""
        return True

    def started(self, task: int) -> None:
        """See `Budget`."""

    def ended(self, task: int, report: Report, *, failed: bool) -> str:  # noqa: ARG002
        """See `Budget`."""
        return ""

    def said(self, task: int) -> str:  # noqa: ARG002
        """See `Budget`."""
        return ""


class Others(Protocol):
    """The other runs on the machine, which take of the same memory."""

    def expect(self, size: int) -> None:
        """Our tasks are expected to take so much together, in bytes."""

    def others_expect(self) -> int:
        """What their tasks are expected to take together, in bytes."""

    def others_lack(self) -> int:
        """What these have still to take, by what they use now."""


class Memory:
    """The budget of a run."""

    def __init__(
        self,
        said: int | str,
        needs: Sequence[Need],
        used: Callable[[int], int],
        *,
        others: Others | None = None,
        available: Available | None = None,
        kills: Kills | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``said``: the budget in bytes, ``"auto"``, or a percentage of the machine's memory.

        ``needs``: by task; empty where nothing is held back. ``used``: what a running task uses
        now, in bytes. What ``others`` have still to take is theirs, but of a budget in bytes.
        """
        self._others = others or Unshared()
        self._known_available = available
        self._kills = kills or Kills(self._kills_here)
        self._said = said
        self._budget = said if isinstance(said, int) else self._share(said)
        self._needs = needs
        self._used = used
        self._clock = clock
        #: What running tasks are expected to need, by task.
        self._expected: dict[int, int] = {}
        #: All of that, as others were told.
        self._together = 0
        self._read_at = self._worked_out_at = float("-inf")
        self._read = self._worked_out = 0
        self._first: int | None = None
        #: Of those that run, the ones that had company.
        self._beside: set[int] = set()
        #: The task that runs although it does not fit.
        self._lonely: int | None = None
        #: Whether a task has been held back since the last one started or ended.
        self.held_back = False
        #: By task: why nothing ran beside it, and that the kernel killed it, in words.
        self.alone: dict[int, str] = {}
        self.killed: dict[int, str] = {}

    @property
    def _available(self) -> Available:
        if self._known_available is None:
            from polylane.run.available import Available  # small tasks need none

            self._known_available = Available()
        return self._known_available

    def _kills_here(self) -> int | None:
        return self._available.kills()

    def _share(self, said: str) -> int | None:
        whole = None if said == "auto" else self._available.whole
        return None if whole is None else whole * int(said[:-1]) // 100

    def fits(self, task: int) -> bool:
        """Whether a task may start beside those that run; one may always run."""
        if not self._needs:
            return True
        if self._lonely is None and (not self._expected or self._has_room(self._needs[task].size)):
            return True
        self.held_back = True
        return False

    def started(self, task: int) -> None:
        """A task starts, for the first time or again."""
        self._kills.started(task)
        need = self._needs[task] if self._needs else _NOTHING
        if self._expected:
            self._beside.update((task, *self._expected))
        elif not self._has_room(need.size):
            self._lonely = task
            self.alone[task] = (
                f"ran alone: it needs {in_words(need.size)} of memory ({need.why}),"
                f" and {self._left_in_words()}"
            )
        self._expected[task] = need.size
        self._changed()

    def ended(self, task: int, report: Report, *, failed: bool) -> str:
        """It has ended; how memory ended it, in words, or nothing."""
        killed = self._killed(task, report) if failed else ""
        self._expected.pop(task, None)
        self._beside.discard(task)
        if self._lonely == task:
            self._lonely = None
        self._changed()
        return killed

    def _changed(self) -> None:
        together = sum(self._expected.values())
        if together != self._together:
            self._together = together
            self._others.expect(together)
        self.held_back = False
        self._worked_out_at = float("-inf")

    def _killed(self, task: int, report: Report) -> str:
        words = self._kills.of(task, report, beside=task in self._beside)
        if not words:
            return ""
        if task in self.killed:
            words += ", also when it ran alone"
        self.killed[task] = words
        return words

    def said(self, task: int) -> str:
        """What else is to be said of a task that passed."""
        if task in self.killed:
            return f"{self.killed[task]}, so it was retried alone"
        return self.alone.get(task, "")

    def _has_room(self, size: int) -> bool:
        """Whether so much is left; looks no closer than it must."""
        if size == 0:
            return True
        now = self._clock()
        if self._budget is None and now - self._read_at >= _LOOK_S:
            self._look(now)
        # As if those that run had taken nothing yet.
        if size <= self._all() - self._together - self._of_others():
            return True
        return self._budget is None and size <= self._left()

    def _of_others(self) -> int:
        return self._others.others_expect() if self._budget is None else 0

    def _all(self) -> int:
        return self._read if self._budget is None else self._budget

    def _look(self, now: float) -> None:
        left, whole = self._available.left(), self._available.whole
        self._read_at = now
        self._read = _UNKNOWN if left is None or whole is None else left - floor(whole)
        self._first = self._read if self._first is None else self._first

    def _left(self) -> int:
        """What is left when those that run have taken what they are expected to."""
        if self._budget is not None:
            return self._budget - self._together
        now = self._clock()
        if now - self._worked_out_at >= _FRESH_S:
            self._look(now)
            used = {task: self._used(task) for task, size in self._expected.items() if size}
            self._worked_out = self._read - still_to_take(self._expected, used)
            self._worked_out -= self._others.others_lack()
            self._worked_out_at = now
        return self._worked_out

    def _left_in_words(self) -> str:
        left = in_words(self._left())
        return f"{left} are left" if self._budget is None else f"the budget is {left}"

    def to_json(self, ids: Sequence[str]) -> dict[str, Any]:
        """What ``result.json`` says of it; ``ids`` are those of the tasks."""
        known = self._budget if self._budget is not None else self._first
        return {
            "budget": self._said,
            "budget_bytes": known if known != _UNKNOWN else None,
            "ran_alone": {ids[task]: words for task, words in sorted(self.alone.items())},
            "killed": {ids[task]: words for task, words in sorted(self.killed.items())},
        }


#: Where nobody says what is left, everything fits.
_UNKNOWN = 1 << 62
_NOTHING = Need(0, "")
