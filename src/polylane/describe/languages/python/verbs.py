"""Build, test, docs and clean of a Python project: what its manifest and its folders ask for.

Knows nothing of checkers and formatters, and starts nothing.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from polylane.describe.languages.python.facts import Facts
from polylane.describe.languages.python.manifest import table, words
from polylane.describe.languages.python.marks import PDOC, PYTEST
from polylane.describe.languages.python.tools import (
    bytecode,
    config_folder_caches,
    shared_environment,
)
from polylane.model import VERBS, Recipe

#: Build backends that only pack what lies there, with what they leave beside ``dist``.
_PACKERS = {
    "hatchling.build": (),
    "flit_core.buildapi": (),
    "poetry.core.masonry.api": (),
    "pdm.backend": (),
    "uv_build": (),
    "setuptools.build_meta": ("build", "*.egg-info", "src/*.egg-info"),
}
#: Tables by which those run code or write files of the project's choice.
_BUILD_CODE = (
    ("hatch", "build", "hooks"),
    ("hatch", "build", "targets", "wheel", "hooks"),
    ("hatch", "build", "targets", "sdist", "hooks"),
    ("poetry", "build"),
    ("pdm", "build"),
    ("setuptools_scm",),
)
_KINDS = (("test-unit", "unit"), ("test-integration", "integration"))
#: Options of pytest-xdist.
_WORKERS = re.compile(r"-n|--(?:num|max)processes")
_NO_TESTS = ((5, "no tests"),)
#: What a conf.py with one of these may do is anybody's guess (hazard 4: one ran yarn).
_CODE_IN_CONF = re.compile(
    r"subprocess|os\.system|popen|check_call|sh\.|write|open\(|apidoc|autosummary|autoapi|gallery"
    r"|nbsphinx|jupyter|exec\(",
    re.IGNORECASE,
)
#: Where Sphinx's sources lie, and where its page goes, as sphinx-quickstart lays it out.
_SPHINX = (
    ("docs", "docs/_build/html"),
    ("doc", "doc/_build/html"),
    ("docs/source", "docs/build/html"),
    ("doc/source", "doc/build/html"),
)
#: What Python's tools leave in a project; environments are none of it.
_LEFT_BEHIND = (
    "dist",
    "build",
    "*.egg-info",
    "src/*.egg-info",
    ".eggs",
    "htmlcov",
    ".coverage",
    ".coverage.*",
    "coverage.xml",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    "**/__pycache__",
)


def build(facts: Facts) -> Iterator[Recipe]:
    """The build of the distribution, by the front end that the project uses."""
    if not is_package(facts):
        return
    tool, argv = build_command(facts)
    backend = table(facts.manifest.pyproject, "build-system").get("build-backend", "")
    beside = _PACKERS.get(str(backend)) if _only_packs(facts) else None
    dist, ignore_file = _dist(facts, str(backend)) if tool == "uv" else ("dist", "dist/.gitignore")
    yield Recipe(
        "build",
        tool,
        argv,
        reads=None if beside is None else ("**", *shared_environment(facts), *facts.ignore_files),
        writes=None if beside is None else (dist, *beside),
        # Each build in a uv workspace writes the same one line there.
        caches=(*bytecode(facts), ignore_file),
        after=("^build",),
    )


def is_package(facts: Facts) -> bool:
    """Whether the project is to be built and installed, or is only a place to work in."""
    tools = facts.manifest.tools
    if table(tools, "uv").get("package") is False:
        return False
    if table(tools, "poetry").get("package-mode") is False:
        return False
    return "build-system" in facts.manifest.pyproject or facts.manifest.setup_py is not None


def build_command(facts: Facts) -> tuple[str, tuple[str, ...]]:
    """The front end's name and command."""
    if facts.uses_uv:
        return "uv", ("uv", "build")
    if facts.uses_poetry:
        return "poetry", ("poetry", "build")
    return "build", ("python", "-m", "build")


