"""Flags as their hosts give them, texts, to values; bad ones are named as the user typed them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from polylane.describe import schema
from polylane.errors import UserError, did_you_mean
from polylane.model import SANDBOXES
from polylane.report.observers import OUTPUTS


def _flag(keys: tuple[str, ...]) -> str:
    return f"--{keys[0]}"


def jobs(text: str) -> int | str | None:
    """``--jobs``: a number, ``auto`` or a percentage; None where nothing was said."""
    return schema.jobs(text, _flag, ("jobs",)) if text != "" else None


def seconds(text: str) -> float | None:
    """``--timeout``: seconds above 0; None where nothing was said."""
    if text == "":
        return None
    try:
        value: object = float(text)
    except ValueError:
        value = text
    return schema.seconds(value, _flag, ("timeout",))


def sandbox(text: str) -> str:
    """``--sandbox``; empty where nothing was said."""
    return schema.one_of(*SANDBOXES)(text, _flag, ("sandbox",)) if text else ""


def output(text: str) -> str:
    """``--output``."""
    if text not in OUTPUTS:
        hint = did_you_mean(text, OUTPUTS)
        raise UserError(f"--output = {text!r}: must be one of {', '.join(OUTPUTS)}{hint}")
    return text


def reports(texts: Iterable[str]) -> tuple[Path, ...]:
    """``--report``: files, each with the ending of its format, that can be written."""
    given = tuple(texts)
    if not given:
        return ()
    from polylane.report.reports import check  # few runs have any

    return check(given)
