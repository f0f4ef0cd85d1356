"""What is known of a Python project before any tool is chosen: a view of its files.

Finds the configuration of a tool in the project and above it, the uv workspace, the folders with
sources and tests, and the names that git ignores. Knows nothing of verbs and commands.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import PurePosixPath
from typing import Any

from polylane.describe.languages.base import Folder
from polylane.describe.languages.ignore_files import ignored_patterns
from polylane.describe.languages.python.manifest import (
    Manifest,
    ini,
    read_manifest,
    table,
    words,
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
#: Files which say what a repository runs; workflows of a forge come on top.
_RUN_BOOKS = (
    ".pre-commit-config.yaml",
    "Makefile",
    "justfile",
    "tox.ini",
    "noxfile.py",
    "tasks.py",
    "package.json",
)


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a tool is known to be in use."""

    #: Distributions that bring it; a trailing ``*`` stands for any ending.
    packages: tuple[str, ...]
    #: Tables under ``[tool]``.
    tables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    #: ``(file, section)`` of files that several tools share.
    sections: tuple[tuple[str, str], ...] = ()
    #: Whether the tool itself finds its configuration in folders above.
    upward: bool = False


class Facts:
    """One project's folder, looked at when asked."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        # Everything about a tool asks where it is configured.
        self.config = cache(self._config)
        self.uses = cache(self._uses)

    @cached_property
    def above(self) -> tuple[Folder, ...]:
        """The folders above, the nearest first, up to the workspace."""
        return tuple(_up(self.folder.parent))

    @cached_property
    def uv_root(self) -> Folder | None:
        """The folder above whose uv workspace this project is a member of."""
        for folder in self.above:
            if is_member(folder, self.folder.path):
                return folder
        return None

    @cached_property
    def uses_uv(self) -> bool:
        """Whether uv manages the project, or a folder above it."""
        if "uv" in self.manifest.tools or self.uv_root is not None:
            return True
        return any(folder.exists("uv.lock") for folder in (self.folder, *self.above))

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
        return names | read_manifest(self.uv_root).dependencies if self.uv_root else names

    def depends_on(self, mark: Mark) -> bool:
        """Whether the project's environment is said to hold the tool."""
        return any(
            any(fnmatchcase(name, package) for name in self.installed)
            if package.endswith("*")
            else package in self.installed
            for package in mark.packages
        )

    def _config(self, mark: Mark) -> tuple[Folder, Mapping[str, Any]] | None:
        """Where a tool is configured, the nearest first, and its table (empty for other files)."""
        if (found := _config_in(self.folder, mark)) is not None:
            return self.folder, found
        for folder in self.above if mark.upward else ():
            if (found := folder.once(_config_in, mark)) is not None:
                return folder, found
        return None

    def settings(self, mark: Mark) -> Mapping[str, Any]:
        """The table by which a tool is configured; empty where none is."""
        found = self.config(mark)
        return found[1] if found is not None else {}

    def own_settings(self, mark: Mark) -> Mapping[str, Any] | None:
        """The same where the project itself configures the tool; else ``None``."""
        found = self.config(mark)
        return found[1] if found is not None and found[0] is self.folder else None

    def configured_above(self, mark: Mark) -> Folder | None:
        """The folder above that configures the tool for this project."""
        found = self.config(mark)
        return found[0] if found is not None and found[0] is not self.folder else None

    def _uses(self, mark: Mark) -> bool:
        """Whether the project is configured for the tool or depends on it."""
        return self.config(mark) is not None or self.depends_on(mark)

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
        found = [name for name in _TEST_FOLDERS if self._python_in(name)]
        inside = [
            f"{source}/{name}"
            for source in self._source_packages()
            for name in _TEST_FOLDERS
            if self._python_in(f"{source}/{name}")
        ]
        own = any(_TEST_FILE.fullmatch(name) for name in self.folder.names())
        return (*found, *inside, *((".",) if own else ()))

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

    def runs(self, words_of_it: str) -> bool:
        """Whether something that the repository runs (hooks, make, CI) matches an expression."""
        books = (text for at in (self.folder, *self.above) for text in at.once(_run_books))
        return any(re.search(words_of_it, text) for text in books)

    @cached_property
    def ignored(self) -> tuple[str, ...]:
        """Patterns, each with its ``!``, of what the .gitignore files above surely ignore.

        Only in a repository: tools do not look at the files elsewhere.
        """
        if not (self.folder, *self.above)[-1].exists(".git"):
            return ()
        found = ignored_patterns(self.folder, ".gitignore")
        return tuple(
            f"!{pattern}"
            for pattern in found
            if pattern.removeprefix("**/").removesuffix("/**") in _OUTPUTS
        )


def _config_in(folder: Folder, mark: Mark) -> Mapping[str, Any] | None:
    """The table by which a folder configures a tool; None where it does not."""
    for path in mark.files:
        if folder.exists(path):
            return (folder.toml(path) or {}) if path.endswith(".toml") else {}
    tools = table(folder.toml("pyproject.toml"), "tool")
    for name in mark.tables:
        if name in tools:
            return table(tools, name)
    for path, section in mark.sections:
        parser = folder.once(ini, path)
        if parser is not None and parser.has_section(section):
            return dict(parser.items(section))
    return None


def _run_books(folder: Folder) -> tuple[str, ...]:
    """The texts in a folder that say what the repository runs."""
    flows = (n for n in folder.names(".github/workflows") if n.endswith((".yml", ".yaml")))
    paths = (*_RUN_BOOKS, *(f".github/workflows/{name}" for name in flows))
    return tuple(text for path in paths if (text := folder.text(path)))


def is_member(root: Folder, path: str) -> bool:
    """Whether the project at ``path`` belongs to the uv workspace that ``root`` declares."""
    workspace = table(root.toml("pyproject.toml"), "tool", "uv", "workspace")
    inner = path if root.path == "." else path.removeprefix(f"{root.path}/")
    return any(_glob(inner, glob) for glob in words(workspace.get("members"))) and not any(
        _glob(inner, glob) for glob in words(workspace.get("exclude"))
    )


def _glob(path: str, pattern: str) -> bool:
    pattern = posixpath.normpath(pattern)
    if "**" in pattern:
        return fnmatchcase(path, pattern.replace("**/", "*").replace("**", "*"))
    return path.count("/") == pattern.count("/") and PurePosixPath(path).match(pattern)


def _folders(names: list[str]) -> Iterator[str]:
    """The names that may be folders of sources, without asking the disk for each."""
    return (name for name in names if "." not in name and name not in _IGNORED)


def _up(folder: Folder | None) -> Iterator[Folder]:
    while folder is not None:
        yield folder
        folder = folder.parent
