"""What protects a run, on kernels that this machine has not."""

from __future__ import annotations

import pytest

from polylane.run import landlock, protection, sandbox, tree
from polylane.run.protection import Fact, named


@pytest.mark.parametrize(
    ("version", "lost", "mend"),
    [
        (
            2,
            "not refused: a file's truncation by its path and signals to processes of others",
            "Linux 6.12 or newer",
        ),
        (5, "not refused: signals to processes of others", "Linux 6.12 or newer"),
        (6, "", ""),
    ],
)
def test_an_older_landlock_refuses_less(
    version: int, lost: str, mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It confines, and what it does not refuse is said."""
    for module in (landlock, sandbox):
        monkeypatch.setattr(module, "abi", lambda: version)
    state = f"Landlock, version {version} of its interface"
    assert protection.confinement() == Fact("confinement", state, lost, mend)


def test_what_is_not_refused_is_what_the_rules_leave_out() -> None:
    """A version from which on there is more to say has rights that the one before has not."""
    of_paths = [since for since, _, what in protection._SINCE if "signals" not in what]
    for since in of_paths:
        assert landlock.write_rights(since) != landlock.write_rights(since - 1)


def test_the_first_landlock_confines_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under it nothing could be moved."""
    for module in (landlock, sandbox):
        monkeypatch.setattr(module, "abi", lambda: 1)
    fact = protection.confinement()
    assert fact.state.startswith("none: this kernel's Landlock (Linux older than 5.19)")
    assert (fact.lost, fact.mend[:10]) == ("tasks can write anywhere", "Linux 5.19")


def test_a_system_without_subreapers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And this process is what it was after it was asked."""
    before = tree.become_subreaper()
    tree.become_subreaper(on=before)
    assert protection.supervision().lost == ""
    assert tree.become_subreaper(on=before) is before
    monkeypatch.setattr(tree, "become_subreaper", lambda **_: False)
    assert protection.supervision().state == "this system has no subreapers"


def test_few_names_are_listed() -> None:
    """The rest is counted."""
    assert named(list("abcde")) == "a, b, c, d, e"
    assert named(list("abcdefg")) == "a, b, c, d, e and 2 more"
