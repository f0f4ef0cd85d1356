"""The live board in a real terminal: what is seen while a run goes on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.boards import BOARD, WAIT, environ_of, printed_by, release, running, task
from tests.e2e.tmux import tmux
from tests.integrations.repository import Repository
from tests.support import parent, pids_in, wait_for

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")


class TestWhileItRuns:
    """What the board says."""

    def test_it_says_what_runs_and_what_it_prints(self, tmp_path: Path) -> None:
        """The last line of each task, without what a terminal would obey."""
        script = "printf 'old\\n\\033[31mred\\033[0m 10%%\\r\\033[1m50%%\\033[0m'"
        with running(tmp_path, {"a": task(f"{script}; {WAIT}"), "b": task(WAIT)}, (80, 24)) as t:
            t.shows("0/2 · ", "2 of 3 slots", "  50%", "  all:root:b")
            assert not [line for line in t.screen() if "old" in line]
            release(tmp_path)
            t.ended(0)

    def test_it_measures(self, tmp_path: Path) -> None:
        """CPU and memory of the whole tree of a task."""
        burn = "import os\nb = bytearray(64 << 20)\nwhile not os.path.exists('gate'): b[0] ^= 1\n"
        (tmp_path / "burn.py").write_text(burn, encoding="utf-8")
        tasks = {"a": task(f"{sys.executable} burn.py; true"), "b": task(WAIT)}
        with running(tmp_path, tasks, (100, 24)) as terminal:
            pattern = re.compile(r"all:root:a +\d+ s +[1-9]\d*% +(?:[6-9]\d|1\d\d) MB")
            wait_for(lambda: pattern.search("\n".join(terminal.screen())), "figures of a")
            release(tmp_path)
            terminal.ended(0)

    def test_it_says_what_the_rest_waits_for(self, tmp_path: Path) -> None:
        """A task that others come after."""
        tasks = {
            "made": task(WAIT, writes=["x"]),
            "late": task("true", reads=["x"]),
            "other": task(WAIT),
        }
        with running(tmp_path, tasks, (80, 24)) as terminal:
            terminal.shows("0/3 · waits for all:root:made")
            release(tmp_path)
            terminal.ended(0)

    def test_it_says_that_other_runs_have_the_slots(self, tmp_path: Path) -> None:
        """Two runs share two slots: one task runs, and the others wait for the other run."""
        (tmp_path / "slots").mkdir()
        slots = str(tmp_path / "slots")
        tasks = {f"t{i}": task(WAIT) for i in range(3)}
        settings = "machine_jobs = 2"
        one, two = tmp_path / "one", tmp_path / "two"
        for folder in (one, two):
            folder.mkdir()
        alone = {"t0": task(f"touch begun; {WAIT}")}
        run = partial(running, size=(80, 24), settings=settings, POLYLANE_SLOTS_DIR=slots)
        with run(one, alone) as first:
            wait_for((one / "begun").exists, "the first run")
            with run(two, tasks) as second:
                second.shows("0/3 · waits for other runs · ", "1 of 3 slots")
                release(one)
                first.ended(0)
                second.shows("2 of 3 slots")
                release(two)
                second.ended(0)
                assert len(printed_by(second)) == 3

    def test_it_says_that_memory_is_awaited(self, tmp_path: Path) -> None:
        """A task that needs more than what the budget has left beside the one that runs."""
        tasks = {f"t{i}": task(WAIT, memory="600MB") for i in range(2)}
        settings = 'machine_jobs = "off"\nmemory = "1GB"'
        with running(tmp_path, tasks, (80, 24), settings=settings) as terminal:
            terminal.shows("0/2 · waits for memory · ")
            release(tmp_path)
            terminal.ended(0)

    def test_plain_ascii(self, tmp_path: Path) -> None:
        """Where the locale has no UTF-8, and without colour."""
        tasks = {"a": task(f"echo caf\u00e9 {'x' * 90}; {WAIT}"), "b": task(WAIT)}
        with running(tmp_path, tasks, (80, 24), LC_ALL="C", NO_COLOR="1") as terminal:
            terminal.shows("0/2 | ", "caf?", "~")
            release(tmp_path)
            terminal.ended(0)

    def test_typing_ahead_does_no_harm(self, tmp_path: Path) -> None:
        """Keys do not show up in the board; they are there for the next program."""
        with running(tmp_path, {n: task(WAIT) for n in "ab"}, (80, 24)) as terminal:
            terminal.shows("0/2")
            for key in ("l", "s", "Enter", "Enter"):
                terminal.type(key)
            release(tmp_path)
            terminal.ended(0)
            wait_for(lambda: "ls" in terminal.text(), "what was typed")
            text = terminal.text()
        assert text.index("ls") > text.index("exit 0")
        assert not [line for line in text if BOARD.search(line)]

    def test_a_signal_shows_the_tails(self, tmp_path: Path) -> None:
        """SIGUSR1: the last lines of all that runs, above the board; the run goes on."""
        tasks = {n: task(f"echo {n} says this; {WAIT}") for n in "ab"}
        tasks["a"] = task(f"echo a says this; echo $PPID > lane; {WAIT}", writes=["lane"])
        with running(tmp_path, tasks, (80, 24)) as terminal:
            terminal.shows("0/2", "a says this", "b says this")
            os.kill(_runner(tmp_path), signal.SIGUSR1)
            terminal.shows("-- all:root:a runs since", "   a says this", "-- all:root:b runs")
            release(tmp_path)
            terminal.ended(0)
            assert not [line for line in terminal.text() if BOARD.search(line)]


def _runner(folder: Path) -> int:
    """The runner's pid: its tasks' zygote's parent."""
    (lane,) = pids_in(folder / "lane")
    return parent(parent(lane))


class TestWhenThereIsNone:
    """Terminals that cannot, and what was asked for."""

    @pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"CI": "true"}])
    def test_no_board_where_nobody_could_see_it(
        self, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        """A dumb terminal, and CI with a terminal: whole outputs, as without a terminal."""
        terms = {"TERM": "screen", **environ}
        script = "echo said; " + WAIT
        repository = Repository(tmp_path).tasks(a=task(script), b=task("true"))
        argv = (
            "env",
            *(f"{k}={v}" for k, v in terms.items()),
            sys.executable,
            "-m",
            "invoke",
            "all",
        )
        with tmux(argv, repository.folder, environ_of(), (80, 24)) as terminal:
            release(tmp_path)
            terminal.ended(0)
            assert "said" in terminal.text()

    def test_live_without_a_terminal(self, tmp_path: Path) -> None:
        """A line for each task, and the output of what failed."""
        repository = Repository(tmp_path).tasks(a=task("echo no"), b=task("echo yes; exit 1"))
        lines = repository.inv("all", "--output", "live").out.splitlines()
        assert lines[0].startswith("== all:root:a passed")
        assert lines[1].startswith("== all:root:b failed with exit code 1")
        assert lines[2] == "yes"
        assert "no" not in lines
