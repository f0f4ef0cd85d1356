"""The tab key in real shells, set up as docs/completion.md says, in a real terminal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.tmux import Tmux, tmux
from tests.integrations.repository import TASKS, Repository
from tests.support import wait_for

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")

BIN = Path(sys.executable).parent
PAGE = Path(__file__).parents[2] / "docs" / "completion.md"
SHELLS = ("bash", "zsh", "fish")
#: Start files before the page's line: a prompt that tells when the shell is ready.
STARTS = {
    "bash": (".bashrc", "PS1='ready> '\n"),
    "zsh": (".zshrc", "PS1='ready> '\n"),
    "fish": (
        ".config/fish/config.fish",
        "function fish_prompt; echo -n 'ready> '; end\nset fish_greeting\n",
    ),
}

Press = Callable[[str], Tmux]


def start_shell(shell: str, home: Path) -> dict[str, str]:
    """Make a home as the page says it; returns the environment of a shell there."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    name, text = STARTS[shell]
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text(text, encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    [commands] = re.findall(rf"^(polylane completion {shell} [^`]*)^```$", page, re.MULTILINE)
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    kept = {k: v for k, v in os.environ.items() if k not in ("TMUX", "ZDOTDIR", "ENV")}
    dropped = [name for name in kept if name.startswith(("XDG_", "POLYLANE_RUN"))]
    environ = {k: v for k, v in kept.items() if k not in dropped}
    environ |= {"HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8"}
    subprocess.run(["/bin/sh", "-ec", commands], env=environ, check=True)
    return environ


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A workspace with a project whose name has a space, and what lies beside it."""
    made = Repository(tmp_path_factory.mktemp("here") / "repo").write(
        {
            "tasks.py": TASKS,
            "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n[tool.ruff]\n',
            "my web/package.json": '{"name": "web", "scripts": {"test": "node --test"}}',
            "report.d/x": "",
            "other/own.py": "from invoke import task\n@task\ndef deploy_it(c, where='x'): ...\n",
        }
    )
    (made.folder / "bin").mkdir()
    (made.folder / "bin" / "inv").symlink_to(BIN / "inv")
    return made


@pytest.fixture(params=SHELLS, scope="module")
def screen(
    request: pytest.FixtureRequest, repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tmux]:
    """A shell in the workspace."""
    shell: str = request.param
    folder = tmp_path_factory.mktemp(shell)
    environ = start_shell(shell, folder / "home")
    cd = f"cd '{repository.folder}' && exec {shell} -i"
    with tmux(["sh", "-c", cd], folder, environ, (100, 40)) as made:
        yield made


@pytest.fixture
def press(screen: Tmux) -> Iterator[Press]:
    """Type a line, and the tab key behind it."""

    def typed(line: str) -> Tmux:
        screen.shows("ready>")
        screen.type(line)
        screen.shows(f"ready> {line}".rstrip())
        screen.type("Tab")
        return screen

    yield typed
    screen.type("C-u")  # an empty line on an empty screen
    screen.type("C-l")
    wait_for(lambda: [line for line in screen.screen() if line] == ["ready>"], "an empty screen")


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("inv lint-par", "inv lint-parallel"),
        ("inv lanes.doc", "inv lanes.doctor"),
        ("inv python.li", "inv python.lint"),
        ("inv lint --seq", "inv lint --sequential"),
        ("inv lint --output gro", "inv lint --output grouped"),
        ("inv lint --output=gro", "inv lint --output=grouped"),
        ("inv lint --project my", r"inv lint --project my\ web"),
        ("inv lanes.plan --select lint,te", "inv lanes.plan --select lint,test"),
        ("inv lint --report rep", "inv lint --report report.d/"),
        ("inv lint --report=rep", "inv lint --report=report.d/"),
        ("inv lint -- rep", "inv lint -- report.d/"),
        ("polylane ini", "polylane init"),
        ("polylane init --ci gitl", "polylane init --ci gitlab"),
        ("bin/inv lint-par", "bin/inv lint-parallel"),
        ("inv -r other -c own depl", "inv -r other -c own deploy-it"),
        (
            "inv -r other -c own deploy-it --where rep",
            "inv -r other -c own deploy-it --where report.d/",
        ),
    ],
)
def test_what_is_begun_is_completed(press: Press, line: str, completed: str) -> None:
    """Names, flags, values behind a space or "=", paths where those are meant.

    Of the program that is typed, and of the Invoke tasks that it is told.
    """
    press(line).shows(f"ready> {completed}")


@pytest.mark.parametrize("line", ["inv lint --output ", "inv lint --output="])
def test_all_that_fits_is_listed(press: Press, line: str) -> None:
    """At the second press, at the latest."""
    screen = press(line)
    screen.type("Tab")
    screen.shows("auto", "live", "grouped", "stream", "errors")


def test_where_values_are_known_no_path_is_offered(press: Press) -> None:
    """Though one begins so: the key changes nothing, and what is typed next stands behind it."""
    screen = press("inv lint --project rep")
    screen.type("!")
    screen.shows("ready> inv lint --project rep!")
