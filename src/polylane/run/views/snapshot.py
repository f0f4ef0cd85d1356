"""What a tree of files holds, in a form by which two can be compared: ``diff -r`` in two parts.

Compared are kinds, contents, targets of symbolic links and whether the owner may execute a file;
not times, owners and the other bits of modes, which tools and umasks set as they like.

Knows nothing of overlays; a write set is a tree of which only some paths count.
"""

# Paths by the ten thousand, where a Path costs as much as the call.
# ruff: noqa: PTH115

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from polylane.records import NamedTuple

#: Whether a relative path (with ``/``) is left out, with all below it.
Ignored = Callable[[str], bool]

_DIGEST_BYTES = 16
_CHUNK_BYTES = 1 << 20

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class Print(NamedTuple):
    """What is compared of one path."""

    #: ``file``, ``folder``, ``link``, ``fifo``, ``socket``, ``device``; ``gone`` if removed.
    kind: str
    #: Whether its owner may execute the file.
    executable: bool = False
    #: A file's digest (blake2b, 16 bytes, as hex; ``unreadable`` where it is), a link's target.
    content: str = ""


#: By relative path, with ``/``.
Fingerprint = dict[str, Print]

GONE = Print("gone")


def nothing(_: str) -> bool:
    """Ignore nothing."""
    return False


def named(names: Iterable[str]) -> Ignored:
    """Ignore paths with one of these names, at any depth, and those that are given as a whole."""
    known = frozenset(names)
    return lambda path: path in known or path.rpartition("/")[2] in known


def fingerprint(folder: str | os.PathLike[str], ignored: Ignored = nothing) -> Fingerprint:
    """Read all below a folder that is not ignored."""
    top = os.fspath(folder)
    return {path: of_path(f"{top}/{path}", seen) for path, seen in walk(top, ignored)}


def of_path(path: str, seen: os.stat_result) -> Print:
    """Return the print of one path; ``seen``: its own `os.lstat`."""
    kind = kind_of(seen.st_mode)
    if kind == "file":
        return Print(kind, bool(seen.st_mode & stat.S_IXUSR), _digest(path))
    return Print(kind, content=os.readlink(path) if kind == "link" else "")


def kind_of(mode: int) -> str:
    """Name the kind of a path by its ``st_mode``."""
    return _KINDS[stat.S_IFMT(mode)]


def of_paths(
    top: str, present: Iterable[str], gone: Iterable[str], ignored: Ignored = nothing
) -> Fingerprint:
    """Read some paths below a folder, and take others for removed."""
    prints = {path: GONE for path in gone if not is_ignored(path, ignored)}
    for path in present:
        if not is_ignored(path, ignored):
            prints[path] = of_path(f"{top}/{path}", os.lstat(f"{top}/{path}"))
    return prints


def is_ignored(path: str, ignored: Ignored) -> bool:
    """Whether a path, or a folder above it, is ignored."""
    if ignored is nothing:
        return False
    ends = [place for place, letter in enumerate(path) if letter == "/"]
    return any(ignored(path[:end]) for end in ends) or ignored(path)


def walk(top: str, ignored: Ignored = nothing) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what lies below a folder, folders before what is in them, links not followed.

    A folder that we may not read has nothing in it; what vanishes meanwhile is left out.
    """
    todo = [""]
    while todo:
        prefix = todo.pop()
        try:
            entries = os.scandir(f"{top}/{prefix}")
        except (PermissionError, FileNotFoundError):
            continue
        with entries:
            for entry in entries:
                path = prefix + entry.name
                if ignored(path):
                    continue
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield path, seen
                if stat.S_ISDIR(seen.st_mode):
                    todo.append(path + "/")


def differences(first: Fingerprint, second: Fingerprint) -> list[tuple[str, str]]:
    """Name each path that differs, sorted, and how; empty where the trees are equal."""
    found = []
    for path in sorted(first.keys() | second.keys()):
        one, other = first.get(path), second.get(path)
        if one != other:
            found.append((path, _difference(one, other)))
    return found


def _difference(one: Print | None, other: Print | None) -> str:
    if other is None:
        return "only in the first"
    if one is None:
        return "only in the second"
    if one.kind != other.kind:
        return f"{one.kind} in the first, {other.kind} in the second"
    parts = []
    if one.content != other.content:
        parts.append("target" if one.kind == "link" else "content")
    if one.executable != other.executable:
        parts.append(f"executable only in the {'first' if one.executable else 'second'}")
    return ", ".join(parts)


def _digest(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except PermissionError:
        return "unreadable"
    try:
        digest = blake2b(digest_size=_DIGEST_BYTES)
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            digest.update(chunk)
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def same_content(one: str, other: str) -> bool:
    """Whether two files of equal size hold the same bytes; not where one may not be read."""
    try:
        with open(one, "rb", buffering=0) as first, open(other, "rb", buffering=0) as second:
            while (chunk := first.read(_CHUNK_BYTES)) == second.read(_CHUNK_BYTES):
                if not chunk:
                    return True
    except PermissionError:
        pass
    return False
