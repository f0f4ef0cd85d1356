"""The runs that have ended, read back: their ids, their folders, what ``result.json`` says.

Knows nothing of how a run is made or shown.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polylane.describe.home import NAME
from polylane.errors import UserError
from polylane.remember.runs import RESULT

#: The version of ``result.json`` that we can read.
_VERSION = 1


def ids(workspace: Path) -> list[str]:
    """The runs that have a result, the newest first."""
    try:
        found = [path for path in (workspace / NAME / "runs").iterdir() if (path / RESULT).exists()]
    except OSError:
        return []
    # By the end of each, as `last` is: of two runs at once either may have begun first.
    return [path.name for path in sorted(found, key=_end, reverse=True)]


def _end(path: Path) -> tuple[float, str]:
    try:
        return (path / RESULT).stat().st_mtime_ns, path.name
    except OSError:  # removed meanwhile
        return 0, path.name


def folder(workspace: Path, run: str) -> Path:
    """The folder of a run."""
    return workspace / NAME / "runs" / run


def result(run: Path) -> dict[str, Any]:
    """What ``result.json`` in a run's folder says; `UserError` where that cannot be read."""
    path = run / RESULT
    try:
        data = json.loads(path.read_bytes())
        version = data["version"]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: is no result of a run: {error!r}") from None
    if version != _VERSION:
        raise UserError(f"{path}: is of version {version!r}; this polylane reads {_VERSION}")
    found: dict[str, Any] = data
    return found
