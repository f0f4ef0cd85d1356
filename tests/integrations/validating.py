"""Helpers of tests of ``inv lanes.validate``: repositories, and validations of them.

Knows nothing of any one test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.integrations.repository import Done, Repository

#: Enough for one pair of tasks to be run in all ways.
ROUNDS = "3"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty one, with room for scratch folders beside it."""
    (tmp_path / "scratch").mkdir()
    return Repository(tmp_path / "repo")


def shell(command: str, **said: Any) -> dict[str, Any]:
    return {"command": command, "shell": True, **said}


def words_of(**flags: str) -> list[str]:
    """Validate the verb ``all``, three rounds in two slots, if nothing else is said."""
    said = {"select": "all", "rounds": ROUNDS, "jobs": "2", "shuffle": "1", **flags}
    return ["lanes.validate", *(f"--{name}={value}" for name, value in said.items())]


def validate(
    repository: Repository, flags: Mapping[str, str] = MappingProxyType({}), **environ: str
) -> Done:
    """Validate, with scratch folders beside the repository."""
    scratch = str(repository.folder.parent / "scratch")
    return repository.inv(*words_of(**flags), **{"TMPDIR": scratch, **environ})


def certificate(repository: Repository) -> dict[str, Any]:
    """The newest ``certificate.json``."""
    folder = repository.folder / ".polylane/certificates"
    found: dict[str, Any] = json.loads(
        (max(folder.iterdir()) / "certificate.json").read_text(encoding="utf-8")
    )
    return found


def scratches(repository: Repository) -> list[str]:
    return [path.name for path in (repository.folder.parent / "scratch").iterdir()]


@contextmanager
def begun(repository: Repository, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Inv, running in the repository; it is ended at the end."""
    scratch = str(repository.folder.parent / "scratch")
    with subprocess.Popen(
        (sys.executable, "-m", "invoke", *words),
        cwd=repository.folder,
        env={**os.environ, "TMPDIR": scratch, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as started:
        try:
            yield started
        finally:
            started.kill()
