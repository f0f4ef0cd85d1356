"""Many processes that write into one history at once, and are killed while they do.

Used by ``test_writers.py`` and ``benchmarks/history.py``.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from polylane.remember import database, history
from tests.remember.made import ended, run, tasks_of

#: Names of runs that one process adds, one after the other.
EACH = 4


def fight(workspace: Path, writers: int, chosen: random.Random, *, tasks: int = 10) -> int:
    """One round: start the writers, and kill half of them when some runs were added.

    Which and when is ``chosen``. Returns how many runs were added; fails where one was refused, or
    is not there, or where the database or its summary is not whole.
    """
    heard, said = os.pipe()
    go, ready = os.pipe()
    pids = [_fork(_Writer(workspace, tasks, i), heard, said, go, ready) for i in range(writers)]
    for descriptor in (said, go, ready):
        os.close(descriptor)  # all of them begin now
    victims = chosen.sample(pids, writers // 2)
    after = chosen.randrange(writers * EACH // 2)
    added = []
    with os.fdopen(heard, encoding="utf-8") as lines:
        for line in lines:
            name, _, problem = line.rstrip("\n").partition("\t")
            assert not problem, problem
            added.append(name)
            if len(added) == after:
                _kill(victims)
    _kill(victims)
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        assert status == 0 or pid in victims
    _check(workspace, added)
    return len(added)


def _kill(pids: list[int]) -> None:
    """They are not reaped yet, so that no pid can be somebody else's."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


class _Writer(NamedTuple):
    """One process that adds runs."""

    workspace: Path
    tasks: int
    number: int

    def lines(self) -> Iterator[str]:
        """Add runs; gives for each its name, and what was said."""
        # One that no other writer has: a run is kept as long as one of its tasks' rows is.
        own = ended(f"lint:w{self.number}:own")
        for number in range(EACH):
            name = f"{os.getpid()}-{number}-{random.SystemRandom().getrandbits(60)}"
            some = (ended(f"lint:p{i}:ruff", float(i)) for i in range(self.tasks))
            result = run(own, *some, id=name, mode=("parallel", "sequential")[number % 2])
            line = history.record(self.workspace, result, tasks_of(result))
            yield f"{name}\t{line}\n"


def _fork(writer: _Writer, heard: int, said: int, go: int, ready: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.close(heard)
        os.close(ready)
        os.read(go, 1)  # until the parent closes its end
        for line in writer.lines():
            os.write(said, line.encode())
        code = 0
    except BaseException as error:  # noqa: BLE001 - told to the parent
        os.write(said, f"\t{error!r}\n".encode())
    finally:
        os._exit(code)


def _check(workspace: Path, added: list[str]) -> None:
    folder = workspace / ".polylane"
    with closing(sqlite3.connect(folder / history.FILE)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = {name for (name,) in opened.execute("SELECT name FROM runs")}
        most = opened.execute(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM task_runs GROUP BY task)"
        )
        assert most.fetchone()[0] <= 50
    assert kept.issuperset(added)
    assert not [path.name for path in folder.iterdir() if "corrupt" in path.name]
    said = history.read(workspace)
    if said is not None and said.run in kept:
        assert database.summary(workspace).tasks == said.tasks
