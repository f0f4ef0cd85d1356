"""What the files of a workspace contain, as far as git does not ignore them: from one call of git.

Of files that are as git's index has them, the index says it; others are read. What changed since
the run began is not what its tasks found: whoever asks about it is told that nobody knows.

Knows nothing of tasks.
"""

from __future__ import annotations

import os
import stat
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

#: Larger files, and what comes after so many bytes of all, are told apart by their stamps.
_FILE_BYTES, _ALL_BYTES = 1 << 20, 16 << 20

#: Of a folder that git ignores, so many entries are looked at, those near its top first.
_LOOKED_AT = 500
#: What comes and goes in such folders without a meaning.
_PASSING = ("__pycache__", ".cache", ".tmp", ".vite", ".vite-temp")

#: A file system's clock may be late by a tick.
_TICK_NS = 20_000_000

#: The mode of a repository within the repository, of which git says the commit only.
_SUBMODULE = b"160000"

#: What stands in a digest for what cannot be known.
Digest = bytes | None


class Contents:
    """The state of a workspace's files.

    ``listing``: what `git.begin_listing` printed. ``since``: when the run began, in nanoseconds.
    ``is_product``: whether a file that is not in the index is one that the run's tasks make.
    """

    def __init__(
        self, folder: Path, listing: bytes, since: int, is_product: Callable[[str], bool]
    ) -> None:
        self._folder = os.fsencode(folder)
        self._since = since - _TICK_NS
        self._left = _ALL_BYTES
        entries, changed, unknown = _entries(listing)
        for path in changed:
            is_new = entries.pop(path, b"?") == b"?"
            if is_new and is_product(os.fsdecode(path)):
                continue
            if (state := self._file(path)) is None:
                unknown.add(path)
            elif state:
                entries[path] = state
        self._paths = sorted(entries)
        self._lines = [path + b"\0" + entries[path] + b"\n" for path in self._paths]
        self._unknown = sorted(unknown)
        self._known: dict[tuple[bytes, bool], Digest] = {}
        self._looked: dict[bytes, Digest] = {}

    def below(self, prefix: str, *, shallow: bool) -> Digest:
        """A digest of a file, or of all below a folder; None where it changed, or is not known.

        ``shallow``: only of what lies in the folder itself. Empty where there is nothing.
        """
        key = os.fsencode(prefix), shallow
        if key not in self._known:
            self._known[key] = self._below(*key)
        return self._known[key]

    def ignored(self, path: str) -> Digest:
        """A digest of what git ignores: stamps of files and names of folders, the nearest ones."""
        name = os.fsencode(path)
        if name not in self._looked:
            self._looked[name] = self._look(name)
        return self._looked[name]

    def _below(self, prefix: bytes, shallow: bool) -> Digest:  # noqa: FBT001
        if any(True for _ in _range(self._unknown, prefix, shallow=shallow)):
            return None
        lines = [self._lines[i] for i in _range(self._paths, prefix, shallow=shallow)]
        return _sum(b"".join(lines)) if lines else b""

    def _file(self, path: bytes) -> Digest:
        """The state of a file that the index does not know so; empty where there is none.

        None where it changed meanwhile.
        """
        absolute = os.path.join(self._folder, path)  # noqa: PTH118 - bytes
        try:
            status = os.lstat(absolute)
            if status.st_ctime_ns >= self._since or stat.S_ISDIR(status.st_mode):
                return None
            return self._said(absolute, status)
        except FileNotFoundError:
            return b""
        except OSError:
            return None

    def _said(self, absolute: bytes, status: os.stat_result) -> bytes:
        """What the index would say of it, so that adding a file changes nothing."""
        if stat.S_ISLNK(status.st_mode):
            return b"120000 " + _blob(os.readlink(absolute))  # noqa: PTH115 - bytes
        mode = b"100755 " if status.st_mode & stat.S_IXUSR else b"100644 "
        if not stat.S_ISREG(status.st_mode) or status.st_size > min(_FILE_BYTES, self._left):
            return mode + _stamp(status)
        self._left -= status.st_size
        with open(absolute, "rb") as file:
            return mode + _blob(file.read())

    def _look(self, path: bytes) -> Digest:
        found: list[bytes] = []
        todo = [path]
        while todo and len(found) < _LOOKED_AT:
            for name, status in self._entries_of(todo.pop(0)):
                if not stat.S_ISDIR(status.st_mode):
                    if status.st_ctime_ns >= self._since:
                        return None
                    found.append(name + b"\0" + _stamp(status))
                elif not name.endswith(tuple(b"/" + os.fsencode(each) for each in _PASSING)):
                    found.append(name)
                    todo.append(name)
        return _sum(b"\n".join(sorted(found))) if found else b""

    def _entries_of(self, path: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
        """What lies in a folder; of a file, itself."""
        absolute = os.path.join(self._folder, path)  # noqa: PTH118 - bytes
        try:
            with os.scandir(absolute) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
            for entry in ordered[:_LOOKED_AT]:
                yield path + b"/" + entry.name, entry.stat(follow_symlinks=False)
        except NotADirectoryError:
            yield path, os.stat(absolute)  # noqa: PTH116 - bytes
        except OSError:
            return


def _blob(data: bytes) -> bytes:
    """The name that git gives these contents, with the index's stage; see git-hash-object(1)."""
    from hashlib import sha1  # loads OpenSSL: only where something differs from the index

    name = sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return name.encode() + b" 0"


def _sum(data: bytes) -> bytes:
    """Of few states that are compared, none of which is made to be mistaken for another."""
    return zlib.crc32(data).to_bytes(4, "big")


def _stamp(status: os.stat_result) -> bytes:
    return b"%d %d" % (status.st_mtime_ns, status.st_size)


def _entries(listing: bytes) -> tuple[dict[bytes, bytes], list[bytes], set[bytes]]:
    """By path what the index says, ``?`` for files that it lacks; what differs; what none knows."""
    entries: dict[bytes, bytes] = {}
    changed: dict[bytes, None] = {}
    unknown: set[bytes] = set()
    for record in listing.split(b"\0"):
        if record[:2] == b"? ":
            entries[record[2:]] = b"?"
            changed[record[2:]] = None
        elif record:
            said, _, path = record.partition(b"\t")
            tag, state = said[:1], said[2:]
            if state.startswith(_SUBMODULE):
                unknown.add(path)
            elif tag in b"HSM":
                entries[path] = entries.get(path, b"") + state
            else:
                changed[path] = None
    return entries, list(changed), unknown


def _range(paths: list[bytes], prefix: bytes, *, shallow: bool) -> Iterable[int]:
    """Where a path, and the paths below it, stand among sorted ones."""
    if not prefix:
        found: Iterable[int] = range(len(paths))
        return (i for i in found if b"/" not in paths[i]) if shallow else found
    place = bisect_left(paths, prefix)
    itself = range(place, place + 1) if paths[place : place + 1] == [prefix] else range(0)
    # The character after the slash: all that begins with the folder's name and a slash.
    below = range(bisect_left(paths, prefix + b"/"), bisect_left(paths, prefix + b"0"))
    if shallow:
        depth = prefix.count(b"/") + 1
        return (i for i in (*itself, *below) if paths[i].count(b"/") <= depth)
    return (*itself, *below)
