"""The folder of a workspace, and ``.polylane`` in it, which ignores itself in git."""

from __future__ import annotations

from pathlib import Path

from polylane.errors import UserError

NAME = ".polylane"

#: A folder with one of these is a workspace.
_MARKS = ("polylane.toml", ".git")


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
            f"{error.filename}: cannot be written: {error.strerror}; make it a folder that you may"
            " write to: polylane keeps its logs there"
        ) from None
    return folder


def workspace_around(start: Path) -> Path:
    """The workspace of a folder: the nearest one with our configuration or git's, or itself."""
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS) or _is_configured(folder):
            return folder
    return start


def _is_configured(folder: Path) -> bool:
    try:
        return b"[tool.polylane" in (folder / "pyproject.toml").read_bytes()
    except OSError:
        return False
