"""A workspace in which assignments run in private views.

Knows nothing of any one test.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from polylane.run.protocol import Assignment, Report
from polylane.run.strict import Private
from polylane.run.views import overlay
from tests.support import job, run


class Workspace:
    """A folder ``ws`` for tasks, and room beside it for what keeps them apart."""

    def __init__(self, folder: Path) -> None:
        self._beside = folder / "beside"
        self.folder = folder / "ws"
        self._count = 0
        for path in (self._beside, self.folder):
            path.mkdir()

    def write(self, **files: str) -> Workspace:
        """Write files; ``__`` in a name stands for a slash."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self

    def job(self, *argv: str, writes: tuple[str, ...] = (), **changes: Any) -> Assignment:
        """An assignment in a view; one word is a script for the shell."""
        self._count += 1
        private = Private(
            str(self.folder),
            str(self._beside / f"view{self._count}"),
            str(self._beside / f"temporary{self._count}"),
            writes,
            dropped=("dropped",),
            grace=0.3,
        )
        log = str(self._beside / f"log{self._count}")
        said = {"view": tuple(private), "log": log, "cwd": str(self.folder), **changes}
        return job(self.folder, *argv, **said)

    def run(self, *argv: str, writes: tuple[str, ...] = (), **changes: Any) -> Report:
        """Run one."""
        [report] = run(self.job(*argv, writes=writes, **changes))
        return report

    def log(self) -> str:
        """What the last one has printed."""
        log = self._beside / f"log{self._count}"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def left(self) -> list[str]:
        """What lies beside the workspace still, but for logs."""
        return [path.name for path in self._beside.iterdir() if not path.name.startswith("log")]

    def tree(self) -> dict[str, str]:
        """All that lies in the workspace: what a file holds, where a link leads, else a mode."""
        return {str(path.relative_to(self.folder)): _said(path) for path in self._all()}

    def _all(self) -> list[Path]:
        return sorted(self.folder.rglob("*"))


def _said(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    if path.is_file() and os.access(path, os.R_OK):
        return path.read_text(encoding="utf-8")
    return stat.filemode(path.lstat().st_mode)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where this machine refuses private views, and says why."""
    folder = tmp_path_factory.mktemp("views")
    if why := overlay.available(folder, folder / "scratch", pid=True):
        pytest.skip(why)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)
