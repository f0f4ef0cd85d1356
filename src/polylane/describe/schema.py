"""Checks of single configuration values: each returns the value as the program uses it.

A check takes the value and a function that says where it stands, and raises a `UserError` that
names the place, the value and what would be right. Knows no key of the configuration.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from polylane.errors import UserError, did_you_mean

#: Says where a key stands: ``pyproject.toml:3: tool.polylane.jobs``.
Place = Callable[[tuple[str, ...]], str]
Check = Callable[[Any, Place, tuple[str, ...]], Any]

#: So many characters of a value are shown in a message.
_SHOWN = 76

#: A process's exit code has eight bits.
_LAST_EXIT_CODE = 255


def check(checks: Mapping[str, Check], table: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Check a whole table; an unknown key is an error."""
    result: dict[str, Any] = record(checks)(table, place, ())
    return result


def fail(place: Place, keys: tuple[str, ...], value: object, expected: str) -> UserError:
    """Build the error for a value that is not what was expected."""
    return UserError(f"{place(keys)} = {_shown(value)}: must be {expected}")


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def record(checks: Mapping[str, Check]) -> Check:
    """A table with known keys."""

    def check_record(value: Any, place: Place, keys: tuple[str, ...]) -> dict[str, Any]:
        _need_table(value, place, keys)
        for key in value:
            if key not in checks:
                hint = did_you_mean(key, checks) or f"; known keys: {', '.join(checks)}"
                raise UserError(f"{place((*keys, key))}: unknown key{hint}")
        return {key: checks[key](item, place, (*keys, key)) for key, item in value.items()}

    return check_record


def table_of(item: Check, *, key: Check | None = None) -> Check:
    """A table whose keys the user chooses."""

    def check_table(value: Any, place: Place, keys: tuple[str, ...]) -> dict[str, Any]:
        _need_table(value, place, keys)
        for name in value:
            (key or _name)(name, place, (*keys, name))
        return {name: item(each, place, (*keys, name)) for name, each in value.items()}

    return check_table


def _need_table(value: Any, place: Place, keys: tuple[str, ...]) -> None:
    if not isinstance(value, Mapping):
        raise fail(place, keys, value, "a table")


def _name(value: Any, place: Place, keys: tuple[str, ...]) -> Any:
    if not value or not value.isprintable():
        raise UserError(f"{place(keys)}: a name must not be empty, nor hold control characters")
    return value


def verb_key(value: Any, place: Place, keys: tuple[str, ...]) -> Any:
    """A verb, or a pipeline: the name of an Invoke task."""
    if not _is_verb(value):
        raise UserError(f"{place(keys)}: a name must be {_VERB}")
    return value


def project_key(value: Any, place: Place, keys: tuple[str, ...]) -> Any:
    """A project's name, which stands in ids between two colons."""
    if ":" in _name(value, place, keys):
        raise UserError(f"{place(keys)}: a project's name must not hold a colon")
    return value


def variable_key(value: Any, place: Place, keys: tuple[str, ...]) -> Any:
    """The name of an environment variable."""
    if not value or "=" in value or not value.isprintable():
        raise UserError(
            f"{place(keys)}: a variable's name must not be empty, nor hold = or control characters"
        )
    return value


def task_key(value: Any, place: Place, keys: tuple[str, ...]) -> Any:
    """An id ``verb:project:tool``, none of the three empty."""
    _name(value, place, keys)
    parts = value.split(":", 2)
    if len(parts) < len(("verb", "project", "tool")) or not all(parts):
        raise UserError(
            f"{place(keys)}: a task's id must be verb:project:tool, such as lint:api:ruff"
        )
    if not _is_verb(parts[0]):
        raise UserError(f"{place(keys)}: the id's first part, {parts[0]!r}, must be {_VERB}")
    return value


def boolean(value: Any, place: Place, keys: tuple[str, ...]) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise fail(place, keys, value, "true or false")
    return value


