"""The live board in a real terminal: nothing of it is left when a run has ended."""

from __future__ import annotations

import shutil
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.boards import HEADING, WAIT, headings, printed_by, release, running, task
from tests.e2e.tmux import Tmux
from tests.support import wait_for

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")

SIZES = pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])


class TestFinalText:
    """When a run has ended, the terminal holds its plain lines, and nothing of the board."""

    @SIZES
    def test_a_passing_run(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """One line a task; their output is in the logs."""
        tasks = {name: task(f"echo said by {name}; {WAIT}") for name in "abc"}
        with running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/3", *(f"all:root:{name}" for name in "abc"))
            release(tmp_path)
            terminal.ended(0)
            printed = printed_by(terminal)
        assert headings(printed) == {f"== all:root:{name} passed" for name in "abc"}
        assert len(printed) == 3

    @SIZES
    def test_a_failing_run(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """The output of what failed stands below its line, whole, in lines that can be copied."""
        long = "x" * 150
        tasks = {
            "bad": task(f"echo first; echo {long}; {WAIT}; exit 3"),
            "good": task(f"echo unseen; {WAIT}"),
        }
        with running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/2")
            release(tmp_path)
            terminal.ended(1)
            printed = printed_by(terminal)
        place = next(i for i, line in enumerate(printed) if line.startswith("== all:root:bad"))
        assert printed[place + 1 : place + 3] == ["first", long]
        assert printed[place].startswith("== all:root:bad failed with exit code 3 (")
        assert len(printed) == 4

    @SIZES
    def test_an_interrupted_run(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """Ctrl-C: what ran and what had not begun are cancelled, each in its line."""
        tasks = {f"t{i}": task(WAIT) for i in range(6)}
        with running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/6")
            terminal.type("C-c")
            terminal.ended(130)
            printed = printed_by(terminal)
        cancelled = "cancelled: interrupted by SIGINT"
        assert headings(printed) == {f"== all:root:t{i} {cancelled}" for i in range(6)}
        assert len(printed) == 6

    @SIZES
    def test_a_run_of_200_tasks(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """Every line is there once."""
        tasks = {f"t{i}": task(WAIT if i < 3 else "true") for i in range(200)}
        with running(tmp_path, tasks, size) as terminal:
            terminal.shows("0/200")
            release(tmp_path)
            terminal.ended(0)
            printed = printed_by(terminal)
        assert headings(printed) == {f"== all:root:t{i} passed" for i in range(200)}
        assert len(printed) == 200

    @SIZES
    def test_output_that_a_terminal_would_obey(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """Text and colours are shown; nothing is cleared, moved, hidden, renamed or left on."""
        said = {
            "clears": r"\033[2J\033[Hgone\033[?25l\033[?7l\033[?1049h\033[3;3Hhere",
            "names": r"\033]0;title\007\033[31mred\033(0lqk",
            "bar": r"  10%%\r 100%% done",
            "nul": r"a\000b\tc\007d\016e",
            "wide": "日本語のテスト完了 ✅ 👩‍👩‍👧 " * 2,
        }
        for name, text in said.items():
            (tmp_path / f"{name}.sh").write_text(f"printf '{text}'; {WAIT}; exit 1\n", "utf-8")
        tasks = {name: task(f"bash {name}.sh; exit 1") for name in said}
        with running(tmp_path, tasks, size, jobs=5) as terminal:
            terminal.shows("0/5", "  all:root:")
            release(tmp_path)
            terminal.ended(1)
            printed = printed_by(terminal)
        shown = {
            line.split()[1]: below
            for line, below in pairwise(printed)
            if HEADING.fullmatch(line) and not HEADING.fullmatch(below)
        }
        assert shown.pop("all:root:wide").startswith("日本語のテスト完了 ✅ ")
        assert shown == {
            "all:root:clears": "gonehere",
            "all:root:names": "redlqk",
            "all:root:bar": " 100% done",
            "all:root:nul": "ab      cde",
        }
        assert len(printed) == 10

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
        tasks: dict[str, object] = {"first": task(f"seq 99; echo {words}; exit 3")}
        tasks |= {f"t{i}": task(f"echo {words}; {WAIT}") for i in range(3)}
        with running(tmp_path, tasks, sizes[0]) as terminal:
            terminal.shows("1/4", "  all:root:t2")
            for width, height in sizes[1:]:
                terminal.resize(width, height)
                wait_for(partial(_fits, terminal, width), "the board in its new size")
            release(tmp_path)
            terminal.ended(1)
            printed = printed_by(terminal)
        assert len(printed) == 104
        assert printed[1:101] == [*map(str, range(1, 100)), words.rstrip()]

    RESIZES = ((60, 10), (120, 20), (44, 12))

    def resize(self, terminal: Tmux) -> None:
        """While three tasks with long last lines run."""
        terminal.shows("  all:root:t0", "  all:root:t1", "  all:root:t2", "word")
        for width, height in self.RESIZES:
            terminal.resize(width, height)
            wait_for(partial(_fits, terminal, width), "the board in its new size")

    def test_a_passing_run_that_is_resized(self, tmp_path: Path) -> None:
        """What stood there before it stays too."""
        tasks = {f"t{i}": task(f"echo {'word ' * 60}; {WAIT}") for i in range(3)}
        with running(tmp_path, tasks, (200, 50), above=60) as terminal:
            self.resize(terminal)
            release(tmp_path)
            terminal.ended(0)
            printed = printed_by(terminal)
        assert printed[:60] == [*map(str, range(1, 61))]
        assert headings(printed) == {f"== all:root:t{i} passed" for i in range(3)}
        assert len(printed) == 63

    def test_an_interrupted_run_that_is_resized(self, tmp_path: Path) -> None:
        """Ctrl-C after three changes of the size."""
        tasks = {f"t{i}": task(f"echo {'word ' * 60}; {WAIT}") for i in range(6)}
        with running(tmp_path, tasks, (200, 50), above=60) as terminal:
            self.resize(terminal)
            terminal.type("C-c")
            terminal.ended(130)
            printed = printed_by(terminal)
        cancelled = "cancelled: interrupted by SIGINT"
        assert headings(printed) == {f"== all:root:t{i} {cancelled}" for i in range(6)}
        assert len(printed) == 66

    def test_a_run_of_200_tasks_that_is_resized(self, tmp_path: Path) -> None:
        """In the middle: some have ended before, some end after, and some while it happens."""
        script = f"echo {'word ' * 60}; {WAIT}"
        tasks = {f"t{i}": task(script if i < 3 else "true") for i in range(200)}
        with running(tmp_path, tasks, (200, 50), jobs=4, above=60) as terminal:
            self.resize(terminal)
            release(tmp_path)
            terminal.ended(0)
            printed = printed_by(terminal)
        assert headings(printed) == {f"== all:root:t{i} passed" for i in range(200)}
        assert len(printed) == 260


def _fits(terminal: Tmux, width: int) -> bool:
    """Whether the board is painted for this width: its long lines end one column before it."""
    lines = [line for line in terminal.screen() if line.startswith("  all:root:")]
    return len(lines) == 3 and all(width - 3 <= len(line) < width for line in lines)
