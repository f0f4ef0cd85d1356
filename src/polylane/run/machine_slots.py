"""One run's share of the slots that all runs on a machine have in common.

A run that nobody waits for keeps its slots from one task to the next, which costs a task two
system calls; where others wait, a slot goes to whose turn it is.

Knows nothing of what tasks do, and never blocks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from polylane.plan.memory import still_to_take
from polylane.run import tree
from polylane.run.share import Wish
from polylane.run.slot_file import SLOTS, SlotFile, Use, Waiting, slot_place
from polylane.run.slot_line import Line

#: So long a slot may go from task to task of one run while others wait: to hand it on after each
#: task of a millisecond would cost as much as the task.
_TURN_S = 0.1

#: A run that has waited so long, and has nothing, says so.
_SAY_S = 2.0

#: Instead of a slot's number: the slot of the task that we run in, and one that was lost in a stop.
_OUTER = -1
_LOST = -2

#: What is said of slots that were lent.
_LENT = "jobs inside tasks"


class MachineSlots:
    """The share of a run that has joined: see `Share`."""

    def __init__(self, file: SlotFile, wish: Wish, say: Callable[[str], None]) -> None:
        """`OSError` where the file cannot be used."""
        self.watch: Callable[[int, bool], None] = lambda _descriptor, _on: None
        self._file = file
        self.keeps: tuple[int, ...] = (file.descriptor,)
        self._say = say
        self._line = Line(file, self._watch)
        wanted = min(wish.slots or 1, SLOTS)
        try:
            agreed = self._line.enter(wanted, wish.name, said=wish.said)
        except OSError:
            file.close()
            raise
        self.slots = agreed.slots
        if wish.said and agreed.slots != wanted:
            say(
                f"this machine's number of slots is {agreed.slots} until the runs on it have ended,"
                f" not {wanted}"
            )
        #: This run may use the first so many.
        self.limit = agreed.slots if agreed.said else max(agreed.slots, min(wish.jobs, SLOTS))
        self._of: dict[int, list[int]] = {}
        #: Ours, and used by no task.
        self._idle = [_OUTER] if wish.inside else []
        self._inside = wish.inside
        #: Memory, in bytes.
        self._expected = 0
        self._lent: list[int] = []
        #: When each of ours was locked.
        self._locked: dict[int, float] = {}
        self._refused = self._told = self._must_ring = self.has_waited = False

    def _watch(self, descriptor: int, on: bool) -> None:  # noqa: FBT001
        self.watch(descriptor, on)

    @property
    def waits(self) -> bool:
        """See `Share`."""
        return self._refused

    def look(self) -> None:
        """See `Share`."""
        self._refused = False
        self._line.hush()

    def take(self, task: int, name: str, least: int, most: int) -> int:
        """See `Share`."""
        if task not in self._of:
            got = self._get(min(least, self.limit), min(most, self.limit))
            if not got:
                return 0
            self._of[task] = got
            self._note(got, name)
        return len(self._of[task])

    def _note(self, slots: Iterable[int], name: str) -> None:
        now = time.time()
        for slot in slots:
            if slot >= 0:
                self._file.write_use(Use(slot, self._line.number, now, name))

    def _get(self, least: int, most: int) -> list[int]:
        """Slots for one task; where there are too few, none, and we wait."""
        got = self._try(least, most)
        if not got:
            self._line.wait(self._has(), least)
            # What was freed before that rang nobody for us; what is freed from here on does.
            got = self._try(least, most)
        if not got:
            self._refused = True
            self.has_waited = self.has_waited or self._has() + least <= self.limit
            self._say_that_we_wait()
        elif self._line.leave():
            self._must_ring = True  # there may be more, for the next in the line
        return got

    def _try(self, least: int, most: int) -> list[int]:
        is_ours = self._line.is_ours(self._has(), self._line.others())
        if not is_ours:
            self._hand_on()
        got = sorted(self._idle)[:most]
        more = self._lock_free(most - len(got)) if is_ours else []
        # Inside a task, one can always go on: two such tasks may have all slots there are.
        if _OUTER not in got and len(got) + len(more) < least:
            self._free(more)
            return []
        self._idle = [slot for slot in self._idle if slot not in got]
        return got + more

    def _hand_on(self) -> None:
        """Free the idle slots whose turn is over."""
        limit = time.monotonic() - _TURN_S
        over = [slot for slot in self._idle if slot >= 0 and self._locked[slot] < limit]
        self._idle = [slot for slot in self._idle if slot not in over]
        self._free(over)

    def _lock_free(self, count: int) -> list[int]:
        got: list[int] = []
        for slot in range(self.limit if count > 0 else 0):
            if slot not in self._locked and self._file.lock(slot_place(slot)):
                self._locked[slot] = time.monotonic()
                got.append(slot)
                if len(got) == count:
                    break
        return got

    def _free(self, slots: Iterable[int]) -> None:
        for slot in slots:
            if slot >= 0:
                del self._locked[slot]
                self._file.unlock(slot_place(slot))
                self._must_ring = True

    def _has(self) -> int:
        return sum(map(len, self._of.values())) + len(self._lent)

    def _say_that_we_wait(self) -> None:
        if not self._told and not self._of and self._line.waited_s > _SAY_S:
            self._told = True
            self._say(
                "waiting for other runs on this machine, which have all of its slots"
                f" ({self.slots}): inv lanes.slots shows them"
            )

    def ended(self, task: int) -> None:
        """See `Share`."""
        self._idle += [slot for slot in self._of.pop(task, ()) if slot != _LOST]

    def settle(self) -> None:
        """See `Share`."""
        if self._idle and self._idle != [_OUTER]:
            self._free(self._idle)
            self._idle = [slot for slot in self._idle if slot < 0]
        if not self._refused and self._line.leave():
            self._must_ring = True
        self._ring()

    def _ring(self) -> None:
        if self._must_ring:
            self._must_ring = False
            self._line.ring()

    def lend(self, count: int) -> int:
        """See `Share`."""
        if self._line.others():
            return 0
        got = [slot for slot in self._idle if slot >= 0][:count]
        self._idle = [slot for slot in self._idle if slot not in got]
        got += self._lock_free(count - len(got))
        self._note(got, _LENT)
        self._lent += got
        self._line.lend(len(self._lent))
        return len(got)

    def wanted(self) -> int:
        """See `Share`."""
        if not self._lent:
            return 0
        return min(len(self._lent), sum(max(1, each.wants) for each in self._line.others()))

    def give_back(self, count: int) -> None:
        """See `Share`."""
        self._free(self._lent[:count])
        del self._lent[:count]
        self._line.lend(len(self._lent))
        self._ring()

    def expect(self, size: int) -> None:
        """See `Share`. What a run inside a task takes is expected of that task."""
        self._expected = size
        if not self._inside:
            self._line.expect(size)

    def others_expect(self) -> int:
        """See `Share`."""
        return sum(run.expects for run in self._expecting())

    def others_lack(self) -> int:
        """See `Share`. All that a run has started is below its own process."""
        runs = self._expecting()
        used = {r.number: tree.resident_bytes(tree.descendants(r.pid)) for r in runs}
        return still_to_take({r.number: r.expects for r in runs}, used)

    def _expecting(self) -> list[Waiting]:
        return [] if self._inside else self._line.expecting()

    def suspend(self) -> None:
        """See `Share`. Who forgets a stopped run in the background holds up nobody by it."""
        for slots in (*self._of.values(), self._lent):
            self._free(slots)
            slots[:] = [_LOST if slot >= 0 else slot for slot in slots]
        self._line.expect(0)
        self._must_ring = self._line.leave() or self._must_ring
        self._ring()

    def resume(self) -> None:
        """See `Share`. What others have now is lost: until tasks end, more run than there are."""
        for slots in (*self._of.values(), self._lent):
            lost = slots.count(_LOST)
            again = self._lock_free(lost)
            slots[:] = [*(s for s in slots if s != _LOST), *again, *[_LOST] * (lost - len(again))]
        self.expect(self._expected)

    def close(self) -> None:
        """See `Share`."""
        for slots in (*self._of.values(), self._lent, self._idle):
            self._free(slots)
        self._line.close()
        self._ring()
        self._file.close()