def one_of(*known: str) -> Check:
    """One of some words."""

    def check_one_of(value: Any, place: Place, keys: tuple[str, ...]) -> str:
        if value not in known:
            hint = did_you_mean(value, known) if isinstance(value, str) else ""
            words = ", ".join(f'"{word}"' for word in known)
            raise fail(place, keys, value, f"one of {words}{hint}")
        return str(value)

    return check_one_of


def string(value: Any, place: Place, keys: tuple[str, ...]) -> str:
    """A text without NUL, which no process could be given."""
    if not isinstance(value, str) or "\0" in value:
        raise fail(place, keys, value, "a text")
    return value


def strings(value: Any, place: Place, keys: tuple[str, ...]) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or not all(
        isinstance(v, str) and v and "\0" not in v for v in value
    ):
        raise fail(place, keys, value, "a list of texts")
    return tuple(value)


def verb(value: Any, place: Place, keys: tuple[str, ...]) -> str:
    """A verb's name, which becomes an Invoke task's."""
    if not _is_verb(value):
        raise fail(place, keys, value, _VERB)
    return str(value)


_VERB = "a verb: letters, digits and dashes, such as type-check"


def _is_verb(value: Any) -> bool:
    return isinstance(value, str) and _names_verb(value)


@lru_cache  # many tasks have few verbs
def _names_verb(text: str) -> bool:
    # Invoke writes underscores as dashes, and takes a dash in front for a flag.
    return re.fullmatch(r"[^\W_](?:[^\W_]|-)*", text) is not None


def verbs(value: Any, place: Place, keys: tuple[str, ...]) -> tuple[str, ...]:
    """A list of verbs, one at least."""
    if not isinstance(value, list) or not value or not all(_is_verb(v) for v in value):
        raise fail(place, keys, value, 'a list of verbs, such as ["build", "test"]')
    return tuple(value)


def path(value: Any, place: Place, keys: tuple[str, ...]) -> str:
    """A path in the workspace, normalised: ``"."`` or ``a/b``."""
    text = string(value, place, keys)
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                raise fail(place, keys, value, "a path inside the workspace")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if text.startswith("/") or not text:
        raise fail(place, keys, value, "a path relative to the workspace")
    return "/".join(parts) or "."


def folders(value: Any, place: Place, keys: tuple[str, ...]) -> tuple[str, ...]:
    """A list of folders in the workspace."""
    found = tuple(path(item, place, keys) for item in strings(value, place, keys))
    if any("*" in item or "?" in item or item.startswith("!") for item in found):
        raise fail(place, keys, value, "a list of folders, without * or ? or !")
    return found


def paths(value: Any, place: Place, keys: tuple[str, ...]) -> tuple[str, ...]:
    """A list of path patterns in the workspace; ``!`` in front takes away."""
    result = []
    for item in strings(value, place, keys):
        mark = "!" if item.startswith("!") else ""
        result.append(mark + path(item.removeprefix("!"), place, keys))
    return tuple(result)


def command(value: Any, place: Place, keys: tuple[str, ...]) -> tuple[str, ...] | str:
    """A list of words, or a text that is split like a shell splits words."""
    if isinstance(value, str) and value.strip() and "\0" not in value:
        try:
            shlex.split(value)
        except ValueError as error:
            raise fail(place, keys, value, f"a command ({error})") from None
        return value
    if isinstance(value, list) and value and value[0] and all(_is_word(v) for v in value):
        return tuple(value)
    raise fail(
        place, keys, value, 'a command: a list of words, such as ["pytest", "-q"], or a text'
    )


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def seconds(value: Any, place: Place, keys: tuple[str, ...]) -> float:
    """A number of seconds above 0."""
    if not _number(value) or value <= 0:
        raise fail(place, keys, value, "a number of seconds above 0")
    return float(value)


def seconds_or_zero(value: Any, place: Place, keys: tuple[str, ...]) -> float:
    """A number of seconds, or 0."""
    if not _number(value) or value < 0:
        raise fail(place, keys, value, "a number of seconds, 0 or more")
    return float(value)


