"""What the tests of pages that are gone through share: what `pip install polylane` finds, tools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

#: Somebody who commits.
GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def pip(*words: str) -> None:
    """Run pip, which must work."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--no-input", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def constraint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for PIP_CONSTRAINT, by which `polylane` is what this checkout makes."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("polylane-*.whl")
    file = folder / "constraint.txt"
    file.write_text(f"polylane @ {wheel.as_uri()}\n", encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs `tox` and `task`."""
    folder = tmp_path_factory.mktemp("peers")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pip("--python", python, "install", "--quiet", "tox", "go-task-bin")
    return folder / "bin"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with a `pip` that has nothing to do: pages tell to install what is here already."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "pip").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "pip").chmod(0o755)
    return folder
