"""Finds the folders of the workspace that git does not ignore, and remembers them by time.

A folder that has not changed has the same entries, so that it need not be listed again. What
changed while, or just before, it was looked at is looked at again the next time: clocks of file
systems tick slowly, and a second change in the same tick would not be seen.

Knows nothing of languages but the names of files and folders that matter to them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from polylane.describe import git, home

IGNORE_FILE = ".gitignore"

#: When a file or folder last changed (nanoseconds, by the kernel's clock: no program can set it
#: back), its inode and its size; None where there is none.
Stamp = tuple[int, int, int] | None

#: What no file has: a thing that is looked at again.
UNSETTLED: Stamp = (0, 0, 0)

#: Longer than a tick of the clock by which a file system stamps: in nanoseconds.
_TICK = 50_000_000

#: A folder's stamp, its folders that are not ignored, and its files that matter.
Entry = tuple[Stamp, tuple[str, ...], tuple[str, ...]]

#: What lies in a folder, by name.
Listing = dict[str, os.DirEntry[str]]

#: So many entries are kept for those who ask about them after the walk: 25 MB.
_KEPT = 100_000


class Tree:
    """Every folder that is not ignored, by path relative to the workspace (``"."``, ``a/b``)."""

    __slots__ = ("changed", "entries", "ignore_stamps", "listings")

    def __init__(
        self,
        entries: dict[str, Entry] | None = None,
        ignore_stamps: dict[str, Stamp] | None = None,
        *,
        changed: bool = True,
    ) -> None:
        self.entries = entries or {}
        #: Every file that says what is ignored; absolute, with its stamp.
        self.ignore_stamps = ignore_stamps or {}
        #: Whether any folder had to be listed again.
        self.changed = changed
        #: Of the folders that were listed, as long as there are not too many.
        self.listings: dict[str, Listing] = {}


def stamp(path: str | Path) -> Stamp:
    """The stamp of a file or folder."""
    try:
        return stamp_of(os.stat(path))  # noqa: PTH116 - thousands; Path costs as much again
    except OSError:
        return None


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp that a status says."""
    return status.st_ctime_ns, status.st_ino, status.st_size


def settled(stamp: Stamp, since: int) -> Stamp:
    """A stamp to remember of what was looked at from ``since`` on (nanoseconds)."""
    return stamp if stamp is None or stamp[0] < since - _TICK else UNSETTLED


def scan(absolute: str) -> Listing:
    """What lies in a folder, but for the folder ``.polylane``: it comes and goes with our runs."""
    with os.scandir(absolute) as entries:
        listing = {entry.name: entry for entry in entries}
    listing.pop(home.NAME, None)
    return listing


def walk(
    folder: Path, *, files: Collection[str], skip: Collection[str], known: Tree, since: int
) -> Tree:
    """Walk the workspace; ``known`` is an earlier result, or an empty tree; ``since`` is now.

    ``files``: names that are remembered where they stand. ``skip``: names of folders that are never
    entered. Of repositories within the repository (submodules) nothing is ours: git does not say
    what is theirs.
    """
    if _same_rules(known):
        tree = _walk(folder, {*files, IGNORE_FILE}, {*skip}, known.entries, since)
        if _ignore_files(tree) == _ignore_files(known):
            tree.ignore_stamps = known.ignore_stamps
            return tree
    outside = git.ignore_sources(folder)
    tree = _walk(folder, {*files, IGNORE_FILE}, {*skip}, {}, since)
    inside = [os.path.join(folder, path, IGNORE_FILE) for path in _ignore_files(tree)]  # noqa: PTH118
    tree.ignore_stamps = {p: settled(stamp(p), since) for p in (*map(str, outside), *inside)}
    return tree


def _same_rules(known: Tree) -> bool:
    """Whether the same is ignored as when ``known`` was walked, but for new files that say so."""
    stamps = known.ignore_stamps
    named = map(str, git.global_files())
    return all(p in stamps for p in named) and all(stamp(p) == s for p, s in stamps.items())


def _ignore_files(tree: Tree) -> set[str]:
    return {path for path, (_, _, names) in tree.entries.items() if IGNORE_FILE in names}


def _walk(
    folder: Path,
    files: set[str],
    skip: set[str],
    known: dict[str, Entry],
    since: int,
) -> Tree:
    """Walk level by level, so that git is asked once a level and not once a folder."""
    tree, base, kept = Tree(changed=False), str(folder), 0
    level = ["."]
    while level:
        fresh = _look(base, level, known, tree)
        listed = {}
        for path in fresh:
            listing = _listing(_absolute(base, path))
            listed[path] = _that_matter(path, listing or {}, files, skip)
            kept += len(listing or ())
            if listing is not None and kept <= _KEPT:
                tree.listings[path] = listing
        candidates = [_join(path, name) for path, (names, _) in listed.items() for name in names]
        ignored = git.ignored(folder, candidates)
        for path, (names, found) in listed.items():
            entered = tuple(name for name in names if _join(path, name) not in ignored)
            tree.entries[path] = (settled(fresh[path], since), entered, found)
        tree.changed = tree.changed or bool(fresh)
        level = [_join(p, name) for p in level if p in tree.entries for name in tree.entries[p][1]]
    return tree


def _look(base: str, level: Iterable[str], known: dict[str, Entry], tree: Tree) -> dict[str, Stamp]:
    """Take over the folders that have not changed; returns the stamps of the others."""
    fresh: dict[str, Stamp] = {}
    for path in level:
        now = stamp(_absolute(base, path))
        entry = known.get(path)
        if entry is not None and entry[0] == now:
            tree.entries[path] = entry
        elif now is not None:
            fresh[path] = now
    return fresh


def _absolute(base: str, path: str) -> str:
    return base if path == "." else f"{base}/{path}"


def _join(path: str, name: str) -> str:
    return name if path == "." else f"{path}/{name}"


def _listing(absolute: str) -> Listing | None:
    """What lies in a folder; None for one that is not ours to read, or gone since."""
    try:
        return scan(absolute)
    except OSError:
        return None


def _that_matter(
    path: str, listing: Listing, files: set[str], skip: set[str]
) -> tuple[list[str], tuple[str, ...]]:
    """The folders that may be entered, and the files that matter; sorted."""
    if ".git" in listing and path != ".":
        return [], ()
    folders = [name for name, entry in listing.items() if entry.is_dir(follow_symlinks=False)]
    found = (files & listing.keys()).difference(folders)
    return sorted(name for name in folders if name not in skip), tuple(sorted(found))
