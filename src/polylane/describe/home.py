"""The folder ``.polylane`` of a workspace, which ignores itself in git."""

from __future__ import annotations

from pathlib import Path

from polylane.errors import UserError

NAME = ".polylane"


def home(workspace: Path) -> Path:
    """Return the folder, made if it was missing; `UserError` where that cannot be."""
    folder = workspace / NAME
    ignore = folder / ".gitignore"
    try:
        if not ignore.exists():
            folder.mkdir(exist_ok=True)
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be written: {error.strerror}; polylane keeps its logs there"
        ) from None
    return folder
