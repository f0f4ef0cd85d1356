"""How a Python project's environment is made: by uv, by Poetry, or by polylane's own tool.

Knows nothing of other verbs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from polylane.describe.languages.python.facts import Facts
from polylane.describe.languages.python.manifest import table
from polylane.describe.languages.python.verbs import build_command, is_package
from polylane.model import Recipe

#: Extras and groups that are for those who work on the project, not for those who use it.
_DEVELOPMENT = frozenset({
    "dev", "develop", "development", "devel", "test", "tests", "testing", "lint", "linting",
    "format", "formatting", "style", "typing", "types", "type-check", "typecheck", "mypy",
    "docs", "doc", "documentation", "security", "audit", "qa", "quality", "ci", "build", "all",
    "checks", "check", "coverage",
})  # fmt: skip
_WROTE = (".venv", "*.egg-info", "src/*.egg-info", "build")


def setup(facts: Facts) -> Iterator[Recipe]:
    """The recipe that makes the environment; none where the uv workspace's root makes it."""
    if facts.uv_root is not None:
        return
    if facts.uses_uv:
        yield _recipe("uv", _uv(facts), (*_WROTE, "uv.lock"))
    elif facts.uses_poetry:
        yield _poetry(facts)
    elif words := _pip(facts):
        yield _recipe("pip", ("{python}", "-m", "polylane.tools.setup_python", *words), _WROTE)


def _recipe(tool: str, argv: tuple[str, ...], writes: tuple[str, ...]) -> Recipe:
    return Recipe(
        "setup",
        tool,
        argv,
        reads=("**", "^**"),
        writes=writes,
        caches=("**/__pycache__",),
        takes_arguments=tool != "pip",
        creates=(".venv",),
    )


def _uv(facts: Facts) -> tuple[str, ...]:
    manifest = facts.manifest
    extras = _for_developers(manifest.extras)
    # Extras or groups that exclude each other cannot all be installed.
    conflicts = "conflicts" in table(manifest.tools, "uv")
    members = bool(table(manifest.tools, "uv", "workspace"))
    named = [word for extra in extras for word in ("--extra", extra)]
    return (
        "uv",
        "sync",
        *(("--all-packages",) if members else ()),
        *(() if not extras else named if conflicts else ("--all-extras",)),
        *(("--all-groups",) if set(manifest.groups) - {"dev"} and not conflicts else ()),
    )


def _poetry(facts: Facts) -> Recipe:
    groups = table(facts.manifest.tools, "poetry", "group")
    optional = sorted(name for name in groups if table(groups, name).get("optional") is True)
    argv = (
        "poetry",
        "install",
        *(("--all-extras",) if _for_developers(facts.manifest.extras) else ()),
        *(("--with", ",".join(optional)) if optional else ()),
    )
    settings = table(facts.folder.toml("poetry.toml"), "virtualenvs")
    inside = settings.get("in-project") is True
    return Recipe(
        "setup",
        "poetry",
        argv,
        reads=("**", "^**"),
        writes=(*_WROTE, "poetry.lock"),
        caches=("**/__pycache__",),
        creates=(".venv",) if inside else (),
    )


def _pip(facts: Facts) -> tuple[str, ...]:
    """Words for `polylane.tools.setup_python`; none where there is nothing to install."""
    manifest = facts.manifest
    package = is_package(facts)
    extras = _for_developers(manifest.extras)
    groups = _for_developers(manifest.groups)
    needs_build = package and build_command(facts)[0] == "build"
    words = (
        *(("--editable",) if package else ()),
        *(("--dependencies",) if manifest.runtime and not package else ()),
        *(word for extra in extras for word in ("--extra", extra)),
        *(word for group in groups for word in ("--group", group)),
        *(word for path in manifest.requirements for word in ("--requirement", path)),
    )
    also = needs_build and "build" not in manifest.dependencies
    return (*words, "--also", "build") if words and also else words


def _for_developers(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name.lower().replace("_", "-") in _DEVELOPMENT)
