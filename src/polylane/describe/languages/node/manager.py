"""Package managers of Node: which one a folder uses, how it installs, how it runs a script.

Knows nothing of verbs and of what scripts do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from polylane.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylane.describe.languages.base import Folder


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager."""

    name: str
    #: Its lockfiles.
    locks: tuple[str, ...]
    #: Installs what the lockfile says, and fails where the lockfile is out of date.
    locked: tuple[str, ...]
    #: Starts a script, with the tool's output only; hides what nested managers complain of.
    quiet: tuple[str, ...]
    #: Starts a script.
    run: tuple[str, ...]
    #: Asks the registry for known weaknesses of what is installed.
    audit: tuple[str, ...]
    #: Stands between the script's name and words for it.
    separator: tuple[str, ...] = ()
    #: What an install leaves.
    creates: str = "node_modules"
    #: Puts programs into node_modules/.bin, where they can be started directly.
    bins: bool = True


# npm without its `--` swallows words that look like flags; with it and nothing after it, nothing
# is passed. The others pass all words, and pnpm and yarn 2+ would pass the `--` too.
NPM = Manager(
    "npm",
    ("package-lock.json", "npm-shrinkwrap.json"),
    ("npm", "ci"),
    ("npm", "run", "--silent"),
    ("npm", "run"),
    ("npm", "audit"),
    ("--",),
)
PNPM = Manager(
    "pnpm",
    ("pnpm-lock.yaml",),
    ("pnpm", "install", "--frozen-lockfile"),
    ("pnpm", "--silent", "run"),
    ("pnpm", "run"),
    ("pnpm", "audit"),
)
YARN_1 = Manager(
    "yarn",
    ("yarn.lock",),
    ("yarn", "install", "--frozen-lockfile"),
    ("yarn", "--silent", "run"),
    ("yarn", "run"),
    ("yarn", "audit"),
)
YARN = Manager(
    "yarn",
    ("yarn.lock",),
    ("yarn", "install", "--immutable"),
    ("yarn", "run"),
    ("yarn", "run"),
    ("yarn", "npm", "audit", "--recursive"),
)
YARN_PNP = Manager(
    "yarn",
    ("yarn.lock",),
    ("yarn", "install", "--immutable"),
    ("yarn", "run"),
    ("yarn", "run"),
    ("yarn", "npm", "audit", "--recursive"),
    creates=".pnp.cjs",
    bins=False,
)
BUN = Manager(
    "bun",
    ("bun.lock", "bun.lockb"),
    ("bun", "install", "--frozen-lockfile"),
    ("bun", "run", "--silent"),
    ("bun", "run"),
    ("bun", "audit"),
)
MANAGERS = {"npm": NPM, "pnpm": PNPM, "yarn": YARN_1, "bun": BUN}
#: Which lockfile counts where several lie in one folder: package-lock.json is what gets left over.
_BY_LOCK = (PNPM, YARN_1, BUN, NPM)
#: Files and fields which make a folder the root of a workspace of packages.
_ROOT_FILES = ("pnpm-workspace.yaml", "lerna.json", "turbo.json", "nx.json", "rush.json")
_PACKAGES_BLOCK = re.compile(
    r"^packages:[^\n]*\n?(?:[ \t]*(?:-|#)[^\n]*\n?|[ \t]*\n)*", re.MULTILINE
)
_ITEM = re.compile(r"""(?:-[ \t]+|[\[,][ \t]*)(?:'([^']*)'|"([^"]*)"|([^\s#'",\[\]]+))""")


def home(folder: Folder) -> Folder:
    """Return the folder whose install covers ``folder``: the root of its packages, or itself."""
    rosters = () if folder.parent is None else folder.parent.once(_rosters)
    at = next((roster.path for roster in rosters if roster.has(folder.path)), None)
    return folder if at is None else folder.beside(at)


def manager_of(folder: Folder, at: Folder | None = None) -> Manager:
    """By ``packageManager``, ``devEngines`` or a lockfile here or above; else npm.

    ``at``: its `home`, where that is known.
    """
    at = at or home(folder)
    return _manager_from(at) if at is folder else at.once(_manager_from)


