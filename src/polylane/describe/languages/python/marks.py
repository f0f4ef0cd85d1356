"""By what the tools of Python are known to be in use, and where a folder configures them.

Knows nothing of what the tools do, and of folders above.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from polylane.describe.languages.base import Folder
from polylane.describe.languages.python.manifest import ini, table


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """By what a tool is known to be in use; equal to itself only, so that tables of them are fast.

    ``packages``: distributions that bring it; a trailing ``*`` stands for any ending.
    """

    packages: tuple[str, ...]
    #: Tables under ``[tool]``.
    tables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    #: ``(file, section)`` of files that several tools share.
    sections: tuple[tuple[str, str], ...] = ()
    #: Whether the tool itself finds its configuration in folders above.
    upward: bool = False


RUFF = Mark(("ruff",), ("ruff",), (".ruff.toml", "ruff.toml"), upward=True)
BLACK = Mark(("black",), ("black",), upward=True)
ISORT = Mark(
    ("isort",),
    ("isort",),
    (".isort.cfg",),
    (("setup.cfg", "isort"), ("tox.ini", "isort")),
    upward=True,
)
FLAKE8 = Mark(
    ("flake8", "flake8-*"),
    ("flake8",),
    (),
    ((".flake8", "flake8"), ("setup.cfg", "flake8"), ("tox.ini", "flake8")),
)
PYLINT = Mark(
    ("pylint",),
    ("pylint",),
    (".pylintrc", "pylintrc", ".pylintrc.toml", "pylintrc.toml"),
    (
        ("setup.cfg", "pylint"),
        ("setup.cfg", "pylint.main"),
        ("setup.cfg", "pylint.messages control"),
    ),
)
MYPY = Mark(
    ("mypy",),
    ("mypy",),
    (),
    (("mypy.ini", "mypy"), (".mypy.ini", "mypy"), ("setup.cfg", "mypy")),
    upward=True,
)
PYRIGHT = Mark(("pyright",), ("pyright",), ("pyrightconfig.json",), upward=True)
BASEDPYRIGHT = Mark(("basedpyright",), ("basedpyright",), upward=True)
TY = Mark(("ty",), ("ty",), ("ty.toml",), upward=True)
BANDIT = Mark(("bandit",), ("bandit",), (".bandit",))
PIP_AUDIT = Mark(("pip-audit",))
PYTEST = Mark(
    ("pytest", "pytest-*"),
    ("pytest",),
    ("pytest.toml", ".pytest.toml"),
    (
        ("pytest.ini", "pytest"),
        (".pytest.ini", "pytest"),
        ("setup.cfg", "tool:pytest"),
        ("tox.ini", "pytest"),
    ),
    upward=True,
)
PDOC = Mark(("pdoc",))

MARKS = (
    RUFF, BLACK, ISORT, FLAKE8, PYLINT, MYPY, PYRIGHT, BASEDPYRIGHT, TY, BANDIT, PIP_AUDIT, PYTEST,
    PDOC,
)  # fmt: skip
#: What folders above configure for the projects below them.
UPWARD = tuple(mark for mark in MARKS if mark.upward)
#: The files that configure a tool, beside pyproject.toml.
FILES = frozenset(
    path for mark in MARKS for path in (*mark.files, *(file for file, _ in mark.sections))
)


def configs_in(
    folder: Folder, marks: Iterable[Mark], files: Collection[str]
) -> dict[Mark, tuple[str, Mapping[str, Any]]]:
    """The tools that a folder configures: its path, and the table (empty for other files).

    ``files``: those of `FILES` that are there.
    """
    tools = table(folder.toml("pyproject.toml"), "tool")
    found = ((mark, _config_of(folder, mark, tools, files)) for mark in marks)
    return {mark: (folder.path, said) for mark, said in found if said is not None}


def _config_of(
    folder: Folder, mark: Mark, tools: Mapping[str, Any], files: Collection[str]
) -> Mapping[str, Any] | None:
    for path in mark.files:
        if path in files:
            return (folder.toml(path) or {}) if path.endswith(".toml") else {}
    for name in mark.tables:
        if name in tools:
            return table(tools, name)
    for path, section in mark.sections:
        parser = folder.once(ini, path) if path in files else None
        if parser is not None and parser.has_section(section):
            return dict(parser.items(section))
    return None


def is_brought(mark: Mark, installed: Collection[str]) -> bool:
    """Whether a tool is among the distributions of an environment."""
    for package in mark.packages:
        if package in installed:
            return True
        if package.endswith("*") and any(name.startswith(package[:-1]) for name in installed):
            return True
    return False
