"""What a task printed, as a terminal may show it: its text and its colours.

A log may move the cursor, clear the screen, hide the cursor, or leave a colour on: shown as it is,
it would spoil what stands around it. Pure; knows nothing of where the bytes go.
"""

from __future__ import annotations

import re

#: Sequences for terminals (ECMA-48), of which only SGR, in the group, is kept: CSI; OSC and other
#: strings, which end in the same line; those of two or three characters; control characters but for
#: tab, line feed and carriage return, those of ISO 6429 too.
_OBEYED = re.compile(
    rb"(\x1b\[[\d;:]*m)"
    rb"|\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]"
)
_RESET = b"\x1b[0m"

#: A sequence that is cut at the end of a piece has so many bytes at most.
_LONGEST = 256


def whole(data: bytes) -> bytes:
    """Text and colours, which end with it."""
    found = _OBEYED.sub(rb"\1", data)
    last = found.rfind(b"\x1b[")
    is_open = last >= 0 and not found.startswith((_RESET, b"\x1b[m"), last)
    return found + _RESET if is_open else found


def line(data: bytes) -> bytes:
    """The same of a line without its end; of a progress bar its last state."""
    states = [state for state in data.split(b"\r") if state.strip()]
    return whole(states[-1]) if states else b""


def cut(data: bytes) -> tuple[bytes, bytes]:
    """A piece without a sequence that may go on in the next one, and that."""
    start = data.rfind(b"\x1b", -_LONGEST)
    return (data, b"") if start < 0 else (data[:start], data[start:])
