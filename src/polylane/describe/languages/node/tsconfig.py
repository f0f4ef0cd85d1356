"""What ``tsc`` writes, by its words and its tsconfig.json.

Found by running TypeScript 5.9: where output and the file ``*.tsbuildinfo`` land, with ``--noEmit``
too. Knows nothing of scripts and verbs.
"""

from __future__ import annotations

import json
import posixpath
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from polylane.errors import UserError

if TYPE_CHECKING:
    from polylane.describe.languages.base import Folder

_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')
_PATHS = ("outDir", "declarationDir", "tsBuildInfoFile", "rootDir", "outFile")
_SWITCHES = ("noEmit", "incremental", "composite", "emitDeclarationOnly")
#: Other options of tsc that take no value and change nothing about where it writes.
_HARMLESS = frozenset((
    "--pretty", "--strict", "--skipLibCheck", "--listFiles", "--force", "-f", "--verbose", "-v",
    "--diagnostics", "--extendedDiagnostics", "--noErrorTruncation", "--declaration", "-d",
    "--sourceMap", "--traceResolution", "--noEmitOnError", "--allowJs", "--checkJs",
    "--esModuleInterop", "--resolveJsonModule", "--stopOnBuildErrors", "--preserveWatchOutput",
    "--noUnusedLocals", "--noUnusedParameters",
))  # fmt: skip


class _UnknownError(Exception):
    """What tsc writes cannot be told."""


@dataclass
class _Call:
    """The words of a ``tsc`` command."""

    build: bool = False
    projects: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


def parse_jsonc(text: str) -> Any:  # it is JSON
    """Parse JSON with comments and trailing commas; raises `ValueError`."""
    with suppress(ValueError):
        return json.loads(text)  # most files have neither
    bare = _COMMENT.sub(lambda match: match[1] or " ", text)
    return json.loads(_TRAILING_COMMA.sub(lambda match: match[1] or "", bare))


def jsonc(folder: Folder, path: str) -> dict[str, Any] | None:
    """Return a JSON file with comments; ``None`` where it is missing or cannot be read as such."""
    try:
        value = folder.parsed(path, parse_jsonc)
    except UserError:
        return None
    return None if value is None else dict(value)


