"""What a run may use of the machine that it shares with other runs.

Knows nothing of how they agree.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from polylane.records import NamedTuple

#: Who waits for a slot looks for one so often: a run that was killed tells nobody.
POLL_S = 0.1


class Share(Protocol):
    """The machine's slots, as one run sees them."""

    #: Has the pool look at a descriptor, or no more.
    watch: Callable[[int, bool], None]
    #: Whether a task has waited for slots that other runs had.
    has_waited: bool
    #: Descriptors by which a process keeps what the run has: lanes do, until they have ended.
    keeps: tuple[int, ...]

    @property
    def waits(self) -> bool:
        """Whether something was refused in this round of starts."""

    def look(self) -> None:
        """A round of starts begins."""

    def take(self, task: int, name: str, least: int, most: int) -> int:
        """Take slots for a task: at least ``least``, at most ``most``, or 0; how many it has.

        Inside a task of another run fewer than ``least`` may be all that there are.
        """

    def ended(self, task: int) -> None:
        """A task's tree has ended, and it does not go on at once."""

    def settle(self) -> None:
        """The round of starts is over: what nobody took is free."""

    def lend(self, count: int) -> int:
        """Take so many or fewer for jobs inside tasks, without waiting; how many they were."""

    def wanted(self) -> int:
        """How many of those that are lent others wait for."""

    def give_back(self, count: int) -> None:
        """They are free again."""

    def expect(self, size: int) -> None:
        """The tasks that run are expected to take so much memory together, in bytes."""

    def others_expect(self) -> int:
        """What the tasks of other runs are expected to take together, in bytes."""

    def others_lack(self) -> int:
        """What they have still to take, by what they use now: it is dear to find out."""

    def suspend(self) -> None:
        """All tasks of this run are stopped."""

    def resume(self) -> None:
        """They go on."""

    def close(self) -> None:
        """The run is over, and so are its lanes."""


class Unshared:
    """The whole machine: where slots are not counted, or others cannot be seen."""

    waits = False
    has_waited = False
    keeps: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.watch: Callable[[int, bool], None] = lambda _descriptor, _on: None

    def look(self) -> None:
        """See `Share`."""

    def take(self, task: int, name: str, least: int, most: int) -> int:  # noqa: ARG002
        """See `Share`."""
        return most

    def ended(self, task: int) -> None:
        """See `Share`."""

    def settle(self) -> None:
        """See `Share`."""

    def lend(self, count: int) -> int:
        """See `Share`."""
        return count

    def wanted(self) -> int:
        """See `Share`."""
        return 0

    def give_back(self, count: int) -> None:
        """See `Share`."""

    def expect(self, size: int) -> None:
        """See `Share`."""

    def others_expect(self) -> int:
        """See `Share`."""
        return 0

    def others_lack(self) -> int:
        """See `Share`."""
        return 0

    def suspend(self) -> None:
        """See `Share`."""

    def resume(self) -> None:
        """See `Share`."""

    def close(self) -> None:
        """See `Share`."""


class Wish(NamedTuple):
    """What a run brings to the agreement."""

    #: How many slots it takes the machine to have; None: it counts none.
    slots: int | None
    #: The configuration says that number.
    said: bool = False
    #: The run's own slots: it may have more than the machine where it was told so.
    jobs: int = 1
    #: It runs inside a task of another run, whose slot it has.
    inside: bool = False
    #: What it is, for others.
    name: str = ""
    #: Where the runs meet; None: where this user's do.
    folder: Path | None = None


def join(wish: Wish, say: Callable[[str], None]) -> Share:
    """Share the machine with the runs on it; where that cannot be, say so and be as if alone.

    To be called before lanes are forked: they keep what the run has until they have ended.
    """
    if wish.slots is None:
        return Unshared()
    from polylane.run.machine_slots import MachineSlots
    from polylane.run.slot_file import SlotFile, default_folder

    try:
        return MachineSlots(SlotFile(wish.folder or default_folder()), wish, say)
    except OSError as error:
        if not wish.inside:
            where = f"{error.filename}: " if error.filename else ""
            say(f"other runs on this machine are not seen: {where}{error.strerror}")
        return Unshared()
