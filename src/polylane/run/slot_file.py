"""The file in which all runs of a machine find its slots: bytes that are locked, and who has them.

A slot is a byte that is locked; a run is another one, beside its record. The kernel frees both when
the last process that has the file open from the same `open` is gone, however it ended: the runner,
and the lanes that were forked from it. So a slot stays taken until its task's tree has ended, also
where the runner was killed. The records order who waits, and say who is here: what is written in
them can make a run wait for its turn, but never gives a slot to two.

Open file description locks: fcntl(2). Knows nothing of tasks, nor of whose turn it is.
"""

import fcntl
import os
import stat
import struct
from contextlib import suppress
from pathlib import Path

from polylane.records import NamedTuple

#: More slots, or runs at once, than any machine has.
SLOTS = 1024
RUNS = 256

#: ``struct flock`` of 64-bit Linux: type, whence, start, length, pid.
_FLOCK = struct.Struct("hhqqi4x")

#: Where the folder of a user's runs lies: the first that can be written.
PLACES = ("/dev/shm", "/tmp")  # noqa: S108  # nosec B108

#: Where the locked bytes are: behind all that is written.
_SLOT_BYTES = 1 << 32
_RUN_BYTES = 1 << 33
#: Locked by whoever comes, for a moment.
GATE = 1 << 34

#: What the file is, the number of slots, whether somebody said that number, and how many records
#: may be in use.
_HEAD = struct.Struct("<16sIBH")
_MAGIC = b"polylane slots 1"
_HEAD_SIZE = 64

#: A run: its pid, how many slots it has, wants, and has lent to jobs in tasks; and in seconds of
#: the clock that all processes share (CLOCK_MONOTONIC) since when it waits, or 0, and when it was
#: last seen to wait; and how much memory its tasks are expected to take together, in bytes.
_RUN = struct.Struct("<IIIIddQ")
_RUN_SIZE = 512
_RUN_TEXT = _RUN_SIZE - _RUN.size
#: More bytes than any machine has, in eight.
MOST_BYTES = (1 << 64) - 1

#: What a slot is used for: the record of its run, and since when, in seconds since 1970.
_USE = struct.Struct("<Hd")
_USE_SIZE = 128
_USES = _HEAD_SIZE + RUNS * _RUN_SIZE
_SIZE = _USES + SLOTS * _USE_SIZE


class Head(NamedTuple):
    """What all runs agree on."""

    slots: int
    #: Somebody's configuration says it.
    said: bool
    #: The records in use are among so many first ones.
    records: int


class Waiting(NamedTuple):
    """The state of a run: what decides whose turn it is, and what others leave to it."""

    #: Its record.
    number: int
    pid: int
    has: int
    wants: int
    lends: int
    #: 0.0: it does not wait.
    since: float
    seen: float
    #: Memory, in bytes.
    expects: int = 0


class Use(NamedTuple):
    """What a slot is used for."""

    slot: int
    #: The record of its run.
    run: int
    since: float
    task: str


def default_folder() -> Path:
    """The folder of this user's runs, made where it is missing; `OSError` where none can be.

    In ``/dev/shm``, which cron jobs, logins and services of one machine share, and containers do
    not: ``/run/user`` is there only while somebody is logged in.
    """
    base = next((path for path in PLACES if os.access(path, os.W_OK)), PLACES[-1])
    folder = f"{base}/polylane-{os.getuid()}"
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)  # noqa: PTH102 - a Path costs as much
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(1, "is not ours alone", folder)
    return Path(folder)


