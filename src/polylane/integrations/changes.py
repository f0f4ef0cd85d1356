"""What has changed in a workspace, of what counts for a plan: watched, sorted out and compared.

Knows nothing of runs: its caller says which changes came while tasks ran.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from polylane.describe.contents import Contents
from polylane.describe.watched import Folders, ignored, is_busy
from polylane.integrations.watcher import Watcher
from polylane.plan.affected import cached_by, named
from polylane.planning import Plan
from polylane.records import NamedTuple
from polylane.run.signals import Signals

#: Seconds without a change after which a burst of them is over; and the longest wait for git.
_QUIET_S = 0.15
_BUSY_S = 10.0


class Changes(NamedTuple):
    """Paths relative to the workspace; a folder that is gone with all in it ends in ``/``."""

    paths: frozenset[str] = frozenset()
    #: Those of them that git ignores, and that a claim names.
    ignored: frozenset[str] = frozenset()


class Changing:
    """The workspace while it is watched, until `close`."""

    def __init__(self, plan: Plan) -> None:
        """Watch from now on."""
        self._folder = plan.config.folder
        self._contents = Contents()
        self._folders = Folders(self._folder)
        self._heed(plan)
        #: Changes that were seen while the watcher was replaced.
        self._late: dict[str, str] = {}
        self._watched = self._find()
        self._watcher = Watcher(self._folder, self._watched)

    def close(self) -> None:
        """Watch no longer."""
        self._watcher.close()

    def learn(self, path: Path) -> None:
        """Look at a file, so that a change that leaves it as it is counts as none."""
        self._contents.learn(path)

    def heed(self, plan: Plan) -> None:
        """Look for what counts for another plan from now on."""
        self._heed(plan)
        self._rewatch(self._find(), made=frozenset())

    def _heed(self, plan: Plan) -> None:
        self._cached: Callable[[str], bool] = cached_by(plan.graph.tasks)
        #: What claims name and git ignores: files and folders.
        self._named = ignored(self._folder, named(plan.graph.tasks))

    def _find(self) -> set[str]:
        return self._folders.find(self._named, self._cached)

    def so_far(self) -> Changes:
        """All that changed up to now, since it was last asked for."""
        before = self._watched
        new = self._watcher.read_all()
        seen: dict[str, str] = {}
        while new := self._with_late(new):
            seen = _merged(seen, new)
            new = self._in_new_folders(new)
        return self._sorted_out(seen, before)

    def wait(self, signals: Signals) -> Changes | None:
        """Wait for changes that count, until no more of them come; None when a signal came."""
        before, busy = self._watched, _BUSY_S
        seen: dict[str, str] = {}
        new = self._with_late({})
        while True:
            more = self._watcher.wait(signals.wakeup, _QUIET_S if seen or new else None)
            if signals.interrupted():
                return None
            if more:
                new = _merged(new, self._watcher.read())
            elif new:  # a folder that nobody watched up to now may be filled still
                seen = _merged(seen, new)
                new = self._with_late(self._in_new_folders(new))
            elif seen and is_busy(self._folder) and busy > 0:
                busy -= _QUIET_S
            elif seen:
                if (found := self._sorted_out(seen, before)).paths:
                    return found
                before, busy, seen = self._watched, _BUSY_S, {}

    def _with_late(self, seen: dict[str, str]) -> dict[str, str]:
        late, self._late = self._late, {}
        return _merged(late, seen)

    def _sorted_out(self, seen: dict[str, str], before: set[str]) -> Changes:
        """What counts, of what the watcher saw; ``before``: the folders that there were."""
        paths = {path for path in seen if not self._cached(path)}
        unseen = ignored(self._folder, paths)
        counted = {path for path in paths if path not in unseen or self._is_named(path)}
        changed = {path for path in counted if self._has_changed(path, seen[path])}
        gone = {p for p in changed & before if not (self._folder / p).is_dir()}
        return Changes(
            frozenset({f"{path}/" if path in gone else path for path in changed}),
            frozenset(unseen & changed),
        )

    def _is_named(self, path: str) -> bool:
        return any(path == name or path.startswith(f"{name}/") for name in self._named)

    def _has_changed(self, path: str, how: str) -> bool:
        return self._contents.changed(str(self._folder / path), appeared="+" in how)

    def _in_new_folders(self, seen: dict[str, str]) -> dict[str, str]:
        """Watch the folders that are new; what lies in them has appeared."""
        made = {path for path, how in seen.items() if "+" in how and (self._folder / path).is_dir()}
        found, before = self._find(), self._watched
        made &= found
        self._rewatch(found, made)
        fresh = (found - before) | made
        return {path: "+" for folder in fresh for path in self._names(folder)}

    def _names(self, folder: str) -> list[str]:
        """The paths of what lies in a folder, but for folders; it may be gone."""
        with suppress(OSError), os.scandir(self._folder / folder) as entries:
            names = [each.name for each in entries if not each.is_dir(follow_symlinks=False)]
            return [name if folder == "." else f"{folder}/{name}" for name in names]
        return []

    def _rewatch(self, folders: set[str], made: Collection[str]) -> None:
        """Watch other folders; ``made``: those that are not what they were by the same name."""
        new = not folders <= self._watched
        self._watched = folders
        if not (new or made):
            return  # the kernel watches no folder that is gone
        old, self._watcher = self._watcher, Watcher(self._folder, folders)
        try:
            self._late = _merged(self._late, old.read_all())
        finally:
            old.close()


def _merged(seen: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    return {path: seen.get(path, "") + more.get(path, "") for path in {**seen, **more}}
