"""A run of the hostile command: started, ended in some way, and looked at.

A cell of the matrix is one run: a way to end, one task or four side by side, commands or Python
bodies. The kernel says what is left of it: locks tell the hostile processes, pidfds all others.
Knows nothing of the ways (``ways.py``) and of what they should come to.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polylane.run import tree
from tests import hostile
from tests.e2e.terminal import Terminal
from tests.integrations.repository import Repository
from tests.support import LIMIT_S, parent, wait_for

#: Seconds between TERM and KILL: short, but some.
GRACE_S = 0.2

#: The task that fails when it is told to.
FAILS = "fails"
_SUMMARY = re.compile(rb"(?:parallel|sequential): \d+ \w+")


@dataclass(frozen=True)
class Way:
    """A way to end."""

    end: Callable[[Run], None]
    #: The runner's exit code; a negative one is the signal that it dies of.
    code: int
    #: What becomes of the hostile tasks; empty where the runner does not live to say it.
    outcome: str = ""
    words: tuple[str, ...] = ()
    #: What the hostile command does; see `hostile.be`.
    mode: str = "stay"
    grace: float = GRACE_S
    #: The run has a terminal.
    terminal: bool = False
    #: How many hostile tasks a run may have.
    sizes: tuple[int, ...] = (1, 4)
    #: There is a further task, which fails when it is told to.
    fails: bool = False


@dataclass(frozen=True)
class Cell:
    """One run of the matrix: so many hostile tasks side by side."""

    way: str
    tasks: int
    body: bool
    #: In private views of the workspace, with pids of their own.
    strict: bool = False

    def __str__(self) -> str:
        kind = "bodies" if self.body else "commands"
        return f"{self.way}-{self.tasks}-{'strict-' * self.strict}{kind}"


@dataclass
class Run:
    """A cell that was started."""

    cell: Cell
    way: Way
    repository: Repository
    #: The runner's own process.
    pid: int
    #: One for each hostile task.
    lives: list[Path]
    shell: Terminal | None = None
    process: subprocess.Popen[bytes] | None = None
    roles: int = len(hostile.ROLES)
    #: When the last word to end was said, by the monotonic clock; None where none was.
    told_at: float | None = None
    #: A pidfd for every process of the run but the runner.
    _watched: list[int] = field(default_factory=list)

    def get_ready(self) -> None:
        """Wait until every hostile process lives."""
        everybody = self.roles * len(self.lives)
        wait_for(lambda: len(self.living()) == everybody, f"life of all in {self.cell}")
        self._watched = [os.pidfd_open(pid) for pid in tree.descendants(self.pid)]
        assert len(self._watched) >= everybody + len(self.lanes()) + 1

    def living(self, files: Sequence[Path] | None = None) -> list[str]:
        """The roles of the hostile processes that live."""
        chosen = self.lives if files is None else files
        return [role for file in chosen for role in hostile.holders(file)]

    def lanes(self) -> list[int]:
        """The process ids of the lanes, in the order of their tasks."""
        return [self._lane(hostile.holders(file)["main"]) for file in self.lives]

    def _lane(self, main: int) -> int:
        """Between it and a strict task are the two processes that keep the view."""
        for _ in range(3 if self.cell.strict else 1):
            main = self._parent(main)
        return main

    def zygote(self) -> int:
        """The process id of what forked the lanes."""
        return self._parent(self.lanes()[0])

    def _parent(self, pid: int) -> int:
        """The parent of a process, which must be one of this run: it may be killed."""
        found = parent(pid)
        assert found in tree.descendants(self.pid)
        return found

    def end(self) -> None:
        """End it in its way."""
        self.way.end(self)

    def exit_code(self) -> int:
        """Wait for the runner's end."""
        if self.process is not None:
            with _watching(self.pid) as watched:  # `wait` with a limit only looks now and then
                assert _has_ended(watched, LIMIT_S), f"no end of {self.cell}"
            return self.process.wait()
        assert self.shell is not None
        said, _, code = self.shell.event().partition(" ")
        assert said == "exited"
        return int(code)

    def survivors(self, limit: float) -> int:
        """How many processes live on after so many seconds; comes back as soon as none does."""
        deadline = time.monotonic() + limit
        alive = [w for w in self._watched if not _has_ended(w, deadline - time.monotonic())]
        return max(len(alive), len(self.living()))

    def told(self) -> tuple[int, set[str], bool]:
        """What ``result.json`` says of the run and of its hostile tasks; and is there a summary.

        A terminal that was closed shows none.
        """
        result = self.repository.result()
        outcomes = {task["outcome"] for task in result["tasks"] if task["tool"] != FAILS}
        return result["exit_code"], outcomes, self._has_summary()

    def _has_summary(self) -> bool:
        if self.shell is None:
            return bool(_SUMMARY.search((self.repository.folder / "out").read_bytes()))
        if not self.shell.is_closed:
            self.shell.expect_match(_SUMMARY)
        return True

    def kill(self, pid: int, number: int, *, group: bool = False) -> None:
        """Send a signal."""
        self.told_at = time.monotonic()
        (os.killpg if group else os.kill)(pid, number)

    def type(self, keys: bytes) -> None:
        """Press keys in its terminal."""
        assert self.shell is not None
        self.told_at = time.monotonic()
        self.shell.type(keys)

    def hang_up(self) -> None:
        """Close its terminal."""
        assert self.shell is not None
        self.told_at = time.monotonic()
        self.shell.hang_up()

    def release(self, *names: str) -> None:
        """Write into the FIFOs of tasks that wait for that."""
        self.told_at = time.monotonic()
        for name in names:
            descriptor = os.open(self.repository.folder.parent / f"{name}.go", os.O_WRONLY)
            os.write(descriptor, b"go\n")
            os.close(descriptor)

    def clean_up(self) -> None:
        """End what is left, by the pids that the kernel names."""
        if self.shell is not None:
            self.shell.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for file in self.lives:
            for pid in hostile.holders(file).values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for watched in self._watched:
            os.close(watched)