def _only_packs(facts: Facts) -> bool:
    if facts.manifest.setup_py is not None:
        return False
    return not any(table(facts.manifest.tools, *keys) for keys in _BUILD_CODE)


def _dist(facts: Facts, backend: str) -> tuple[str, str]:
    """What ``uv build`` writes: a member's files go to its workspace's ``dist``."""
    if facts.uv_root is None:
        return "dist", "dist/.gitignore"
    above = "" if facts.uv_root == "." else f"/{facts.uv_root}"
    # Old setuptools spell the name of the archive as the project does.
    name = facts.manifest.name.replace("-", "_")
    exact = name and backend != "setuptools.build_meta"
    return f"{above}/dist/{name}-*" if exact else f"{above}/dist", f"{above}/dist/.gitignore"


def test(facts: Facts) -> Iterator[Recipe]:
    """All tests, and the unit and integration tests where the project tells them apart."""
    if tested_above(facts):
        return
    if not uses_pytest(facts):
        if facts.tests:
            yield _test_recipe(facts, "test", "unittest", _unittest(facts))
        return
    yield _test_recipe(facts, "test", "pytest", ("pytest",))
    for verb, kind in _KINDS:
        if (argv := _pytest_of(facts, kind)) is not None:
            yield _test_recipe(facts, verb, "pytest", argv)


def uses_pytest(facts: Facts) -> bool:
    """Whether pytest runs the tests: by configuration, dependency, or how they are written."""
    own = facts.own_settings(PYTEST)
    if own is not None:
        # A uv workspace's root often only configures pytest for its members.
        shared = bool(table(facts.manifest.tools, "uv", "workspace")) and not _testpaths(own)
        return not shared or bool(facts.tests)
    if any(name.startswith("pytest") for name in facts.manifest.dependencies):
        return True
    if facts.uses(PYTEST):
        return bool(facts.tests)
    texts = [facts.folder.text(path) or "" for path in facts.test_files()]
    return any(re.search(r"^(?:import|from) pytest\b|^def test_", t, re.MULTILINE) for t in texts)


def tested_above(facts: Facts) -> str:
    """The folder above whose ``testpaths`` reach into this project; empty where none does."""
    above = facts.configured_above(PYTEST)
    if above is None:
        return ""
    inner = facts.folder.path if above == "." else facts.folder.path[len(above) + 1 :]
    said = _testpaths(facts.settings(PYTEST))
    return above if any(_reaches(path, inner) for path in said) else ""


def _reaches(pattern: str, path: str) -> bool:
    pairs = zip(posixpath.normpath(pattern).split("/"), path.split("/"), strict=False)
    return all(fnmatchcase(name, glob) for glob, name in pairs)


def _testpaths(config: Mapping[str, Any]) -> tuple[str, ...]:
    said = config.get("testpaths") or table(config, "ini_options").get("testpaths") or ()
    return tuple(said.split()) if isinstance(said, str) else words(said)


def _test_recipe(facts: Facts, verb: str, tool: str, argv: tuple[str, ...]) -> Recipe:
    # Tests may write anywhere: reads and writes stay unknown, which is the safe default.
    caches = config_folder_caches(facts, PYTEST, ".pytest_cache") if tool == "pytest" else ()
    return Recipe(
        verb,
        tool,
        argv,
        caches=(*caches, *bytecode(facts)),
        after=("build", "^build"),
        skip_codes=_NO_TESTS,
        inside=_inside(facts, argv) if tool == "pytest" else "",
    )


def _inside(facts: Facts, argv: tuple[str, ...]) -> str:
    """The command with what the configuration adds, where that may make pytest-xdist wide."""
    config = facts.settings(PYTEST)
    said = config.get("addopts") or table(config, "ini_options").get("addopts") or ()
    try:
        added = tuple(shlex.split(said)) if isinstance(said, str) else words(said)
    except ValueError:  # a quote that nothing closes
        return ""
    return shlex.join((*argv, *added)) if any(map(_WORKERS.match, added)) else ""


