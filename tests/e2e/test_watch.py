"""``--watch``: real runs, real files; what each change starts, and what starts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.watching import GATE, edit, made, ran, task, two, watching
from tests.support import wait_for


def test_a_change_runs_what_reads_it_and_what_follows_from_that(tmp_path: Path) -> None:
    """And no other task; a line says what changed, and how many tasks of how many run."""
    repository = made(
        tmp_path,
        build=task("build", "mkdir -p out; cp a/x.py out/", reads=["a"], writes=["out"]),
        reader=task("reader", reads=["out"]),
        needs=task("needs", needs=["all:root:build"]),
        other=task("other", reads=["b"]),
    )
    repository.write({".gitignore": "out\n"})
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        edit(repository.folder / "README.md", "2\n")
        edit(repository.folder / "a/x.py", "2\n")
        inv.waits(2)
        assert inv.lines() == ["a/x.py changed: 3 of 4 tasks"]
        first, second = ran(tmp_path)[:4], ran(tmp_path)[4:]
        assert sorted(first) == ["build", "needs", "other", "reader"]
        assert sorted(second) == ["build", "needs", "reader"]
        assert repository.result()["selection"] == ["all", "watch"]
        assert inv.end() == 0


@pytest.mark.parametrize(
    "words",
    [("--output", "stream"), ("--output", "live"), ("--output", "errors"), ("--jobs", "2")],
    ids="-".join,
)
def test_every_output_and_a_parallel_run_are_watched(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """The flags hold for each of the runs."""
    repository = two(tmp_path)
    with watching(repository, "all", "--watch", *words) as inv:
        for number in range(1, 3):
            inv.waits(number)
            edit(repository.folder / "a/x.py", f"{number}{number}\n")
        inv.waits(3)
        assert sorted(ran(tmp_path)) == ["a", "a", "a", "b"]


def test_project_and_words_are_kept(tmp_path: Path) -> None:
    """Each run has the same selection, and hands on the same words."""
    repository = made(tmp_path, a=task("a", reads=["a"]))
    path = repository.folder / "pyproject.toml"
    with path.open("a", encoding="utf-8") as file:
        file.write('[tool.polylane.projects.p]\npath = "b"\nlanguage = "python"\n')
        file.write('[tool.polylane.tasks."all:p:b"]\nreads = ["b"]\nwrites = []\n')
        file.write('command = ["echo", "says"]\n')
    with watching(repository, "all", "--watch", "--project", "p", "--", "a word") as inv:
        inv.waits()
        edit(repository.folder / "a/x.py", "2\n")
        edit(repository.folder / "b/y.py", "2\n")
        inv.waits(2)
        assert inv.lines() == ["b/y.py changed: 1 of 1 task"]
        assert inv.text().count("says a word\n") == 2


def test_a_burst_is_one_run(tmp_path: Path) -> None:
    """Two thousand files, in folders that were not there before."""
    repository = two(tmp_path)
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        for number in range(2000):
            file = repository.folder / f"a/{number % 20}/{number % 3}/f{number}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x", encoding="utf-8")
        inv.waits(2)
        assert inv.lines() == ["a/0/0/f0 and 1999 more changed: 1 of 2 tasks"]
        edit(repository.folder / "a/7/2/f47", "y")
        inv.waits(3)
        assert inv.lines()[1:] == ["a/7/2/f47 changed: 1 of 2 tasks"]
        assert ran(tmp_path) == ["a", "b", "a", "a"]


def test_changes_of_a_working_git_are_one_run(tmp_path: Path) -> None:
    """As long as it holds the lock of its index."""
    repository = two(tmp_path)
    lock = repository.folder / ".git/index.lock"
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        lock.touch()
        edit(repository.folder / "a/x.py", "2\n")
        mark = repository.folder.parent / "ran"
        edit(repository.folder / "b/y.py", "2\n")
        assert mark.read_text(encoding="utf-8").split() == ["a", "b"]
        lock.unlink()
        inv.waits(2)
        assert inv.lines() == ["a/x.py and 1 more changed: 2 of 2 tasks"]


def test_a_folder_that_is_moved_away_changes_what_it_held(tmp_path: Path) -> None:
    """And one that comes back is watched again."""
    repository = made(tmp_path, a=task("a", reads=["a/**/*.py"]), b=task("b", reads=["b"]))
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        (repository.folder / "a").rename(tmp_path / "away")
        inv.waits(2)
        (tmp_path / "away").rename(repository.folder / "a")
        inv.waits(3)
        edit(repository.folder / "a/x.py", "2\n")
        inv.waits(4)
        assert inv.lines() == [
            "a/ changed: 1 of 2 tasks",
            "a/x.py changed: 1 of 2 tasks",
            "a/x.py changed: 1 of 2 tasks",
        ]


def test_what_git_ignores_counts_where_a_claim_names_it(tmp_path: Path) -> None:
    """Also what is not there yet; and no task's cache ever does."""
    repository = made(
        tmp_path,
        a=task("a", reads=["gen/api", ".env"]),
        b=task("b", reads=["**"], caches=["store"]),
    )
    repository.write({".gitignore": "gen\n.env\nother\n", "other/z": "1"})
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        repository.write({"other/z": "2", "store/z": "2", ".git/z": "2", "gen/z": "2"})
        repository.write({"gen/api/new/z": "2"})
        inv.waits(2)
        repository.write({"gen/api/new/z": "3"})
        inv.waits(3)
        edit(repository.folder / ".env", "1")
        inv.waits(4)
        # What a claim of the whole names is all that git does not ignore, and what others name.
        assert [line.partition(" ")[0] for line in inv.lines()] == [
            "gen/api/new/z",
            "gen/api/new/z",
            ".env",
        ]


