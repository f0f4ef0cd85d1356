"""``--report PATH``: which format a path asks for, whether it can be written, and writing it.

Knows the formats by their endings only; each is loaded when it is asked for.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from polylane.errors import UserError, did_you_mean
from polylane.report.formats.finished import Finished

#: By ending, the longest first: the module in `polylane.report.formats`; empty for result.json.
ENDINGS = {
    ".trace.json": "perfetto",
    ".json": "",
    ".xml": "junit",
    ".md": "markdown",
    ".html": "html",
}


def check(
    texts: Iterable[str], flag: str = "--report", endings: Iterable[str] = ENDINGS
) -> tuple[Path, ...]:
    """The paths, absolute; `UserError` for an ending that is none, or a path that cannot be."""
    paths = [_checked(text, flag, list(endings)) for text in texts]
    if len(set(paths)) < len(paths):
        double = next(path for path in paths if paths.count(path) > 1)
        raise UserError(f"{flag} {double}: is asked for twice")
    return tuple(paths)


def _checked(text: str, flag: str, endings: list[str]) -> Path:
    path = Path(text).absolute()
    ending = _ending(path.name)
    if ending not in endings:
        known = ", ".join(endings)
        hint = did_you_mean("".join(path.suffixes[-1:]), endings)
        raise UserError(f"{flag} {text}: its ending says no format: {known}{hint}")
    if why := _obstacle(path):
        raise UserError(f"{flag} {text}: cannot be written: {why}")
    if ending == ".html":
        from polylane.report.formats import page

        page.check()
    return path


def _ending(name: str) -> str:
    """The ending of ENDINGS that a file's name has; empty where it has none."""
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")


def _obstacle(path: Path) -> str:
    """Why a file cannot be written, as far as that shows before; folders are made as needed."""
    with suppress(OSError):
        if path.is_dir():
            return "it is a folder"
        if path.exists() and not path.is_file():
            return "it is no file"
    folder = next((each for each in path.parents if os.path.lexists(each)), path.parent)
    if not folder.is_dir():
        return f"{folder} is no folder"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written to"


def write(result: Mapping[str, Any], folder: Path, paths: Iterable[Path]) -> list[str]:
    """Write the reports of a run whose folder this is; returns a line for each that cannot be.

    ``result`` is what ``result.json`` says.
    """
    finished, lines = Finished(result, folder), []
    for path in paths:
        try:
            put(path, _rendered(finished, path))
        except OSError as error:
            lines.append(f"--report {path}: cannot be written: {error.strerror or error}")
    return lines


def _rendered(finished: Finished, path: Path) -> bytes:
    if module := ENDINGS[_ending(path.name)]:
        data: bytes = import_module(f"polylane.report.formats.{module}").render(finished)
        return data
    text = json.dumps(finished.result, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, with the folders above it."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(descriptor, 0o666 & ~mask)
        os.replace(new, path)  # noqa: PTH105 - a text, as tempfile gives it
    except BaseException:
        os.unlink(new)  # noqa: PTH108
        raise
