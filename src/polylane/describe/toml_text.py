"""A TOML text parsed; what the last one of its kind came to is remembered in ``.polylane``.

The text itself is the key, so that nothing old is ever served. tomllib costs a start 2 ms to import
and 40 ms for a thousand tasks. Knows nothing of what keys mean.
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from polylane.describe import home

FILE = "config.cache"

#: What wrote the file: another Python may marshal in another way.
_MARK = f"polylane toml 1 {sys.implementation.cache_tag}\n".encode()
_SUM_BYTES = 4


@lru_cache(maxsize=2)  # one call of ours loads the configuration several times
def parse(folder: Path, text: str, file: str = FILE) -> dict[str, Any]:
    """Parse the text; `ValueError` (and `RecursionError`) where it is no TOML.

    ``folder``: the workspace; ``file``: where texts of this kind are remembered. The result is
    shared, and never changed.
    """
    path = folder / home.NAME / file
    known = _read(path)
    if known is not None and known[0] == text:
        return known[1]
    table = loads(text)
    if path.parent.is_dir():
        _write(path, text, table)
    return table


def loads(text: str) -> dict[str, Any]:
    """Parse the text, and remember nothing."""
    import tomllib

    return tomllib.loads(text)


def _read(path: Path) -> tuple[str, dict[str, Any]] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, body = len(_MARK) + _SUM_BYTES, data[len(_MARK) + _SUM_BYTES :]
    if data[:head] != _MARK + _sum(body):
        return None
    known: tuple[str, dict[str, Any]] = marshal.loads(body)  # noqa: S302 - our own file, and whole
    return known


def _write(path: Path, text: str, table: dict[str, Any]) -> None:
    with suppress(OSError, ValueError):  # ValueError: marshal knows no dates; they are rare
        body = marshal.dumps((text, table))
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(_MARK + _sum(body) + body)
        new.replace(path)


def _sum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(_SUM_BYTES, "big")
