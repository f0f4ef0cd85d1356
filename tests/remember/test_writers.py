"""Many runs that write into one history, and are killed while they do."""

from __future__ import annotations

import errno
import random
import sqlite3
from contextlib import closing
from pathlib import Path

from polylane.remember import history
from tests.remember.made import ended, make_old, run, tasks_of
from tests.remember.writers import EACH, fight
from tests.support import FORKS, forbid, in_fork

pytestmark = FORKS


def test_twenty_runs_at_once_that_are_killed_do_no_harm(tmp_path: Path) -> None:
    """What was added is there, and nothing is damaged; benchmarks/history.py does 200 rounds."""
    (tmp_path / ".polylane").mkdir()
    chosen = random.Random(1)
    added = [fight(tmp_path, 20, chosen) for _ in range(5)]
    assert min(added) >= 10 * EACH
    assert any(count < 20 * EACH for count in added), "nobody was killed while it wrote"


def test_writers_that_are_killed_bring_an_old_database_to_ours(tmp_path: Path) -> None:
    """Once, with all that it holds."""
    (tmp_path / ".polylane").mkdir()
    first = run(ended("docs:old:mkdocs"), id="old")
    assert history.record(tmp_path, first, tasks_of(first)) == ""
    path = tmp_path / ".polylane" / history.FILE
    make_old(path)
    assert fight(tmp_path, 20, random.Random(2)) >= 10 * EACH
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (3,)
        kept = "SELECT inputs FROM task_runs JOIN runs ON id = run WHERE name = 'old'"
        assert database.execute(kept).fetchall() == [(None,)]


def test_without_our_lock_sqlites_own_keeps_writers_apart(tmp_path: Path) -> None:
    """Some file systems know one kind of lock only; nobody is refused or killed half-way."""
    (tmp_path / ".polylane").mkdir()

    def without() -> int:
        forbid("flock", errno.EOPNOTSUPP)
        return fight(tmp_path, 8, random.Random(1))

    assert in_fork(without) >= 4 * EACH
