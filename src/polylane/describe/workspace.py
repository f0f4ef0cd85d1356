"""The workspace: its projects, and what each language found in them.

What was read is remembered in ``.polylane/workspace.cache``, by the times of folders and files, so
that a second call reads nothing but those times. Knows nothing of tasks that run.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from polylane.describe import cache, home, languages
from polylane.describe.config import Config
from polylane.describe.findings import Finding, Findings, Plain
from polylane.describe.naming import names
from polylane.describe.walk import Tree, walk
from polylane.errors import UserError, did_you_mean
from polylane.model import Project, Recipe
from polylane.records import NamedTuple

#: The folder for everything that polylane writes; it ignores itself.
HOME = home.NAME

#: So many names are listed in a message.
_LISTED = 8

_VERB, _AUDIT = Recipe._fields.index("verb"), Recipe._fields.index("audit")


class Workspace(NamedTuple):
    """The repository: projects by name, in order of their paths."""

    folder: Path
    projects: Mapping[str, Project] = MappingProxyType({})
    #: By project name, then language.
    descriptions: Mapping[str, Mapping[str, Plain]] = MappingProxyType({})
    #: ``module:attribute`` of every language, by name, in their order.
    languages: Mapping[str, str] = MappingProxyType({})

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

    def languages_of_verbs(self, *, audit: bool) -> dict[str, set[str]]:
        """The languages of each verb that some project has; ``audit``: count audits, too."""
        found: dict[str, set[str]] = {}
        for described in self.descriptions.values():
            for language, plain in described.items():
                for recipe in plain[2]:
                    if audit or not recipe[_AUDIT]:
                        found.setdefault(recipe[_VERB], set()).add(language)
        return found

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
    more = ", ..." if len(shown) > _LISTED else ""
    return f"; {what}: {', '.join(shown[:_LISTED])}{more}"


def find(config: Config, *, remember: bool = True) -> Workspace:
    """Find the projects below ``config.folder``, those of the configuration with them."""
    now = time.time_ns()
    known, targets, installed = _recall(config.folder)
    matters = known.get("matters") or _matters(targets)
    old = Tree(known.get("tree", {}), known.get("ignore", {}))
    tree = walk(
        config.folder,
        files={name for manifests in matters["manifests"].values() for name in manifests},
        skip=matters["skip"],
        known=old,
        since=now,
    )
    findings = Findings(config.folder, tree, old, targets, now)
    found = _describe(config, tree, findings, matters["manifests"], known.get("found", {}))
    changed = tree.changed or findings.has_read or installed != known.get("installed")
    if remember and (changed or len(found) != len(known.get("found", {}))):
        cache.write(
            config.folder,
            {
                "languages": targets,
                "installed": installed,
                "matters": matters,
                "tree": tree.entries,
                "ignore": tree.ignore_stamps,
                "found": found,
            },
        )
    described = {
        path: {name: plain for name, (_, plain) in by_name.items() if plain is not None}
        for path, by_name in found.items()
    }
    return _assemble(config, {p: d for p, d in described.items() if d}, targets)


def _recall(folder: Path) -> tuple[dict[str, Any], dict[str, str], Any]:
    """What was remembered with the same languages as now, these, and what says that they are."""
    known = cache.read(folder)
    installed = languages.installed_stamp()
    if known.get("installed") == installed:
        return known, known["languages"], installed
    targets = languages.registered()
    return (known if known.get("languages") == targets else {}), targets, installed


def _matters(targets: Mapping[str, str]) -> dict[str, Any]:
    """The names of files and folders that matter to the languages."""
    loaded = {name: languages.load(target) for name, target in targets.items()}
    return {
        "manifests": {name: tuple(language.manifests) for name, language in loaded.items()},
        "skip": tuple({HOME, ".git", *(s for each in loaded.values() for s in each.skip)}),
    }


#: By path, then language.
Found = dict[str, dict[str, Finding]]


def _describe(
    config: Config,
    tree: Tree,
    findings: Findings,
    manifests: Mapping[str, tuple[str, ...]],
    known: Found,
) -> Found:
    """Describe every folder with a manifest; what is known and unchanged is taken over."""
    found: Found = {}
    matter = {name: frozenset(files) for name, files in manifests.items()}
    for path, (_, _, files) in tree.entries.items():
        if not files or any(path == e or path.startswith(f"{e}/") for e in config.exclude):
            continue
        for name, wanted in matter.items():
            if not wanted.isdisjoint(files):
                finding = findings.of(path, name, known.get(path, {}).get(name))
                found.setdefault(path, {})[name] = finding
    return found


def _assemble(config: Config, described: Mapping[str, dict[str, Plain]], targets: Any) -> Workspace:
    said = _said_names(config, described)
    by_name = names({*described, *said}, said)
    by_path = {path: described.get(path, {}) for path in by_name}
    depends = _depends(by_name, by_path)
    projects = {}
    for path, name in by_name.items():
        own = config.projects.get(name)
        found = tuple(n for n in targets if n in by_path[path])
        if own is not None and own.language and own.language not in found:
            found = (own.language, *found)
        deps = depends[path] if own is None or own.depends is None else own.depends
        projects[name] = Project(name, path, found, tuple(deps))
    workspace = Workspace(
        config.folder, projects, {by_name[path]: d for path, d in by_path.items()}, targets
    )
    _check(config, workspace)
    return workspace


def _said_names(config: Config, described: Mapping[str, Any]) -> dict[str, str]:
    """By path, the names that the configuration gives; two for one folder are a `UserError`."""
    said: dict[str, str] = {}
    found = {n: path for path, n in names(described, {}).items()} if config.projects else {}
    for name in config.projects:
        path = _path_of(config, name, found)
        other = said.setdefault(path, name)
        if other != name:
            where = config.where("projects", name)
            raise UserError(f"{where}: is {path}, as the project {other!r} is; remove one of them")
    return said


def _path_of(config: Config, name: str, found: Mapping[str, str]) -> str:
    """The folder that ``[tool.polylane.projects.NAME]`` speaks of."""
    said = config.projects[name].path
    if said is not None:
        config.check_folder(said, "projects", name, "path")
        return said
    if name in found:
        return found[name]
    hint = did_you_mean(name, found)
    where = config.where("projects", name)
    raise UserError(f"{where}: no project {name!r} was found{hint}; give its path to add it")


def _depends(
    by_name: Mapping[str, str], described: Mapping[str, dict[str, Plain]]
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
        result[path] = sorted({by_name[p] for p in found if p is not None and p != path})
    return result


def _check(config: Config, workspace: Workspace) -> None:
    for name, said in config.projects.items():
        for other in said.depends or ():
            workspace.project(other, config.where("projects", name, "depends"))
        if said.language and said.language not in workspace.languages:
            where = config.where("projects", name, "language")
            hint = did_you_mean(said.language, workspace.languages)
            raise UserError(f"{where} = {said.language!r}: there is no such language{hint}")
