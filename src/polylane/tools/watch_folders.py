"""Says what changes in folders: ``python -m polylane.tools.watch_folders PARENT``.

Reads the folders from its standard input, each with a NUL behind it, up to the end, and watches
what lies in each one, but not below. It then writes records with a NUL behind each: ``+PATH``,
``~PATH`` and ``-PATH`` for what appeared, changed and went, and an empty one behind all that were
seen together; the first empty one says that the folders are watched. ``!TEXT`` says why they cannot
be. Ends when its parent does, whose process id is ``PARENT``.

A process of its own because the watcher has threads, which one that forks must not have. Knows
nothing of tasks.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread

import watchfiles

_KINDS = {
    watchfiles.Change.added: "+",
    watchfiles.Change.modified: "~",
    watchfiles.Change.deleted: "-",
}

#: How long changes are gathered before they are said: at least, and at most; milliseconds.
_STEP_MS, _DEBOUNCE_MS = 40, 400


class _Filter(watchfiles.DefaultFilter):
    """Leaves out what editors write beside a file while it is edited."""

    ignore_dirs = ()


def main(parent: int) -> int:
    """Watch until the parent ends."""
    living = os.pidfd_open(parent)
    if os.getppid() != parent:
        return 0
    Thread(target=_end_with, args=(living,), daemon=True).start()
    folders = list(_decoded(sys.stdin.buffer.read().split(b"\0")))
    try:
        changes = _watched(folders)
        first = next(changes)
        _say("\0" + _records(first))
        for each in changes:
            _say(_records(each))
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001 - the library has one of its own for most
        _say(f"!{error}\0")
        return 1
    return 0


def _decoded(names: Iterable[bytes]) -> Iterator[str]:
    """Names that are no UTF-8 are left out: the library could not take them."""
    for name in filter(None, names):
        try:
            yield name.decode()
        except UnicodeDecodeError:
            continue


def _watched(folders: list[str]) -> Iterator[set[watchfiles.main.FileChange]]:
    """The changes; at first none, when the folders are watched. A folder may go at any time."""
    there = _open_to_us(folders)
    while True:
        try:
            yield from watchfiles.watch(
                *there,
                watch_filter=_Filter(),
                debounce=_DEBOUNCE_MS,
                step=_STEP_MS,
                rust_timeout=1,
                yield_on_timeout=True,
                recursive=False,
                ignore_permission_denied=False,  # it would also hide that a limit is reached
            )
        except (FileNotFoundError, PermissionError):
            before, there = there, _open_to_us(there)
            if there == before:
                raise


def _open_to_us(folders: list[str]) -> list[str]:
    return [folder for folder in folders if Path(folder).is_dir() and os.access(folder, os.R_OK)]


def _records(changes: Iterable[watchfiles.main.FileChange]) -> str:
    found = "".join(f"{_KINDS[kind]}{path}\0" for kind, path in changes)
    return found and found + "\0"


def _say(text: str) -> None:
    sys.stdout.buffer.write(text.encode(errors="surrogateescape"))
    sys.stdout.buffer.flush()


def _end_with(living: int) -> None:
    select.select([living], [], [])
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