def test_a_write_of_the_same_content_starts_nothing(tmp_path: Path) -> None:
    """Once it was seen before; as when a tool writes what was there."""
    repository = two(tmp_path)
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        edit(repository.folder / "a/x.py", "2\n")
        inv.waits(2)
        edit(repository.folder / "a/x.py", "2\n")
        edit(repository.folder / "b/y.py", "2\n")
        inv.waits(3)
        assert inv.lines()[1:] == ["b/y.py changed: 1 of 2 tasks"]


def test_a_formatter_runs_once_more_and_no_more(tmp_path: Path) -> None:
    """It may have overwritten somebody's edit, and then finds nothing to do."""
    script = "grep -q ok a/x.py || echo ok > a/x.py"
    repository = made(tmp_path, a=task("a", script, reads=["a"], writes=["a"]))
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        edit(repository.folder / "a/x.py", "bad\n")
        inv.waits(2)
        assert inv.lines() == [
            "a/x.py changed meanwhile: 1 of 1 task",
            "a/x.py changed: 1 of 1 task",
            "a/x.py changed meanwhile: 1 of 1 task",
        ]


def test_a_task_that_always_writes_what_it_reads_comes_to_rest(tmp_path: Path) -> None:
    """After a few runs; then a line says so, and an edit starts one run."""
    repository = made(tmp_path, a=task("a", "date +%N > a/stamp", reads=["a"], writes=["a/stamp"]))
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        assert inv.lines()[-1].startswith("a/stamp changed in each of the last runs")
        before = len(ran(tmp_path))
        edit(repository.folder / "a/x.py", "2\n")
        inv.waits(2)
        assert len(ran(tmp_path)) == before + 1


def test_changes_during_a_run_are_one_more_run(tmp_path: Path) -> None:
    """The run goes on to its end."""
    repository = made(tmp_path, a=task("a", GATE, reads=["a"]), b=task("b", reads=["b"]))
    with watching(repository, "all", "--watch", "--jobs", "2") as inv:
        wait_for((tmp_path / "ran").exists, "start")
        edit(repository.folder / "b/y.py", "2\n")
        edit(repository.folder / "a/x.py", "2\n")
        (tmp_path / "gate").touch()
        inv.waits()
        assert inv.lines() == ["a/x.py and 1 more changed meanwhile: 2 of 2 tasks"]
        assert sorted(ran(tmp_path)) == ["a", "a", "b", "b"]


