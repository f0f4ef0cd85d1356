"""What is known of a Python project before any tool is chosen: a view of its files.

Finds the configuration of a tool in the project and above it, the uv workspace, the folders with
sources and tests, and the names that git ignores. Knows nothing of verbs and commands.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from polylane.describe.languages.base import Folder
from polylane.describe.languages.ignore_files import files_above, ignored_patterns
from polylane.describe.languages.python.above import Above, above, dependencies, runs
from polylane.describe.languages.python.manifest import Manifest, read_manifest, table, words
from polylane.describe.languages.python.marks import (
    FILES,
    MARKS,
    RUFF,
    Mark,
    configs_in,
    is_brought,
)

#: Folders with ``__init__.py`` that are not what the project ships.
_NOT_SOURCES = frozenset({
    "test", "tests", "testing", "doc", "docs", "example", "examples", "sample", "samples",
    "script", "scripts", "benchmark", "benchmarks", "build", "dist", "node_modules", "venv",
    "env", "site",
})  # fmt: skip
_NOT_MODULES = frozenset({
    "setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py", "dodo.py",
    "hatch_build.py",
})  # fmt: skip
_IGNORED = ("__pycache__", "node_modules")
_TEST_FOLDERS = ("tests", "test", "testing")
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py")
#: Names that tasks are known to write: of what git ignores only these matter to claims.
_OUTPUTS = frozenset({
    "build", "dist", "out", "lib", "coverage", "htmlcov", ".nyc_output", ".next", ".nuxt",
    ".turbo", ".output", "storybook-static", "site", "public", "target", "_build",
    "docs/_build", "reports", "test-results", "playwright-report", ".coverage", ".coverage.*",
    "coverage.xml", "junit.xml", "*.egg-info", "*.tsbuildinfo", "*.log", "node_modules", "tmp",
})  # fmt: skip


class Facts:
    """One project's folder, looked at when asked."""

    def __init__(self, folder: Folder) -> None:
        folder.names()  # they answer most of what follows
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)

    @cached_property
    def above(self) -> Above:
        """What the folders above say."""
        return above(self.folder)

    @cached_property
    def configs(self) -> Mapping[Mark, tuple[str, Mapping[str, Any]]]:
        """Where each tool is configured, the nearest first, and its table (empty for others)."""
        names = FILES.intersection(self.folder.names())
        files = set(filter(self.folder.exists, names))
        return {**self.above.configs, **configs_in(self.folder, MARKS, files)}

    @cached_property
    def uv_root(self) -> str | None:
        """The folder above whose uv workspace this project is a member of."""
        found = (uv.path for uv in self.above.uv_workspaces if uv.has(self.folder.path))
        return next(found, None)

    @cached_property
    def uses_uv(self) -> bool:
        """Whether uv manages the project, or a folder above it."""
        if "uv" in self.manifest.tools or self.uv_root is not None:
            return True
        return self.above.has_uv_lock or self.folder.exists("uv.lock")

    @cached_property
    def uses_poetry(self) -> bool:
        """Whether Poetry manages the project."""
        if self.uses_uv:
            return False
        return self.folder.exists("poetry.lock") or "poetry" in self.manifest.tools

    @cached_property
    def installed(self) -> frozenset[str]:
        """Names of what the project's environment holds: its own and its uv workspace's."""
        names = self.manifest.dependencies
        if self.uv_root is None:
            return names
        return names | self.folder.beside(self.uv_root).once(dependencies)

    def depends_on(self, mark: Mark) -> bool:
        """Whether the project's environment is said to hold the tool."""
        return is_brought(mark, self.installed)

    def settings(self, mark: Mark) -> Mapping[str, Any]:
        """The table by which a tool is configured; empty where none is."""
        found = self.configs.get(mark)
        return found[1] if found is not None else {}

    def own_settings(self, mark: Mark) -> Mapping[str, Any] | None:
        """The same where the project itself configures the tool; else ``None``."""
        found = self.configs.get(mark)
        return found[1] if found is not None and found[0] == self.folder.path else None

    def configured_above(self, mark: Mark) -> str | None:
        """The folder above that configures the tool for this project."""
        found = self.configs.get(mark)
        return found[0] if found is not None and found[0] != self.folder.path else None

    def uses(self, mark: Mark) -> bool:
        """Whether the project is configured for the tool or depends on it."""
        return mark in self._used

    @cached_property
    def _used(self) -> frozenset[Mark]:
        return frozenset(m for m in MARKS if m in self.configs or is_brought(m, self.installed))

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Folders, or modules, with what the project ships; empty where none is known."""
        names = self.folder.names()
        module = self.manifest.name.replace("-", "_")
        return (
            self._said_packages()
            or tuple(name for name in ("src",) if self.folder.is_dir(name))
            or tuple(name for name in names if self._is_package(name, module))
            or tuple(f"{name}/{module}" for name in names if self._holds(name, module))
            or tuple(
                n for n in names if n.endswith(".py") and n not in _NOT_MODULES | {"__init__.py"}
            )
        )

    def _said_packages(self) -> tuple[str, ...]:
        wheel = table(self.manifest.tools, "hatch", "build", "targets", "wheel")
        said = words(wheel.get("packages"))
        return tuple(name for name in said if self.folder.exists(name))

    def _is_package(self, name: str, module: str) -> bool:
        if name.startswith(".") or name in _NOT_SOURCES:
            return False
        return self.folder.exists(f"{name}/__init__.py") or (
            name == module and self.folder.is_dir(name)
        )

    def _holds(self, name: str, module: str) -> bool:
        if not module or name.startswith(".") or name in _NOT_SOURCES:
            return False
        return self.folder.is_dir(f"{name}/{module}")

    @cached_property
    def tests(self) -> tuple[str, ...]:
        """Folders with tests; ``"."`` where test files lie in the project's own folder."""
        found = list(self._tests_in("."))
        inside = [path for source in self._source_packages() for path in self._tests_in(source)]
        own = any(map(_TEST_FILE.fullmatch, self.folder.names()))
        return (*found, *inside, *((".",) if own else ()))

    def _tests_in(self, path: str) -> Iterator[str]:
        names = self.folder.names(path)
        inside = "" if path == "." else f"{path}/"
        found = (f"{inside}{name}" for name in _TEST_FOLDERS if name in names)
        return filter(self._python_in, found)

    def _source_packages(self) -> Iterator[str]:
        for source in self.sources:
            yield source
            yield from (f"{source}/{name}" for name in _folders(self.folder.names(source)))

    def _python_in(self, path: str) -> bool:
        names = self.folder.names(path)
        if any(name.endswith(".py") for name in names):
            return True
        below = (self.folder.names(f"{path}/{name}") for name in _folders(names))
        return any(_TEST_FILE.fullmatch(name) for inner in below for name in inner)

    def test_files(self, most: int = 8) -> tuple[str, ...]:
        """Some test files, relative to the project."""
        found = (
            posixpath.normpath(f"{path}/{name}")
            for path in self.tests
            for name in self.folder.names(path)
            if _TEST_FILE.fullmatch(name) or name in ("conftest.py", "tests.py")
        )
        return tuple(path for path, _ in zip(found, range(most), strict=False))

    @cached_property
    def formats_by_ruff(self) -> bool:
        """Whether the repository says that its code is formatted by ruff."""
        return "format" in self.settings(RUFF) or runs(self.folder, r"ruff[\"', -]+format")

    @cached_property
    def ignore_files(self) -> tuple[str, ...]:
        """The .gitignore files above, which tools read in a repository."""
        return files_above(self.folder, ".gitignore") if self._in_git else ()

    @cached_property
    def _in_git(self) -> bool:
        return self.above.has_git if self.folder.parent else self.folder.exists(".git")

    @cached_property
    def ignored(self) -> tuple[str, ...]:
        """Patterns, each with its ``!``, of what the .gitignore files above surely ignore.

        Only in a repository: tools do not look at the files elsewhere.
        """
        if not self._in_git:
            return ()
        found = ignored_patterns(self.folder, ".gitignore")
        return tuple(
            f"!{pattern}"
            for pattern in found
            if pattern.removeprefix("**/").removesuffix("/**") in _OUTPUTS
        )


def _folders(names: list[str]) -> Iterator[str]:
    """The names that may be folders of sources, without asking the disk for each."""
    return (name for name in names if "." not in name and name not in _IGNORED)
