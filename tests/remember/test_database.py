"""The history in SQLite: what is kept, and what becomes of a file that cannot be used."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from polylane.outcome import Outcome
from polylane.remember import database, history, tables
from polylane.result import RunResult
from polylane.run.views import namespaces
from tests.remember.made import ended, run, tasks_of
from tests.support import FORKS, forbid, in_fork

_MS_READ_ONLY_AGAIN = 1 | 32


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with ours in it."""
    (tmp_path / ".polylane").mkdir()
    return tmp_path


def record(workspace: Path, result: RunResult, *, narrowed: bool = False) -> str:
    return history.record(workspace, result, tasks_of(result), narrowed=narrowed)


def file(workspace: Path) -> Path:
    return workspace / ".polylane" / "history.sqlite3"


def rows(workspace: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(file(workspace))) as opened:
        return opened.execute(question).fetchall()


def lone(workspace: Path, question: str) -> list[Any]:
    return [value for (value,) in rows(workspace, question)]


def names(workspace: Path) -> list[str]:
    return sorted(path.name for path in (workspace / ".polylane").iterdir())


class TestTables:
    """What a run leaves."""

    def test_a_run_has_its_row(self, workspace: Path) -> None:
        """The figures of its ``result.json``; the time is one that SQLite can reckon with."""
        task = ended("lint:api:ruff", cpu_s=0.75)
        done = run(task, id="r", selection=("lint", "project=api"), slots_used=2)
        assert record(workspace, done) == ""
        assert rows(workspace, "SELECT * FROM runs") == [
            (
                1,
                "r",
                "parallel",
                '["lint", "project=api"]',
                2,
                "2026-01-02T03:04:05+01:00",
                2.0,
                4.0,
                1.0,
                2,
                0,
                1,
                0,
                0,
                0.75,
                1,
            )
        ]
        assert lone(workspace, "SELECT datetime(started) FROM runs") == ["2026-01-02 02:04:05"]

    def test_a_task_has_its_row_for_each_run(self, workspace: Path) -> None:
        """Its parts once, its figures each time."""
        figures = {"cpu_s": 0.5, "max_rss_bytes": 7, "read_bytes": 8, "write_bytes": 9}
        first = run(ended("lint:api:ruff", 1.5, **figures))
        history.record(workspace, first, tasks_of(first), inputs={"lint:api:ruff": -(2**63)})
        failed = ended("lint:api:ruff", outcome=Outcome.FAILED, exit_code=3, attempts=2)
        record(workspace, run(failed))
        assert rows(workspace, "SELECT * FROM tasks") == [
            (1, "lint:api:ruff", "lint", "api", "python", "ruff")
        ]
        assert rows(workspace, "SELECT * FROM task_runs") == [
            (1, 1, 1, "passed", 0, 0.5, 1.5, 0.5, 7, 8, 9, 1, -(2**63)),
            (2, 1, 2, "failed", 3, 0.5, 1.0, 0.0, None, 0, 0, 2, None),
        ]

    def test_a_task_that_never_started_has_none(self, workspace: Path) -> None:
        """It took no time."""
        skipped = ended("test:api:pytest", outcome=Outcome.SKIPPED, started_s=None)
        record(workspace, run(ended("lint:api:ruff"), skipped))
        assert lone(workspace, "SELECT name FROM tasks") == ["lint:api:ruff"]
        assert lone(workspace, "SELECT task_count FROM runs") == [2]

    def test_an_interrupted_run_is_marked(self, workspace: Path) -> None:
        """By the signal's exit code."""
        for code in (0, 1, 130, 143):
            record(workspace, run(exit_code=code))
        assert lone(workspace, "SELECT interrupted FROM runs") == [0, 0, 1, 1]

    def test_the_last_fifty_runs_of_each_task_are_kept(self, workspace: Path) -> None:
        """Of a task that runs seldom too, with the runs that they are of."""
        record(workspace, run(ended("docs:api:mkdocs"), ended("lint:api:ruff")))
        for _ in range(120):
            record(workspace, run(ended("lint:api:ruff")))
        kept = "SELECT number FROM task_runs JOIN tasks ON id = task WHERE tool = "
        assert lone(workspace, f"{kept} 'ruff' ORDER BY number") == [*range(72, 122)]
        assert lone(workspace, f"{kept} 'mkdocs'") == [1]
        runs = lone(workspace, "SELECT id FROM runs ORDER BY id")
        assert runs[0] == 1
        assert 50 <= len(runs) < 101

    def test_a_clock_that_goes_back_changes_no_order(self, workspace: Path) -> None:
        """Runs follow each other as they ended, whatever their times say."""
        for wall, year in ((1.0, 2030), (2.0, 2020), (3.0, 2010)):
            done = ended("lint:api:ruff", wall)
            record(workspace, run(done, id="r", started=f"{year}-01-01T00:00:00+0000"))
        assert history.past(workspace).tasks["lint:api:ruff"][1] == (1.0, 2.0, 3.0)
        (workspace / ".polylane" / "durations.cache").unlink()
        assert history.past(workspace).tasks["lint:api:ruff"][1] == (1.0, 2.0, 3.0)

    def test_a_name_that_is_no_utf8_is_stored(self, workspace: Path) -> None:
        """As JSON writes it; twice, for the second run finds the first one's."""
        for _ in range(2):
            assert record(workspace, run(ended("lint:\udcff:ruff"), selection=("\udcff",))) == ""
        assert lone(workspace, "SELECT name FROM tasks") == ["lint:\\udcff:ruff"]
        assert lone(workspace, "SELECT number FROM task_runs") == [1, 2]


