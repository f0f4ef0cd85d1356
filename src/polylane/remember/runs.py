"""Where a run's logs and results lie: ``.polylane/runs/<id>/``.

Knows the file formats, and nothing of how a run is made or shown.
"""

import json
import os
import re
import shutil
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from polylane.describe.home import home
from polylane.errors import UserError
from polylane.records import NamedTuple

RESULT = "result.json"
LAST = "last"

#: File names have 255 bytes; what is longer is cut and told apart by a hash.
_NAME_LIMIT = 200

#: What a file's name, or a link to it, does not take as it is.
_UNSAFE = re.compile(r"[^A-Za-z0-9_.~-]+")

#: A run without a result may still be going on; after so long it was killed.
_ABANDONED_S = 86_400.0


def _quoted(part: re.Match[str]) -> str:
    return _quote(part[0])


@lru_cache  # nearly always a colon
def _quote(text: str) -> str:
    return quote(text, safe="")


class RunFolder(NamedTuple):
    """The folder of one run."""

    id: str
    path: Path

    def log(self, task: str, attempt: int = 1) -> str:
        """The name of a task's log in this folder; a retry has a log of its own."""
        name = _UNSAFE.sub(_quoted, task)
        if len(name) > _NAME_LIMIT:
            from hashlib import sha256

            name = f"{name[: _NAME_LIMIT - 17]}-{sha256(task.encode()).hexdigest()[:16]}"
        return f"{name}.log" if attempt == 1 else f"{name}.{attempt}.log"

    def write(self, result: dict[str, Any]) -> None:
        """Write ``result.json`` whole or not at all, and point ``last`` here."""
        new = self.path / f"{RESULT}.new"
        text = json.dumps(result, ensure_ascii=False) + "\n"
        # A lone surrogate (a file's name that is not UTF-8) becomes JSON's own escape for it.
        new.write_text(text, encoding="utf-8", errors="backslashreplace")
        new.replace(self.path / RESULT)
        link = self.path.parent.parent / LAST
        temporary = link.with_name(f"{LAST}.{os.getpid()}")
        with suppress(OSError):
            temporary.symlink_to(Path("runs") / self.id)
            temporary.replace(link)


def new_run(workspace: Path) -> RunFolder:
    """Make the folder of a new run; `UserError` where nothing can be written."""
    runs = home(workspace) / "runs"
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    try:
        for attempt in range(1000):
            name = f"{stamp}-{int(now % 1 * 1000):03}{attempt or ''}-{os.getpid()}"
            with suppress(FileExistsError):
                (runs / name).mkdir(parents=True)
                return RunFolder(name, runs / name)
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be written: {error.strerror}; polylane keeps its logs there"
        ) from None
    raise UserError(f"{runs}: no free name for a run")


def prune(workspace: Path, keep: int) -> list[str]:
    """Remove all but the newest ``keep`` runs; returns the ids of those removed."""
    runs = workspace / ".polylane" / "runs"
    removed = []
    for path in _newest(runs)[keep:]:
        if (path / RESULT).exists() or time.time() - _modified(path) > _ABANDONED_S:
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path.name)
    return removed


def _newest(runs: Path) -> list[Path]:
    try:
        return sorted(runs.iterdir(), key=lambda path: path.name, reverse=True)
    except OSError:
        return []


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
