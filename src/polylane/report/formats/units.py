"""Figures as people read them: durations, sizes, shares. Knows nothing of runs."""

from __future__ import annotations

_MINUTE = 60
_HOUR = 3600
_THOUSAND = 1000


def duration(seconds: float | None) -> str:
    """``0.42 s``, ``12.3 s``, ``2 min 5 s``, ``3 h 12 min``; a dash where nothing is known."""
    if seconds is None:
        return "–"  # noqa: RUF001 - an en dash stands for nothing in a table
    sign, rest = ("-" if seconds < 0 else ""), abs(seconds)
    if rest < 10:  # noqa: PLR2004
        return f"{sign}{rest:.2f} s"
    if rest < 100:  # noqa: PLR2004
        return f"{sign}{rest:.1f} s"
    whole = round(rest)
    if whole < _HOUR:
        return f"{sign}{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{sign}{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def size(count: float | None) -> str:
    """``812 B``, ``1.2 MB``, of 1,000 each; a dash where nothing is known."""
    if count is None:
        return "–"  # noqa: RUF001
    for unit in ("B", "kB", "MB", "GB"):
        if count < _THOUSAND:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"  # noqa: PLR2004
        count /= _THOUSAND
    return f"{count:.1f} TB"


def share(part: float | None) -> str:
    """``42 %``; a dash where nothing is known."""
    return "–" if part is None else f"{part:.0%}".replace("%", " %")  # noqa: RUF001