def test_what_failed_before_is_run_where_it_is_needed(tmp_path: Path) -> None:
    """A task is skipped as in a full run; Ctrl-C ends with what fails, though the last run did not.

    The line that says that it waits names it.
    """
    repository = made(
        tmp_path,
        a=task("a", "test -e a/ok", reads=["a"]),
        b=task("b", needs=["all:root:a"], reads=["b"]),
        c=task("c", reads=["c"]),
    )
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        edit(repository.folder / "b/y.py", "2\n")
        inv.waits(2)
        assert repository.outcomes() == {"a": "failed", "b": "skipped"}
        repository.write({"c/z": "1"})
        inv.waits(3)
        assert repository.outcomes() == {"c": "passed"}
        assert "(Ctrl-C ends); not passed: all:root:a\n" in inv.text()
        assert inv.end() == 1


def test_what_was_cancelled_runs_with_the_next_change(tmp_path: Path) -> None:
    """Under ``--fail-fast`` it has not run for what there is."""
    repository = made(tmp_path, a=task("a", "test -e a/ok", reads=["a"]), b=task("b", reads=["b"]))
    with watching(repository, "all", "--watch", "--fail-fast") as inv:
        inv.waits()
        repository.write({"a/ok": ""})
        inv.waits(2)
        assert inv.lines() == ["a/ok changed: 2 of 2 tasks"]
        assert repository.outcomes() == {"a": "passed", "b": "passed"}
        assert inv.end() == 0


def test_a_changed_configuration_is_obeyed(tmp_path: Path) -> None:
    """New and changed tasks run; a broken file is a line, and then nothing until it is mended."""
    repository = two(tmp_path)
    path = repository.folder / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    more = '[tool.polylane.tasks."all:root:c"]\ncommand = "true"\nreads = ["c"]\nwrites = []\n'
    with watching(repository, "all", "--watch") as inv:
        inv.waits()
        edit(path, text + "[tool.polylane\n")
        inv.says("pyproject.toml: is not valid TOML")
        edit(repository.folder / "b/y.py", "2\n")
        inv.says("pyproject.toml: is not valid TOML", 2)
        edit(path, text + more)
        inv.waits(2)
        assert inv.lines()[2:] == ["b/y.py changed: 2 of 3 tasks"]
        assert repository.outcomes() == {"b": "passed", "c": "passed"}
        repository.write({"c/z": "1"})
        inv.waits(3)
        assert inv.lines()[3:] == ["c/z changed: 1 of 3 tasks"]


def test_a_changed_tasks_py_starts_anew(tmp_path: Path) -> None:
    """With the same words, in the same process; while it is broken it waits."""
    repository = two(tmp_path)
    path = repository.folder / "tasks.py"
    text = path.read_text(encoding="utf-8")
    body = (
        "import polylane, helper\n@polylane.task(verb='all', reads=['c'], writes=[])\n"
        "def c(c):\n    print(helper.WORD)\n"
    )
    repository.write({"helper.py": "WORD = 'one'\n"})
    with watching(repository, "all", "--watch", "--output", "stream") as inv:
        inv.waits()
        edit(path, text + "def\n")
        inv.says("tasks.py:3: invalid syntax; waiting until it is mended")
        edit(path, text + "import nothing_there\n")
        inv.says("tasks.py:3: ModuleNotFoundError: No module named 'nothing_there'; waiting until")
        edit(path, text + body)
        inv.waits(2)
        assert inv.lines()[2:] == ["tasks.py changed: starting anew"]
        assert "one" in inv.text()
        edit(repository.folder / "helper.py", "raise SystemExit(3)\n")
        inv.says("helper.py:1: SystemExit: 3; waiting until it is mended")
        edit(repository.folder / "helper.py", "WORD = 'two'\n")
        inv.waits(3)
        assert inv.lines()[4:] == ["helper.py changed: starting anew"]
        assert "two" in inv.text()
        assert inv.end() == 0
