"""The rules of the house that no other tool holds."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("src", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)

#: The longest file that one can keep in mind.
LINES = 400

#: Heavy, or needed by few: imported where they are used.
LATE = {
    "psutil",
    "tabulate",
    "nox",
    "pre_commit",
    "sqlite3",
    "pathspec",
    "hypothesis",
    "importlib.metadata",
    "difflib",
    "asyncio",
    "multiprocessing",
    "polylane.run",
    "polylane.report",
    "polylane.remember",
}


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_short_and_says_what_it_does(file: str) -> None:
    """At most 400 lines; its first lines say what it is for, where it has any."""
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.count("\n") <= LINES
    assert not text or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("file", [f for f in FILES if "/test_" in f])
def test_a_test_says_the_behaviour_that_it_holds(file: str) -> None:
    """Its docstring does."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{file}: {node.name}"


@pytest.mark.parametrize("file", [f for f in FILES if f.startswith("tests/")])
def test_a_test_does_not_sleep_to_wait(file: str) -> None:
    """It waits for an event, with a limit; helpers that poll stand in ``support.py``."""
    if file.endswith("/support.py"):
        return
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        assert called not in {"time.sleep", "sleep"}, f"{file}:{getattr(node, 'lineno', 0)}"


def _imported(statement: str) -> set[str]:
    """The modules that a fresh interpreter has imported after a statement."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    return set(done.stdout.split())


def test_the_package_imports_nothing_until_it_is_asked() -> None:
    """Its public names are loaded when they are first used."""
    assert {name for name in _imported("import polylane") if "polylane" in name} == {"polylane"}


@pytest.mark.parametrize("module", ["invoke_tasks", "offers", "bodies"])
def test_the_tasks_of_invoke_are_listed_without_what_a_run_needs(module: str) -> None:
    """``inv --list`` and completion wait for these imports."""
    late = _imported(f"import polylane.integrations.{module}") - _imported("import invoke.program")
    assert not {name for name in late for heavy in LATE if (name + ".").startswith(heavy + ".")}


def test_our_names_are_those_of_the_interface() -> None:
    """Another name is an `AttributeError`, as with any module."""
    import polylane

    assert set(polylane.__all__) == {"__version__", "namespace", "nox_sessions", "task"}
    assert all(callable(getattr(polylane, name)) for name in ("namespace", "task"))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = polylane.nothing