def written_by(folder: Folder, args: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the paths, relative to ``folder``, that ``tsc ARGS`` writes; ``None`` for unknown."""
    try:
        call = _parse_args(args)
        found: dict[str, None] = {}
        for project in call.projects or ["tsconfig.json"]:
            _add(folder, _config_path(project), call, found, set())
        return tuple(dict.fromkeys(_claim(folder, path) for path in found))
    except _UnknownError:
        return None


def emits(folder: Folder, args: tuple[str, ...]) -> bool:
    """Whether ``tsc ARGS`` writes more than its ``*.tsbuildinfo``; True where unknown."""
    written = written_by(folder, args)
    return written is None or any(not path.endswith(".tsbuildinfo") for path in written)


def _parse_args(args: tuple[str, ...]) -> _Call:
    call = _Call()
    words = list(args)
    while words:
        word = words.pop(0)
        name = word.lstrip("-")
        if word in {"-b", "--build"}:
            call.build = True
        elif word in {"-p", "--project"} and words:
            call.projects.append(words.pop(0))
        elif word.startswith("--") and name in _PATHS and words:
            call.options[name] = words.pop(0)
        elif word.startswith("--") and name in _SWITCHES:
            has_value = bool(words) and words[0] in {"true", "false"}
            call.options[name] = words.pop(0) == "true" if has_value else True
        elif call.build and not word.startswith("-"):
            call.projects.append(word)
        elif word not in _HARMLESS:
            raise _UnknownError
    return call


def _add(folder: Folder, path: str, call: _Call, found: dict[str, None], seen: set[str]) -> None:
    """Add what the project of the file ``path`` writes, and those it refers to with ``--build``."""
    place = _in_workspace(folder, path)
    if place in seen:
        return
    seen.add(place)
    config, options, foreign = _options(folder, path, ())
    options |= {
        key: value if key in _SWITCHES else posixpath.normpath(value)
        for key, value in call.options.items()
    }
    if not references_only(config):
        found |= dict.fromkeys(_outputs(folder, path, options, call, foreign=foreign))
    for reference in config.get("references", []) if call.build else []:
        target = posixpath.join(posixpath.dirname(path), reference["path"])
        _add(folder, _config_path(target), call, found, seen)


def references_only(config: dict[str, Any]) -> bool:
    """Whether a parsed tsconfig.json holds no file of its own: ``tsc`` without -b does nothing."""
    return config.get("files") == [] and "include" not in config


def _outputs(
    folder: Folder, path: str, options: dict[str, Any], call: _Call, *, foreign: bool
) -> list[str]:
    """Folders and files that one project writes."""
    out = options.get("outDir")
    written = []
    if not options.get("noEmit"):
        if out is None or "outFile" in options:
            raise _UnknownError  # beside its sources, or a bundle
        written += [out, *([options["declarationDir"]] if "declarationDir" in options else [])]
    # A foreign base may ask for an incremental build without our knowing.
    if call.build or foreign or options.get("incremental") or options.get("composite"):
        written += _build_info(folder, path, options)
    return written


def _build_info(folder: Folder, path: str, options: dict[str, Any]) -> list[str]:
    """Every place where TypeScript may put ``*.tsbuildinfo``: which one depends on ``rootDir``."""
    if "tsBuildInfoFile" in options:
        return [options["tsBuildInfoFile"]]
    name = posixpath.basename(path).removesuffix(".json") + ".tsbuildinfo"
    where = posixpath.dirname(path)
    places = [where]
    if "outDir" in options:
        root = _in_workspace(folder, options.get("rootDir", where))
        way = posixpath.relpath(_in_workspace(folder, where), root)
        places += [options["outDir"], posixpath.join(options["outDir"], way)]
    return [posixpath.normpath(posixpath.join(place, name)) for place in dict.fromkeys(places)]


def _options(
    folder: Folder, path: str, above: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Return the file, its options with its bases', and whether a base lies in a package."""
    config = _read(folder, path)
    if config is None or path in above:
        raise _UnknownError
    merged: dict[str, Any] = {}
    foreign = False
    bases = config.get("extends", [])
    for base in [bases] if isinstance(bases, str) else bases:
        if not base.startswith("."):
            foreign = True
            continue
        target = _config_path(posixpath.join(posixpath.dirname(path), base), base=True)
        _, options, far = _options(folder, target, (*above, path))
        merged |= options
        foreign |= far
    return config, merged | _own_options(config, path), foreign


def _own_options(config: dict[str, Any], path: str) -> dict[str, Any]:
    options = config.get("compilerOptions", {})
    own = {key: options[key] for key in _SWITCHES if key in options}
    for key in _PATHS:
        if key in options:
            if "${" in options[key] or options[key].startswith("/"):
                raise _UnknownError
            own[key] = posixpath.normpath(posixpath.join(posixpath.dirname(path), options[key]))
    return own


def _config_path(path: str, *, base: bool = False) -> str:
    """Return the file that a path in ``extends``, ``references`` or ``-p`` means."""
    path = posixpath.normpath(path)
    if path.endswith(".json"):
        return path
    return f"{path}.json" if base else posixpath.join(path, "tsconfig.json").removeprefix("./")


def _in_workspace(folder: Folder, path: str) -> str:
    """Return a path relative to ``folder`` as an absolute one whose root is the workspace."""
    return _place(folder.path, path)


@lru_cache(maxsize=1024)  # the same few of a folder are asked for again and again
def _place(folder: str, path: str) -> str:
    place = posixpath.normpath(posixpath.join(folder, path))
    if place == ".." or place.startswith("../"):
        raise _UnknownError  # outside the workspace
    return posixpath.normpath(f"/{place}")


def _up(folder: Folder, path: str) -> tuple[Folder, str]:
    """Return the folder above for each leading ``../`` of a normalised path, and the rest."""
    _in_workspace(folder, path)
    at = folder
    while at.parent is not None and (path == ".." or path.startswith("../")):
        at, path = at.parent, path.removeprefix("..").removeprefix("/") or "."
    return at, path


def _read(folder: Folder, path: str) -> dict[str, Any] | None:
    return jsonc(*_up(folder, path))


def _claim(folder: Folder, path: str) -> str:
    """Return a path as a claim of the project: paths outside it start at the workspace."""
    place, own = _in_workspace(folder, path), _in_workspace(folder, ".")
    if place == own:
        return "**"
    if place == "/":
        return "/**"
    inside = own if own == "/" else f"{own}/"
    return place.removeprefix(inside)
