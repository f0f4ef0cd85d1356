"""Removes what a project's tools left behind: ``python -m polylane.tools.clean PATTERN...``.

Works in the folder that it is started in, and removes a path only where it matches a pattern, lies
inside the folder, is ignored by git, and holds no tracked file and no repository of its own. Links
are never followed. ``**/name`` does not enter folders with a manifest: those have their own clean.
Environments (``.venv``, ``node_modules``) are removed only where a pattern names them literally.

Exit codes: 0 done, whatever was left; 1 something could not be removed; 2 a bad pattern.
Knows nothing of languages and tasks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

_ENVIRONMENTS = (".venv", "venv", "node_modules")
_MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py", "package.json")
_KIBI = 1024
_OPTION = "--manifests="


def main(words: Sequence[str] | None = None) -> int:
    """Run with the words of a command line: patterns, and ``--manifests=NAME,NAME``."""
    said = list(sys.argv[1:] if words is None else words)
    manifests: tuple[str, ...] = _MANIFESTS
    if said and said[0].startswith(_OPTION):
        manifests = tuple(said.pop(0).removeprefix(_OPTION).split(","))
    for pattern in said:
        if pattern.startswith("/") or ".." in pattern.split("/"):
            print(f"clean: {pattern!r} leaves the folder; give patterns inside it", file=sys.stderr)
            return 2
    # Git and the disk speak bytes; names that are no text survive the way there and back.
    return Cleaner(Path.cwd(), manifests).clean(said)


def find(folder: Path, pattern: str, manifests: Sequence[str]) -> Iterator[str]:
    """Paths below ``folder``, relative to it, that match a pattern; links are not followed."""
    yield from _find(
        folder, "", [part for part in pattern.split("/") if part not in ("", ".")], manifests
    )


def _find(folder: Path, base: str, parts: list[str], manifests: Sequence[str]) -> Iterator[str]:
    if not parts:
        return
    head, rest = parts[0], parts[1:]
    if head == "**":
        yield from _find(folder, base, rest, manifests)
    for entry in _entries(folder / base):
        path = f"{base}/{entry.name}" if base else entry.name
        inside = entry.is_dir(follow_symlinks=False)
        if head == "**":
            if inside and _enters(entry, manifests) and not _named(entry.name, rest):
                yield from _find(folder, path, parts, manifests)
        elif _matches(entry.name, head):
            if not rest:
                yield path
            elif inside:
                yield from _find(folder, path, rest, manifests)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def _enters(entry: os.DirEntry[str], manifests: Sequence[str]) -> bool:
    if entry.name in _ENVIRONMENTS or entry.name == ".git":
        return False
    return not any(os.path.lexists(f"{entry.path}/{name}") for name in (".git", *manifests))


def _named(name: str, rest: list[str]) -> bool:
    """Whether a folder is itself what is looked for, so that nothing inside it matters."""
    return len(rest) == 1 and _matches(name, rest[0])


def _matches(name: str, pattern: str) -> bool:
    if name == pattern:
        return True
    return name not in (*_ENVIRONMENTS, ".git") and fnmatchcase(name, pattern)


@dataclass
class Cleaner:
    """One folder, and what git says of it."""

    folder: Path
    manifests: Sequence[str] = _MANIFESTS
    failed: bool = False
    _untracked: list[str] | None = field(default=None, init=False)

    def clean(self, patterns: Iterable[str]) -> int:
        """Remove what may be removed, and say what was and what was not; returns the exit code."""
        found = {path for p in patterns for path in find(self.folder, p, self.manifests)}
        paths = _outermost(found)
        tracked = self._files()
        if tracked is None:
            print("clean: git knows nothing of this folder, so nothing is ignored; left all")
            return 0
        ignored = self._ignored(paths)
        total = 0
        for path in paths:
            reason = "holds tracked files" if _inside(path, tracked) else self._keep(path, ignored)
            if reason:
                print(f"left {_shown(path)}: {reason}")
            else:
                total += self._remove(path)
        print(f"freed {_bytes(total)}")
        return int(self.failed)

    def _keep(self, path: str, ignored: frozenset[str]) -> str:
        """Why a path without tracked files stays; empty where it may go."""
        inside = (self.folder / path).is_dir() and not (self.folder / path).is_symlink()
        if path not in ignored and not (inside and self._holds_only_ignored(path)):
            return "is not ignored by git"
        if inside and _holds_repository(self.folder / path):
            return "holds a git repository"
        return ""

    def _holds_only_ignored(self, path: str) -> bool:
        """Whether a folder ignores all that it holds, as tools' own ``.gitignore`` files do."""
        if self._untracked is None:
            self._untracked = self._files("--others", "--exclude-standard") or []
        return any((self.folder / path).iterdir()) and not _inside(path, self._untracked)

    def _files(self, *options: str) -> list[str] | None:
        """Files that git lists, sorted; ``None`` where it cannot."""
        listed = self._git("ls-files", "-z", *options)
        return None if listed is None else sorted(listed.split("\0"))

    def _ignored(self, paths: Iterable[str]) -> frozenset[str]:
        said = self._git("check-ignore", "-z", "--stdin", given="\0".join(paths))
        return frozenset((said or "").split("\0"))

    def _git(self, *words: str, given: str = "") -> str | None:
        """What git prints, as file names; ``None`` where it fails."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env=env | {"GIT_OPTIONAL_LOCKS": "0"},
            input=os.fsencode(given),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        # check-ignore exits with 1 where nothing is ignored.
        return os.fsdecode(done.stdout) if done.returncode in (0, 1) else None

    def _remove(self, path: str) -> int:
        """Remove a path; returns the bytes that it held."""
        place = self.folder / path
        size = _size(place)
        try:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
        except OSError as error:
            self.failed = True
            print(f"left {_shown(path)}: cannot be removed: {error.strerror}")
            return 0
        print(f"removed {_shown(path)} ({_bytes(size)})")
        return size


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths, sorted, less those that lie inside another of them."""
    kept: list[str] = []
    for path in sorted(paths, key=lambda path: path.split("/")):
        if not kept or not path.startswith(f"{kept[-1]}/"):
            kept.append(path)
    return kept


def _inside(path: str, known: list[str]) -> bool:
    """Whether one of the sorted paths ``known`` is ``path`` or lies inside it."""
    at = bisect_left(known, path)
    if at < len(known) and known[at] == path:
        return True
    at = bisect_left(known, f"{path}/")
    return at < len(known) and known[at].startswith(f"{path}/")


def _holds_repository(folder: Path) -> bool:
    return any(".git" in (*folders, *files) for _, folders, files in os.walk(folder))


def _size(place: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if place.is_dir() and not place.is_symlink():
        return sum(_length(Path(base, name)) for base, _, files in os.walk(place) for name in files)
    return _length(place)


def _length(place: Path) -> int:
    try:
        return place.lstat().st_size
    except OSError:
        return 0


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < _KIBI:
            return f"{count:.0f} {unit}"
        count /= _KIBI
    return f"{count:.1f} GiB"


def _shown(path: str) -> str:
    """A path on one line, whatever its bytes are."""
    return path if path.isprintable() else ascii(path)


if __name__ == "__main__":
    raise SystemExit(main())
