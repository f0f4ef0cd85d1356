"""What runs took over time, as one self-contained HTML page with a plot for each task."""

from __future__ import annotations

from collections.abc import Sequence

from polylane.report import trends_text
from polylane.report.formats import page
from polylane.report.formats.units import duration, share
from polylane.report.trends import Trends

#: Plots are drawn so wide and high, and stretched by the browser.
_WIDE, _HIGH = 150, 30
_MARGIN = 2


def render(trends: Trends, name: str) -> bytes:
    """The whole page; ``name`` is the workspace's."""
    return page.render(
        "stats.html",
        name=name,
        tables=[("Pipelines and selections", trends.selections), ("Tasks", trends.tasks)],
        judgements=trends_text.judgements(trends) if trends.selections else [],
        points=points,
        trend=trends_text.trend,
        duration=duration,
        share=share,
    )


def points(walls: Sequence[float], top: float) -> str:
    """The points of an SVG line: the oldest on the left, 0 at the bottom, ``top`` on top."""
    step = _WIDE / max(len(walls) - 1, 1)
    # One run alone is a line too.
    shown = list(walls) * 2 if len(walls) == 1 else walls
    height = _HIGH - 2 * _MARGIN
    return " ".join(
        f"{number * step:.1f},{_HIGH - _MARGIN - wall / (top or 1.0) * height:.1f}"
        for number, wall in enumerate(shown)
    )
