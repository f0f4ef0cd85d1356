"""Whether modules can be loaded anew is tried in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polylane.integrations.trial_load import why_not

NAMES = ("trial_host", "trial_helper")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two modules, the first of which imports the second."""
    (tmp_path / "trial_host.py").write_text("import trial_helper\n")
    (tmp_path / "trial_helper.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_there\n", "ModuleNotFoundError: No module named 'nothing_there'"),
        ("def\n", "SyntaxError: invalid syntax (trial_helper.py, line 1)"),
        ("raise SystemExit\n", "SystemExit"),
        ("raise ValueError('a\\nb')\n", "ValueError: a b"),
        ("X = 1 / 0\n", "ZeroDivisionError: division by zero"),
    ],
)
def test_what_fails_is_a_line(folder: Path, text: str, said: str) -> None:
    """With the place in the folder that it comes from."""
    __import__("trial_host")
    assert why_not(folder, NAMES, NAMES[:1]) == ""
    (folder / "trial_helper.py").write_text(text)
    assert why_not(folder, NAMES, NAMES[:1]) == f"trial_helper.py:1: {said}"


def test_what_ends_the_process_is_said(folder: Path) -> None:
    """Though nobody there can say it."""
    (folder / "trial_helper.py").write_text("import os; os._exit(3)\n")
    assert why_not(folder, NAMES, NAMES[:1]) == "loading it ends the process"


def test_this_process_stays_as_it_was(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its modules, and its output."""
    module = __import__("trial_host")
    (folder / "trial_helper.py").write_text("X = 2\nimport os; os.write(1, b'loaded')\n")
    assert why_not(folder, NAMES, NAMES[:1]) == ""
    assert module.trial_helper.X == 1
    assert sys.modules["trial_host"] is module
    assert capfd.readouterr() == ("", "")


def test_a_module_that_is_gone_is_named(folder: Path) -> None:
    """No line of the folder says it then."""
    __import__("trial_host")
    (folder / "trial_host.py").unlink()
    said = why_not(folder, NAMES, NAMES[:1])
    assert said == "ModuleNotFoundError: No module named 'trial_host'"