def _unittest(facts: Facts) -> tuple[str, ...]:
    start = facts.tests[0]
    # Discovery enters packages only.
    inside = start == "." or facts.folder.exists(f"{start}/__init__.py")
    return ("python", "-m", "unittest", "discover", *(() if inside else ("-s", start)))


def _pytest_of(facts: Facts, kind: str) -> tuple[str, ...] | None:
    """How pytest runs one kind of test: by its folder, else by a marker."""
    for folder in facts.tests:
        for name in (kind, f"{kind}_tests", f"{kind}-tests"):
            if facts.folder.is_dir(f"{folder}/{name}"):
                return ("pytest", f"{folder}/{name}")
    markers = set(_markers(facts))
    if kind in markers:
        return ("pytest", "-m", kind)
    if kind == "unit" and "integration" in markers:
        return ("pytest", "-m", "not integration")
    return None


def _markers(facts: Facts) -> Iterator[str]:
    config = facts.settings(PYTEST)
    said = config.get("markers") or table(config, "ini_options").get("markers") or ()
    lines: Iterable[str] = said.splitlines() if isinstance(said, str) else words(said)
    for line in lines:
        yield re.split(r"[:(]", line.strip())[0].strip()


def docs(facts: Facts) -> Iterator[Recipe]:
    """The documentation, by the generator whose configuration lies there."""
    for source, output in _SPHINX:
        if (conf := facts.folder.text(f"{source}/conf.py")) is not None:
            yield _docs(
                facts,
                "sphinx",
                ("sphinx-build", "-b", "html", source, output),
                None if _CODE_IN_CONF.search(conf) else (output,),
            )
            break
    for path in ("mkdocs.yml", "mkdocs.yaml"):
        if (text := facts.folder.text(path)) is not None:
            yield _docs(facts, "mkdocs", ("mkdocs", "build"), _mkdocs_writes(text))
            break
    if facts.sources and facts.depends_on(PDOC):
        yield _docs(facts, "pdoc", ("pdoc", "-o", "site", *_modules(facts)), ("site",))


def _docs(facts: Facts, tool: str, argv: tuple[str, ...], writes: tuple[str, ...] | None) -> Recipe:
    reads = None if writes is None else ("**", "^**", *shared_environment(facts))
    return Recipe("docs", tool, argv, reads=reads, writes=writes, caches=bytecode(facts))


def _mkdocs_writes(text: str) -> tuple[str, ...] | None:
    if re.search(r"^hooks\s*:|gen-files|\bmacros\b|exec\b", text, re.MULTILINE):
        return None
    found = re.search(r"^site_dir\s*:\s*['\"]?([^'\"\s#]+)", text, re.MULTILINE)
    return (found[1] if found else "site",)


def _modules(facts: Facts) -> tuple[str, ...]:
    """The packages below a folder of sources, or the sources themselves."""
    if facts.sources != ("src",):
        return facts.sources
    inside = [name for name in facts.folder.names("src") if "." not in name]
    return tuple(f"src/{name}" for name in inside if facts.folder.exists(f"src/{name}/__init__.py"))


def clean(made: Iterable[Recipe]) -> Recipe:
    """The removal of what the recipes ``made`` and Python's own tools leave behind."""
    pages = [path for recipe in made if recipe.verb == "docs" for path in _output(recipe)]
    patterns = tuple(dict.fromkeys((*_LEFT_BEHIND, *pages)))
    return Recipe(
        "clean",
        "python",
        (
            "{python}",
            "-m",
            "polylane.tools.clean",
            "--manifests=pyproject.toml,setup.cfg,setup.py",
            *patterns,
        ),
        reads=("**",),
        writes=patterns,
        # It removes caches, which make no edge: it comes last by name.
        after=tuple(verb for verb in VERBS if verb not in ("setup", "clean")),
        takes_arguments=False,
    )


def _output(recipe: Recipe) -> tuple[str, ...]:
    if recipe.tool == "sphinx":
        return (recipe.argv[-1].rpartition("/")[0],)
    return recipe.writes or ("site",)
