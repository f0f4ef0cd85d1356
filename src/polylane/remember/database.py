"""The history: what the last runs of each task took, in SQLite: ``.polylane/history.sqlite3``.

Many runs may write at once, and each may be killed at any moment. One at a time writes, holding a
lock of our own: a file that is set aside must be nobody's. A rollback journal, not a write-ahead
log: each run is one short transaction, the log would be folded back at its end anyway, and its
shared memory does not work on network file systems. Nothing is flushed to the disk: a killed
process loses nothing by that; when the whole machine dies, SQLite may find the file damaged, and a
new one is begun.

Knows nothing of what the tables hold.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from polylane.describe.home import NAME
from polylane.model import Task
from polylane.remember import history, tables
from polylane.remember.history import FILE, Summary
from polylane.remember.tables import AddedRun
from polylane.result import RunResult

LOCK = "history.lock"

#: So long a run waits for others that write: each takes a few milliseconds.
_PATIENCE_S = 5.0
_POLL_S = 0.002

#: What SQLite says of a file that is not as we wrote it; other errors are not the file's.
_DAMAGED = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_NOTADB,
    }
)


#: What comes of reading a file: of a damaged one also texts that are none, even in SQLite's own
#: messages, and values of other types.
_ERRORS = (sqlite3.Error, ValueError, TypeError, OverflowError)


class _NewerError(Exception):
    """The database is of a version that we do not know."""


def record(
    workspace: Path,
    run: RunResult,
    tasks: Mapping[str, Task],
    *,
    narrowed: bool,
    inputs: Mapping[str, int],
) -> str:
    """Add a run; see `history.record`."""
    path = workspace / NAME / FILE
    try:
        with _alone(path.with_name(LOCK)):
            return _recorded(workspace, path, AddedRun(run, tasks, narrowed, inputs))
    except _NewerError as error:
        return f"{path}: {error}: this run is not added"
    except (OSError, *_ERRORS) as error:
        why = getattr(error, "strerror", None) or error
        return f"{path}: cannot be written: {why}: this run is not added"


def _recorded(workspace: Path, path: Path, run: AddedRun) -> str:
    try:
        _write(workspace, path, run)
    except _ERRORS as error:
        if not _is_damage(error):
            raise
        aside = _set_aside(path)
        _write(workspace, path, run)
        return f"{path}: is damaged ({error}): set aside as {aside.name}, and begun anew"
    return ""


def summary(workspace: Path) -> Summary:
    """What the database says of durations; nothing where it cannot be read."""
    path = workspace / NAME / FILE
    with suppress(OSError, *_ERRORS, _NewerError), _connected(path) as database:
        if _version(database) == len(tables.STEPS):
            return tables.summary(database)
    return Summary("", {}, {}, {}, {})


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the lock of whoever writes; `TimeoutError` where others hold it for long."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _acquire(descriptor)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"other runs have written for {_PATIENCE_S:g} s") from None
        except OSError:
            return None  # a file system without locks: SQLite says what it thinks of that
        time.sleep(_POLL_S)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection whose transactions are ours to begin and end; its end undoes an open one."""
    with closing(sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -16000")  # KiB, at most: the index of 10,000 tasks
        yield database


def _version(database: sqlite3.Connection) -> int:
    version, ours = int(database.execute("PRAGMA user_version").fetchone()[0]), len(tables.STEPS)
    if version > ours:
        raise _NewerError(
            f"was written by a newer polylane (version {version}, this one knows {ours})"
        )
    return version


def _is_damage(error: Exception) -> bool:
    """Whether the file is not as we wrote it: SQLite's code says so, or there is none."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DAMAGED


def _set_aside(path: Path) -> Path:
    """Rename the database, and first its journal, which must not be taken for the next one's."""
    aside = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S')}")
    with suppress(FileNotFoundError):
        path.with_name(f"{path.name}-journal").replace(f"{aside}-journal")
    return path.replace(aside)


def _write(workspace: Path, path: Path, run: AddedRun) -> None:
    with _connected(path) as database:
        database.execute("BEGIN IMMEDIATE")
        _upgrade(database)
        known = _known(workspace, database)
        run.add(database, known)
        # Before the end of the transaction: the summary is never older than the database.
        history.write(workspace, known._replace(run=run.result.id))
        database.execute("COMMIT")


def _upgrade(database: sqlite3.Connection) -> None:
    """Bring the tables to our version; a new file has version 0."""
    steps = tables.STEPS[_version(database) :]
    for statement in ";".join(steps).split(";"):
        database.execute(statement)
    if steps:
        database.execute(f"PRAGMA user_version = {len(tables.STEPS)}")


def _known(workspace: Path, database: sqlite3.Connection) -> Summary:
    """The summary, if it is of this database as it is now; else what the database says."""
    known = history.read(workspace)
    return known if known and known.run == tables.newest(database) else tables.summary(database)
