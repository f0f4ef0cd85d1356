"""The protocol that a language satisfies, and the folder that it reads.

A language is one module (or object) with four names. It turns the files of one folder into a
`Description`: plain data that the workspace remembers until one of the files read has changed.
It starts no process, reads no environment variable, and looks only through the `Folder` that it is
given, so that what it looked at is known. It never looks into ignored folders (environments,
``node_modules``): whether a tool is installed is seen when it is started.
"""

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from polylane.describe import toml_text
from polylane.describe.disk import Disk
from polylane.describe.look import Asked, Look
from polylane.errors import UserError
from polylane.model import Description
from polylane.records import NamedTuple

Made = TypeVar("Made")


class Environment(NamedTuple):
    """What a project's own environment adds to a task's."""

    #: Absolute folders that lead ``PATH``, the first one first.
    path_dirs: tuple[str, ...] = ()
    #: Variables that are set, such as ``VIRTUAL_ENV``.
    variables: tuple[tuple[str, str], ...] = ()


class Folder:
    """One folder of the workspace as languages see it; remembers what was looked at.

    Paths are relative to the folder, with ``/``. A missing file reads as ``None``. Where the names
    in a folder were asked for, nothing more is noted of what is not among them.
    """

    def __init__(self, workspace: Path, path: str, disk: Disk | None = None) -> None:
        """``path`` is the folder's path in the workspace, ``"."`` for the workspace itself.

        ``disk``: what was seen of the workspace already, for folders that are looked at together.
        """
        self.workspace = workspace
        self.path = path
        self.look = Look()
        self._disk = disk or Disk(workspace)
        self._parent: Folder | None = None

    @property
    def read(self) -> set[str]:
        """Files whose contents were read, relative to the workspace."""
        return self.look.all_read()

    @property
    def asked(self) -> Asked:
        """Answers by ``(question, path relative to the workspace)``."""
        return self.look.all_asked()

    @property
    def parent(self) -> "Folder | None":
        """The folder above, or ``None`` at the workspace."""
        if self.path == ".":
            return None
        if self._parent is None:
            self._parent = self.beside(self.path.rpartition("/")[0] or ".")
        return self._parent

    def beside(self, path: str) -> "Folder":
        """Another folder of the workspace; what is seen there counts as seen here."""
        other = Folder(self.workspace, path, self._disk)
        other.look = self.look
        return other

    def once(self, make: Callable[..., Made], *words: Hashable) -> Made:
        """``make(self, *words)``, made once for all projects that ask it of this folder.

        ``make`` is a function at the top of a module, and its value is never changed.
        """
        made = self._disk.made
        key = (make, self.path, words)
        if key not in made:
            seen = Folder(self.workspace, self.path, self._disk)
            made[key] = (make(seen, *words), seen.look)
        value: Made
        value, look = made[key]
        self.look.shared[look] = None
        return value

    def exists(self, path: str) -> bool:
        """Whether a file or folder of that path exists."""
        full = self._full(path)
        if self.look.is_missing(full):
            return False
        answer = self.look.asked["exists", full] = self._disk.exists(full)
        return answer

    def is_dir(self, path: str) -> bool:
        """Whether a folder of that path exists."""
        full = self._full(path)
        if self.look.is_missing(full):
            return False
        answer = self.look.asked["is_dir", full] = self._disk.is_dir(full)
        return answer

    def names(self, path: str = ".") -> list[str]:
        """Sorted names in a folder; empty where there is none."""
        full = self._full(path)
        if full not in self.look.listed:
            if self.look.is_missing(full):
                return []
            self.look.asked["names", full] = self._disk.names(full)
            listing = self._disk.listing(full)
            if listing is not None:
                self.look.listed[full] = listing
        return list(self._disk.names(full))

    def still_true(self, asked: Mapping[tuple[str, str], Any]) -> bool:
        """Whether a folder at the workspace would answer the same questions alike."""
        return all(
            getattr(self, question)(path) == _listed(answer)
            for (question, path), answer in asked.items()
        )

    def _full(self, path: str) -> str:
        if path == ".":
            return self.path
        return path if self.path == "." else f"{self.path}/{path}"

    def _absolute(self, path: str) -> Path:
        return self.workspace / self._full(path)

    def text(self, path: str) -> str | None:
        """The text of a file, as UTF-8."""
        full = self._full(path)
        if self.look.is_missing(full):
            return None
        self.look.read.add(full)
        try:
            return self._disk.text(full)
        except UnicodeDecodeError as error:
            raise UserError(
                f"{self._absolute(path)}: not UTF-8 (byte {error.start}); save it as UTF-8"
            ) from None
        except OSError as error:
            raise UserError(f"{self._absolute(path)}: cannot be read: {error.strerror}") from None

    def toml(self, path: str) -> Mapping[str, Any] | None:
        """A TOML file, parsed."""
        return self.parsed(path, toml_text.loads)

    def json(self, path: str) -> Mapping[str, Any] | None:
        """A JSON file with an object at its top, parsed."""
        return self.parsed(path, _json)

    def parsed(self, path: str, parse: Callable[[str], Any]) -> Mapping[str, Any] | None:
        """A file that holds an object, as ``parse`` reads it; the same for all who ask.

        ``parse`` is a function at the top of a module, and raises `ValueError` where it cannot.
        """
        if self.text(path) is None:
            return None
        try:
            value = self._disk.parsed(self._full(path), parse)
        # Both kinds of decode error are a ValueError; the other is for nesting without end.
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self._absolute(path)}: {error}; mend the file") from None
        if not isinstance(value, dict):
            raise UserError(f"{self._absolute(path)}: has no object at its top; mend the file")
        return value


def _json(text: str) -> Any:
    import json  # what is remembered needs it not

    return json.loads(text)


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
