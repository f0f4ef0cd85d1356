"""What was read of the workspace, between two calls: ``.polylane/workspace.cache``.

Knows nothing of what is remembered. A file that is broken, or that another version wrote, is as
good as none; one that cannot be written costs time, and nothing else.
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from polylane import __version__
from polylane.describe import home, languages
from polylane.errors import UserError
from polylane.model import Recipe

FILE = "workspace.cache"

#: Change it with the shape of what is remembered.
_SHAPE = 4


def read(folder: Path) -> dict[str, Any]:
    """What was remembered, or an empty dictionary."""
    try:
        data = (folder / home.NAME / FILE).read_bytes()
    except OSError:
        return {}
    mark = _mark()
    body = memoryview(data)[len(mark) + 4 :]
    if not data.startswith(mark) or data[len(mark) : len(mark) + 4] != _sum(body):
        return {}
    cache: dict[str, Any] = marshal.loads(body)  # noqa: S302 - our own file, and whole
    return cache


def write(folder: Path, cache: dict[str, Any]) -> None:
    """Remember, whole or not at all."""
    try:
        body = marshal.dumps(cache)
        path = home.home(folder) / FILE
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(_mark() + _sum(body) + body)
        new.replace(path)
    except (OSError, UserError, ValueError):  # ValueError: a plug-in's data are not plain
        return


def _sum(body: Any) -> bytes:
    return zlib.crc32(body).to_bytes(4, "big")


@lru_cache(maxsize=1)  # the code that runs does not change while it does
def _mark() -> bytes:
    """What differs where an older file could mean something else: also when a language changes."""
    sources = Path(languages.__file__).parent.rglob("*.py")
    newest = max(path.stat().st_mtime_ns for path in sources)
    names = ",".join(Recipe._fields)
    python = sys.implementation.cache_tag
    return (
        f"polylane {__version__} {_SHAPE} {python} {newest} {zlib.crc32(names.encode())}\n".encode()
    )
