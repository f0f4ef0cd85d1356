"""Who has the machine's slots, and who waits for one, as others may see it.

Changes nothing. Knows nothing of how it is shown.
"""

from __future__ import annotations

import time
from pathlib import Path

from polylane.records import NamedTuple
from polylane.run.slot_file import SLOTS, SlotFile, default_folder, run_place, slot_place


class Who(NamedTuple):
    """A run on this machine."""

    pid: int
    workspace: str
    run: str
    #: What was asked for.
    words: str


class Held(NamedTuple):
    """A slot that is taken."""

    slot: int
    who: Who
    task: str
    #: For so many seconds.
    for_s: float


class InLine(NamedTuple):
    """A run that waits."""

    who: Who
    #: How many slots it has, and how many it wants.
    has: int
    wants: int
    for_s: float


class Survey(NamedTuple):
    """One look at all of it."""

    folder: str
    #: None: no run is here, so that nothing is agreed on.
    slots: int | None
    held: tuple[Held, ...] = ()
    #: In the order in which they come next.
    line: tuple[InLine, ...] = ()


def survey(said: str = "") -> Survey:
    """Look at the slots in a folder, or at those of this user; `OSError` where that cannot be."""
    folder = Path(said) if said else default_folder()
    try:
        file = SlotFile(folder, write=False)
    except FileNotFoundError:
        return Survey(str(folder), None)
    try:
        return _look(file)
    finally:
        file.close()


def _look(file: SlotFile) -> Survey:
    head = file.head()
    runs = {r.number: r for r in file.runs(0) if file.is_locked(run_place(r.number))}
    if head is None or not runs:
        return Survey(str(file.folder), None)
    names = {number: _who(run.pid, file.name_of(number)) for number, run in runs.items()}
    held = []
    for slot in range(SLOTS):
        if file.is_locked(slot_place(slot)) and (use := file.use(slot)) is not None:
            who = names.get(use.run, Who(0, "", "", ""))
            held.append(Held(slot, who, use.task, max(0.0, time.time() - use.since)))
    now = time.monotonic()
    waiting = sorted((run.has, run.since, run.number) for run in runs.values() if run.since)
    line = [
        InLine(names[number], has, runs[number].wants, max(0.0, now - since))
        for has, since, number in waiting
    ]
    return Survey(str(file.folder), head.slots, tuple(held), tuple(line))


def _who(pid: int, name: str) -> Who:
    workspace, run, *words = [*name.split("\n"), "", ""]
    return Who(pid, workspace, run, " ".join(filter(None, words)))
