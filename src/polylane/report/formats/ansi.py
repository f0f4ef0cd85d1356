"""What a program printed for a terminal -> pieces of text with names of styles, or plain text.

Follows ECMA-48 as far as logs need it: SGR sequences become styles, all other sequences vanish, a
line that was printed over and over (a progress bar) is what it was in the end, and what nobody can
see becomes visible. Knows nothing of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: A text, and the names of its styles with spaces between.
Piece = tuple[str, str]

#: Styles: CSI numbers m (a group); all other sequences: CSI, strings such as OSC, two characters.
_SEQUENCE = re.compile(
    r"\x1b\[([0-9;:]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
)
#: Control characters, and those that turn the direction of what follows: a log could lie by them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PICTURES = 0x2400

#: SGR numbers that switch something on, and what each is called.
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "inverse", 9: "struck"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("under",), 27: ("inverse",), 29: ("struck",)}

#: So much of a text may be invisible before it counts as no text.
_JUNK = 0.3
_SAMPLE = 4096

#: The levels of a 256-colour cube's side.
_CUBE = (0, 95, 135, 175, 215, 255)


def is_binary(data: bytes) -> bool:
    """Whether this is no text, by its beginning."""
    sample = _SEQUENCE.sub("", data[:_SAMPLE].decode("utf-8", "replace"))
    junk = len(_UNSEEN.findall(re.sub(r"[\r\x08]", "", sample))) + sample.count("\ufffd")
    return junk > _JUNK * max(len(sample), 1)


def plain(data: bytes) -> str:
    """The text without its styles."""
    return "".join(text for text, _ in pieces(data))


def pieces(data: bytes) -> list[Piece]:
    """The text in pieces of one style each; none is empty."""
    text = "\n".join(map(_last, data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")))
    found: list[Piece] = []
    for part, style in _styled(text):
        shown = _UNSEEN.sub(_picture, part)
        if not shown:
            continue
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + shown, style)
        else:
            found.append((shown, style))
    return found


def _last(line: str) -> str:
    """A line as it stood in the end: what a carriage return went back over is gone."""
    if "\r" in line:
        before, _, line = line.rstrip("\r").rpartition("\r")
        line = "".join(each[0] for each in _SEQUENCE.finditer(before) if each[1] is not None) + line
    if "\b" in line:
        kept: list[str] = []
        for each in line:
            if each == "\b":
                del kept[-1:]
            else:
                kept.append(each)
        line = "".join(kept)
    return line


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:  # noqa: PLR2004
        return chr(_PICTURES + code)
    return "\u2421" if code == 0x7F else "\ufffd"  # noqa: PLR2004


def _styled(text: str) -> Iterator[Piece]:
    styles: dict[str, str] = {}
    at = 0
    for found in _SEQUENCE.finditer(text):
        yield text[at : found.start()], " ".join(styles.values())
        at = found.end()
        if found[1] is not None:
            _switch(styles, found[1])
    yield text[at:], " ".join(styles.values())


def _switch(styles: dict[str, str], said: str) -> None:
    """Apply the numbers of one SGR sequence."""
    numbers = [int(each) if each and len(each) < 4 else 0 for each in re.split("[;:]", said)]  # noqa: PLR2004
    while numbers:
        number = numbers.pop(0)
        if number == 0:
            styles.clear()
        elif number in _ON:
            styles[_ON[number]] = _ON[number]
        elif number in _OFF:
            for name in _OFF[number]:
                styles.pop(name, None)
        elif number in (38, 48):
            _set(styles, "f" if number == 38 else "b", _extended(numbers))  # noqa: PLR2004
        elif number in (39, 49):
            styles.pop("f" if number == 39 else "b", None)  # noqa: PLR2004
        else:
            _set_basic(styles, number)


def _set_basic(styles: dict[str, str], number: int) -> None:
    for first, kind, bright in ((30, "f", 0), (40, "b", 0), (90, "f", 8), (100, "b", 8)):
        if first <= number < first + 8:
            _set(styles, kind, number - first + bright)


def _set(styles: dict[str, str], kind: str, colour: int | None) -> None:
    if colour is not None:
        styles[kind] = f"{kind}{colour}"


def _extended(numbers: list[int]) -> int | None:
    """The colour of ``5;N`` or ``2;R;G;B``, as the one of 16 that is nearest; takes the numbers."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:  # noqa: PLR2004
        number = numbers.pop(0)
        if number < 16:  # noqa: PLR2004
            return number
        return _nearest(*_of_cube(number))
    if kind == 2 and len(numbers) >= 3:  # noqa: PLR2004
        red, green, blue = numbers[:3]
        del numbers[:3]
        return _nearest(red, green, blue)
    return None


def _of_cube(number: int) -> tuple[int, int, int]:
    if number >= 232:  # noqa: PLR2004 - greys
        level = 8 + 10 * (number - 232)
        return level, level, level
    cell = number - 16
    return _CUBE[cell // 36 % 6], _CUBE[cell // 6 % 6], _CUBE[cell % 6]


def _nearest(red: int, green: int, blue: int) -> int:
    """By hue and brightness: of the 16 only these are told apart in light and in dark."""
    top = max(red, green, blue)
    if top - min(red, green, blue) < 48:  # noqa: PLR2004 - a grey
        return 0 if top < 64 else 8 if top < 160 else 7  # noqa: PLR2004
    half = top * 0.6
    hue = (red >= half) + 2 * (green >= half) + 4 * (blue >= half)
    return hue + (8 if top > 200 else 0)  # noqa: PLR2004
