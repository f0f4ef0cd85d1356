"""What a Python project says of itself: its name, and what it depends on in which set.

Reads pyproject.toml (PEP 621, PEP 735, Poetry, uv), setup.cfg, setup.py (parsed, never run) and
requirements files. Knows nothing of tools, verbs or environments.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from polylane.describe.languages.base import Folder

if TYPE_CHECKING:
    from configparser import ConfigParser

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_SETUP = ("setup", "setuptools.setup", "distutils.core.setup")
#: A setup.py that builds something imports a builder, or calls it by the usual name.
_BUILDS = re.compile(
    r"^\s*(?:import|from)\s+(?:setuptools|distutils|skbuild|numpy\.distutils)\b|^setup\(",
    re.MULTILINE,
)
_REQUIREMENTS = re.compile(r"requirements[^/]*\.txt|[^/]+[-_.]requirements\.txt")


@dataclass(frozen=True)
class Manifest:
    """What the files of one folder declare; names are normalised as PEP 503 says."""

    #: The distribution's name; empty where none is said, or only code knows it.
    name: str = ""
    runtime: frozenset[str] = frozenset()
    extras: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Requirements files, relative to the folder.
    requirements: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    #: pyproject.toml, parsed; empty where there is none.
    pyproject: Mapping[str, Any] = field(default_factory=dict)
    #: The text of setup.py; ``None`` where there is none.
    setup_py: str | None = None
    setup_cfg: ConfigParser | None = None

    @cached_property
    def tools(self) -> Mapping[str, Any]:
        """The tables under ``[tool]``."""
        return table(self.pyproject, "tool")

    @cached_property
    def dependencies(self) -> frozenset[str]:
        """All names of all sets."""
        sets = (*self.extras.values(), *self.groups.values())
        return self.runtime.union(self.required, *sets)


@lru_cache(maxsize=4096)  # projects name the same few over and over
def normalise(name: str) -> str:
    """The form of a distribution's name under which all its spellings are equal (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def table(value: object, *keys: str) -> Mapping[str, Any]:
    """The table at a path of keys; empty where there is none, or something else."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def words(value: object) -> tuple[str, ...]:
    """The strings of a list; empty where it is something else."""
    if not isinstance(value, list | tuple):
        return ()
    return tuple(item for item in value if isinstance(item, str))


def ini(folder: Folder, path: str) -> ConfigParser | None:
    """A file of sections, such as setup.cfg; ``None`` where it is missing or no such file."""
    text = folder.text(path)
    if text is None:
        return None
    from configparser import ConfigParser, Error  # few projects have such a file

    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except Error:
        return None
    return parser


def read_manifest(folder: Folder) -> Manifest:
    """Read what the folder's own files declare."""
    pyproject = folder.toml("pyproject.toml") or {}
    cfg, setup_py = ini(folder, "setup.cfg"), _setup_script(folder)
    old = _setup_call(setup_py)
    project, poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    extras = _sets(project.get("optional-dependencies"), old.get("extras_require"))
    if cfg is not None and cfg.has_section("options.extras_require"):
        extras |= {key: _names(text) for key, text in cfg.items("options.extras_require")}
    files = _requirements_files(folder)
    return Manifest(
        name=_name(project, poetry, cfg, old),
        runtime=_runtime(project, poetry, cfg, old),
        extras=extras,
        groups=_groups(pyproject, poetry),
        requirements=files,
        required=frozenset(_required(folder, files)),
        pyproject=pyproject,
        setup_py=setup_py,
        setup_cfg=cfg,
    )


def _name(
    project: Mapping[str, Any],
    poetry: Mapping[str, Any],
    cfg: ConfigParser | None,
    old: Mapping[str, Any],
) -> str:
    said = (
        project.get("name"),
        poetry.get("name"),
        cfg.get("metadata", "name", fallback="") if cfg else "",
        old.get("name"),
    )
    return next((normalise(name) for name in said if isinstance(name, str) and name), "")


