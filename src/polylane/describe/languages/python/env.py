"""Which environment a Python project's tools come from.

Looks at the disk when a run starts; makes nothing, and reads no environment variable.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from polylane.describe.languages.base import Environment, Folder
from polylane.describe.languages.python.manifest import read_manifest

_NAMES = (".venv", "venv")
_BIN = "Scripts" if os.name == "nt" else "bin"


def environment(workspace: Path, path: str, home: Path | None = None) -> Environment:
    """The environment of the project at ``path``.

    That is the nearest ``.venv`` (or ``venv``) up to the workspace; those above it come after it
    on ``PATH``, so that a tool which only the workspace has is still found. Else it is Poetry's,
    where Poetry keeps it by default under ``home``; else the one that runs polylane.
    """
    found = list(_up(workspace, path))
    if not found or not found[0][1]:
        poetry = _poetry(workspace, path, home or Path.home())
        found = [(poetry, True), *found] if poetry is not None else found
    places = [place for place, _ in found]
    if not places:
        return _own()
    dirs = tuple(str(place / _BIN) for place in places)
    return Environment(dirs, (("VIRTUAL_ENV", str(places[0])),))


def _up(workspace: Path, path: str) -> Iterator[tuple[Path, bool]]:
    """Environments from the project up, each with whether it is the project's own."""
    project = workspace / path
    folder = project
    while True:
        for name in _NAMES:
            if (folder / name / "pyvenv.cfg").is_file():
                yield folder / name, folder == project
        if folder in (workspace, folder.parent):
            return
        folder = folder.parent


def _poetry(workspace: Path, path: str, home: Path) -> Path | None:
    folder = Folder(workspace, path)
    tools = read_manifest(folder).tools
    if not folder.exists("poetry.lock") and "poetry" not in tools:
        return None
    place = home / poetry_cache() / "virtualenvs"
    stem = poetry_name(read_manifest(folder).name or "non-package-mode", str(workspace / path))
    found = sorted(place.glob(f"{stem}-py*"), key=_version)
    return found[-1] if found else None


def poetry_cache(platform: str = sys.platform) -> Path:
    """Poetry's cache folder, relative to the home folder."""
    places = {"darwin": "Library/Caches/pypoetry", "win32": "AppData/Local/pypoetry/Cache"}
    return Path(places.get(platform, ".cache/pypoetry"))


def poetry_name(name: str, folder: str) -> str:
    """The name that Poetry gives a project's environment, less the Python version at its end.

    As ``EnvManager.generate_env_name`` of Poetry 1.2 to 2.5 does.
    """
    plain = re.sub(r'[ $`!*@"\\\r\n\t]', "_", name.lower())[:42]
    place = os.path.normcase(os.path.realpath(folder))
    digest = base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(place)).digest()).decode()[:8]
    return f"{plain}-{digest}"


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", path.name.rpartition("-py")[2]))


def _own() -> Environment:
    """The environment that runs polylane."""
    folder = str(Path(sys.executable).parent)
    inside = sys.prefix != sys.base_prefix
    return Environment((folder,), (("VIRTUAL_ENV", sys.prefix),) if inside else ())
