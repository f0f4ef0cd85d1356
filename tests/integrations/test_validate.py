"""``inv lanes.validate`` through real Invoke: what it certifies, what it finds, what it leaves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.repository import TASKS, Repository
from tests.integrations.validating import (
    certificate,
    repository,
    scratches,
    shell,
    validate,
    words_of,
)

__all__ = ["repository"]


def test_a_clean_workspace_passes(repository: Repository) -> None:
    """Its only pair is run both ways round and overlapping, and all is the same."""
    repository.tasks(
        a=shell("sleep 0.2; echo a | tee a.txt", writes=["a.txt"]),
        b=shell("sleep 0.2; echo b | tee b.txt", writes=["b.txt"]),
    )
    done = validate(repository)
    assert done.code == 0, done.all
    assert "\nsame: 3 parallel rounds gave the outcomes" in done.out
    assert "pairs that nothing orders: reversed 1/1, overlapped 1/1" in done.out
    assert re.search(
        r"^round 3/3: \d+\.\d s, reversed 1/1, overlapped 1/1, the same$", done.out, re.MULTILINE
    )
    assert re.search(r"^runs that passed +1/1 +1/1 +3/3$", done.out, re.MULTILINE)
    assert re.search(r"^tasks that passed +2/2 +2/2 +6/6$", done.out, re.MULTILINE)
    assert scratches(repository) == []


def test_the_workspace_is_not_touched(repository: Repository) -> None:
    """Not a byte, not a time; only our own folder is written."""
    repository.write({"old.txt": "old\n", "gone.txt": "x\n"})
    repository.tasks(
        a=shell("echo new > old.txt; rm gone.txt; mkdir made; touch tasks.py", writes=["**"])
    )

    def look() -> dict[str, tuple[int, ...]]:
        seen: dict[str, tuple[int, ...]] = {}
        for path in repository.folder.rglob("*"):
            if ".polylane" not in path.parts:
                told = path.lstat()
                seen[str(path)] = (told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
        return seen

    before = look()
    done = validate(repository)
    assert done.code == 0, done.all
    assert look() == before


def test_each_round_starts_from_the_workspace(repository: Repository) -> None:
    """It sees nothing of what those before it wrote."""
    repository.tasks(a=shell("test ! -e a.txt && touch a.txt", writes=["a.txt"]), b=shell("true"))
    done = validate(repository)
    assert done.code == 0, done.all
    assert re.search(r"^tasks that passed +2/2 +2/2 +6/6$", done.out, re.MULTILINE)


COLLISIONS = {
    "reads": (
        "echo a > a.txt",
        "cat a.txt > b.txt 2> /dev/null; true",
        "writes a.txt, which all:root:b reads",
    ),
    "lists": (
        "touch out/x",
        "ls out > b.txt",
        "writes out/x, which all:root:b lists beside others",
    ),
    "writes": ("echo a >> b.txt", "echo b >> b.txt", "and all:root:b both write b.txt"),
}


@pytest.mark.parametrize("kind", COLLISIONS)
def test_a_collision_is_found_and_explained(repository: Repository, kind: str) -> None:
    """By both tasks, the path, and what the configuration lacks."""
    first, second, words = COLLISIONS[kind]
    repository.write({"out/old": ""})
    repository.tasks(a=shell(first, writes=["none"]), b=shell(second, writes=["b.txt"]))
    done = validate(repository)
    assert done.code == 1, done.all
    assert "\ndifferent: 1 difference from the sequential run, in " in done.out
    assert re.search(r"^- b\.txt: other content \(rounds? ", done.out, re.MULTILINE)
    assert f"    all:root:a {words}\n" in done.out
    assert '      [tool.polylane.tasks."all:root:' in done.out
    found = certificate(repository)
    assert found["verdict"] == "different"
    (difference,) = found["differences"]
    assert [(p["first"], p["second"]) for p in difference["pairs"]] == [
        ("all:root:a", "all:root:b")
    ]
    assert all(Path(log).is_file() for log in difference["logs"])


def test_what_is_said_to_be_missing_mends_it(repository: Repository) -> None:
    """With the line of configuration that the explanation shows, all is the same."""
    repository.tasks(
        a=shell("echo a > a.txt", writes=["a.txt"]),
        b=shell("cat a.txt > b.txt 2> /dev/null; true", writes=["b.txt"]),
    )
    said = validate(repository).out
    assert '      [tool.polylane.tasks."all:root:b"]\n      reads = ["a.txt"]\n' in said
    repository.tasks(
        a=shell("echo a > a.txt", writes=["a.txt"]),
        b=shell("cat a.txt > b.txt 2> /dev/null; true", writes=["b.txt"], reads=["a.txt"]),
    )
    assert validate(repository).code == 0


def test_an_exit_code_that_depends_on_the_order_is_found(repository: Repository) -> None:
    """The outcome is what differs, and the pair is named."""
    repository.tasks(a=shell("echo > a.txt", writes=["a.txt"]), b=shell("test -e a.txt"))
    done = validate(repository)
    assert done.code == 1
    assert (
        "- the outcome of all:root:b: failed with exit code 1 instead of passed (round" in done.out
    )
    assert "all:root:a writes a.txt, which all:root:b reads" in done.out


def test_a_log_that_depends_on_the_order_is_found(repository: Repository) -> None:
    """Its first line that differs is shown."""
    repository.tasks(
        a=shell("echo > a.txt", writes=["a.txt"]), b=shell("test -e a.txt && echo yes || echo no")
    )
    done = validate(repository)
    assert done.code == 1
    assert "- the log of all:root:b: line 1: 'no' instead of 'yes' (round" in done.out


def test_a_failure_in_both_is_the_same(repository: Repository) -> None:
    """The certificate compares; whether tasks pass is another question."""
    repository.tasks(a=shell("exit 3"), b=shell("true"))
    done = validate(repository)
    assert done.code == 0, done.all
    assert re.search(r"^tasks that passed +1/2 +1/2 +3/6$", done.out, re.MULTILINE)
    assert re.search(
        r"^ms from a failure to its report +\d+\.\d +\d+\.\d +\d+\.\d$", done.out, re.MULTILINE
    )


def test_a_tool_that_is_never_the_same_is_told_apart(repository: Repository) -> None:
    """Random contents, names and logs: listed with their task, and no failure."""
    random = "$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')"
    repository.tasks(
        a=shell(f"mkdir out; touch out/app-{random}.js; echo {random} | tee a.txt", writes=["*"]),
        b=shell("true"),
    )
    done = validate(repository)
    assert done.code == 0, done.all
    assert "\nnondeterministic: " in done.out
    assert "- a.txt: other content (all:root:a)" in done.out
    assert "- the log of all:root:a: line 1" in done.out
    found = certificate(repository)
    assert found["differences"] == []
    assert {each["kind"] for each in found["nondeterministic"]} == {"file", "log"}


def test_a_collision_beside_a_tool_that_is_never_the_same_is_found(repository: Repository) -> None:
    """What is nondeterministic hides nothing but itself."""
    repository.tasks(
        a=shell("date +%N > a.txt; echo a > c.txt", writes=["a.txt", "c.txt"]),
        b=shell("cat c.txt > b.txt 2> /dev/null; true", writes=["b.txt"]),
    )
    done = validate(repository)
    assert done.code == 1, done.all
    assert [each["name"] for each in certificate(repository)["differences"]] == ["b.txt"]


#: Counts the children of the validation: the fourth process above a task, after lane and zygote.
CHILDREN = (
    "p=$PPID; for i in 1 2 3; do p=$(awk '/^PPid/ {print $2}' /proc/$p/status); done;"
    " n=$(wc -w < /proc/$p/task/$p/children)"
)


def test_what_changes_under_load_is_no_difference(repository: Repository) -> None:
    """Of the sequential runs that follow some have a busy machine, as the parallel ones had."""
    slow = f"sleep 0.3; {CHILDREN}; test $n -gt 1 -o -e ../loud && echo slow || echo fast"
    repository.tasks(a=shell(slow), b=shell("touch ../loud; sleep 1; rm ../loud"))
    done = validate(repository)
    assert done.code == 0, done.all
    assert "\n- the log of all:root:a: line 1: 'slow' instead of 'fast'\n" in done.out
    assert "\nsequential again, 2, on a busy machine: " in done.out


def test_caches_and_bytecode_are_not_compared(repository: Repository) -> None:
    """The rules are printed."""
    repository.tasks(
        a=shell(
            "mkdir -p cache __pycache__; date +%N | tee cache/x __pycache__/y > /dev/null",
            caches=["cache"],
        ),
        b=shell("true"),
    )
    done = validate(repository)
    assert done.code == 0, done.all
    assert "nondeterministic" not in done.out
    assert re.search(
        r"^not compared: .polylane/, .git/index, .*__pycache__.*, cache$", done.out, re.MULTILINE
    )


def test_lines_in_another_order_are_only_mentioned(repository: Repository) -> None:
    """Tools with threads of their own print in the order in which these end."""
    repository.tasks(
        a=shell("echo > a.txt", writes=["a.txt"]),
        b=shell("test -e a.txt && printf '1\\n2\\n' || printf '2\\n1\\n'"),
    )
    done = validate(repository)
    assert done.code == 0, done.all
    assert "\nlogs with their lines in another order: all:root:b\n" in done.out


def test_builds_are_given_a_time(repository: Repository) -> None:
    """That of the newest commit; where there is none, the least that zip knows; or the user's."""
    repository.tasks(a=shell("echo ${SOURCE_DATE_EPOCH:?}"), b=shell("true"))
    done = validate(repository)
    assert "\nset: SOURCE_DATE_EPOCH=315532800\n" in done.out
    assert re.search(r"^tasks that passed +2/2 +2/2 +6/6$", done.out, re.MULTILINE)
    said = validate(repository, SOURCE_DATE_EPOCH="7").out
    assert "\nset: SOURCE_DATE_EPOCH=7\n" in said
    who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    done = repository.run(
        "git", *who, "commit", "-q", "--allow-empty", "-m", "x", GIT_COMMITTER_DATE="1700000000 +0"
    )
    assert done.code == 0, done.all
    assert "\nset: SOURCE_DATE_EPOCH=1700000000\n" in validate(repository).out


