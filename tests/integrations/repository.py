"""Builds small real repositories, and runs the programs in them that people would run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TASKS = "from polylane import namespace\nns = namespace()\n"

#: Seconds that one program may take on a loaded machine.
LIMIT_S = 100

#: What a run of ours, or a validation, around the tests may have set.
_OURS = ("USE_PARALLEL", "POLYLANE_RUN", "SOURCE_DATE_EPOCH")


@dataclass(frozen=True)
class Done:
    """A program's end."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Everything that it printed."""
        return self.out + self.err


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write text files by their paths in a folder, with the folders that they need."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class Repository:
    """A git repository in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)

    def write(self, files: dict[str, str]) -> Repository:
        """Write text files, with the folders that they need."""
        write_files(self.folder, files)
        return self

    def tasks(self, **commands: object) -> Repository:
        """Configure tasks of the verb ``all`` which touch nothing, by their tool's name."""
        lines = []
        for tool, said in commands.items():
            table = said if isinstance(said, dict) else {"command": said}
            lines.append(f'[tool.polylane.tasks."all:root:{tool}"]\nverb = "all"')
            values = {"reads": [], "writes": [], **table}
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        return self.write({"tasks.py": TASKS, "pyproject.toml": "\n".join(lines) + "\n"})

    def inv(self, *words: str, **environ: str) -> Done:
        """Run ``inv`` here."""
        return self.run(sys.executable, "-m", "invoke", *words, **environ)

    def start_inv(
        self, *words: str, out: Path, environ: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start ``inv`` here, in a session of its own, with what it prints in a file."""
        with out.open("wb") as file:
            return subprocess.Popen(
                (sys.executable, "-m", "invoke", *words),
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def run(self, *argv: str, **environ: str) -> Done:
        """Run a program here, with nothing to read."""
        inherited = {k: v for k, v in os.environ.items() if k not in _OURS}
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env={**inherited, "NO_COLOR": "1", **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LIMIT_S,
            text=True,
            errors="surrogateescape",
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def result(self) -> dict[str, Any]:
        """The newest ``result.json``."""
        text = (self.folder / ".polylane" / "last" / "result.json").read_text(encoding="utf-8")
        result: dict[str, Any] = json.loads(text)
        return result

    def outcomes(self) -> dict[str, str]:
        """The outcomes of the newest run, by the last part of the task's id."""
        return {task["tool"]: task["outcome"] for task in self.result()["tasks"]}
