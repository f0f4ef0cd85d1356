"""What was touched: the plain data of a trace. Knows nothing of how it was seen."""

from __future__ import annotations

from polylane.records import NamedTuple


class TraceFailedError(Exception):
    """There is no trace that could be trusted; the text says why."""


class Touches(NamedTuple):
    """What one process tree touched: absolute paths, with every link on the way followed.

    Attempts, not results: a write that was refused is here too. All fields marshal (`tuple` of
    it does); bytes that are no UTF-8 are surrogates, as `os.fsdecode` makes them. The first six
    are empty in a trace of writes only.
    """

    #: Files opened for reading, executed, or linked from.
    read: frozenset[str] = frozenset()
    #: Files and links whose existence, attributes or target were asked for.
    looked: frozenset[str] = frozenset()
    #: Folders looked at or opened, whose entries were not read through that.
    folders: frozenset[str] = frozenset()
    #: Looked for, opened or executed, and absent (or out of reach) at that moment.
    missing: frozenset[str] = frozenset()
    #: Folders whose entries were read.
    listed: frozenset[str] = frozenset()
    #: Programs, and the interpreters in the first lines of scripts.
    executed: frozenset[str] = frozenset()
    #: Created, truncated, opened for writing, renamed (both names), linked, removed.
    written: frozenset[str] = frozenset()
    #: Mode, owner, times or extended attributes set.
    metadata: frozenset[str] = frozenset()
    #: (protocol, address, port): ``("tcp", "127.0.0.1", 8080)``, ``("udp", "::", 53)``;
    #: ``("unix", "@name", 0)`` for names outside the file system. Port 0, any free one, is not.
    bound: frozenset[tuple[str, str, int]] = frozenset()
    #: Paths that led elsewhere, as they were said, and where: ``{"/w/link/x": "/w/folder/x"}``.
    links: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    #: What could not be resolved, as "call: why", and how often: other paths may be missing here.
    lost: dict[str, int] = {}  # noqa: RUF012
    #: How many calls were answered, and the CPU seconds that took.
    calls: int = 0
    cpu_s: float = 0.0
