"""The protocol that a language satisfies, and the folder that it reads.

A language is one module (or object) with four names. It turns the files of one folder into a
`Description`: plain data that the workspace remembers until one of the files read has changed.
It starts no process, reads no environment variable, and looks only through the `Folder` that it is
given, so that what it looked at is known. It never looks into ignored folders (environments,
``node_modules``): whether a tool is installed is seen when it is started.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from polylane.errors import UserError
from polylane.model import Description


@dataclass(frozen=True, slots=True)
class Environment:
    """What a project's own environment adds to a task's."""

    #: Absolute folders that lead ``PATH``, the first one first.
    path_dirs: tuple[str, ...] = ()
    #: Variables that are set, such as ``VIRTUAL_ENV``.
    variables: tuple[tuple[str, str], ...] = ()


class Folder:
    """One folder of the workspace as languages see it; remembers which files were read.

    Paths are relative to the folder, with ``/``. A missing file reads as ``None``.
    """

    def __init__(self, workspace: Path, path: str) -> None:
        """``path`` is the folder's path in the workspace, ``"."`` for the workspace itself."""
        self.workspace = workspace
        self.path = path
        self._base = workspace if path == "." else workspace / path
        #: Files whose contents were read, relative to the workspace.
        self.read: set[str] = set()
        #: Answers by ``(question, path relative to the workspace)``.
        self.asked: dict[tuple[str, str], bool | tuple[str, ...]] = {}
        self._parent: Folder | None = None

    @property
    def parent(self) -> Folder | None:
        """The folder above, or ``None`` at the workspace."""
        if self.path == ".":
            return None
        if self._parent is None:
            self._parent = Folder(self.workspace, self.path.rpartition("/")[0] or ".")
            self._parent.read = self.read
            self._parent.asked = self.asked
        return self._parent

    def exists(self, path: str) -> bool:
        """Whether a file or folder of that path exists."""
        return bool(self._ask("exists", path, (self._base / path).exists()))

    def is_dir(self, path: str) -> bool:
        """Whether a folder of that path exists."""
        return bool(self._ask("is_dir", path, (self._base / path).is_dir()))

    def names(self, path: str = ".") -> list[str]:
        """Sorted names in a folder; empty where there is none."""
        try:
            found = tuple(sorted(os.listdir(self._base / path)))  # noqa: PTH208 - names only
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            found = ()
        return list(self._ask("names", path, found))

    def still_true(self, asked: Mapping[tuple[str, str], Any]) -> bool:
        """Whether a folder at the workspace would answer the same questions alike."""
        return all(
            getattr(self, question)(path) == _listed(answer)
            for (question, path), answer in asked.items()
        )

    def _ask(self, question: str, path: str, answer: Any) -> Any:
        self.asked[question, self._full(path)] = answer
        return answer

    def _full(self, path: str) -> str:
        return path if self.path == "." else f"{self.path}/{path}"

    def text(self, path: str) -> str | None:
        """The text of a file, as UTF-8."""
        self.read.add(self._full(path))
        try:
            return (self._base / path).read_text(encoding="utf-8-sig")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise UserError(
                f"{self._base / path}: not UTF-8 (byte {error.start}); save it as UTF-8"
            ) from None
        except OSError as error:
            raise UserError(f"{self._base / path}: cannot be read: {error.strerror}") from None

    def toml(self, path: str) -> Mapping[str, Any] | None:
        """A TOML file, parsed."""
        return self._parsed(path, tomllib.loads)

    def json(self, path: str) -> Mapping[str, Any] | None:
        """A JSON file with an object at its top, parsed."""
        return self._parsed(path, json.loads)

    def _parsed(self, path: str, parse: Callable[[str], Any]) -> Mapping[str, Any] | None:
        text = self.text(path)
        if text is None:
            return None
        try:
            value = parse(text)
        except ValueError as error:  # TOMLDecodeError and JSONDecodeError are both
            raise UserError(f"{self._base / path}: {error}; mend the file") from None
        if not isinstance(value, dict):
            raise UserError(f"{self._base / path}: has no object at its top; mend the file")
        return value


def _listed(answer: Any) -> Any:
    return list(answer) if isinstance(answer, tuple) else answer


@runtime_checkable
class Language(Protocol):
    """What a plug-in found by the entry point ``polylane.languages`` provides."""

    #: Its name in ids, flags and Invoke task names: ``python``, ``node``.
    name: str
    #: File names which make a folder a project of this language.
    manifests: tuple[str, ...]
    #: Names of folders that are never looked into.
    skip: tuple[str, ...]

    def describe(self, folder: Folder) -> Description | None:
        """Describe a folder that holds a manifest; ``None`` where it is no project after all."""

    def environment(self, workspace: Path, path: str) -> Environment:
        """The environment of the tasks of the project at ``path``.

        Called when a run starts, never remembered, so that it may look into ignored folders.
        """