@contextmanager
def _watching(pid: int) -> Iterator[int]:
    watched = os.pidfd_open(pid)
    try:
        yield watched
    finally:
        os.close(watched)


def _has_ended(watched: int, limit: float) -> bool:
    """Whether a process ends within so many seconds, by its pidfd."""
    poller = select.poll()
    poller.register(watched, select.POLLIN)
    return bool(poller.poll(max(0.0, limit) * 1000))


def cells(name: str, way: Way, *, strict: bool = False) -> list[Cell]:
    """Those of one way to end."""
    return [Cell(name, tasks, body, strict) for tasks in way.sizes for body in (False, True)]


@contextmanager
def running(cell: Cell, way: Way, folder: Path) -> Iterator[Run]:
    """Start a cell in a repository of its own; nothing of it is left in the end.

    By what lies beside the repository its tasks are known: in a view they have files of their own.
    """
    started = _start(cell, way, _repository(cell, way, folder / "repository"))
    try:
        yield started
    finally:
        started.clean_up()


def _names(cell: Cell) -> list[str]:
    return [f"t{number}" for number in range(cell.tasks)]


def _repository(cell: Cell, way: Way, folder: Path) -> Repository:
    repository, beside = Repository(folder), folder.parent
    repository.write({"hostile.py": Path(hostile.__file__).read_text(encoding="utf-8")})
    commands: dict[str, Any] = (
        {} if cell.body else {name: _command(beside / name, way) for name in _names(cell)}
    )
    if way.fails:
        commands[FAILS] = {"command": f"read x < {beside / FAILS}.go; exit 3", "shell": True}
    repository.tasks(**commands)
    for name in (*_names(cell), FAILS):
        os.mkfifo(beside / f"{name}.go")
    path = folder / "pyproject.toml"
    head = f'[tool.polylane]\ngrace = {way.grace}\nmax_load = "100%"\n'
    path.write_text(head + path.read_text(encoding="utf-8"), encoding="utf-8")
    if cell.body:
        tasks = folder / "tasks.py"
        tasks.write_text(
            tasks.read_text(encoding="utf-8") + _bodies(cell, way, beside), encoding="utf-8"
        )
    return repository


def _command(life: Path, way: Way) -> list[str]:
    return [sys.executable, "-I", "-S", "hostile.py", str(life), way.mode]


def _bodies(cell: Cell, way: Way, beside: Path) -> str:
    return "import polylane, hostile\n" + "".join(
        f"@polylane.task(verb='all', reads=[], writes=[])\n"
        f"def {name}(c):\n    return hostile.be({str(beside / name)!r}, {way.mode!r})\n"
        for name in _names(cell)
    )


def _start(cell: Cell, way: Way, repository: Repository) -> Run:
    side_by_side = cell.tasks + way.fails
    name = "all" if side_by_side == 1 else "all-parallel"
    words = ["--jobs", str(side_by_side)] if side_by_side > 1 else []
    words += ["--sandbox", "strict"] if cell.strict else []
    inv = [sys.executable, "-m", "invoke", name, *words, *way.words]
    lives = [repository.folder.parent / each for each in _names(cell)]
    roles = 2 if way.mode == "polite" else len(hostile.ROLES)
    if way.terminal:
        shell = Terminal(inv, repository.folder, _environ(repository))
        return Run(cell, way, repository, shell.job, lives, shell=shell, roles=roles)
    with (repository.folder / "out").open("wb") as out:
        process = subprocess.Popen(
            inv,
            cwd=repository.folder,
            env=_environ(repository),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return Run(cell, way, repository, process.pid, lives, process=process, roles=roles)


def _environ(repository: Repository) -> dict[str, str]:
    """Ours; several cells run at once, and none may wait for the slots of another."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("USE_PARALLEL", "POLYLANE_RUN")}
    slots = repository.folder.parent / "slots"
    slots.mkdir(exist_ok=True)
    return {**inherited, "NO_COLOR": "1", "POLYLANE_SLOTS_DIR": str(slots)}
