"""Makes new files: each whole or not at all, and never in the place of another.

Knows nothing of what they say.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from polylane.errors import UserError


def check(paths: Sequence[Path]) -> None:
    """See whether files could be made; a `UserError` names the first folder that we may not."""
    for path in paths:
        folder = next(each for each in path.parents if each.exists())
        if not folder.is_dir():
            raise UserError(f"{path}: cannot be made: {folder} is no folder; nothing was written")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UserError(
                f"{path}: cannot be made: {folder} is not writable for you; nothing was written"
            )


def make(texts: Mapping[Path, str]) -> list[Path]:
    """Make all files, with the folders that they need; returns those that were not made.

    They are left out because something has that name meanwhile. All are written beside their
    places first: where one cannot be, none is made and a `UserError` says why.
    """
    drafts: dict[Path, Path] = {}
    folders: list[Path] = []
    try:
        for path, text in texts.items():
            folders += _make_folder(path.parent)
            drafts[path] = path.with_name(f".{path.name}.{os.getpid()}.new")
            _write(drafts[path], text)
        return [path for path, draft in drafts.items() if not _placed(draft, path)]
    except OSError as error:
        what = f"{error.filename}: cannot be made: {error.strerror}"
        raise UserError(f"{what}; free the place, then run polylane init again") from None
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink()
        for folder in reversed(folders):
            with suppress(OSError):  # it holds a file
                folder.rmdir()


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder with those above it; returns the ones that were missing, outermost first."""
    missing = [each for each in (*reversed(folder.parents), folder) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _write(draft: Path, text: str) -> None:
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        try:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            error.filename = error.filename or str(draft)
            raise


def _placed(draft: Path, path: Path) -> bool:
    """Give a whole file its name, unless something has it: a link fails then, a rename does not."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: take the name first, then fill it at once
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            return False
        draft.replace(path)
    return True
