"""Real package managers keep exit codes and pass words in the forms that recipes use."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from polylane.describe.languages.node.manager import BUN, NPM, PNPM, Manager
from tests.describe.node_project import write

if TYPE_CHECKING:
    from pathlib import Path

SHOW = "console.log(JSON.stringify(process.argv.slice(2)))"
MANAGERS = [
    pytest.param(
        manager,
        marks=pytest.mark.skipif(not shutil.which(manager.name), reason=f"no {manager.name}"),
        id=manager.name,
    )
    for manager in (NPM, PNPM, BUN)  # yarn wants an install first
]


def run(folder: Path, manager: Manager, script: str, *words: str) -> tuple[int, str]:
    """Exit code and output of a script started as a recipe starts it."""
    manifest = {
        "name": "p",
        "scripts": {"show": "node show.js", "fail": "node -e 'process.exit(7)'"},
    }
    write(folder, {"package.json": manifest, "show.js": SHOW, "node_modules/.keep": ""})
    argv = [*manager.quiet, script, *manager.separator, *words]
    done = subprocess.run(argv, cwd=folder, stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_failure_keeps_its_exit_code(tmp_path: Path, manager: Manager) -> None:
    """And the manager adds nothing to the output."""
    assert run(tmp_path, manager, "fail") == (7, "")


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("words", [(), ("-k", "two words", "--fix", "*")])
def test_words_reach_the_script(tmp_path: Path, manager: Manager, words: tuple[str, ...]) -> None:
    """Flags too; and no words are passed where none are given."""
    code, output = run(tmp_path, manager, "show", *words)
    assert (code, json.loads(output)) == (0, list(words))