def test_a_python_body_takes_part(repository: Repository) -> None:
    """It runs in the view too."""
    body = (
        '\n@polylane.task(verb="all", reads=[], writes=["b.txt"])\n'
        "def b(c):\n    c.run('cat a.txt > b.txt', warn=True)\n"
    )
    repository.tasks(a=shell("echo a > a.txt", writes=["a.txt"]))
    repository.write({"tasks.py": f"import polylane\n{TASKS}{body}"})
    done = validate(repository)
    assert done.code == 1, done.all
    assert "all:root:a writes a.txt, which all:root:b reads" in done.out
    assert not (repository.folder / "b.txt").exists()


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("rounds=0", "--rounds = '0': must be a whole number above 0"),
        ("rounds=x", "--rounds = 'x': must be a whole number above 0"),
        ("shuffle=x", "--shuffle = 'x': must be a whole number, such as the one printed"),
        ("jobs=1", "--jobs = 1: must be at least 2, or no two tasks meet"),
        ("select=nope", "--select nope: there is no verb or pipeline 'nope'"),
    ],
)
def test_a_bad_flag_is_one_line(repository: Repository, flag: str, said: str) -> None:
    """With the value that was given; nothing is run."""
    repository.tasks(a=shell("true"))
    name, value = flag.split("=")
    done = validate(repository, {name: value})
    assert done.code == 2
    assert done.err.startswith(said)
    assert done.err.count("\n") == 1
    assert not (repository.folder / ".polylane/certificates").exists()


