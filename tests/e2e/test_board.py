"""The live board in a real terminal: what is seen, and that nothing of it is left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.tmux import Tmux, tmux
from tests.integrations.repository import Repository
from tests.support import parent, pids_in, wait_for

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")

SIZES = pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])

#: What a terminal does that nobody changed.
USUAL = "1 1 0 echo"

_HEADING = re.compile(r"== all:root:\w+ .*")
_BOARD = re.compile(r"\d+/\d+ · |^  all:root:\w+ +\d+ s")
_WAIT = "while [ ! -e gate ]; do sleep 0.02; done"


def _task(script: str, **more: object) -> dict[str, object]:
    return {"command": script, "shell": True, **more}


def _environ(**more: str) -> dict[str, str]:
    dropped = {"CI", "GITHUB_ACTIONS", "GITLAB_CI", "NO_COLOR", "FORCE_COLOR", "USE_PARALLEL"}
    kept = {
        k: v
        for k, v in os.environ.items()
        if k not in {*dropped, "TMUX", "POLYLANE_RUN", "USE_PARALLEL"}
    }
    return {**kept, "LC_ALL": "C.UTF-8", **more}


@contextmanager
def _running(
    folder: Path, tasks: Mapping[str, object], size: tuple[int, int], *flags: str, **environ: str
) -> Iterator[Tmux]:
    made = Repository(folder).tasks(**tasks)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('[tool.polylane]\ngrace = 0.2\nmax_load = "100%"\nmachine_jobs = "off"\n')
    argv = (sys.executable, "-m", "invoke", "all-parallel", "--jobs", "3", *flags)
    with tmux(argv, made.folder, _environ(**environ), size) as terminal:
        yield terminal


def _release(folder: Path) -> None:
    (folder / "gate").touch()


def _printed(terminal: Tmux) -> list[str]:
    """What stands above the summary, after a look at the whole for what should not be there."""
    text = terminal.text()
    assert not [line for line in text if _BOARD.search(line)]
    assert terminal.modes() == USUAL
    return text[: text.index("")]


def _headings(lines: list[str]) -> set[str]:
    return {re.sub(r" \(\d+\.\d\d s\)$", "", line) for line in lines if _HEADING.fullmatch(line)}


class TestFinalText:
    """When a run has ended, the terminal holds its plain lines, and nothing of the board."""

    @SIZES
    def test_a_passing_run(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """One line a task; their output is in the logs."""
        tasks = {name: _task(f"echo said by {name}; {_WAIT}") for name in "abc"}
        with _running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/3", *(f"all:root:{name}" for name in "abc"))
            _release(tmp_path)
            terminal.ended(0)
            printed = _printed(terminal)
        assert _headings(printed) == {f"== all:root:{name} passed" for name in "abc"}
        assert len(printed) == 3

    @SIZES
    def test_a_failing_run(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """The output of what failed stands below its line, whole, in lines that can be copied."""
        long = "x" * 150
        tasks = {
            "bad": _task(f"echo first; echo {long}; {_WAIT}; exit 3"),
            "good": _task(f"echo unseen; {_WAIT}"),
        }
        with _running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/2")
            _release(tmp_path)
            terminal.ended(1)
            printed = _printed(terminal)
        place = next(i for i, line in enumerate(printed) if line.startswith("== all:root:bad"))
        assert printed[place + 1 : place + 3] == ["first", long]
        assert printed[place].startswith("== all:root:bad failed with exit code 3 (")
        assert len(printed) == 4

    @SIZES
    def test_an_interrupted_run(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """Ctrl-C: what ran and what had not begun are cancelled, each in its line."""
        tasks = {f"t{i}": _task(_WAIT) for i in range(6)}
        with _running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/6")
            terminal.type("C-c")
            terminal.ended(130)
            printed = _printed(terminal)
        cancelled = "cancelled: interrupted by SIGINT"
        assert _headings(printed) == {f"== all:root:t{i} {cancelled}" for i in range(6)}
        assert len(printed) == 6

    @SIZES
    def test_a_run_of_200_tasks(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """Every line is there once."""
        tasks = {f"t{i}": _task(_WAIT if i < 3 else "true") for i in range(200)}
        with _running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/200")
            _release(tmp_path)
            terminal.ended(0)
            printed = _printed(terminal)
        assert _headings(printed) == {f"== all:root:t{i} passed" for i in range(200)}
        assert len(printed) == 200

    @pytest.mark.parametrize(
        "sizes",
        [
            [(100, 30), (40, 30)],
            [(40, 10), (120, 40)],
            [(80, 24), (80, 8)],
            [(80, 8), (80, 30)],
            [(200, 50), (60, 10), (120, 20), (44, 12)],
        ],
    )
    def test_a_window_that_is_resized(self, tmp_path: Path, sizes: list[tuple[int, int]]) -> None:
        """Narrower, wider, lower and higher, while long lines are painted below a full screen.

        Where the lower part of a window is empty, tmux itself moves what gets longer into its
        history, where nothing can be erased.
        """
        words = "word " * 60
        tasks: dict[str, object] = {"first": _task(f"seq 99; echo {words}; exit 3")}
        tasks |= {f"t{i}": _task(f"echo {words}; {_WAIT}") for i in range(3)}
        with _running(tmp_path, tasks, sizes[0]) as terminal:
            terminal.shows("1/4", "  all:root:t2")
            for width, height in sizes[1:]:
                terminal.resize(width, height)
                wait_for(partial(_fits, terminal, width), "the board in its new size")
            _release(tmp_path)
            terminal.ended(1)
            printed = _printed(terminal)
        assert len(printed) == 104
        assert printed[1:101] == [*map(str, range(1, 100)), words.rstrip()]


def _fits(terminal: Tmux, width: int) -> bool:
    """Whether the board is painted for this width: its long lines end one column before it."""
    lines = [line for line in terminal.screen() if line.startswith("  all:root:")]
    return len(lines) == 3 and all(width - 3 <= len(line) < width for line in lines)


class TestWhileItRuns:
    """What the board says."""

    def test_it_says_what_runs_and_what_it_prints(self, tmp_path: Path) -> None:
        """The last line of each task, without what a terminal would obey."""
        script = "printf 'old\\n\\033[31mred\\033[0m 10%%\\r\\033[1m50%%\\033[0m'"
        with _running(
            tmp_path, {"a": _task(f"{script}; {_WAIT}"), "b": _task(_WAIT)}, (80, 24)
        ) as t:
            t.shows("0/2 · ", "2 of 3 slots", "  50%", "  all:root:b")
            assert not [line for line in t.screen() if "old" in line]
            _release(tmp_path)
            t.ended(0)

    def test_it_measures(self, tmp_path: Path) -> None:
        """CPU and memory of the whole tree of a task."""
        burn = "import os\nb = bytearray(64 << 20)\nwhile not os.path.exists('gate'): b[0] ^= 1\n"
        (tmp_path / "burn.py").write_text(burn, encoding="utf-8")
        tasks = {"a": _task(f"{sys.executable} burn.py; true"), "b": _task(_WAIT)}
        with _running(tmp_path, tasks, (100, 24)) as terminal:
            pattern = re.compile(r"all:root:a +\d+ s +[1-9]\d*% +(?:[6-9]\d|1\d\d) MB")
            wait_for(lambda: pattern.search("\n".join(terminal.screen())), "figures of a")
            _release(tmp_path)
            terminal.ended(0)

    def test_it_says_what_the_rest_waits_for(self, tmp_path: Path) -> None:
        """A task that others come after."""
        tasks = {
            "made": _task(_WAIT, writes=["x"]),
            "late": _task("true", reads=["x"]),
            "other": _task(_WAIT),
        }
        with _running(tmp_path, tasks, (80, 24)) as terminal:
            terminal.shows("0/3 · waits for all:root:made")
            _release(tmp_path)
            terminal.ended(0)

    def test_plain_ascii(self, tmp_path: Path) -> None:
        """Where the locale has no UTF-8, and without colour."""
        tasks = {"a": _task(f"echo caf\u00e9 {'x' * 90}; {_WAIT}"), "b": _task(_WAIT)}
        with _running(tmp_path, tasks, (80, 24), LC_ALL="C", NO_COLOR="1") as terminal:
            terminal.shows("0/2 | ", "caf?", "~")
            _release(tmp_path)
            terminal.ended(0)

    def test_typing_ahead_does_no_harm(self, tmp_path: Path) -> None:
        """Keys do not show up in the board; they are there for the next program."""
        with _running(tmp_path, {n: _task(_WAIT) for n in "ab"}, (80, 24)) as terminal:
            terminal.shows("0/2")
            for key in ("l", "s", "Enter", "Enter"):
                terminal.type(key)
            _release(tmp_path)
            terminal.ended(0)
            wait_for(lambda: "ls" in terminal.text(), "what was typed")
            text = terminal.text()
        assert text.index("ls") > text.index("exit 0")
        assert not [line for line in text if _BOARD.search(line)]

    def test_a_signal_shows_the_tails(self, tmp_path: Path) -> None:
        """SIGUSR1: the last lines of all that runs, above the board; the run goes on."""
        tasks = {n: _task(f"echo {n} says this; {_WAIT}") for n in "ab"}
        tasks["a"] = _task(f"echo a says this; echo $PPID > lane; {_WAIT}", writes=["lane"])
        with _running(tmp_path, tasks, (80, 24)) as terminal:
            terminal.shows("0/2", "a says this", "b says this")
            os.kill(_runner(tmp_path), signal.SIGUSR1)
            terminal.shows("-- all:root:a runs since", "   a says this", "-- all:root:b runs")
            _release(tmp_path)
            terminal.ended(0)
            assert not [line for line in terminal.text() if _BOARD.search(line)]


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
        script = "echo said; " + _WAIT
        repository = Repository(tmp_path).tasks(a=_task(script), b=_task("true"))
        argv = (
            "env",
            *(f"{k}={v}" for k, v in terms.items()),
            sys.executable,
            "-m",
            "invoke",
            "all",
        )
        with tmux(argv, repository.folder, _environ(), (80, 24)) as terminal:
            _release(tmp_path)
            terminal.ended(0)
            assert "said" in terminal.text()

    def test_live_without_a_terminal(self, tmp_path: Path) -> None:
        """A line for each task, and the output of what failed."""
        repository = Repository(tmp_path).tasks(a=_task("echo no"), b=_task("echo yes; exit 1"))
        lines = repository.inv("all", "--output", "live").out.splitlines()
        assert lines[0].startswith("== all:root:a passed")
        assert lines[1].startswith("== all:root:b failed with exit code 1")
        assert lines[2] == "yes"
        assert "no" not in lines