class TestDamage:
    """A file that is not as we wrote it."""

    def spoil_all(self, path: Path) -> None:
        path.write_bytes(b"no database at all, and long enough to be read as one" * 100)

    def spoil_head(self, path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[:50] + b"\xff" * 200 + data[250:])

    def spoil_end(self, path: Path) -> None:
        path.write_bytes(path.read_bytes()[: 4096 * 2])

    def spoil_tables(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as opened:
            opened.execute("DROP TABLE tasks")

    def spoil_version(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as opened:
            opened.execute("PRAGMA user_version = 0")

    def spoil_text(self, path: Path) -> None:
        path.write_bytes(path.read_bytes().replace(b"CREATE TABLE tasks", b"CREATE TABLE \xabasks"))

    @pytest.mark.parametrize("what", ["all", "head", "end", "tables", "version", "text"])
    def test_it_is_set_aside_and_said(self, workspace: Path, what: str) -> None:
        """The run is in the new one; nothing of the old one is lost."""
        record(workspace, run(ended("lint:api:ruff")))
        getattr(self, f"spoil_{what}")(file(workspace))
        old = file(workspace).read_bytes()
        line = record(workspace, run(ended("lint:web:eslint"), id="new"))
        (aside,) = (name for name in names(workspace) if "corrupt" in name)
        assert line.count("\n") == 0
        assert line.startswith(f"{file(workspace)}: is damaged (")
        assert line.endswith(f"): set aside as {aside}, and begun anew")
        assert aside.startswith("history.sqlite3.corrupt-2")
        assert (workspace / ".polylane" / aside).read_bytes() == old
        assert lone(workspace, "SELECT name FROM runs") == ["new"]
        assert record(workspace, run()) == ""
        assert [*history.past(workspace).tasks] == ["lint:web:eslint"]

    def test_its_journal_goes_with_it(self, workspace: Path) -> None:
        """Else SQLite would play it into the new one."""
        self.spoil_all(file(workspace))
        journal = file(workspace).with_name("history.sqlite3-journal")
        journal.write_bytes(b"of a killed writer")
        aside = database._set_aside(file(workspace))
        assert names(workspace) == [aside.name, f"{aside.name}-journal"]
        assert aside.with_name(f"{aside.name}-journal").read_bytes() == b"of a killed writer"

    def test_a_start_reads_nothing_of_it(self, workspace: Path) -> None:
        """A damaged file without its summary is as good as none."""
        for spoil in (self.spoil_all, self.spoil_text):
            record(workspace, run(ended("lint:api:ruff")))
            spoil(file(workspace))
            (workspace / ".polylane" / "durations.cache").unlink()
            assert history.past(workspace).tasks == {}

    def test_what_others_wrote_into_it_does_no_harm(self, workspace: Path) -> None:
        """A selection that is no JSON, a duration that is no number."""
        record(workspace, run(ended("lint:api:ruff"), mode="sequential"))
        with closing(sqlite3.connect(file(workspace), isolation_level=None)) as opened:
            opened.execute("UPDATE runs SET selection = 'x', name = 'y'")
            opened.execute("UPDATE task_runs SET wall_s = 'z'")
        assert record(workspace, run()) == ""
        past = history.past(workspace)
        assert past.sequential == {}
        assert past.tasks == {"lint:api:ruff": ("ruff", (), (), 1, 1, ())}

    def test_an_emptied_one_is_used(self, workspace: Path) -> None:
        """Whoever deletes all rows wants to begin anew; so does who removes the file."""
        for forget in (self.empty, Path.unlink):
            record(workspace, run(ended("lint:api:ruff")))
            forget(file(workspace))
            assert record(workspace, run(ended("lint:web:eslint"))) == ""
            assert [*history.past(workspace).tasks] == ["lint:web:eslint"]

    def empty(self, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as opened:
            for table in ("runs", "tasks", "task_runs"):
                opened.execute(f"DELETE FROM {table}")


class TestRefusals:
    """A file that is as it should be, and cannot be used: it stays, and a line says so."""

    def test_one_of_a_newer_version_is_left_alone(self, workspace: Path) -> None:
        """Neither written nor read."""
        record(workspace, run(ended("lint:api:ruff")))
        with closing(sqlite3.connect(file(workspace))) as opened:
            opened.execute("PRAGMA user_version = 99")
        before = file(workspace).read_bytes()
        line = record(workspace, run())
        ours = len(tables.STEPS)
        assert line == (
            f"{file(workspace)}: was written by a newer polylane (version 99, this one knows"
            f" {ours}): this run is not added"
        )
        assert file(workspace).read_bytes() == before
        (workspace / ".polylane" / "durations.cache").unlink()
        assert history.past(workspace).tasks == {}

    def test_an_older_one_is_brought_to_ours(
        self, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each step from its version on, once; what it holds stays."""
        record(workspace, run(ended("lint:api:ruff")))
        steps = (*tables.STEPS, "ALTER TABLE tasks ADD note TEXT; UPDATE tasks SET note = 'old'")
        monkeypatch.setattr(tables, "STEPS", steps)
        for _ in range(2):
            assert record(workspace, run(ended("lint:api:ruff"))) == ""
        assert rows(workspace, "SELECT name, note FROM tasks") == [("lint:api:ruff", "old")]
        assert lone(workspace, "PRAGMA user_version") == [len(steps)]

    def test_a_writer_that_never_ends_is_not_waited_for(
        self, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A stopped process may hold the lock; a script may hold SQLite's."""
        monkeypatch.setattr(database, "_PATIENCE_S", 0.05)
        record(workspace, run())
        with database._alone(workspace / ".polylane" / "history.lock"):
            assert "other runs have written for 0.05 s" in record(workspace, run())
        with closing(sqlite3.connect(file(workspace), isolation_level=None)) as opened:
            opened.execute("BEGIN IMMEDIATE")
            assert record(workspace, run()).endswith(
                "cannot be written: database is locked: this run is not added"
            )
        assert record(workspace, run()) == ""
        assert lone(workspace, "SELECT count(*) FROM runs") == [2]

    @pytest.mark.parametrize("name", ["history.sqlite3", "history.lock", "durations.cache"])
    def test_a_folder_in_the_way_is_said(self, workspace: Path, name: str) -> None:
        """And nothing is half written: the next run without it is the first."""
        (workspace / ".polylane" / name / "x").mkdir(parents=True)
        line = record(workspace, run())
        assert ": cannot be written: " in line
        assert line.endswith(": this run is not added")
        assert "\n" not in line

    @FORKS
    def test_a_read_only_file_system_is_said(self, workspace: Path) -> None:
        """What is there can be read, with its summary and without."""

        def look() -> list[Any]:
            mount_memory(workspace / ".polylane")
            record(workspace, run(ended("lint:api:ruff", 3.0)))
            folder = str(workspace / ".polylane")
            namespaces._mount(None, folder, None, _MS_READ_ONLY_AGAIN)
            line = record(workspace, run())
            known = history.past(workspace).tasks["lint:api:ruff"]
            return [line, known, database.summary(workspace).tasks["lint:api:ruff"]]

        line, known, stored = in_fork(look)
        assert line.endswith("cannot be written: Read-only file system: this run is not added")
        assert known == stored == ("ruff", (3.0,), (), 1, 1, ())

    @FORKS
    def test_a_full_disk_is_said(self, workspace: Path) -> None:
        """At whatever it is full; what was there stays whole, and is used when there is room."""

        def fill() -> list[Any]:
            folder = workspace / ".polylane"
            mount_memory(folder, "size=64k")
            many = [ended(f"lint:p{i}:ruff") for i in range(40)]
            lines = [record(workspace, run(*many)) for _ in range(40)]
            assert history.read(workspace) is not None
            said = sum(map(bool, lines))
            whole = lone(workspace, "PRAGMA integrity_check")
            kept = lone(workspace, "SELECT count(*) FROM runs")[0]
            namespaces._mount(None, str(folder), "tmpfs", 32, "size=9m")
            return [
                len(lines) - said - kept,
                [*{*filter(None, lines)}],
                whole,
                record(workspace, run()),
            ]

        missing, said, whole, after = in_fork(fill)
        assert missing == 0
        assert said
        assert all("cannot be written" in line for line in said), said
        assert whole == ["ok"]
        assert after == ""

    @FORKS
    def test_a_file_system_without_locks_is_used(self, workspace: Path) -> None:
        """SQLite's own locks are of another kind, and may work."""

        def look() -> str:
            forbid("flock", 95)
            return record(workspace, run())

        assert in_fork(look) == ""
        assert lone(workspace, "SELECT count(*) FROM runs") == [1]


def mount_memory(folder: Path, options: str = "") -> None:
    """Mount a file system of its own there, which ends with this process."""
    namespaces.unshare()
    namespaces._mount("tmpfs", str(folder), "tmpfs", 0, options)


class TestSpeed:
    """A run waits for its history."""

    def test_ten_thousand_tasks_take_no_second(self, workspace: Path) -> None:
        """Ten times what they take, for a busy machine; benchmarks/history.py measures it."""
        many = run(*(ended(f"lint:p{i}:ruff") for i in range(10_000)))
        record(workspace, many)

        def timed(work: Callable[[], object]) -> float:
            begun = time.process_time()
            work()
            return time.process_time() - begun

        assert timed(lambda: record(workspace, many)) < 1.0
        assert timed(lambda: history.past(workspace)) < 0.5
