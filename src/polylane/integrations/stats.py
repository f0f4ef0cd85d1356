"""``lanes.stats``: what the history says of tasks and pipelines over time."""

from __future__ import annotations

from pathlib import Path
from shutil import get_terminal_size

from polylane.describe import config as configuration
from polylane.errors import UserError
from polylane.remember import records
from polylane.report import reports, trends, trends_text


def show(folder: Path, html: str) -> str:
    """The tables as text; writes the page too, where ``html`` names a file."""
    paths = reports.check([html], "--html", [".html"]) if html else ()
    config = configuration.load(folder)
    found = trends.find(records.read(config.folder), config.pipelines)
    for path in paths:
        from polylane.report.formats import stats_html

        try:
            reports.put(path, stats_html.render(found, config.folder.name))
        except OSError as error:
            raise UserError(f"--html {html}: cannot be written: {error.strerror}") from None
    return trends_text.text(found, get_terminal_size().columns)
