"""The line of the runs that wait for a slot of the machine: who is in it, and whose turn it is.

The first is the run that has fewest slots, and among those with as many the one that has waited
longest. Who frees slots rings the first one's bell, a fifo. One that has not been heard of for a
second holds up nobody: it is stopped, or its runner was killed.

Knows nothing of how slots are taken.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from polylane.run.slot_file import GATE, MOST_BYTES, RUNS, SLOTS, Head, SlotFile, Waiting, run_place

#: A run that waits shows itself more often than that.
_HEARD_S = 1.0

#: The gate is locked for some microseconds; a stopped run may have it.
_GATE_S = 1.0


class Line:
    """One run's place, taken by `enter`."""

    def __init__(self, file: SlotFile, watch: Callable[[int, bool], None]) -> None:
        """``watch``: have somebody look at a descriptor, or no more."""
        self._file = file
        self._watch = watch
        self._bell: int | None = None
        self._records = 0
        self._listens = False
        self._me = Waiting(0, os.getpid(), 0, 0, 0, 0.0, 0.0)

    def enter(self, slots: int, name: str, *, said: bool) -> Head:
        """Have a record, and agree with the runs that are here on the number of slots.

        The first run says it, and who may use more cores raises it; where a configuration says it,
        nobody else does. `OSError` where that cannot be.
        """
        file, limit = self._file, time.monotonic() + _GATE_S
        while not file.lock(GATE):
            if time.monotonic() > limit:
                raise TimeoutError(110, "a stopped run holds up all others", str(file.folder))
            time.sleep(0.001)
        try:
            return self._agree(slots, name, said=said)
        finally:
            file.unlock(GATE)

    def _agree(self, slots: int, name: str, *, said: bool) -> Head:
        file, head = self._file, self._file.head()
        living = {i for i in range(head.records if head else 0) if file.is_locked(run_place(i))}
        number = next((i for i in range(RUNS) if i not in living), None)
        if number is None or not file.lock(run_place(number)):
            raise BlockingIOError(11, "too many runs", str(file.folder))
        if head is None or not living:
            head = Head(min(slots, SLOTS), said, 0)
        elif not head.said and not said:
            head = head._replace(slots=min(max(slots, head.slots), SLOTS))
        head = head._replace(records=max(number, *living, 0) + 1)
        file.write_head(head)
        self._records = head.records
        self._me = self._me._replace(number=number)
        file.write_run(self._me)
        file.name_run(number, name)
        return head

    @property
    def number(self) -> int:
        """The number of our record."""
        return self._me.number

    @property
    def waited_s(self) -> float:
        """For how long we have waited; 0.0 where we don't."""
        return time.monotonic() - self._me.since if self._me.since else 0.0

    def others(self) -> list[Waiting]:
        """The other runs in the line, those left out of whom nothing is heard."""
        runs = self._file.runs(self._records)
        self._records = max(1, len(runs))
        if len(runs) <= 1:
            return []
        heard = time.monotonic() - _HEARD_S
        return [r for r in runs if r.since and r.seen > heard and r.number != self._me.number]

    def expect(self, size: int) -> None:
        """Say that our tasks are expected to take so much memory together."""
        self._me = self._me._replace(expects=min(size, MOST_BYTES))
        self._file.write_run(self._me)

    def expecting(self) -> list[Waiting]:
        """The other runs whose tasks are expected to take some memory."""
        runs = self._file.runs(self._records)
        return [r for r in runs if r.expects and r.number != self._me.number and self._lives(r)]

    def is_ours(self, has: int, others: list[Waiting]) -> bool:
        """Whether it is the turn of a run that has so many slots, and is ours."""
        ours = (has, self._me.since or time.monotonic())
        return not any((each.has, each.since) < ours and self._lives(each) for each in others)

    def wait(self, has: int, wants: int) -> None:
        """Stand in the line, or keep our place in it, and show ourselves."""
        now, new = time.monotonic(), not self._me.since
        since = self._me.since or now
        self._me = self._me._replace(has=has, wants=wants, since=since, seen=now)
        self._file.write_run(self._me)
        if new:
            self._listen()
            for each in self._file.runs(self._records):
                if each.lends and each.number != self._me.number:
                    self._ring(each)  # it takes back what it can

    def leave(self) -> bool:
        """Leave the line; whether we were in it."""
        if not self._me.since:
            return False
        self._me = self._me._replace(wants=0, since=0.0)
        self._file.write_run(self._me)
        self._listen()
        return True

    def lend(self, count: int) -> None:
        """Say that we have lent so many slots, which we take back when others want some."""
        if count != self._me.lends:
            self._me = self._me._replace(lends=count)
            self._file.write_run(self._me)
            self._listen()

    def _listen(self) -> None:
        """Have a bell that others can ring, while they may; without one, we look now and then."""
        listens = bool(self._me.since or self._me.lends)
        if listens and self._bell is None:
            path = self._file.bell(self._me.number)
            with suppress(OSError):
                with suppress(FileExistsError):
                    os.mkfifo(path, 0o666)
                # Also to write: it has no end then, once the first has rung.
                self._bell = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        if self._bell is not None and listens != self._listens:
            self._listens = listens
            self._watch(self._bell, listens)

    def hush(self) -> None:
        """Take note of what has rung."""
        if self._bell is not None:
            with suppress(BlockingIOError):
                os.read(self._bell, 4096)

    def ring(self) -> None:
        """Wake the first of the others."""
        for each in sorted(self.others(), key=lambda run: (run.has, run.since)):
            if self._lives(each):
                self._ring(each)
                return

    def _ring(self, run: Waiting) -> None:
        with suppress(OSError):  # it has none, or is gone
            path = self._file.bell(run.number)
            bell = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(bell, b".")
            finally:
                os.close(bell)

    def _lives(self, run: Waiting) -> bool:
        return self._file.is_locked(run_place(run.number))

    def close(self) -> None:
        """Give up our record."""
        self.leave()
        self.lend(0)
        if self._bell is not None:
            os.close(self._bell)
        self._file.unlock(run_place(self._me.number))
