"""What tools are told in whole runs: by ``inv``, in sequence and in parallel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integrations.repository import Repository

_NAME = "BLACK_NUM_WORKERS"
_SHOW = f'#!/bin/sh\necho "${{{_NAME}:-nothing}} $*"\n'


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Programs called black and jest that print what they are told."""
    made = Repository(tmp_path / "repo")
    made.tasks(one="./black .", two="./jest --ci", own="printenv")
    made.write({"black": _SHOW, "jest": _SHOW, ".gitignore": ".polylane\n"})
    for name in ("black", "jest"):
        (made.folder / name).chmod(0o755)
    return made


def said(repository: Repository, tool: str) -> str:
    """The log of a task of the newest run."""
    return (repository.folder / ".polylane" / "last" / f"all%3Aroot%3A{tool}.log").read_text()


def _without(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


def test_in_sequence_nothing_is_told(repository: Repository) -> None:
    """Tools use what they want, as if they were started by hand."""
    assert repository.inv("all", **_without(_NAME)).code == 0
    assert (said(repository, "one"), said(repository, "two")) == ("nothing .\n", "nothing --ci\n")


def test_in_parallel_tools_share_the_slots(repository: Repository) -> None:
    """A test runner gets half of what it would like at least; what nobody knows gets one."""
    done = repository.inv("all-parallel", "--jobs", "4", **_without(_NAME))
    assert done.code == 0, done.all
    # On a busy machine they start one after the other, and then get more.
    assert re.fullmatch(r"([2-4]) --ci --maxWorkers=\1\n", said(repository, "two"))
    assert re.fullmatch(r"[1-4] \.\n", said(repository, "one"))
    assert "PYTEST_XDIST_AUTO_NUM_WORKERS=1\n" in said(repository, "own")


def test_a_lone_task_gets_all_slots(repository: Repository) -> None:
    """However many the machine has, the run has these."""
    repository.tasks(one="./black .")
    assert repository.inv("all-parallel", "--jobs", "3", **_without(_NAME)).code == 0
    assert said(repository, "one") == "3 .\n"


def test_a_variable_that_people_set_stays(repository: Repository) -> None:
    """And takes so many slots."""
    assert repository.inv("all-parallel", "--jobs", "4", **{_NAME: "7"}).code == 0
    assert said(repository, "one") == "7 .\n"
    assert f"{_NAME}=7\n" in said(repository, "own")


def test_words_after_two_dashes_count(repository: Repository) -> None:
    """They win over what we would append."""
    repository.tasks(two="./jest --ci")
    assert repository.inv("all-parallel", "--jobs", "4", "--", "--maxWorkers=2").code == 0
    assert said(repository, "two").endswith(" --ci --maxWorkers=2\n")
