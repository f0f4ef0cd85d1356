"""Was it memory that ended a task? With a count that the test moves, and the kernel's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.run.oom import Kills, last_killed, on_this_machine
from polylane.run.protocol import Report

KILLED = Report("exited", 137, 9)
BY_SHELL = Report("exited", 137)
FAILED = Report("exited", 1)
LINE = (
    "6,{},37813350705,-;Memory cgroup out of memory: Killed process 29438 ({}) total-vm:189788kB,"
    " anon-rss:163072kB, file-rss:6040kB, shmem-rss:0kB, UID:0 pgtables:380kB oom_score_adj:0\n"
    " SUBSYSTEM=x\n"
)


class Counter:
    """The kernel's count, and a clock."""

    def __init__(self, log: Path | None = None) -> None:
        self.value = 5
        self.now = 100.0
        self.reads = 0
        #: How many of them were where we are.
        self.here: int | None = None
        self.kills = Kills(
            lambda: self.here, self.count, str(log or "/nothing/there"), lambda: self.now
        )

    def count(self) -> int:
        self.reads += 1
        return self.value

    def of(self, task: int, report: Report, *, beside: bool = False) -> str:
        return self.kills.of(task, report, beside=beside)


def test_a_failure_without_a_kill_is_a_failure() -> None:
    """Whatever signal ended it: others may send SIGKILL too."""
    counter = Counter()
    counter.kills.started(0)
    assert [counter.of(0, each) for each in (KILLED, BY_SHELL, FAILED)] == ["", "", ""]


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (KILLED, "the kernel killed it for memory"),
        (Report("crashed", reason="its lane died"), "the kernel killed it for memory"),
        (BY_SHELL, "the kernel killed a process in it for memory"),
        (FAILED, "the kernel killed a process in it for memory"),
        (Report("cancelled", 137, 9), ""),
        (Report("timed-out", 137, 9), ""),
        (Report("not-started", 127), ""),
    ],
)
def test_a_kill_while_it_ran_is_told(report: Report, words: str) -> None:
    """Of the task itself or of what it started; what we ended ourselves was not the kernel."""
    counter = Counter()
    counter.kills.started(0)
    counter.value += 1
    assert counter.of(0, report) == words


def test_a_kill_before_it_started_is_not_its() -> None:
    """It is looked at when tasks start, too."""
    counter = Counter()
    counter.kills.started(0)
    counter.value += 1
    counter.now += 0.2
    counter.kills.started(1)
    assert counter.of(1, FAILED) == ""
    assert counter.of(0, FAILED) != ""


@pytest.mark.parametrize(("here", "ours"), [(0, False), (1, True), (None, True)])
def test_a_kill_elsewhere_on_the_machine_is_not_ours(here: int | None, *, ours: bool) -> None:
    """Where the control group counts, and has counted none."""
    counter = Counter()
    counter.kills.started(0)
    counter.value += 1
    counter.here = here
    assert bool(counter.of(0, KILLED)) == ours


def test_a_kill_that_is_explained_blames_nobody_else() -> None:
    """A task that died of SIGKILL, itself or by its shell's word, was the one."""
    for report in (KILLED, BY_SHELL):
        counter = Counter()
        counter.kills.started(0)
        counter.kills.started(1)
        counter.value += 1
        assert counter.of(0, report, beside=True) != ""
        assert counter.of(1, FAILED, beside=True) == ""


def test_two_kills_explain_two_deaths() -> None:
    """And a third failure is its own."""
    counter = Counter()
    for task in range(3):
        counter.kills.started(task)
    counter.value += 2
    said = [bool(counter.of(task, KILLED, beside=True)) for task in range(3)]
    assert said == [True, True, False]


def test_doubt_is_said() -> None:
    """Of two that failed with an exit code, either may be the one."""
    counter = Counter()
    counter.kills.started(0)
    counter.kills.started(1)
    counter.value += 1
    words = "the kernel killed a process in it for memory, which may be of a task beside it"
    assert [counter.of(0, FAILED, beside=True), counter.of(1, FAILED, beside=True)] == [words] * 2
    assert "may be" not in counter.of(0, KILLED, beside=True)


def test_a_shell_that_says_so_is_believed() -> None:
    """Exit code 137 is its word for a child that died of SIGKILL."""
    counter = Counter()
    counter.kills.started(0)
    counter.value += 1
    assert counter.of(0, BY_SHELL, beside=True) == "the kernel killed a process in it for memory"


def test_a_thousand_starts_read_the_count_seldom() -> None:
    """Ten times a second at most."""
    counter = Counter()
    for task in range(1000):
        counter.kills.started(task)
        counter.now += 0.001
    assert 9 <= counter.reads <= 11


def test_the_kernels_log_names_the_last_process(tmp_path: Path) -> None:
    """Its newest record counts."""
    log = tmp_path / "log"
    log.write_text(
        "5,1,0,-;Linux version 6\n" + LINE.format(2, "cc1plus") + LINE.format(3, "a) (b"),
        encoding="ascii",
    )
    assert last_killed(str(log)) == "a) (b (167 MB)"
    counter = Counter(log)
    counter.kills.started(0)
    counter.value += 1
    assert counter.of(0, FAILED) == "the kernel killed a) (b (167 MB) in it for memory"


@pytest.mark.parametrize("text", ["", "5,1,0,-;Out of memory: Killed nothing\n", None])
def test_a_log_that_says_nothing_names_nobody(tmp_path: Path, text: str | None) -> None:
    """Empty, of another form, or not there for us."""
    log = tmp_path / "log"
    if text is not None:
        log.write_text(text, encoding="ascii")
    assert last_killed(str(log)) == ""


@pytest.mark.parametrize(
    ("text", "count"),
    [("nr_free_pages 5\noom_kill 3\noom_kill_disable 7\n", 3), ("nr_free_pages 5\n", 0), (None, 0)],
)
def test_the_machines_count_is_read(tmp_path: Path, text: str | None, count: int) -> None:
    """None where the kernel is too old to count, or there is no such file."""
    if text is not None:
        (tmp_path / "vmstat").write_text(text, encoding="ascii")
    assert on_this_machine(str(tmp_path / "vmstat")) == count
    assert on_this_machine() >= 0


def test_this_machines_log_can_be_asked() -> None:
    """Where we may read it, and where we may not."""
    assert isinstance(last_killed(), str)
