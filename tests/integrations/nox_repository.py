"""Small real repositories with a noxfile, and programs in them that watch for each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integrations.repository import LIMIT_S, Done, Repository
from tests.support import wait_for

NOXFILE = "from polylane import nox_sessions\nnox_sessions()\n"

#: ``hold.py NAME [FOLDER]`` takes NAME for itself, and fails where another has it; it gives it back
#: when another run waits for the locks of ours, or has been here; then it makes FOLDER. Each call
#: leaves a line in NAME.log.
HOLD = """
import os, sys, time

def ancestors():
    pid = os.getpid()
    while pid > 1:
        yield str(pid)
        with open(f"/proc/{pid}/stat") as file:
            pid = int(file.read().rpartition(")")[2].split()[1])

def someone_waits():
    with open("/proc/locks") as file:
        locks = [line.split() for line in file]
    ours = {words[0] for words in locks if words[1] != "->" and words[4] in family}
    return any(words[1] == "->" and words[0] in ours for words in locks)

family = set(ancestors())
name = os.path.abspath(sys.argv[1])
os.close(os.open(name, os.O_CREAT | os.O_EXCL))
limit = time.monotonic() + 60
while not os.path.exists(name + ".log") and not someone_waits():
    if time.monotonic() > limit:
        sys.exit("nobody came")
    time.sleep(0.01)
with open(name + ".log", "a") as file:
    file.write("here\\n")
os.unlink(name)
if sys.argv[2:]:
    os.mkdir(sys.argv[2])
"""

#: ``pause.py NAME`` writes its pid into NAME.pid and stays.
PAUSE = """
import os, signal, sys
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1] + ".pid")
signal.pause()
"""


class NoxRepository(Repository):
    """A repository whose noxfile has our two lines."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write({"noxfile.py": NOXFILE, "hold.py": HOLD, "pause.py": PAUSE})

    def configure(self, tasks: dict[str, dict[str, Any]], head: str = "") -> NoxRepository:
        """Configure tasks by their ids; those that say no more touch nothing."""
        lines = [head]
        for name, table in tasks.items():
            lines.append(f"[tasks.{json.dumps(name)}]")
            values = {"reads": [], "writes": [], **table}
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        self.write({"polylane.toml": "\n".join(lines) + "\n"})
        return self

    def nox(self, *words: str, **environ: str) -> Done:
        """Run the program ``nox`` here."""
        return self.run(program(), *words, **environ)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start ``nox`` here, in a session of its own as a terminal would."""
        environ = {k: v for k, v in os.environ.items() if k not in ("USE_PARALLEL", "POLYLANE_RUN")}
        return subprocess.Popen(
            [program(), *words],
            cwd=self.folder,
            env={**environ, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def pid(self, name: str) -> int:
        """The pid of ``pause.py NAME``, once it runs."""
        file = self.folder / f"{name}.pid"
        wait_for(file.exists, f"start of {name}", LIMIT_S)
        return int(file.read_text())

    def lines(self, name: str) -> int:
        """How many times a program left a line in a log."""
        return len((self.folder / name).read_text().splitlines())


def program() -> str:
    """The ``nox`` beside the interpreter that runs the tests."""
    return str(Path(sys.executable).with_name("nox"))


def python(*words: str) -> dict[str, Any]:
    """A task that runs a Python program of the repository with the interpreter of the tests."""
    return {"command": [sys.executable, *words]}


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a program; returns its exit code and what it printed."""
    try:
        out, _ = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out
