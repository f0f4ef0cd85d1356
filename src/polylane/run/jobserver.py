"""A place at a job server for one task: tokens, each the permit to run one job more than its own.

GNU make's protocol, which ninja and cargo speak too: a task reads a byte before it starts a job,
and writes it back when the job has ended. Make and cargo read from one pipe and write into another,
so that each token comes back to us, and we decide who has it next; what speaks only of one named
pipe takes a token again as soon as it has returned it, and we get what it leaves lying.
A task that is killed takes its tokens along, but not the pipes: they are its own, and who lent the
tokens knows how many there were.
https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html

Knows nothing of slots and of tasks.
"""

from __future__ import annotations

import fcntl
import os
import re
import termios
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from polylane.records import NamedTuple

PIPES, FIFO = "pipes", "fifo"

_TOKEN = b"+"
_MOST = 4096
#: A program that cannot say its version in this time is not asked again.
_VERSION_LIMIT_S = 5.0


class Place(NamedTuple):
    """Where a task joins: plain data, for the lane."""

    #: The process that has the pipes, and its descriptors.
    pid: int
    read: int
    write: int
    #: `PIPES` or `FIFO`.
    form: str
    #: So many jobs it may ever run.
    most: int


class Tokens:
    """The tokens of one task."""

    def __init__(self, form: str, most: int) -> None:
        """``most``: so many jobs the task may ever run."""
        self._form = form
        self._most = most
        self._read, self._give = os.pipe()
        self._back, self._write = (
            (self._read, self._give) if form == FIFO else os.pipe()  # one pipe, or two
        )
        for descriptor in (self._read, self._back):
            os.set_blocking(descriptor, False)
        #: What the task has, used or not.
        self.lent = 0

    @property
    def place(self) -> Place:
        """Where the task joins."""
        return Place(os.getpid(), self._read, self._write, self._form, self._most)

    @property
    def returned(self) -> int:
        """A descriptor that is readable when a token came back."""
        return self._back

    @property
    def must_be_watched(self) -> bool:
        """Whether returned tokens lie there until `take_back`; else the task may use them."""
        return self._back != self._read

    def lend(self, count: int) -> None:
        """Let the task run so many jobs more."""
        self.lent += count
        os.write(self._give, _TOKEN * count)

    def take_back(self, wanted: int) -> int:
        """Take back at most so many tokens that the task does not use now; how many they were.

        Further ones that it returned are its to use again.
        """
        if not self.must_be_watched:
            got = _drain(self._back, wanted)
        else:
            came = _drain(self._back, _MOST)
            got = min(came, wanted)
            # A task that returns what it never had gets no more by it.
            more = min(came - got, self.lent - got - _count(self._read))
            if more > 0:
                os.write(self._give, _TOKEN * more)
            got += _drain(self._read, wanted - got)
        got = min(got, self.lent)
        self.lent -= got
        return got

    def close(self) -> int:
        """Take back all, when the task has ended; how many they were."""
        for descriptor in {self._read, self._give, self._back, self._write}:
            os.close(descriptor)
        lent, self.lent = self.lent, 0
        return lent


def _drain(descriptor: int, most: int) -> int:
    with suppress(BlockingIOError):
        return len(os.read(descriptor, most)) if most > 0 else 0
    return 0


def _count(descriptor: int) -> int:
    """How many bytes lie in a pipe."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), "little")


class Joined(NamedTuple):
    """A place as a program inherits it."""

    descriptors: tuple[int, ...] = ()
    variables: Mapping[bytes, bytes] = MappingProxyType({})

    def close(self) -> None:
        """Close it here, when the program has started."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def join(place: Place) -> Joined:
    """Open a place for the next program, with file descriptions of its own: make changes them.

    Where that cannot be, the program goes without.
    """
    opened: list[int] = []
    wanted = (
        ((place.read, os.O_RDWR),)
        if place.form == FIFO
        else ((place.read, os.O_RDONLY), (place.write, os.O_WRONLY))
    )
    try:
        for number, flags in wanted:
            opened.append(os.open(f"/proc/{place.pid}/fd/{number}", flags))
            os.set_inheritable(opened[-1], True)  # noqa: FBT003 - no keyword there
    except OSError:
        Joined(tuple(opened)).close()
        return Joined()
    name = ",".join(map(str, opened))
    auth = f"fifo:/proc/self/fd/{name}" if place.form == FIFO else name
    makeflags = f" -j{place.most} --jobserver-auth={auth}"
    return Joined(tuple(opened), {b"MAKEFLAGS": makeflags.encode()})


def version(program: str) -> tuple[int, ...]:
    """The version that a program says of itself; empty where it says none."""
    import subprocess  # few runs need it

    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_LIMIT_S,
            check=True,
        )
        if found := re.match(rb"(?:GNU Make )?(\d+)\.(\d+)", said.stdout):
            return int(found[1]), int(found[2])
    return ()