def _manager_from(at: Folder) -> Manager:
    name, version = _declared(at.json("package.json") or {})
    if name in MANAGERS:
        return _flavour(MANAGERS[name], at, version)
    for manager in _BY_LOCK:
        if any(at.exists(lock) for lock in manager.locks):
            return _flavour(manager, at, "")
    return NPM if at.parent is None else at.parent.once(_manager_from)


def installs(folder: Folder, manager: Manager) -> tuple[str, ...]:
    """Return the command that installs the packages of ``folder``."""
    locked = any(folder.exists(lock) for lock in manager.locks)
    return manager.locked if locked else (manager.name, "install")


def member_patterns(folder: Folder) -> tuple[str, ...]:
    """Return the patterns of the folders of the packages whose workspace is here."""
    found: list[Any] = []
    manifest = folder.json("package.json") or {}
    for holder in (manifest, folder.json("lerna.json") or {}):
        value = holder.get("workspaces", holder.get("packages") if holder is not manifest else None)
        value = value.get("packages") if isinstance(value, dict) else value
        found += value if isinstance(value, list) else []
    block = _PACKAGES_BLOCK.search(folder.text("pnpm-workspace.yaml") or "")
    if block:  # the only list in that file that matters here: a YAML parser is not worth its weight
        found += ["".join(groups) for groups in _ITEM.findall(block[0])]
    return tuple(pattern for pattern in found if isinstance(pattern, str))


def is_root(folder: Folder) -> bool:
    """Whether the packages of other folders are run from here."""
    return bool(member_patterns(folder)) or any(map(folder.exists, _ROOT_FILES))


class _Roster(NamedTuple):
    """The members of the workspace of packages in one folder: plain paths, and wildcards.

    Each has its place among the patterns, and whether it takes in: ``!`` in front takes out.
    """

    path: str
    plain: dict[str, tuple[int, bool]]
    globs: list[tuple[int, bool, list[str]]]

    def has(self, path: str) -> bool:
        """Whether the last pattern that fits a folder takes it in."""
        way = path if self.path == "." else path.removeprefix(f"{self.path}/")
        last = self.plain.get(way, (-1, False))
        for place, inside, pattern in self.globs:
            if place > last[0] and _matches(way.split("/"), pattern):
                last = (place, inside)
        return last[1]


def _rosters(folder: Folder) -> tuple[_Roster, ...]:
    """Those of a folder and of the folders above it, the nearest first."""
    far = () if folder.parent is None else folder.parent.once(_rosters)
    roster = _Roster(folder.path, {}, [])
    for place, said in enumerate(member_patterns(folder)):
        path = said.removeprefix("!").removeprefix("./").strip("/")
        inside = not said.startswith("!")
        if any(mark in path for mark in "*?["):
            roster.globs.append((place, inside, path.split("/")))
        else:
            roster.plain[path] = (place, inside)
    return (roster, *far) if roster.plain or roster.globs else far


def _matches(way: list[str], pattern: list[str]) -> bool:
    if not pattern or not way:
        return not way and pattern in ([], ["**"])
    if pattern[0] == "**":
        return _matches(way, pattern[1:]) or _matches(way[1:], pattern)
    return fnmatchcase(way[0], pattern[0]) and _matches(way[1:], pattern[1:])


def _declared(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Name and version, such as ``("yarn", "4.1.0+sha512.…")``, or two empty strings."""
    field = manifest.get("packageManager")
    if isinstance(field, str):
        name, _, version = field.partition("@")
        return name, version
    engines = manifest.get("devEngines")
    engine = engines.get("packageManager") if isinstance(engines, dict) else None
    engine = engine if isinstance(engine, dict) else {}
    return str(engine.get("name", "")), str(engine.get("version", ""))


def _flavour(manager: Manager, at: Folder, version: str) -> Manager:
    """Yarn 1, or yarn 2 and later with node_modules or without."""
    if manager is not YARN_1:
        return manager
    settings = at.text(".yarnrc.yml")
    major = re.match(r"[^\d]*(\d+)", version)
    later = int(major[1]) > 1 if major else settings is not None or _is_later_lock(at)
    if not later:
        return YARN_1
    linker = re.search(r"^nodeLinker:\s*['\"]?([\w-]+)", settings or "", re.MULTILINE)
    return YARN if linker and linker[1] != "pnp" else YARN_PNP


def _is_later_lock(at: Folder) -> bool:
    return "__metadata:" in (at.text("yarn.lock") or "")[:400]
