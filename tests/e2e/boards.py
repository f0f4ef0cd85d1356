"""Runs with a board in a real terminal, and a look at all that they leave there.

Knows nothing of any one test.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.tmux import Tmux, tmux
from tests.integrations.repository import Repository

#: What a terminal does that nobody changed.
USUAL = "1 1 0 echo"

HEADING = re.compile(r"== all:root:\w+ .*")
BOARD = re.compile(r"\d+/\d+ · |^  all:root:\w+ +\d+ s")
#: All that follows the finished tasks, whole, and nothing else.
SUMMARY = re.compile(
    r"""
task +outcome .*
-[- ]+
(?P<rows>(?:all:root:\w+ +(?:passed|failed|cancelled)[ \d.-]*
)+)(?:\.\.\. and (?P<more>\d+) more that passed; .*
)?
wall .*
(?:saved .*
)?(?:not protected: .*
)?(?:
-- all:root:\w+ failed .*
(?: {3}.*
)+)*
parallel: \d+ .*
exit \d+"""
)

WAIT = "while [ ! -e gate ]; do sleep 0.02; done"


def task(script: str, **more: object) -> dict[str, object]:
    return {"command": script, "shell": True, **more}


def environ_of(**more: str) -> dict[str, str]:
    dropped = {"CI", "GITHUB_ACTIONS", "GITLAB_CI", "NO_COLOR", "FORCE_COLOR", "USE_PARALLEL"}
    kept = {
        k: v
        for k, v in os.environ.items()
        if k not in {*dropped, "TMUX", "POLYLANE_RUN", "USE_PARALLEL"}
    }
    return {**kept, "LC_ALL": "C.UTF-8", **more}


@contextmanager
def running(
    folder: Path,
    tasks: Mapping[str, object],
    size: tuple[int, int],
    jobs: int = 3,
    above: int = 0,
    settings: str = 'machine_jobs = "off"',
    **environ: str,
) -> Iterator[Tmux]:
    """A run in a terminal, in which so many lines were printed before it."""
    made = Repository(folder).tasks(**tasks)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'[tool.polylane]\ngrace = 0.2\nmax_load = "100%"\n{settings}\n')
    argv: tuple[str, ...] = (sys.executable, "-m", "invoke", "all-parallel", "--jobs", str(jobs))
    if above:
        argv = ("sh", "-c", f'seq {above}; exec "$@"', "sh", *argv)
    with tmux(argv, made.folder, environ_of(**environ), size) as terminal:
        yield terminal


def release(folder: Path) -> None:
    (folder / "gate").touch()


def printed_by(terminal: Tmux) -> list[str]:
    """What stands above the summary, after a look at all that is there: history, screen, modes.

    So every line is a finished task's, its output's or the summary's, and stands there whole.
    """
    text = terminal.text()
    assert not [line for line in text if BOARD.search(line)]
    assert terminal.modes() == USUAL
    printed = text[: text.index("")]
    rest = SUMMARY.fullmatch("\n".join(text[len(printed) :]))
    assert rest, text
    rows = rest["rows"].count("\n") + int(rest["more"] or 0)
    assert rows == sum(map(bool, map(HEADING.fullmatch, printed)))
    return printed


def headings(lines: list[str]) -> set[str]:
    return {re.sub(r" \(\d+\.\d\d s\)$", "", line) for line in lines if HEADING.fullmatch(line)}
