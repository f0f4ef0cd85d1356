"""What somebody looked at in the workspace, so that it can be told later whether it has changed.

Knows nothing of languages, and looks at nothing itself.
"""

from __future__ import annotations

from collections.abc import Collection

#: Answers by ``(question, path relative to the workspace)``.
Asked = dict[tuple[str, str], bool | tuple[str, ...]]

#: What every folder has, though no listing names it.
_NO_NAMES = ("", ".", "..")


class Look:
    """Files that were read and questions that were asked, relative to the workspace.

    What is made once for many projects is looked at once: their looks share that one.
    """

    __slots__ = ("asked", "listed", "read", "shared")

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.asked: Asked = {}
        #: The looks that this one shares with others; they are finished.
        self.shared: dict[Look, None] = {}
        #: Names in the folders whose names were asked for: they answer other questions, too.
        self.listed: dict[str, Collection[str]] = {}

    def is_missing(self, path: str) -> bool:
        """Whether the names that were asked for say that there is nothing at a path."""
        if not self.listed:
            return False
        above, _, name = path.rpartition("/")
        names = self.listed.get(above or ".")
        if names is None:
            return above != "" and self.is_missing(above)
        return name not in names and name not in _NO_NAMES

    def all_read(self) -> set[str]:
        """The files that were read, here and in what is shared."""
        return self.read.union(*(look.all_read() for look in self.shared))

    def all_asked(self) -> Asked:
        """The answers, here and in what is shared."""
        asked: Asked = {}
        for look in self.shared:
            asked |= look.all_asked()
        return asked | self.asked
