"""Where a key stands in a TOML text, for messages: ``pyproject.toml:3: tool.polylane.jobs``.

Knows nothing of what keys mean.
"""

from __future__ import annotations

import re

# Compiled when a message needs them.
_HEADER = r"\s*\[\s*([^\[\]=]+)\]\s*(?:#.*)?"
_KEY = r"\s*([^\[#=][^=]*)="
_PART = r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([\w-]+)"


class Place:
    """Says where a key of a file stands, with its line where the text shows it."""

    def __init__(self, file: str, text: str, prefix: tuple[str, ...] = ()) -> None:
        """``prefix``: the keys of the table that is ours."""
        self.file = file
        self.text = text
        self.prefix = prefix

    def __call__(self, keys: tuple[str, ...]) -> str:
        """``file:line: dotted.key``."""
        path = (*self.prefix, *keys)
        line = self._line(path)
        where = f"{self.file}:{line}" if line else self.file
        return f"{where}: {dotted(path)}" if path else where

    def _line(self, path: tuple[str, ...]) -> int | None:
        """The line that says a key, or else the longest part of its path: a hint, not a parse."""
        best: tuple[int, int | None] = (0, None)
        header: tuple[str, ...] = ()
        for number, line in enumerate(self.text.split("\n"), 1):
            if head := re.fullmatch(_HEADER, line.rstrip()):
                said = header = _parts(head[1])
            elif key := re.match(_KEY, line):
                said = (*header, *_parts(key[1]))
            else:
                continue
            if len(said) > best[0] and said == path[: len(said)]:
                best = (len(said), number)
        return best[1]


def _parts(text: str) -> tuple[str, ...]:
    """The parts of a dotted key, quoted or not."""
    return tuple(next(filter(None, found), "") for found in re.findall(_PART, text))


def dotted(keys: tuple[str, ...]) -> str:
    """Write a key path as TOML does: ``tasks."a:b:c".needs``."""
    return ".".join(k if re.fullmatch(r"[\w-]+", k, re.ASCII) else _quoted(k) for k in keys)


def _quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in escaped) + '"'
