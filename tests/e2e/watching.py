"""``inv ... --watch`` as a process: what it has said so far, and its end.

Knows nothing of any one test.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polylane.run import tree
from tests.integrations.repository import Repository
from tests.support import LIMIT_S, wait_for, wait_gone

WAITING = "watch: waiting for changes"


def environ() -> dict[str, str]:
    """Ours, but for what a run around us, or its host, would say."""
    dropped = {"USE_PARALLEL", "POLYLANE_RUN", "CI", "GITHUB_ACTIONS", "GITLAB_CI"}
    return {**{k: v for k, v in os.environ.items() if k not in dropped}, "NO_COLOR": "1"}


class Watching:
    """One such process, without a terminal."""

    def __init__(self, repository: Repository, *words: str) -> None:
        self._folder = repository.folder
        self._out = repository.folder.parent / "out"
        self.process = repository.start_inv(*words, out=self._out, environ=environ())

    def text(self) -> str:
        """All that it has said."""
        return self._out.read_text(encoding="utf-8")

    def lines(self) -> list[str]:
        """What it has said of watching, without the lines that say that it waits."""
        said = [line for line in self.text().splitlines() if line.startswith("watch: ")]
        return [line.removeprefix("watch: ") for line in said if not line.startswith(WAITING)]

    def waits(self, times: int = 1) -> None:
        """Wait until it has begun to wait so many times."""
        self.says(WAITING, times)

    def says(self, text: str, times: int = 1) -> None:
        """Wait until it has said something so many times."""

        def said() -> bool:
            assert self.process.poll() is None, self.text()
            return self.text().count(text) >= times

        try:
            wait_for(said, f"{text!r}, {times} times")
        except AssertionError as error:
            raise AssertionError(f"{error} in:\n{self.text()}") from None

    def end(self, number: int = signal.SIGINT) -> int:
        """Send it a signal; returns its exit code when nothing of it is left."""
        pids = tree.descendants(self.process.pid)
        self.process.send_signal(number)
        code = self.process.wait(LIMIT_S)
        wait_gone(pids)
        return code


@contextmanager
def watching(repository: Repository, *words: str) -> Iterator[Watching]:
    """A process that watches, while the test looks at it; it waits when the test begins."""
    made = Watching(repository, *words)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def edit(file: Path, text: str) -> None:
    """Change a file as editors do: a new one takes its place."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


#: Waits for a file beside the repository.
GATE = "while [ ! -e ../gate ]; do sleep 0.02; done"


def task(name: str, script: str = ":", **more: object) -> dict[str, object]:
    """A task that says in a file beside the repository that it ran."""
    return {"command": f"echo {name} >> ../ran; {script}", "shell": True, **more}


def made(folder: Path, **tasks: dict[str, object]) -> Repository:
    """A repository with these tasks, and some files."""
    repository = Repository(folder / "repository").tasks(**tasks)
    return repository.write({"a/x.py": "1\n", "b/y.py": "1\n", "README.md": "1\n"})


def ran(folder: Path) -> list[str]:
    """The tasks that ran, in order."""
    return (folder / "ran").read_text(encoding="utf-8").split()


def two(folder: Path) -> Repository:
    """A repository with two tasks, each with a folder of its own."""
    return made(folder, a=task("a", reads=["a"]), b=task("b", reads=["b"]))