def _runtime(
    project: Mapping[str, Any],
    poetry: Mapping[str, Any],
    cfg: ConfigParser | None,
    old: Mapping[str, Any],
) -> frozenset[str]:
    said = (
        project.get("dependencies"),
        list(table(poetry, "dependencies")),
        old.get("install_requires"),
        cfg.get("options", "install_requires", fallback="") if cfg else "",
    )
    # Poetry lists the interpreter among the dependencies.
    return frozenset().union(*map(_names, said)) - {"python"}


def _groups(pyproject: Mapping[str, Any], poetry: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    groups = {
        group: _names(list(table(content, "dependencies")))
        for group, content in table(poetry, "group").items()
    }
    old_dev = {
        "dev": _names(list(table(poetry, "dev-dependencies")))
        | _names(table(pyproject, "tool", "uv").get("dev-dependencies"))
    }
    for found in (_sets(pyproject.get("dependency-groups")), old_dev):
        for group, names in found.items():
            groups[group] = groups.get(group, frozenset()) | names
    return {group: names for group, names in groups.items() if names or group != "dev"}


def _sets(*values: object) -> dict[str, frozenset[str]]:
    return {
        key: _names(content)
        for value in values
        if isinstance(value, Mapping)
        for key, content in value.items()
    }


def _names(value: object) -> frozenset[str]:
    """Names of requirements in a list, or in a text with one a line."""
    lines = value.splitlines() if isinstance(value, str) else words(value)
    return frozenset(normalise(found[0]) for line in lines if (found := _NAME.match(line.strip())))


def _setup_script(folder: Folder) -> str | None:
    """The text of setup.py, where it is not just a module of that name."""
    text = folder.text("setup.py")
    return text if text is not None and _BUILDS.search(text) else None


def _setup_call(text: str | None) -> Mapping[str, Any]:
    """The literal keywords of ``setup(...)`` in setup.py."""
    if text is None:
        return {}
    import ast  # only old projects need it

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    said: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _SETUP:
            for keyword in node.keywords:
                try:
                    said[keyword.arg or ""] = ast.literal_eval(keyword.value)
                except ValueError:
                    continue
    return said


def _requirements_files(folder: Folder) -> tuple[str, ...]:
    """Requirements files of the folder; constraints are none."""
    own = [name for name in folder.names() if _REQUIREMENTS.fullmatch(name)]
    below = [f"requirements/{name}" for name in folder.names("requirements")]
    return (*own, *(path for path in below if path.endswith(".txt") and "constraint" not in path))


def _required(folder: Folder, files: Iterable[str]) -> Iterator[str]:
    """Names in requirements files and in the files that they name by ``-r``."""
    seen: set[str] = set()
    todo = list(files)
    while todo:
        path = todo.pop()
        if path in seen or path.startswith(".."):
            continue
        seen.add(path)
        for line in (folder.text(path) or "").splitlines():
            word = line.partition(" #")[0].strip()
            if found := re.match(r"(?:-r|--requirement)[ =]*(\S+)", word):
                todo.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), found[1])))
            else:
                yield from _requirement(folder, word)


def _requirement(folder: Folder, word: str) -> Iterator[str]:
    """The name in one line; a folder, relative to the project, is named by its own manifest."""
    word = re.sub(r"^(?:-e|--editable)[ =]*", "", word)
    if found := _EGG.search(word):
        yield normalise(found[1])
    elif word.startswith((".", "file:")):
        local = word.removeprefix("file:").partition("[")[0].partition(";")[0].strip()
        yield from _name_of(folder, local)
    elif (found := _NAME.match(word)) and "://" not in word.partition("@")[0]:
        yield normalise(found[0])


def _name_of(folder: Folder, path: str) -> Iterator[str]:
    """The name that another folder of the workspace declares."""
    place = posixpath.normpath(posixpath.join(folder.path, path))
    if place == folder.path or place.startswith(("..", "/")):
        return
    if name := read_name(folder.beside(place)):
        yield name


def read_name(folder: Folder) -> str:
    """The name of the distribution in a folder; empty where there is none."""
    pyproject = folder.toml("pyproject.toml") or {}
    project, poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    return _name(project, poetry, ini(folder, "setup.cfg"), _setup_call(_setup_script(folder)))
