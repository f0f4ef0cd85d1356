"""The seccomp program that sends calls to a supervisor, and its installation in this thread.

What never matters is decided by its number alone, so that the kernel (5.11) allows it without
running the program. See seccomp(2), seccomp_unotify(2), and ``linux/filter.h`` for the encoding.

Knows nothing of who answers.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from polylane.records import NamedTuple
from polylane.run.tracing.syscalls import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    LOOK,
    O_WRITES,
    OPEN,
    Architecture,
    known,
)

#: ``struct seccomp_data``: number, architecture, instruction pointer, six arguments.
_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

ALLOW = 0x7FFF0000
NOTIFY = 0x7FC00000
NO_SUCH_CALL = 0x00050000 | errno.ENOSYS  # SECCOMP_RET_ERRNO

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_SPEC_ALLOW = 1 << 2
_NEW_LISTENER = 1 << 3
#: From Linux 5.19: once a call was received, only a fatal signal takes it back.
_WAIT_KILLABLE = 1 << 5


class Step(NamedTuple):
    """One instruction, ``struct sock_filter``: its jumps skip so many of the next."""

    code: int
    if_true: int
    if_false: int
    value: int


def program(architecture: Architecture, *, reads: bool) -> list[Step]:
    """The filter: NOTIFY what touches files or ports, ALLOW the rest.

    ``io_uring_setup`` and x32 are refused as unknown, since their calls could not be seen; calls
    of another architecture are notified, so that they can be counted.
    """
    steps = [
        Step(_LOAD, 0, 0, _ARCHITECTURE),
        Step(_EQUAL, 1, 0, architecture.audit),
        Step(_RETURN, 0, 0, NOTIFY),
        Step(_LOAD, 0, 0, _NUMBER),
    ]
    if architecture.foreign is not None:
        steps += [Step(_AT_LEAST, 0, 1, architecture.foreign), Step(_RETURN, 0, 0, NO_SUCH_CALL)]
    steps += _on(architecture.numbers["io_uring_setup"], [Step(_RETURN, 0, 0, NO_SUCH_CALL)])
    for number, call in known(architecture, reads=reads).items():
        rule = [Step(_RETURN, 0, 0, NOTIFY)]
        if call.act == OPEN and call.flags is not None and not reads:
            rule = _if_it_may_write(call.flags)
        elif call.act == LOOK and call.name in {"newfstatat", "statx"} and call.flags is not None:
            rule = _unless_of_a_descriptor(call.flags)
        steps += _on(number, rule)
    return [*steps, Step(_RETURN, 0, 0, ALLOW)]


def _on(number: int, rule: list[Step]) -> list[Step]:
    return [Step(_EQUAL, 0, len(rule), number), *rule]


def _argument(index: int) -> Step:
    """Load the low half of an argument; both architectures are little-endian."""
    return Step(_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _if_it_may_write(flags: int) -> list[Step]:
    return [
        _argument(flags),
        Step(_ANY_BIT, 0, 1, O_WRITES),
        Step(_RETURN, 0, 0, NOTIFY),
        Step(_RETURN, 0, 0, ALLOW),
    ]


def _unless_of_a_descriptor(flags: int) -> list[Step]:
    """How libc asks for ``fstat``, more often than for anything else."""
    return [
        _argument(flags),
        Step(_ANY_BIT, 0, 2, AT_EMPTY_PATH),
        _argument(0),
        Step(_EQUAL, 0, 1, AT_FDCWD & 0xFFFFFFFF),
        Step(_RETURN, 0, 0, NOTIFY),
        Step(_RETURN, 0, 0, ALLOW),
    ]


class Filter:
    """A program that is ready to be installed: `install` opens no file and imports nothing."""

    def __init__(self, architecture: Architecture, *, reads: bool) -> None:
        """The same for every thread."""
        steps = program(architecture, reads=reads)
        code = b"".join(struct.pack("=HBBI", *step) for step in steps)
        self._code = ctypes.create_string_buffer(code, len(code))
        # struct sock_fprog: the count of instructions and where they are.
        head = struct.pack("@HP", len(steps), ctypes.addressof(self._code))
        self._head = ctypes.create_string_buffer(head, len(head))
        self._call = architecture.numbers["seccomp"]
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.syscall.restype = ctypes.c_long

    def install(self) -> int:
        """Filter this thread and what it starts, for ever; returns the listener's descriptor.

        From now on every call that is notified waits for an answer. `OSError`, and no filter,
        where the kernel refuses, with EBUSY where a listener already hears this thread.
        """
        if self._libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise _error("no_new_privs")
        flags = _NEW_LISTENER | _SPEC_ALLOW
        listener = self._seccomp(flags | _WAIT_KILLABLE)
        if listener < 0 and ctypes.get_errno() == errno.EINVAL:
            listener = self._seccomp(flags)
        if listener >= 0:
            return listener
        if ctypes.get_errno() == errno.EBUSY:
            raise OSError(errno.EBUSY, "a tracer around this process hears its calls already")
        raise _error("seccomp")

    def _seccomp(self, flags: int) -> int:
        mode, bits = ctypes.c_ulong(_SET_MODE_FILTER), ctypes.c_ulong(flags)
        result: int = self._libc.syscall(ctypes.c_long(self._call), mode, bits, self._head)
        return result


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