class SlotFile:
    """The file, opened; the locks that are taken are those of this opening, and of its forks."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """`OSError` where it cannot be had; without ``write`` nothing is made or changed."""
        if not hasattr(fcntl, "F_OFD_SETLK"):
            raise OSError(38, "no locks that forks share on this system", str(folder))
        self.folder = folder
        path = f"{folder}/slots"
        if not write:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            return
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            with suppress(OSError):
                # Whoever may use the folder may use the file, whatever our umask is.
                os.fchmod(self._file, stat.S_IMODE(os.stat(folder).st_mode) & 0o666)  # noqa: PTH116
        if os.fstat(self._file).st_size < _SIZE:
            os.ftruncate(self._file, _SIZE)  # a hole, so that every record can be read

    @property
    def descriptor(self) -> int:
        """Its descriptor: who has it, keeps what was locked by it."""
        return self._file

    def close(self) -> None:
        """Close it here; what was locked is free once all forks have ended too."""
        os.close(self._file)

    def lock(self, place: int) -> bool:
        """Lock a byte, without waiting; whether nobody else has it."""
        try:
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK, place))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def unlock(self, place: int) -> None:
        """Free a byte."""
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK, place))

    def is_locked(self, place: int) -> bool:
        """Whether another opening of the file has a byte locked."""
        asked = _flock(fcntl.F_WRLCK, place)
        answer = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, asked)
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)

    def head(self) -> Head | None:
        """What was agreed on; None where nothing was."""
        return _head(os.pread(self._file, _HEAD_SIZE, 0))

    def write_head(self, head: Head) -> None:
        """Say what is agreed on; whoever does so has the gate."""
        os.pwrite(self._file, _HEAD.pack(_MAGIC, *head), 0)

    def runs(self, expected: int) -> list[Waiting]:
        """The records of runs, of such as have ended too; ``expected``: likely so many."""
        data = os.pread(self._file, _HEAD_SIZE + expected * _RUN_SIZE, 0)
        head = _head(data)
        if head is not None and head.records > expected:
            data = os.pread(self._file, _HEAD_SIZE + head.records * _RUN_SIZE, 0)
        found = len(data) // _RUN_SIZE
        return [
            Waiting(i, *_RUN.unpack_from(data, _HEAD_SIZE + i * _RUN_SIZE)) for i in range(found)
        ]

    def write_run(self, run: Waiting) -> None:
        """Write the state of a run into its record."""
        os.pwrite(self._file, _RUN.pack(*run[1:]), _HEAD_SIZE + run.number * _RUN_SIZE)

    def name_run(self, number: int, name: str) -> None:
        """Say what a run is: any text."""
        os.pwrite(self._file, _text(name, _RUN_TEXT), _HEAD_SIZE + number * _RUN_SIZE + _RUN.size)

    def name_of(self, number: int) -> str:
        """What a run said that it is."""
        place = _HEAD_SIZE + number * _RUN_SIZE + _RUN.size
        return _untext(os.pread(self._file, _RUN_TEXT, place))

    def write_use(self, use: Use) -> None:
        """Say what a slot is used for."""
        data = _USE.pack(use.run, use.since) + _text(use.task, _USE_SIZE - _USE.size)
        os.pwrite(self._file, data, _USES + use.slot * _USE_SIZE)

    def use(self, slot: int) -> Use | None:
        """What was last said of a slot."""
        data = os.pread(self._file, _USE_SIZE, _USES + slot * _USE_SIZE)
        if len(data) < _USE.size:
            return None
        run, since = _USE.unpack_from(data)
        return Use(slot, run, since, _untext(data[_USE.size :]))

    def bell(self, number: int) -> str:
        """The path of the fifo that wakes a run."""
        return f"{self.folder}/wake-{number}"


def slot_place(slot: int) -> int:
    """The byte that is a slot."""
    return _SLOT_BYTES + slot


def run_place(number: int) -> int:
    """The byte that is a run."""
    return _RUN_BYTES + number


def _flock(kind: int, place: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, place, 1, 0)


def _head(data: bytes) -> Head | None:
    if len(data) < _HEAD.size:
        return None
    magic, slots, said, records = _HEAD.unpack_from(data)
    if magic != _MAGIC or not 0 < slots <= SLOTS or records > RUNS:
        return None
    return Head(slots, bool(said), records)


def _text(text: str, size: int) -> bytes:
    """So many bytes at most, ended by a zero where they are fewer."""
    return (text.encode(errors="surrogateescape") + b"\0")[:size]


def _untext(data: bytes) -> str:
    return data.partition(b"\0")[0].decode(errors="replace")
