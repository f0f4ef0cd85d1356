"""Imports go one way: this table is the rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import polylane

SOURCE = Path(polylane.__file__).parent

#: Each layer may import those above it in this table, and itself. A module belongs to the longest
#: name here that it starts with.
LAYERS = (
    ("polylane",),  # the public names, which are imported when they are first used
    ("polylane.errors", "polylane.garbage", "polylane.model", "polylane.outcome"),
    ("polylane.describe",),
    ("polylane.plan",),
    ("polylane.run", "polylane.result"),
    ("polylane.remember",),
    ("polylane.planning", "polylane.execution"),
    ("polylane.prove",),
    ("polylane.report",),
    ("polylane.start", "polylane.testing"),
    ("polylane.integrations",),
    ("polylane.cli",),
)

#: Programs of their own, which tasks start: they import nothing of the suite.
PROGRAMS = "polylane.tools"


def _modules() -> dict[str, Path]:
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imports(path: Path, *, only_top: bool = False) -> Iterator[str]:
    """The modules of ours that a file imports, but for those that only types need."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if only_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in _modules() else node.module


def _layer(module: str) -> int:
    places = {name: i for i, names in enumerate(LAYERS) for name in names}
    while module not in places:
        module = module.rpartition(".")[0]
    return places[module]


def _ours(path: Path, **which: bool) -> list[str]:
    return [name for name in _imports(path, **which) if name.partition(".")[0] == "polylane"]


@pytest.mark.parametrize("module", sorted(_modules()))
def test_a_module_imports_only_what_lies_above_it(module: str) -> None:
    """Imports inside functions count; `polylane` itself may be asked for its version by all."""
    if module == "polylane":
        return
    for imported in _ours(_modules()[module]):
        if module.startswith(PROGRAMS):
            assert imported.startswith(PROGRAMS), f"{module} imports {imported}"
        else:
            assert _layer(imported) <= _layer(module), f"{module} imports {imported}"


def test_no_module_imports_itself_in_a_circle() -> None:
    """At the top of modules; `polylane` holds only names."""
    graph = {
        name: {each for each in _ours(path, only_top=True) if each != "polylane"}
        for name, path in _modules().items()
    }
    while graph:
        free = {name for name, imported in graph.items() if not imported & graph.keys()}
        assert free, f"a circle among {sorted(graph)}"
        graph = {name: imported for name, imported in graph.items() if name not in free}