def test_a_dry_run_runs_nothing(repository: Repository) -> None:
    """It prints the commands."""
    repository.tasks(a=shell("touch ../ran"))
    done = repository.inv("--dry", *words_of())
    assert (done.code, done.out) == (0, "all:root:a: touch ../ran\n")
    assert not (repository.folder.parent / "ran").exists()


def test_only_logs_that_differ_are_kept(repository: Repository) -> None:
    """And of certificates the newest, as many as runs."""
    repository.tasks(a=shell("true"), b=shell("true"))
    config = repository.folder / "pyproject.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f"[tool.polylane]\nkeep_runs = 1\n{text}", encoding="utf-8")
    assert validate(repository).code == 0
    assert validate(repository).code == 0
    (folder,) = (repository.folder / ".polylane/certificates").iterdir()
    assert [path.name for path in folder.iterdir()] == ["certificate.json"]


def test_a_seed_chooses_the_same_orders_again(repository: Repository) -> None:
    """However long tasks take, until each pair has had its turn."""
    names = "abcd"
    repository.tasks(**{name: shell("sleep 0.0$(($$ % 10))") for name in names})

    def orders() -> list[Any]:
        assert validate(repository, {"rounds": "4"}).code == 0
        return [each["batches"] for each in certificate(repository)["rounds"]]

    assert orders() == orders()
