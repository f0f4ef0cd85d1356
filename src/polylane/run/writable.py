"""Where in the workspace a task may write: its own project, and what it claims elsewhere.

Landlock grants folders that exist, whole. So a claimed pattern grants the folder that all its paths
lie in; a claimed cache that does not exist yet is made. Knows nothing of how that is enforced.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress

from polylane.model import Claim
from polylane.plan.patterns import TREE, literal_prefix, parse
from polylane.run.surroundings import holds


def writable(folder: str, project: str, claim: Claim, projects: Collection[str]) -> tuple[str, ...]:
    """See `granted`; makes the claimed caches of the workspace at ``folder``, too."""
    if project != ".":
        for pattern in claim.caches:
            _make(folder, pattern)
    return granted(project, claim, projects)


def granted(project: str, claim: Claim, projects: Collection[str]) -> tuple[str, ...]:
    """Paths relative to the workspace; ``"."`` for all of it.

    ``project`` and ``projects``: the paths of the task's own project and of all. What a project
    holds is granted with it, but a pattern with a wildcard grants no folder that holds another
    project.
    """
    if project == ".":
        return (".",)
    found = [project]
    for pattern in (*claim.writes, *claim.caches):
        if not pattern.startswith("!"):
            path = _granted(pattern, project, projects)
            if path and not _inside(path, project):
                found.append(path)
    return tuple(dict.fromkeys(found))


def _granted(pattern: str, project: str, projects: Collection[str]) -> str:
    segments = parse(pattern)
    prefix = literal_prefix(segments)
    path = "/".join(prefix) or "."
    whole = segments[len(prefix) :] == (TREE,)
    if not whole and any(_inside(each, path) for each in projects if each != project):
        return ""
    return path


def _inside(path: str, folder: str) -> bool:
    return folder in (".", path) or holds(folder, path)


def _make(folder: str, pattern: str) -> None:
    """Make a cache's folder where its parent is there: no task may make it in a foreign folder."""
    segments = parse(pattern)
    prefix = literal_prefix(segments)
    name = prefix[-1] if prefix else ""
    is_folder = pattern.endswith(f"/{TREE}") or "." not in name[1:]
    if name and is_folder and segments[len(prefix) :] == (TREE,):
        with suppress(OSError):
            os.mkdir(os.path.join(folder, *prefix))  # noqa: PTH102, PTH118 - once for each cache
