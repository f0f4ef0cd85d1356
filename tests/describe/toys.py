"""Workspaces for the tests of the description: real git repositories, and languages made up here.

A toy project is a folder with ``toy.txt``: a word that it provides, then words that it requires.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from polylane.describe import config, languages, walk, workspace
from polylane.describe.languages.base import Environment, Folder
from polylane.describe.workspace import Workspace
from polylane.model import Description, Recipe

#: Seconds for what takes milliseconds.
LIMIT_S = 30


class Toy:
    """A language that notes where it looked."""

    def __init__(self, name: str, manifest: str) -> None:
        self.name = name
        self.manifests = (manifest,)
        self.skip = ("toy_modules",)
        self.looked_at: list[str] = []

    def describe(self, folder: Folder) -> Description | None:
        self.looked_at.append(folder.path)
        words = (folder.text(self.manifests[0]) or "").split()
        if words == ["none"]:
            return None
        tools = ["check", *(["extra"] if folder.exists("extra.cfg") else [])]
        tools += ["wide"] if folder.text("wide.cfg") == "yes" else []
        recipes = tuple(Recipe("lint", tool, ("true",)) for tool in tools)
        return Description(tuple(words[:1]), tuple(words[1:]), recipes)

    def environment(self, workspace: Path, path: str) -> Environment:
        return Environment()


TOY = Toy("toy", "toy.txt")
BRICK = Toy("brick", "brick.txt")


class Yard:
    """A git repository with toys in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q")

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *words], check=True, capture_output=True)

    def write(self, path: str, text: str = "") -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def toys(self, *folders: str) -> None:
        for folder in folders:
            self.write(f"{folder}/toy.txt", "toy")

    def find(self) -> Workspace:
        return workspace.find(config.load(self.folder, {}))

    def names(self) -> dict[str, str]:
        """The projects' paths by name."""
        return {name: project.path for name, project in self.find().projects.items()}

    def paths(self) -> list[str]:
        return [project.path for project in self.find().projects.values()]

    def looked_at(self) -> list[str]:
        """Where the toy language looked in one more search."""
        TOY.looked_at.clear()
        self.find()
        return sorted(TOY.looked_at)

    def tick(self) -> None:
        """Let the clock by which the file system stamps go on, so that a change is seen."""
        probe = self.folder.with_name("probe")
        probe.touch()
        first = probe.stat().st_ctime_ns
        limit = time.monotonic() + LIMIT_S
        while probe.stat().st_ctime_ns == first:
            assert time.monotonic() < limit
            os.utime(probe)


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """An empty repository, whose user has no configuration; what is seen counts as settled."""
    (tmp_path / "home").mkdir()
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    register(monkeypatch, "TOY")
    monkeypatch.setattr(walk, "_TICK", -(10**18))
    (tmp_path / "yard").mkdir()
    return Yard(tmp_path / "yard")


def register(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make languages of this module the only ones."""
    found = {name.lower(): f"{__name__}:{name}" for name in names}
    monkeypatch.setattr(languages, "registered", lambda: found)
    monkeypatch.setattr(languages, "installed_stamp", lambda: names)
