"""Goes through a page as a reader would who pastes every block into one shell, in order.

Marks of blocks, in a comment above them: ``file: PATH`` is written where the shell is; ``runs`` is
pasted and must work; ``fails N`` must end with this exit code; ``shows`` is text that the block
before it must have printed; ``not run: WHY`` is passed over. Knows nothing of what a page is about.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.docs.pages import Block, blocks_of
from tests.integrations.repository import write_files

#: What a run of ours, or whoever works here, around the tests may have set.
_OURS = ("USE_PARALLEL", "POLYLANE_RUN", "SOURCE_DATE_EPOCH", "VIRTUAL_ENV", "MAKEFLAGS")

#: Seconds that one block may take on a loaded machine.
_LIMIT_S = 200


class Walk:
    """A shell that keeps its folder and its variables from block to block."""

    def __init__(self, folder: Path, scratch: Path, path: Sequence[str], **environ: str) -> None:
        """``folder``: where it starts; ``scratch``: for its own files; ``path``: leads PATH."""
        inherited = {k: v for k, v in os.environ.items() if k not in _OURS}
        found = os.pathsep.join([*path, os.environ["PATH"]])
        self._environ = {**inherited, "NO_COLOR": "1", "PATH": found, **environ}
        self._folder, self._state = scratch / "folder", scratch / "state"
        self._folder.write_text(str(folder), encoding="utf-8")
        self._state.write_text("", encoding="utf-8")
        self.printed = ""

    @property
    def folder(self) -> Path:
        """Where the shell is."""
        return Path(self._folder.read_text(encoding="utf-8").strip())

    def page(self, page: Path) -> None:
        """Do what every block of a page says."""
        for block in blocks_of(page):
            self.block(block)

    def block(self, block: Block) -> None:
        """Do what a block says; where something else comes of it, an AssertionError says where."""
        mark, _, said = block.mark.partition(" ")
        if mark == "file:":
            write_files(self.folder, {said: block.text})
        elif mark in ("runs", "fails"):
            code = self._paste(block.text)
            expected = int(said) if mark == "fails" else 0
            assert code == expected, f"{block.place}: exit code {code}\n{self.printed}"
        elif mark == "shows":
            missing = first_missing(block.text, self.printed)
            assert not missing, f"{block.place}: {missing!r} is not in\n{self.printed}"

    def _paste(self, text: str) -> int:
        """Run commands; returns the exit code of the first that fails."""
        state, folder = shlex.quote(str(self._state)), shlex.quote(str(self._folder))
        script = (
            f". {state}\ncd {shlex.quote(str(self.folder))}\n"
            f"trap 'code=$?; export -p > {state}; pwd > {folder}; exit $code' EXIT\n"
            f"set -eo pipefail\n{text}"
        )
        done = subprocess.run(
            ["/bin/bash", "-c", script],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_LIMIT_S,
            text=True,
        )
        self.printed = done.stdout
        return done.returncode


def first_missing(shown: str, printed: str) -> str:
    """The first line of ``shown`` that ``printed`` lacks, in order; empty where it has them all.

    A line ``...`` stands for any lines. Numbers, and the widths of gaps and rulers, don't count.
    """
    left = iter([_plain(line) for line in printed.splitlines()])
    for line in shown.splitlines():
        if line.strip() not in ("", "...") and _plain(line) not in left:
            return line
    return ""


def _plain(line: str) -> str:
    line = re.sub(r"\d[\d.]*(-\d+)*", "0", line)
    return re.sub(r"\s+", " ", re.sub(r"-{2,}", "--", line)).strip()
