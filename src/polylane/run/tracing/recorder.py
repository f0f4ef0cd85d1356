"""What one call touches: from its number and arguments to notes, while its thread waits.

Knows nothing of how calls come here and how they are answered.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Sequence

from polylane.run.tracing import peek, syscalls
from polylane.run.tracing.ledger import Ledger, Note
from polylane.run.tracing.places import Found, Place, Places, head
from polylane.run.tracing.syscalls import AT_FDCWD, Architecture, Call
from polylane.run.tracing.touches import Touches

#: The call fails by itself, or its process is gone: nothing is touched, and nothing lost.
_HARMLESS = {errno.ENOENT, errno.EFAULT, errno.ESRCH, errno.ENAMETOOLONG}

#: A script may have another script as its interpreter, so often.
_INTERPRETERS = 5

#: ``BINPRM_BUF_SIZE`` of ``linux/binfmts.h``.
_FIRST_LINE = 256


#: Where addresses stand in ``sockaddr_in`` and ``sockaddr_in6``.
_HOSTS: dict[int, slice] = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}


class Recorder:
    """Sees one call after the other."""

    def __init__(self, architecture: Architecture, *, reads: bool) -> None:
        """Without ``reads``, opening for writing says nothing of reading."""
        self._architecture = architecture
        self._reads = reads
        self._places = Places()
        self._ledger = Ledger(self._places)
        self._calls = {
            number: (call, getattr(self, f"_{call.act}"))
            for number, call in syscalls.known(architecture, reads=reads).items()
        }

    def touches(self, calls: int, cpu_s: float) -> Touches:
        """What was seen."""
        return self._ledger.touches(calls, cpu_s)

    def see(self, tid: int, number: int, audit: int, args: Sequence[int]) -> list[Note]:
        """The notes of one call; what cannot be resolved is a note, too."""
        if audit != self._architecture.audit:
            return [self.lose(f"a call of another architecture by {peek.comm(tid)}")]
        self._ledger.forget()
        call, act = self._calls[number]
        try:
            notes: list[Note] = act(tid, call, args)
        except OSError as error:
            if error.errno in _HARMLESS:
                return []
            return [self.lose(f"{call.name} by {peek.comm(tid)}: {error.strerror}")]
        return notes

    def lose(self, why: str) -> Note:
        """Something was not seen."""
        return self._ledger.lose(why)

    def _place(self, tid: int, call: Call, args: Sequence[int], which: int = 0) -> Place:
        directory, path = call.paths[which]
        at = AT_FDCWD if directory is None else args[directory]
        return self._places.place(tid, at, peek.text(tid, args[path]))

    # One method for each act.

    def _open(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        assert call.flags is not None
        return self._opened(self._place(tid, call, args), args[call.flags])

    def _open_how(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        assert call.flags is not None
        how = peek.memory(tid, args[call.flags], 8)  # struct open_how begins with its flags
        flags: int = struct.unpack("=Q", how)[0]
        if not (self._reads or flags & syscalls.O_WRITES):
            return []
        return self._opened(self._place(tid, call, args), flags)

    def _opened(self, place: Place, flags: int) -> list[Note]:
        found = self._ledger
        follow = not flags & self._architecture.no_follow
        if flags & syscalls.O_PATH:
            return found.look(place, found.looked, follow=follow) if self._reads else []
        if flags & syscalls.O_TMPFILE:  # has no name; what may name it later is seen
            return found.look(place, found.looked, follow=True) if self._reads else []
        if not flags & syscalls.O_WRITES:
            return found.look(place, found.read, follow=follow)
        new = bool(flags & os.O_CREAT and flags & os.O_EXCL)
        notes = found.change(place, found.written, follow=follow and not new)
        kept = not (new or flags & os.O_TRUNC)
        if self._reads and kept and flags & os.O_ACCMODE == os.O_RDWR:
            notes += found.look(place, found.read, follow=follow)
        return notes

    def _truncate(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        return self._change(self._place(tid, call, args), follow=True)

    def _write(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        return self._change(self._place(tid, call, args), follow=False)

    def _change(self, place: Place, *, follow: bool) -> list[Note]:
        return self._ledger.change(place, self._ledger.written, follow=follow)

    def _symlink(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        place = self._place(tid, call, args)
        path = self._places.find(place, follow=False).path
        return [*self._change(place, follow=False), self._ledger.outdate(path)]

    def _rename(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        old, new = (self._place(tid, call, args, which) for which in (0, 1))
        notes = self._change(old, follow=False) + self._change(new, follow=False)
        exchange = call.flags is not None and args[call.flags] & syscalls.RENAME_EXCHANGE
        moved = self._places.find(old, follow=False)
        if exchange or not moved.is_file:
            onto = self._places.find(new, follow=False)
            notes += [self._ledger.outdate(moved.path), self._ledger.outdate(onto.path)]
        return notes

    def _link(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        notes = self._change(self._place(tid, call, args, 1), follow=False)
        if self._reads:
            flags = 0 if call.flags is None else args[call.flags]
            follow = bool(flags & syscalls.AT_SYMLINK_FOLLOW)
            old = self._place(tid, call, args)
            notes += self._ledger.look(old, self._ledger.read, follow=follow)
        return notes

    def _metadata(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        directory, path = call.paths[0]
        if directory is not None and not args[path]:  # `futimens`
            return self._metadata_at(tid, args[directory])
        place = self._place(tid, call, args)
        return self._ledger.change(place, self._ledger.metadata, follow=_follows(call, args))

    def _metadata_of(self, tid: int, _: Call, args: Sequence[int]) -> list[Note]:
        return self._metadata_at(tid, args[0])

    def _metadata_at(self, tid: int, descriptor: int) -> list[Note]:
        place = self._places.place(tid, descriptor, "")
        return [(self._ledger.metadata.add, place.said)] if place.said.startswith("/") else []

    def _look(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        place = self._place(tid, call, args)
        return self._ledger.look(place, self._ledger.looked, follow=_follows(call, args))

    def _list(self, tid: int, _: Call, args: Sequence[int]) -> list[Note]:
        return [(self._ledger.listed.add, self._places.place(tid, args[0], "").said)]

    def _execute(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        place = self._place(tid, call, args)
        notes: list[Note] = []
        for _ in range(_INTERPRETERS):
            program = self._places.find(place, follow=_follows(call, args))
            notes += self._ledger.found(place, program, self._ledger.read)
            if not program.mode or program.is_folder:
                break
            notes.append((self._ledger.executed.add, program.path))
            interpreter = _interpreter(place, program)
            if not interpreter:
                break
            place = self._places.place(tid, AT_FDCWD, interpreter)
        return notes

    def _bind(self, tid: int, _: Call, args: Sequence[int]) -> list[Note]:
        address = peek.memory(tid, args[1], min(args[2] & 0xFFFFFFFF, 128))
        if len(address) < 3:  # noqa: PLR2004 - struct sockaddr: the family, then at least a byte
            return []
        family: int = struct.unpack_from("=H", address)[0]
        if family == socket.AF_UNIX:
            return self._bind_unix(tid, address[2:])
        host = _HOSTS.get(family)
        if host is None or len(address) < host.stop:
            return []
        port: int = struct.unpack_from("!H", address, 2)[0]
        if not port:
            return []
        protocol = peek.protocol(tid, args[0] & 0xFFFFFFFF)
        name = socket.inet_ntop(family, address[host])
        return [(self._ledger.bound.add, (protocol, name, port))]

    def _bind_unix(self, tid: int, name: bytes) -> list[Note]:
        if name[0] == 0:
            said = os.fsdecode(name[1:])
            return [(self._ledger.bound.add, ("unix", f"@{said}", 0))]
        path = os.fsdecode(name.split(b"\0")[0])
        return self._change(self._places.place(tid, AT_FDCWD, path), follow=False)

    def _root(self, tid: int, call: Call, args: Sequence[int]) -> list[Note]:
        self._places.roots_change()
        notes = [self._ledger.outdate()]
        if call.paths and self._reads:
            place = self._place(tid, call, args)
            notes += self._ledger.look(place, self._ledger.looked, follow=True)
        return notes

    def _handle(self, tid: int, call: Call, _: Sequence[int]) -> list[Note]:
        return [self.lose(f"{call.name} by {peek.comm(tid)}: it says no path")]


def _follows(call: Call, args: Sequence[int]) -> bool:
    if call.flags is None:
        return call.follows
    return not args[call.flags] & syscalls.AT_SYMLINK_NOFOLLOW


def _interpreter(place: Place, program: Found) -> str:
    """What the first line of a script names, as the kernel reads it; empty for other programs."""
    if not program.is_file:
        return ""
    line = head(place, _FIRST_LINE).split(b"\n")[0]
    words = line[2:].split()
    return os.fsdecode(words[0]) if line.startswith(b"#!") and words else ""
