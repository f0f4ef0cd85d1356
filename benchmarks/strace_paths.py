"""What strace says that a command changes: the same paths as a trace, from another witness.

Knows nothing of our tracer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_CALLS = (
    "open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,"
    "unlink,unlinkat,mkdir,mkdirat,rmdir,mknod,mknodat,bind"
)
#: Who is whose child, and where it works: relative paths need that.
_ALSO = {"chdir", "fchdir", "clone", "clone3", "fork", "vfork"}

#: In these the first path is not changed.
_SECOND_ONLY = {"link", "linkat", "symlink", "symlinkat"}

_LINE = re.compile(r"(?:\[pid +\d+\] )?(\w+)\((.*)\) += (.*)$")
_WORD = re.compile(r'(?:AT_FDCWD|\d+)<((?:\\x..)*)>|(?<!sun_path=@)"((?:\\x..)*)"')
_CHANGES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_NO_NAME = re.compile(r"O_TMPFILE|O_PATH")


def command(argv: list[str], prefix: Path) -> list[str]:
    """A command under strace, which writes a file ``prefix.TID`` for each thread."""
    traced = ",".join([_CALLS, *sorted(_ALSO)])
    said = ["-ff", "-y", "-xx", "-s", "4200", "-e", "signal=none", "-e", f"trace=?{traced}"]
    return ["strace", *said, "-o", str(prefix), "--", *argv]


def changed(prefix: Path, folder: Path) -> set[str]:
    """The absolute paths that a command in ``folder`` changed, or tried to, as it said them."""
    files = {int(p.suffix[1:]): p for p in prefix.parent.glob(f"{prefix.name}.*")}
    paths: set[str] = set()
    todo = [(_first(files), str(folder))]
    while todo:
        tid, where = todo.pop()
        if tid in files:
            todo += _read(files.pop(tid), where, paths)
    for tid, file in files.items():  # a parent was killed before it knew of its child
        list(_read(file, f"?{tid}", paths))
    return paths


def _first(files: dict[int, Path]) -> int:
    children = {
        int(found)
        for path in files.values()
        for found in re.findall(r"^(?:clone3?|v?fork)\(.* = (\d+)", path.read_text(), re.MULTILINE)
    }
    return next(tid for tid in sorted(files) if tid not in children)


def _read(file: Path, where: str, paths: set[str]) -> Iterator[tuple[int, str]]:
    """Add what one thread changed; its children, with the folders that they begin in."""
    for line in file.read_text().splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        call, words, result = found.groups()
        if call in _ALSO:
            number = int(result.split()[0].split("<")[0]) if result[0].isdigit() else -1
            if call in {"chdir", "fchdir"} and number == 0:
                where = _paths(words, where)[-1]
            elif call not in {"chdir", "fchdir"} and number > 0:
                yield number, where
        elif not call.startswith("open") or _is_change(words):
            said = _paths(words, where)
            paths.update(said[-1:] if call in _SECOND_ONLY else said)


def _is_change(words: str) -> bool:
    return bool(_CHANGES.search(words)) and not _NO_NAME.search(words)


def _paths(words: str, where: str) -> list[str]:
    """The paths among a call's arguments, made absolute; those of descriptors if there is none."""
    said: list[str] = []
    folders: list[str] = []
    base = where
    for descriptor, path in _WORD.findall(words):
        if not descriptor:
            said.append(os.path.normpath(Path(base, _text(path))))
            base = where
        elif (folder := _text(descriptor)).startswith("/"):  # else it is a socket
            folders.append(base := folder)
    return said or folders


def _text(hexed: str) -> str:
    return os.fsdecode(bytes.fromhex(hexed.replace("\\x", "")))