def count(value: Any, place: Place, keys: tuple[str, ...]) -> int:
    """A whole number above 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise fail(place, keys, value, "a whole number above 0")
    return value


def count_or_zero(value: Any, place: Place, keys: tuple[str, ...]) -> int:
    """A whole number, 0 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise fail(place, keys, value, "a whole number, 0 or more")
    return value


def exit_codes(value: Any, place: Place, keys: tuple[str, ...]) -> tuple[int, ...]:
    """A list of exit codes, 0 to 255."""
    codes = value if isinstance(value, list) and value else [-1]
    if not all(
        isinstance(c, int) and not isinstance(c, bool) and 0 <= c <= _LAST_EXIT_CODE for c in codes
    ):
        raise fail(place, keys, value, "a list of exit codes from 0 to 255")
    return tuple(codes)


def percentage(value: Any, place: Place, keys: tuple[str, ...]) -> float:
    """A text such as ``"80%"``, as a fraction."""
    match = re.fullmatch(r"([0-9]{1,3})\s*%", value) if isinstance(value, str) else None
    if match is None or int(match[1]) not in range(1, 101):
        raise fail(place, keys, value, 'a percentage from 1% to 100%, such as "80%"')
    return int(match[1]) / 100


def size(value: Any, place: Place, keys: tuple[str, ...]) -> int:
    """A size such as ``"6GB"`` (10^9 bytes) or ``"1.5 GiB"`` (2^30), in bytes."""
    found = _bytes(value)
    if found is None:
        raise fail(place, keys, value, f'a size such as "1GB" or "512MiB"{_meant(value)}')
    return found


def memory(value: Any, place: Place, keys: tuple[str, ...]) -> int | str:
    """A size in bytes, ``"auto"``, or a percentage of the machine's memory."""
    text = value.strip() if isinstance(value, str) else ""
    if text == "auto" or (re.fullmatch(r"[0-9]{1,3}%", text) and 0 < int(text[:-1]) <= 100):  # noqa: PLR2004
        return text
    found = _bytes(value)
    if found is None:
        hint = _meant(value) or (did_you_mean(text, ["auto"]) if text.isalpha() else "")
        raise fail(
            place, keys, value, f'"auto", a size such as "6GB", or a percentage such as "50%"{hint}'
        )
    return found


_UNITS = {
    name + suffix: base**power
    for power, name in enumerate(("k", "m", "g", "t"), 1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}


def _bytes(value: Any) -> int | None:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([a-z]{2,3})", str(value).strip().lower())
    found = int(float(match[1]) * _UNITS[match[2]]) if match and match[2] in _UNITS else 0
    return found if found > 0 and isinstance(value, str) else None


def _meant(value: Any) -> str:
    """For ``"6G"``, which some take for ``GB`` and some for ``GiB``: what it may mean."""
    match = re.fullmatch(r"([1-9][0-9.]{0,9}) ?([kmgt])", str(value).strip().lower())
    return f"; did you mean '{match[1]}{match[2].upper()}B'?" if match else ""


def jobs(value: Any, place: Place, keys: tuple[str, ...]) -> int | str:
    """A whole number above 0, ``"auto"``, or a percentage of the cores."""
    text = (
        str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    )
    if text == "auto" or (re.fullmatch(r"[0-9]{1,3}%", text) and int(text[:-1]) > 0):
        return text
    if re.fullmatch(r"[0-9]{1,5}", text) and int(text) > 0:
        return int(text)
    raise fail(place, keys, value, 'a number above 0, "auto", or a percentage such as "50%"')


def jobs_or_off(value: Any, place: Place, keys: tuple[str, ...]) -> int | str:
    """As `jobs`, or ``"off"``."""
    if value == "off":
        return "off"
    try:
        return jobs(value, place, keys)
    except UserError:
        expected = 'a number above 0, "auto", "off", or a percentage such as "50%"'
        raise fail(place, keys, value, expected) from None
