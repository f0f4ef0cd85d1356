"""Which of the changes that came while tasks ran were made by them: so that watching settles.

Nobody sees who wrote a file. What a task claims to write and git ignores is its product. What git
does not ignore (a formatter's sources, whatever a task of unknown claims touches) may as well be
somebody's edit, so it is run for once more; and where each run writes it, it is the tasks' own.

Pure; knows nothing of files or of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from posixpath import dirname, splitext

from polylane.plan.claiming import passing

#: So many runs in a row are made for a path that changes in each of them.
REPEATS = 3

#: The same for files of one kind in one folder, whose names may be others in each run.
ALIKE_REPEATS = 10


class Settling:
    """Remembers what keeps changing while tasks run."""

    def __init__(self) -> None:
        #: In how many runs in a row something changed.
        self._repeats: dict[str, int] = {}
        #: What every run writes.
        self._products: set[str] = set()
        #: What was found to be such by the last `after_run`, for people.
        self.given_up: list[str] = []

    def at_rest(self, changed: Iterable[str]) -> None:
        """Nothing ran when these paths changed: so somebody else changed them."""
        self._repeats = {}
        for path in changed:
            self._products.difference_update(_keys(path))

    def after_run(
        self, changed: Iterable[str], written: Callable[[str], bool], ignored: Collection[str]
    ) -> set[str]:
        """What to run for again, of all that changed while tasks ran.

        ``written``: whether one of these tasks claims to write a path. ``ignored``: of ``changed``.
        """
        left = {p for p in changed if not (p in ignored and written(p)) and not self._is_product(p)}
        keys = {key: limit for path in left for key, limit in _keys(path).items()}
        self._repeats = {key: self._repeats.get(key, 0) + 1 for key in keys}
        self._products |= {key for key, limit in keys.items() if self._repeats[key] > limit}
        self.given_up = sorted(filter(self._is_product, left))
        return left.difference(self.given_up)

    def _is_product(self, path: str) -> bool:
        return not self._products.isdisjoint(_keys(path))


def _keys(path: str) -> dict[str, int]:
    """The names under which a path is counted, each with its limit."""
    alike = f"{dirname(path)}/*{splitext(path)[1]}"
    return {alike: ALIKE_REPEATS, passing(path): REPEATS}
