"""A terminal that remembers what it shows: tmux, one server for each test.

Knows nothing of any one test.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support import LIMIT_S, wait_for


class Tmux:
    """One program in a terminal, and what follows when it has ended: its exit code in a line."""

    def __init__(
        self, argv: Sequence[str], folder: Path, environ: Mapping[str, str], size: tuple[int, int]
    ) -> None:
        self._socket = folder / "tmux"
        self._modes = folder / "modes"
        program = (
            f"trap : INT; {shlex.join(argv)}; echo exit $?;"
            f" stty -a > {shlex.quote(str(self._modes))}; exec cat"
        )
        width, height = size
        self._tmux(
            *("-f", "/dev/null", "start-server", ";", "set", "-g", "history-limit", "20000", ";"),
            *("new-session", "-d", "-x", str(width), "-y", str(height), program),
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", **environ},
        )

    def _tmux(
        self, *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            ("tmux", "-S", str(self._socket), *words),
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
            timeout=LIMIT_S,
        )
        return done.stdout

    def screen(self) -> list[str]:
        """The lines that are seen now, without spaces at their ends."""
        return [line.rstrip() for line in self._tmux("capture-pane", "-p").splitlines()]

    def text(self) -> list[str]:
        """All lines since the start as one would copy them: wrapped ones in one piece."""
        found = self._tmux("capture-pane", "-p", "-J", "-S", "-").rstrip()
        return [line.rstrip() for line in found.splitlines()]

    def shows(self, *texts: str) -> None:
        """Wait until all of these are seen at once."""
        wait_for(
            lambda: all(any(text in line for line in self.screen()) for text in texts),
            f"{texts} on the screen",
        )

    def ended(self, code: int) -> None:
        """Wait until the program has ended, with this exit code."""
        wait_for(self._modes.exists, "end of the program", 3 * LIMIT_S)
        wait_for(lambda: "exit " in "\n".join(self.text()), "its exit code")
        assert f"exit {code}" in self.text()

    def type(self, key: str) -> None:
        """Press a key, by tmux's name for it."""
        self._tmux("send-keys", key)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def modes(self) -> str:
        """How the program left the terminal: wrapping, with a cursor, on the usual screen, echo."""
        flags = self._tmux("display", "-p", "#{wrap_flag} #{cursor_flag} #{alternate_on}").strip()
        echo = " echo " in self._modes.read_text(encoding="utf-8")
        return f"{flags} {'echo' if echo else 'silent'}"

    def close(self) -> None:
        """End the server, and what runs in it."""
        subprocess.run(
            ("tmux", "-S", str(self._socket), "kill-server"), check=False, capture_output=True
        )


@contextmanager
def tmux(
    argv: Sequence[str], folder: Path, environ: Mapping[str, str], size: tuple[int, int]
) -> Iterator[Tmux]:
    """A program in tmux, while the test looks at it."""
    made = Tmux(argv, folder, environ, size)
    try:
        yield made
    finally:
        made.close()
