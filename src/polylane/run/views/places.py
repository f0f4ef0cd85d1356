"""Where what is written in private views can lie.

Knows nothing of what is run in them.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from polylane.records import NamedTuple
from polylane.run.views import overlay

#: What is larger or lives longer than what a temporary folder may keep in memory: FHS 3.0, 5.15.
_LARGE = Path("/var/tmp")  # noqa: S108  # nosec B108 - a folder with an unguessable name
_SMALL = Path("/tmp")  # noqa: S108  # nosec B108

#: Scratch folders begin so; later ones remove those of killed owners.
PREFIX = "polylane-view-"


class Place(NamedTuple):
    """A folder in which scratch folders can lie."""

    folder: Path
    #: The folders where a view was refused, and why: ``/tmp: ...``.
    refused: tuple[str, ...]
    #: Whether views are refused everywhere; the folder is then one that we may write.
    none: bool = False


def choose(workspace: Path, inside: Path, *, pid: bool = False) -> Place:
    """Try where a view can be; asks `overlay.available`, so before this process has threads.

    ``inside``: a folder of ours in the workspace, the last resort.
    """
    refused: list[str] = []
    for folder in _candidates(workspace, inside):
        why = overlay.available(workspace, folder, pid=pid)
        if not why:
            return Place(folder, tuple(refused))
        refused.append(f"{folder}: {why}")
    writable = [folder for folder in _candidates(workspace, inside) if os.access(folder, os.W_OK)]
    return Place((writable or [inside])[0], tuple(refused), none=True)


def _candidates(workspace: Path, inside: Path) -> list[Path]:
    """Outside the workspace first: a tool that walks all of it would find its files twice.

    But before that where its files can be moved from to the workspace, without copying.
    """
    temporary = Path(tempfile.gettempdir())
    large = _LARGE if temporary == _SMALL else temporary
    found = dict.fromkeys((large, temporary, inside))
    device = workspace.stat().st_dev
    return sorted(found, key=lambda folder: not folder.exists() or folder.stat().st_dev != device)
