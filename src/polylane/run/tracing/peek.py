"""Reads what a call's arguments point to: memory, descriptors and folders of another process.

Needs the right to trace that process: the same user, and no Yama in between. Knows nothing of
calls and what they mean.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from contextlib import suppress

_PAGE = 4096
#: The longest path that the kernel takes, with its NUL.
PATH_MAX = 4096

#: Paths that mean another thing to each process, and where they lead for one thread.
_OWN = ("/proc/self", "/proc/thread-self", "/dev/fd", "/dev/std")
_STREAMS = {"/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2"}

_PROTOCOLS = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}


class _Range(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


_libc = ctypes.CDLL(None, use_errno=True)
_read = _libc.process_vm_readv
_read.restype = ctypes.c_ssize_t
_buffer = ctypes.create_string_buffer(_PAGE + 1)
_local = _Range(ctypes.addressof(_buffer), _PAGE)
_remote = _Range()
_tid = ctypes.c_int()
# Made once: converting them for each call takes as long as the call.
_arguments = (
    _tid,
    ctypes.byref(_local),
    ctypes.c_ulong(1),
    ctypes.byref(_remote),
    ctypes.c_ulong(1),
    ctypes.c_ulong(0),
)


def _fetch(tid: int, address: int, size: int) -> int:
    """Read up to a page into the buffer; `OSError` with ESRCH, EPERM or EFAULT."""
    _tid.value = tid
    _remote.base = address
    _remote.size = _local.size = size
    count: int = _read(*_arguments)
    if count < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return count


def memory(tid: int, address: int, size: int) -> bytes:
    """At most a page of a process's memory."""
    count = _fetch(tid, address, min(size, _PAGE))
    return _buffer.raw[:count]


def text(tid: int, address: int) -> str:
    """A string that ends with NUL; ENAMETOOLONG where it is no path that the kernel would take."""
    found = b""
    while len(found) < PATH_MAX:
        # Never into a page that may not be there.
        count = _fetch(tid, address, _PAGE - address % _PAGE)
        _buffer[count] = b"\0"
        part: bytes = _buffer.value
        found += part
        if len(part) < count:
            return found.decode("utf-8", "surrogateescape")
        address += count
    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def mapped(path: str, tid: int) -> str:
    """Where we find what a thread calls ``path``: ``/proc/self`` is another place for us."""
    if not path.startswith(_OWN):
        return path
    for own in ("/proc/self", "/proc/thread-self"):
        if path == own or path.startswith(f"{own}/"):
            return f"/proc/{tid}{path[len(own) :]}"
    if path == "/dev/fd" or path.startswith("/dev/fd/"):
        return f"/proc/{tid}{path[4:]}"
    return f"/proc/{tid}/{_STREAMS[path]}" if path in _STREAMS else path


def where(link: str) -> str:
    """Where a link of /proc leads; without the mark of what was removed."""
    path = os.readlink(link)  # noqa: PTH115 - a Path costs as much again
    if path.endswith(" (deleted)") and not os.stat(link).st_nlink:  # noqa: PTH116
        return path[: -len(" (deleted)")]
    return path


def protocol(tid: int, descriptor: int) -> str:
    """What a socket speaks: ``tcp``, ``udp``, or ``ip`` where that cannot be known."""
    with suppress(OSError), _socket(tid, descriptor) as found:
        return _PROTOCOLS.get(found.proto, "ip")
    return "ip"


def _socket(tid: int, descriptor: int) -> socket.socket:
    process = os.pidfd_open(_leader(tid))
    try:
        copy: int = _libc.syscall(438, process, descriptor, 0)  # pidfd_getfd
    finally:
        os.close(process)
    if copy < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return socket.socket(fileno=copy)


def _leader(tid: int) -> int:
    """The process of a thread."""
    with open(f"/proc/{tid}/status", "rb") as file:
        for line in file:
            if line.startswith(b"Tgid:"):
                return int(line.split()[1])
    raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))


def comm(tid: int) -> str:
    """The name of a thread, for people."""
    try:
        with open(f"/proc/{tid}/comm", "rb") as file:
            return file.read().decode(errors="replace").strip()
    except OSError:
        return "?"
