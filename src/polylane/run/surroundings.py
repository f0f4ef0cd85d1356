"""What lies around a workspace: everything outside it, and the folders that tools expect there.

Knows nothing of Landlock or of tasks.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from polylane.records import NamedTuple

if TYPE_CHECKING:
    from polylane.run.views.scratch import Scratch

#: What tools make in a home: the folder, the variable that says another place, and the program
#: whose own folder it is. Seen by strace in an empty home: npm, npx, pnpm, yarn, bun, uv, pip,
#: pre-commit and headless Chromium make no other.
_HOME_FOLDERS = (
    (".cache", "XDG_CACHE_HOME", ""),
    (".config", "XDG_CONFIG_HOME", ""),
    (".local/share", "XDG_DATA_HOME", ""),
    (".local/state", "XDG_STATE_HOME", ""),
    (".npm", "npm_config_cache", "npm"),
    (".bun", "BUN_INSTALL", "bun"),
    (".yarn", "YARN_GLOBAL_FOLDER", "yarn"),
)

#: A later sweep knows our temporary folders by that and by their locks, which are held here.
_TEMPORARY = "polylane-"
_held: "list[Scratch]" = []


def outside(*kept: str) -> list[str]:
    """Everything outside some paths: the siblings of each folder above them.

    Real paths. Symbolic links are left out, since one may lead back inside. So are names that
    vanish meanwhile, and what lies in folders that we may not list.
    """
    folders = above(set(kept))
    return [path for folder in folders for path in _entries(folder) - folders - {*kept}]


def prepare_home(home: str, workspace: str, environment: Mapping[str, str]) -> list[str]:
    """Make the cache and configuration folders that tools expect; returns those that were made.

    Only where the workspace lies in the home: then nothing new can be made in the home itself by
    a task. Each is private to its owner, as the XDG base directory specification wants it.
    """
    if not holds(os.path.realpath(home), os.path.realpath(workspace)):
        return []
    made = []
    for name, variable, program in _HOME_FOLDERS:
        if not program or shutil.which(program, path=environment.get("PATH")):
            folder = Path(environment.get(variable) or Path(home, name))
            if folder.is_absolute() and not folder.exists() and _made(folder):
                made.append(str(folder))
    return made


def private_temporary(temporary: str, workspace: str) -> str:
    """Make a folder for ``TMPDIR`` where the workspace lies in the temporary folder; else empty.

    A task can make nothing in a folder that holds the workspace. Whoever calls removes it; if this
    process is killed before, a later call does.
    """
    real = os.path.realpath(temporary)
    return _temporary_in(real) if holds(real, os.path.realpath(workspace)) else ""


def _temporary_in(real: str) -> str:
    from polylane.run.views.scratch import Scratch  # few runs need it

    for each in [each for each in _held if not each.path.exists()]:
        _held.remove(each)
        each.close()
    try:
        _held.append(Scratch(Path(real), _TEMPORARY))
    except OSError:  # no locks there: nobody could tell later whether we live
        return tempfile.mkdtemp(prefix="polylane-unlocked-", dir=real)
    return str(_held[-1].path)


def other_names(path: str) -> set[str]:
    """Where a real path, or a folder in it, is mounted a second time.

    As `proc_pid_mountinfo(5)` tells of mounts of the same file system; empty where it does not.
    """
    mounts = _mounts()
    around = [each for each in mounts if each.point == path or holds(each.point, path)]
    if not around:
        return set()
    at = max(reversed(around), key=lambda each: len(each.point))  # the last of some is on top
    inside = _moved(path, at.point, at.root)
    found = set()
    for mount in mounts:
        if mount.device == at.device:
            if mount.root == inside or holds(mount.root, inside):
                found.add(_moved(inside, mount.root, mount.point))
            elif holds(inside, mount.root):
                found.add(mount.point)
    return {each for each in found if each != path and not holds(path, each)}


class _Mount(NamedTuple):
    device: str
    #: The folder of the file system that is seen at ``point``.
    root: str
    point: str


def _mounts() -> list[_Mount]:
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = [line.split()[2:5] for line in file]
    except OSError:
        return []
    return [_Mount(*(os.fsdecode(_unescaped(word)) for word in words)) for words in lines]


def _unescaped(word: bytes) -> bytes:
    """Spaces, tabs, newlines and backslashes are written as octal numbers."""
    first, *rest = word.split(b"\\")
    return first + b"".join(bytes([int(each[:3], 8)]) + each[3:] for each in rest)


def _moved(path: str, folder: str, to: str) -> str:
    """The path below another folder."""
    return os.path.normpath(f"{to.rstrip('/')}/{path[len(folder) :]}")


def holds(folder: str, path: str) -> bool:
    """Whether a path lies strictly below a folder; both are real."""
    return path != folder and path.startswith(folder.rstrip("/") + "/")


def above(kept: set[str]) -> set[str]:
    """All folders above some paths, less what lies in one of these paths."""
    found = {str(folder) for path in kept for folder in Path(path).parents}
    return {each for each in found - kept if not any(holds(path, each) for path in kept)}


def _entries(folder: str) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.path for entry in entries if not entry.is_symlink()}
    except OSError:
        return set()


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError:  # a home that nobody may write to
        return False
    return True
