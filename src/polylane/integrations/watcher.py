"""The process that watches folders (``polylane.tools.watch_folders``), as its parent sees it.

Knows nothing of what the changes are looked for.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from polylane.describe import home
from polylane.errors import UserError

#: Seconds that the watcher may take to say what it has seen. It needs a tenth of one.
_LIMIT_S = 20.0

#: What the library says where the kernel's limits are reached (inotify(7)), and which one it is.
_LIMITS = {
    "file watch limit": ("watches", "1048576"),
    "os error 24": ("instances", "1024"),
}


def check() -> None:
    """Refuse to watch where the library is missing."""
    if find_spec("watchfiles") is None:
        raise UserError(
            "--watch needs watchfiles, which is not installed where polylane is"
            f" ({sys.prefix}): pip install 'polylane[watch]'"
        )


class Watcher:
    """Folders of a workspace that are watched, each without those below it."""

    def __init__(self, workspace: Path, folders: Collection[str]) -> None:
        """Start, and wait until all are watched; ``folders`` are relative to the workspace."""
        self._workspace = workspace
        self._home = home.home(workspace)
        self._count = len(folders)
        self._said = b""
        self._marks = 0
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", "polylane.tools.watch_folders", str(os.getpid())),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what the terminal sends is for the runner
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        try:
            self._begin([self._home, *(workspace / folder for folder in folders)])
        except BaseException:
            self.close()
            raise

    def _begin(self, folders: Collection[Path]) -> None:
        assert self._process.stdin is not None
        try:
            with self._process.stdin as file:
                file.write(b"".join(os.fsencode(folder) + b"\0" for folder in folders))
        except BrokenPipeError:
            pass  # it has ended: `_receive` says so
        while b"\0" not in self._said:
            self._receive(_LIMIT_S)
        self._refuse_error()
        self._said = self._said.removeprefix(b"\0")

    def wait(self, wakeup: int, limit: float | None = None) -> bool:
        """Wait until something changed, ``wakeup`` can be read or ``limit`` seconds have passed.

        Returns whether something changed.
        """
        poller = select.poll()
        poller.register(self._output, select.POLLIN)
        poller.register(wakeup, select.POLLIN)
        ready = dict(poller.poll(None if limit is None else limit * 1000))
        if wakeup in ready:
            os.read(wakeup, 4096)
        return self._output in ready

    def read(self) -> dict[str, str]:
        """What changed and has been said: paths relative to the workspace, and how.

        ``+``, ``~`` and ``-`` mean that it appeared, changed and went; a path may have several.
        """
        while self._receive(0.0):
            pass
        whole, _, self._said = self._said.rpartition(b"\0\0")
        return self._relative(whole)

    def read_all(self) -> dict[str, str]:
        """All that changed up to now: what has a mark behind it, as the kernel keeps the order."""
        mark = self._home / f"watch-{os.getpid()}-{self._marks}"
        self._marks += 1
        mark.touch()
        deadline = time.monotonic() + _LIMIT_S
        try:
            # Behind the mark, up to the end of what was seen together with it.
            while b"\0\0" not in self._said.partition(os.fsencode(mark))[2]:
                if not self._receive(max(0.0, deadline - time.monotonic())):
                    break
        finally:
            mark.unlink(missing_ok=True)
        return self.read()

    def _receive(self, limit: float) -> bool:
        """Read what the watcher has said; whether it said anything within so many seconds."""
        if not select.select([self._output], [], [], limit)[0]:
            return False
        data = os.read(self._output, 1 << 20)
        self._said += data
        if not data or self._said.startswith(b"!"):
            self._refuse_error()
        return True

    def _refuse_error(self) -> None:
        if self._said.startswith(b"!"):
            raise UserError(self._why(os.fsdecode(self._said[1:]).partition("\0")[0]))
        if self._process.poll() is not None:
            raise UserError(
                f"--watch: the process that watches ended with {self._process.returncode};"
                " start again"
            )

    def _why(self, error: str) -> str:
        for text, (limit, value) in _LIMITS.items():
            if text in error:
                name = f"fs.inotify.max_user_{limit}"
                return (
                    f"--watch: {self._count} folders are more than the kernel lets you watch"
                    f" ({name}); raise it: sudo sysctl {name}={value}"
                )
        return f"--watch: {self._workspace} cannot be watched: {error}"

    def _relative(self, records: bytes) -> dict[str, str]:
        found: dict[str, str] = {}
        base = f"{self._workspace}/"
        for record in filter(None, records.split(b"\0")):
            text = os.fsdecode(record)
            path = text[1:].removeprefix(base)
            found[path] = found.get(path, "") + text[0]
        return found

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout):
            if file is not None:
                file.close()
