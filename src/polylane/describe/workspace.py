"""The workspace: its projects, and what each language found in them.

What was read is remembered in ``.polylane/workspace.cache``, by the times of folders and files, so
that a second call reads nothing but those times. Knows nothing of tasks that run.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from polylane import __version__
from polylane.describe import home, languages
from polylane.describe.config import Config
from polylane.describe.languages.base import Folder, Language
from polylane.describe.walk import Stamp, Tree, stamp, walk
from polylane.errors import UserError, did_you_mean
from polylane.model import ROOT_PROJECT, Description, Project, Recipe

#: The folder for everything that polylane writes; it ignores itself.
HOME = home.NAME
CACHE = "workspace.cache"

#: A description as plain tuples, as it is remembered.
Plain = tuple[Any, ...]

_RECIPE_FIELDS = tuple(f.name for f in fields(Recipe))


@dataclass(slots=True)
class Workspace:
    """The repository: projects by name, in order of their paths."""

    folder: Path
    projects: Mapping[str, Project] = field(default_factory=dict)
    #: By project name, then language.
    descriptions: Mapping[str, Mapping[str, Plain]] = field(default_factory=dict)
    #: ``module:attribute`` of every language, by name, in their order.
    languages: Mapping[str, str] = field(default_factory=dict)

    def project(self, name: str, where: str = "") -> Project:
        """The project of that name; an unknown one is a `UserError`."""
        try:
            return self.projects[name]
        except KeyError:
            hint = did_you_mean(name, self.projects) or _known("projects", self.projects)
            prefix = f"{where}: " if where else ""
            raise UserError(f"{prefix}there is no project {name!r}{hint}") from None

    def recipes(self, project: str, language: str) -> list[Recipe]:
        """What a language can do in a project."""
        return [Recipe(*plain) for plain in self.descriptions[project][language][2]]

    def left_out(self) -> list[tuple[str, str, str]]:
        """``(project, what, why)`` of all that was seen and left out on purpose."""
        return [
            (name, what, why)
            for name, described in self.descriptions.items()
            for plain in described.values()
            for what, why in plain[3]
        ]

    def depends_on(self, name: str) -> list[str]:
        """Every project that one depends on, near or far, sorted."""
        seen: set[str] = set()
        todo = list(self.projects[name].depends)
        while todo:
            each = todo.pop()
            if each not in seen:
                seen.add(each)
                todo.extend(self.projects[each].depends)
        return sorted(seen - {name})


def _known(what: str, names: Iterable[str]) -> str:
    shown = sorted(names)
    if not shown:
        return f"; there are no {what}"
    return f"; {what}: {', '.join(shown[:8])}{', ...' if len(shown) > 8 else ''}"


def find(config: Config, *, remember: bool = True) -> Workspace:
    """Find the projects below ``config.folder``, those of the configuration with them."""
    cache = _read_cache(config.folder)
    targets = _languages(cache)
    loaded: dict[str, Language] = {}

    def language(name: str) -> Language:
        if name not in loaded:
            loaded[name] = languages.load(targets[name])
        return loaded[name]

    names = cache.get("names") or {
        "manifests": {n: tuple(language(n).manifests) for n in targets},
        "skip": tuple({HOME, ".git", *(s for n in targets for s in language(n).skip)}),
    }
    tree = walk(
        config.folder,
        files={m for manifests in names["manifests"].values() for m in manifests},
        skip=names["skip"],
        known=Tree(cache.get("tree", {}), cache.get("ignore", {})),
    )
    found, read = _describe(config, tree, names["manifests"], language, cache.get("found", {}))
    if remember and (tree.changed or read):
        _write_cache(
            config.folder,
            {
                "version": _VERSION,
                "languages": targets,
                "installed": languages.installed_stamp(),
                "names": names,
                "tree": tree.entries,
                "ignore": tree.ignore_stamps,
                "found": found,
            },
        )
    described = {
        path: {name: plain for name, (_, _, plain) in by_name.items() if plain is not None}
        for path, by_name in found.items()
    }
    return _assemble(config, {p: d for p, d in described.items() if d}, targets)


#: What a language found in a folder: the stamps of the files it read, what it asked of folders and
#: the answers, and the description, if there is one.
Finding = tuple[tuple[tuple[str, Stamp], ...], dict[tuple[str, str], Any], Plain | None]
Found = dict[str, dict[str, Finding]]


def _describe(
    config: Config,
    tree: Tree,
    manifests: Mapping[str, tuple[str, ...]],
    language: Any,
    known: Found,
) -> tuple[Found, bool]:
    """Describe every folder with a manifest; what is known and unchanged is taken over."""
    found: Found = {}
    read = False
    for path, (_, _, files) in tree.entries.items():
        if not files or any(path == e or path.startswith(f"{e}/") for e in config.exclude):
            continue
        for name, wanted in manifests.items():
            if any(file in wanted for file in files):
                finding = known.get(path, {}).get(name)
                if finding is None or not _holds(config.folder, finding, tree):
                    finding = _finding(config.folder, path, language(name))
                    read = True
                found.setdefault(path, {})[name] = finding
    return found, read or len(found) != len(known)


def _holds(folder: Path, finding: Finding, tree: Tree) -> bool:
    """Whether a finding is still true; unchanged folders answer every question as before."""
    files, asked, _ = finding
    base = str(folder)
    if not all(stamp(f"{base}/{file}") == old for file, old in files):
        return False
    return not tree.changed or Folder(folder, ".").still_true(asked)


def _finding(folder: Path, path: str, language: Language) -> Finding:
    seen = Folder(folder, path)
    description = language.describe(seen)
    stamps = tuple((file, stamp(folder / file)) for file in sorted(seen.read))
    return stamps, seen.asked, None if description is None else _plain(description)


def _plain(description: Description) -> Plain:
    recipes = tuple(tuple(getattr(r, f) for f in _RECIPE_FIELDS) for r in description.recipes)
    return description.provides, description.requires, recipes, description.left_out


def _assemble(config: Config, described: Mapping[str, dict[str, Plain]], targets: Any) -> Workspace:
    paths = dict.fromkeys([*described])
    overrides = {_path_of(config, name, described): name for name in config.projects}
    for path in overrides:
        paths.setdefault(path)
    names = _names(sorted(paths, key=_by_path), overrides)
    by_path = {path: described.get(path, {}) for path in names}
    depends = _depends(names, by_path)
    projects = {}
    for path, name in names.items():
        said = config.projects.get(name)
        found = tuple(n for n in targets if n in by_path[path])
        if said is not None and said.language and said.language not in found:
            found = (said.language, *found)
        deps = depends[path] if said is None or said.depends is None else said.depends
        projects[name] = Project(name, path, found, tuple(deps))
    workspace = Workspace(
        config.folder, projects, {names[path]: d for path, d in by_path.items()}, targets
    )
    _check(config, workspace)
    return workspace


def _by_path(path: str) -> tuple[str, ...]:
    return () if path == "." else tuple(path.split("/"))


def _path_of(config: Config, name: str, described: Mapping[str, Any]) -> str:
    """The folder that ``[tool.polylane.projects.NAME]`` speaks of."""
    said = config.projects[name].path
    if said is not None:
        if not (config.folder / said).is_dir():
            where = config.where("projects", name, "path")
            raise UserError(f"{where} = {said!r}: is no folder of the workspace")
        return said
    names = _names(sorted(described, key=_by_path), {})
    for path, found in names.items():
        if found == name:
            return path
    hint = did_you_mean(name, names.values())
    where = config.where("projects", name)
    raise UserError(f"{where}: no project {name!r} was found{hint}; give its path to add it")


def _names(paths: list[str], overrides: Mapping[str, str]) -> dict[str, str]:
    """Name each path by its folder, or by its whole path where folders share a name."""
    short = {path: ROOT_PROJECT if path == "." else path.rpartition("/")[2] for path in paths}
    counts: dict[str, int] = {}
    for name in [*short.values(), *(n for p, n in overrides.items() if short.get(p) != n)]:
        counts[name] = counts.get(name, 0) + 1
    return {
        path: overrides.get(path) or (name if counts[name] == 1 or path == "." else path)
        for path, name in short.items()
    }


def _depends(
    names: Mapping[str, str], described: Mapping[str, dict[str, Plain]]
) -> dict[str, list[str]]:
    """Match what projects require with what others of the same language provide."""
    provider: dict[tuple[str, str], str] = {}
    for path, by_language in described.items():
        for language, plain in by_language.items():
            for name in plain[0]:
                provider.setdefault((language, name), path)
    result: dict[str, list[str]] = {}
    for path, by_language in described.items():
        wanted = ((lang, r) for lang, plain in by_language.items() for r in plain[1])
        found = (provider.get(each) for each in wanted)
        result[path] = sorted({names[p] for p in found if p is not None and p != path})
    return result


def _check(config: Config, workspace: Workspace) -> None:
    for name, said in config.projects.items():
        for other in said.depends or ():
            workspace.project(other, config.where("projects", name, "depends"))
        if said.language and said.language not in workspace.languages:
            where = config.where("projects", name, "language")
            hint = did_you_mean(said.language, workspace.languages)
            raise UserError(f"{where} = {said.language!r}: there is no such language{hint}")


_VERSION = f"{__version__}/1"


def _languages(cache: Mapping[str, Any]) -> dict[str, str]:
    if cache and cache["installed"] == languages.installed_stamp():
        known: dict[str, str] = cache["languages"]
        return known
    return languages.registered()


def _read_cache(folder: Path) -> dict[str, Any]:
    try:
        cache = marshal.loads((folder / HOME / CACHE).read_bytes())  # noqa: S302 - our own file
    except (OSError, ValueError, EOFError, TypeError):
        return {}
    if not isinstance(cache, dict) or cache.get("version") != _VERSION:
        return {}
    return cache if cache.get("languages") == _languages(cache) else {}


def _write_cache(folder: Path, cache: dict[str, Any]) -> None:
    """Remember; a workspace that cannot be written to is merely read again next time."""
    try:
        path = home.home(folder) / CACHE
        new = path.with_suffix(".new")
        new.write_bytes(marshal.dumps(cache))
        new.replace(path)
    except (OSError, UserError):
        return
