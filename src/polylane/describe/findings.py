"""What a language found in a folder, and whether it still holds.

A finding is remembered with all that was looked at for it, so that it is made again only when one
of these things has changed. Knows nothing of where it is remembered, and of what languages say.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from polylane.describe import languages
from polylane.describe.disk import Disk
from polylane.describe.languages.base import Folder
from polylane.describe.look import Asked, Look
from polylane.describe.walk import Stamp, Tree, settled
from polylane.model import Description

#: A description as plain tuples, as it is remembered.
Plain = tuple[Any, ...]

#: What was looked at: the stamps of the files that were read, the folders of which something was
#: asked, and the questions with the answers (marshalled: they matter only when one of these folders
#: has changed). Findings share the pieces that were looked at for several of them.
Piece = tuple[tuple[tuple[str, Stamp], ...], tuple[str, ...], bytes]

#: What a language found in a folder: what was looked at, and the description, if there is one.
Finding = tuple[tuple[Piece, ...], Plain | None]


class Findings:
    """Lets languages describe folders, where what is known of them no longer holds."""

    def __init__(
        self, folder: Path, tree: Tree, old: Tree, targets: Mapping[str, str], since: int
    ) -> None:
        """``old``: what was remembered; ``since``: when the walk began, in nanoseconds."""
        #: Whether a language was asked.
        self.has_read = False
        self._folder = folder
        self._tree = tree
        self._targets = targets
        self._since = since
        self._disk = Disk(folder, tree.listings)
        self._alike: dict[Plain, Plain] = {}
        self._pieces: dict[Look, Piece] = {}
        #: By the identity of pieces, which live as long as what is remembered.
        self._holding: dict[int, bool] = {}
        both = tree.entries.keys() | old.entries.keys()
        #: Folders that are not as they were, came or went.
        self._changed = {p for p in both if tree.entries.get(p) is not old.entries.get(p)}

    def of(self, path: str, language: str, known: Finding | None) -> Finding:
        """What a language finds in a folder; ``known``: what it found there before."""
        if known is not None and all(map(self._holds, known[0])):
            return known
        self.has_read = True
        folder = Folder(self._folder, path, self._disk)
        description = languages.load(self._targets[language]).describe(folder)
        own, shared = folder.look, folder.look.shared
        pieces = (self._piece(own.read, own.asked), *map(self._shared_piece, shared))
        return pieces, None if description is None else self._shared(plain(description))

    def _holds(self, piece: Piece) -> bool:
        """Whether a piece is as it was; unchanged folders answer every question as before."""
        holds = self._holding.get(id(piece))
        if holds is None:
            holds = self._holding[id(piece)] = self._is_true(piece)
        return holds

    def _is_true(self, piece: Piece) -> bool:
        files, folders, asked = piece
        if not all(self._disk.stamp(file) == old for file, old in files):
            return False
        if self._changed.isdisjoint(folders):
            return True
        answers = marshal.loads(asked)  # noqa: S302 - from our own file
        return Folder(self._folder, ".", self._disk).still_true(answers)

    def _shared_piece(self, look: Look) -> Piece:
        if look not in self._pieces:
            self._pieces[look] = self._piece(look.all_read(), look.all_asked())
        return self._pieces[look]

    def _piece(self, read: set[str], asked: Asked) -> Piece:
        entries = self._tree.entries
        files = []
        for file in sorted(read):
            old = self._disk.stamp(file)
            # That a file is missing is an answer of its folder, where that folder is watched.
            if old is None and _above(file) in entries:
                asked["exists", file] = False
            else:
                files.append((file, settled(old, self._since)))
        folders = {path if question == "names" else _above(path) for question, path in asked}
        return tuple(files), tuple(sorted(map(self._watched, folders))), marshal.dumps(asked)

    def _shared(self, described: Plain) -> Plain:
        """The same, with recipes that other projects have too: they are written and read once."""
        provides, requires, recipes, left_out = described
        with suppress(TypeError):  # a plug-in's data may be anything
            recipes = tuple(self._alike.setdefault(recipe, recipe) for recipe in recipes)
        return provides, requires, recipes, left_out

    def _watched(self, path: str) -> str:
        """The nearest folder of the tree that a path is, or lies in."""
        while path not in self._tree.entries and path != ".":
            path = _above(path)
        return path


def _above(path: str) -> str:
    return path.rpartition("/")[0] or "."


def plain(description: Description) -> Plain:
    """A description as it is remembered."""
    recipes = tuple(map(tuple, description.recipes))
    return description.provides, description.requires, recipes, description.left_out
