"""What tasks find: the same number for the same inputs, and none where nobody knows."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from polylane.describe import git
from polylane.model import Claim, Task
from polylane.plan.graph import build
from polylane.remember.inputs import Inputs
from tests.integrations.repository import Repository
from tests.support import wait_for


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two files in the index."""
    files = {"src/a.py": "a", "docs/b.md": "b", ".gitignore": "dist/\n.env\n"}
    made = Repository(tmp_path).write(files)
    made.run("git", "add", ".")
    return made


def task(tool: str, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> Task:
    name = f"lint:root:{tool}"
    claim = Claim(reads=reads, writes=writes)
    return Task(name, "lint", "root", "python", tool, (tool,), ".", claim)


def numbers(
    folder: Path, *tasks: Task, outcomes: dict[str, str] | None = None, settle: bool = True
) -> dict[str, int]:
    """By tool. ``settle``: a run begins long after all changes, as far as it can tell."""
    found = Inputs(folder, build(tasks, lambda each: (each.id,)))
    if settle:
        found._since = time.time_ns() + 10**12
    found.begin()
    if found._thread:
        found._thread.join()
    by_task = found.by_task(outcomes or {})
    return {name.rpartition(":")[2]: number for name, number in by_task.items()}


READER = task("reader", ("src/**",))


class TestWhatCounts:
    """What changes a task's number, and what does not."""

    def test_the_contents_of_what_it_reads(self, repository: Repository) -> None:
        """A change in the work tree or a new file counts; the same contents again do not."""
        first = numbers(repository.folder, READER)
        assert first == numbers(repository.folder, READER)
        repository.write({"src/a.py": "A"})
        changed = numbers(repository.folder, READER)
        repository.write({"src/new.py": "n"})
        added = numbers(repository.folder, READER)
        repository.run("git", "add", "-A")
        assert numbers(repository.folder, READER) == added
        (repository.folder / "src/a.py").unlink()
        removed = numbers(repository.folder, READER)
        found = [each["reader"] for each in (first, changed, added, removed)]
        assert len(set(found)) == 4
        (repository.folder / "src/new.py").unlink()
        repository.write({"src/a.py": "a"})
        assert numbers(repository.folder, READER) == first

    def test_a_commit_of_what_was_there_counts_for_nothing(self, repository: Repository) -> None:
        """Nor does a change of what it does not read."""
        first = numbers(repository.folder, READER)
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        assert repository.run("git", *identity, "commit", "-qm", "x").code == 0
        repository.write({"docs/b.md": "B", "docs/c.md": "c"})
        assert numbers(repository.folder, READER) == first

    @pytest.mark.parametrize(
        ("pattern", "counts"),
        [
            ("src/a.py", ["src/a.py"]),
            ("**/*.py", ["src/a.py", "docs/b.md", "top"]),
            ("*", ["top"]),
            ("src/*", ["src/a.py"]),
            ("src", ["src/a.py", "src/deep/er"]),
        ],
    )
    def test_patterns_count_by_the_folder_before_the_wildcard(
        self, repository: Repository, pattern: str, counts: list[str]
    ) -> None:
        """More than what matches may count; a listing is of one folder only."""
        one = task("one", (pattern,))
        for path in ("src/a.py", "docs/b.md", "top", "src/deep/er"):
            before = numbers(repository.folder, one)
            repository.write({path: time.time_ns().__repr__()})
            changed = numbers(repository.folder, one) != before
            assert changed or path not in counts, path
            if pattern != "**/*.py":
                assert changed == (path in counts), path

    def test_its_command_counts(self, repository: Repository) -> None:
        """Without anything to read too, for which git is not asked."""
        one, other = task("x"), task("x")._replace(argv=("x", "--strict"))
        assert numbers(repository.folder, one) != numbers(repository.folder, other)
        assert Inputs(repository.folder, build([one], lambda each: (each.id,)))._thread is None

    def test_links_and_modes_count(self, repository: Repository) -> None:
        """Of files that the index does not have so."""
        link = repository.folder / "src/link"
        link.symlink_to("one")
        first = numbers(repository.folder, READER)
        link.unlink()
        link.symlink_to("two")
        second = numbers(repository.folder, READER)
        (repository.folder / "src/a.py").chmod(0o755)
        assert len({each["reader"] for each in (first, second)}) == 2
        assert numbers(repository.folder, READER) != second

    def test_large_files_count_by_their_stamp(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Beyond a size nobody reads them."""
        from polylane.remember import contents

        monkeypatch.setattr(contents, "_FILE_BYTES", 3)
        repository.write({"src/big": "12345"})
        first = numbers(repository.folder, READER)
        os.utime(repository.folder / "src/big", ns=(1, 1))
        assert numbers(repository.folder, READER) != first

    def test_build_outputs_and_environments_count_by_stamps(self, repository: Repository) -> None:
        """Although git ignores them: a reader may have used the old ones."""
        repository.write({"dist/out": "o"})
        first = numbers(repository.folder, READER)
        os.utime(repository.folder / "dist/out", ns=(1, 1))
        second = numbers(repository.folder, READER)
        repository.write({".env": "A=1"})
        found = (first, second, numbers(repository.folder, READER))
        assert len({each["reader"] for each in found}) == 3

    def test_what_git_ignores_counts_where_it_is_named(self, repository: Repository) -> None:
        """By stamps."""
        repository.write({".gitignore": "gen/\n", "gen/deep/x": "1"})
        named = task("named", ("gen/**",))
        first = numbers(repository.folder, named)
        repository.write({"gen/deep/x": "12"})
        assert numbers(repository.folder, named) != first

    def test_a_body_counts_with_its_file(self, repository: Repository) -> None:
        """Its code has no command."""
        repository.write({"tasks.py": "x = 1"})
        body = READER._replace(argv=(), source="tasks.py:1")
        first = numbers(repository.folder, body)
        repository.write({"tasks.py": "x = 2"})
        assert numbers(repository.folder, body) != first


class TestWhatTheRunWrites:
    """Files of the run's own."""

    def test_a_claimed_product_counts_for_nothing(self, repository: Repository) -> None:
        """Not for its maker, nor for a reader after it."""
        maker = task("a", ("src",), ("out.txt", "gen/*.txt"))
        reader = task("b", ("out.txt", "gen"))
        first = numbers(repository.folder, maker, reader)
        repository.write({"out.txt": "1", "gen/x.txt": "1"})
        assert numbers(repository.folder, maker, reader) == first

    def test_what_made_it_counts_for_a_reader(self, repository: Repository) -> None:
        """The maker's inputs, and its outcome, through a task between them that writes nothing."""
        maker = task("a", ("src",), ("out.txt",))
        between = task("b")._replace(needs=(maker.id,))
        reader = task("c")._replace(needs=(between.id,))
        tasks = (maker, between, reader)
        first = numbers(repository.folder, *tasks)
        failed = numbers(repository.folder, *tasks, outcomes={maker.id: "failed"})
        repository.write({"src/a.py": "A"})
        changed = numbers(repository.folder, *tasks)
        assert len({each["c"] for each in (first, failed, changed)}) == 3
        assert first["a"] == failed["a"]

    def test_a_tracked_file_that_is_written_counts(self, repository: Repository) -> None:
        """A formatter found other sources before than after."""
        writer = task("a", ("src",), ("src",))
        first = numbers(repository.folder, writer)
        repository.write({"src/a.py": "formatted"})
        assert numbers(repository.folder, writer) != first

    def test_what_changed_since_the_run_began_has_no_number(self, repository: Repository) -> None:
        """Whether before or after git looked; other tasks have theirs."""
        repository.write({"src/a.py": "A"})
        other = task("other", ("docs",))
        assert numbers(repository.folder, READER, other, settle=False).keys() == {"other"}

    def test_a_reader_of_what_is_unknown_has_no_number(self, repository: Repository) -> None:
        """Nor who comes after it, where it writes."""
        repository.write({"src/a.py": "A"})
        maker = task("a", ("src",), ("out",))
        after = task("b", ("out",))
        assert numbers(repository.folder, maker, after, settle=False) == {}


class TestWhereNobodyKnows:
    """No number, and no failure."""

    def test_a_repository_within_the_repository(self, repository: Repository) -> None:
        """Git does not say what is in it."""
        inner = repository.folder / "src/inner"
        Repository(inner).write({"x": "x"})
        assert numbers(repository.folder, READER) == {}

    def test_a_folder_without_git(self, tmp_path: Path) -> None:
        """Git fails."""
        assert numbers(tmp_path, READER) == {}

    def test_a_git_that_takes_too_long_is_ended(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that has ended does not wait for it, and leaves no process behind."""
        program = ["sleep", "300"]
        started = []

        def slow(_folder: Path) -> git.Listing:
            started.append(subprocess.Popen(program, stdout=subprocess.PIPE))
            return git.Listing(started[0])

        monkeypatch.setattr(git, "begin_listing", slow)
        found = Inputs(repository.folder, build([READER], lambda each: (each.id,)))
        found.begin()
        assert found.by_task({}) == {}
        assert found._thread is not None
        wait_for(lambda: started[0].returncode is not None, "its end")
        found._thread.join()

    def test_a_machine_that_allows_no_thread(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The run goes on, and git is ended."""

        def refuse(_self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        assert numbers(repository.folder, READER) == {}

    def test_a_git_that_others_reaped(self, repository: Repository) -> None:
        """What it printed may not be all."""
        process = subprocess.Popen(["true"], stdout=subprocess.PIPE)
        os.waitpid(process.pid, 0)
        assert git.Listing(process).read() is None
