"""The checkers and formatters of Python, one row each: its marks, its command, what it touches.

What a tool ignores and writes was seen by running it (ruff 0.17, black 26, isort 9, flake8 7,
mypy 2.4, pylint 4, pyright 1.1.41x, ty 0.0.x, bandit 1.9); rows say only what holds for all
supported versions. Knows nothing of builds, tests and environments.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from polylane.describe.languages.python.facts import Facts
from polylane.describe.languages.python.manifest import table
from polylane.describe.languages.python.marks import (
    BANDIT,
    BASEDPYRIGHT,
    BLACK,
    FLAKE8,
    ISORT,
    MYPY,
    PIP_AUDIT,
    PYLINT,
    PYRIGHT,
    RUFF,
    TY,
    Mark,
)
from polylane.model import Recipe

#: What its users see as the marks of a Python project, besides the tables of builders.
TOOL_TABLES = frozenset({
    "ruff", "black", "isort", "flake8", "pylint", "mypy", "pyright", "basedpyright", "ty",
    "bandit", "pytest", "coverage", "poetry", "uv", "hatch", "pdm", "flit", "setuptools",
    "setuptools_scm", "tox",
})  # fmt: skip

#: Seen and not run, with the reason.
NOT_RUN = {
    "safety": "asks a service, with an account; add it as a task of your own",
    "semgrep": "fetches its rules; add it as a task of your own",
    "detect-secrets": "compares with a baseline of its own; add it as a task of your own",
    "yapf": "is not known to polylane; add it as a task of your own",
    "autopep8": "is not known to polylane; add it as a task of your own",
    "tox": "runs the same tests in environments of its own; polylane runs them itself",
}

# Of the names that a tool skips, those that some task writes; caches make no edges anyway.
_RUFF_SKIPS = ("dist", "_build", "node_modules", ".eggs", ".tox", ".nox")
_BLACK_SKIPS = ("build", "dist", "_build", ".eggs", ".tox", ".nox")
_ISORT_SKIPS = ("build", "dist", "_build", "node_modules", ".eggs", ".tox", ".nox")
#: We give these to flake8, which walks into environments otherwise.
_FLAKE8_SKIPS = (".venv", "venv", "node_modules", "site-packages")
_SOURCE = ("**/*.py", "**/*.pyi")
_ENDINGS = (".py", ".pyi")


@dataclass(frozen=True, slots=True)
class Tool:
    """One command of one tool.

    In ``argv`` and ``reads`` the word ``{sources}`` stands for the folders that the project ships.
    """

    verb: str
    name: str
    mark: Mark
    argv: Callable[[Facts], tuple[str, ...]] | tuple[str, ...]
    fix: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    #: It obeys these for folders and not for files that are named, so that it then takes none.
    endings_off: tuple[str, ...] = ()
    #: Names that it skips wherever they lie, unless its configuration has ``skips_off``.
    skips: tuple[str, ...] = ()
    skips_off: tuple[str, ...] = ("exclude",)
    #: Skips what git ignores, too, unless its configuration has one of these.
    gitignore_off: tuple[str, ...] | None = None
    #: Reads what the code imports: the projects that this one depends on.
    imports: bool = False
    reads: tuple[str, ...] = ("**",)
    writes: tuple[str, ...] = ()
    #: Configuration that widens what it works on beyond what this row says.
    widens: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()
    #: Why it does not run though it is in use; empty where it does.
    unless: Callable[[Facts], str] = lambda _: ""


def recipes(facts: Facts) -> Iterator[Recipe]:
    """The recipes of all checkers and formatters that the project uses, in reference order."""
    for tool in TOOLS:
        if facts.uses(tool.mark) and not tool.unless(facts):
            yield _recipe(tool, facts)


def left_out(facts: Facts) -> Iterator[tuple[str, str]]:
    """What is in use and yet does not run, with the reason."""
    for tool in TOOLS:
        if facts.uses(tool.mark) and (reason := tool.unless(facts)):
            yield f"{tool.verb}:{tool.name}", reason
    for name in sorted(facts.installed & NOT_RUN.keys()):
        yield name, NOT_RUN[name]


def shared_environment(facts: Facts) -> tuple[str, ...]:
    """The environment above the project: ``setup`` there comes before whatever reads it."""
    return () if facts.uv_root is None else (_at(facts.uv_root, ".venv"),)


def bytecode(facts: Facts) -> tuple[str, ...]:
    """Where Python leaves compiled modules: the sources and the environment."""
    return ("**/__pycache__", *(f"{env}/**/__pycache__" for env in shared_environment(facts)))


def config_folder_caches(facts: Facts, mark: Mark, cache: str) -> tuple[str, ...]:
    """A cache beside the project, and beside the configuration above that a tool takes."""
    above = facts.configured_above(mark)
    return (cache,) if above is None else (cache, _at(above, cache))


def _at(folder: str, name: str) -> str:
    return f"/{name}" if folder == "." else f"/{folder}/{name}"


def _recipe(tool: Tool, facts: Facts) -> Recipe:
    config = facts.settings(tool.mark)
    skipped = _skipped(tool, facts)
    wide = any(key in config for key in tool.widens)
    caches = [c for cache in tool.caches for c in config_folder_caches(facts, tool.mark, cache)]
    imports = ("^**",) if tool.imports else ()
    above = _config_reads(tool, facts)
    if tool.gitignore_off is not None:
        above += facts.ignore_files
    return Recipe(
        verb=tool.verb,
        tool=tool.name,
        argv=_argv(tool, facts),
        reads=(*_expand(tool.reads, facts), *skipped, *imports, *above, *shared_environment(facts)),
        writes=None if wide else (*tool.writes, *(skipped if tool.writes else ())),
        caches=(*caches, *bytecode(facts)),
        file_endings=() if any(key in config for key in tool.endings_off) else tool.endings,
        fix_argv=tool.fix,
        inside=_inside(tool, config, facts),
    )


#: How wide the configuration of a tool makes it: the key, and the option that says the same.
_WIDTHS = {"flake8": "jobs", "pylint": "jobs", "mypy": "num_workers"}


def _inside(tool: Tool, config: Mapping[str, Any], facts: Facts) -> str:
    key = _WIDTHS.get(tool.name)
    said = None if key is None else config.get(key)
    if said is None:
        return ""
    option = f"--{key}".replace("_", "-")
    return shlex.join((*_argv(tool, facts), f"{option}={said}"))


def _argv(tool: Tool, facts: Facts) -> tuple[str, ...]:
    return _expand(tool.argv(facts) if callable(tool.argv) else tool.argv, facts)


def _expand(words: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    if "{sources}" not in words:
        return words
    sources = facts.sources or (".",)
    return tuple(w for word in words for w in (sources if word == "{sources}" else (word,)))


def _skipped(tool: Tool, facts: Facts) -> tuple[str, ...]:
    config = facts.settings(tool.mark)
    by_name = () if any(key in config for key in tool.skips_off) else tool.skips
    off = tool.gitignore_off
    by_git = () if off is None or any(key in config for key in off) else facts.ignored
    return _without(by_name, by_git)


@lru_cache(maxsize=256)  # most projects of a workspace have the same
def _without(by_name: tuple[str, ...], by_git: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(f"!**/{name}" for name in by_name), *by_git)))


def _config_reads(tool: Tool, facts: Facts) -> tuple[str, ...]:
    """The files above in which it looks for its configuration: up to the first that has it."""
    names = ("pyproject.toml", *tool.mark.files, *(path for path, _ in tool.mark.sections))
    above = facts.configured_above(tool.mark)
    found = [] if above is None else [_at(above, name) for name in names]
    # ruff reads on beyond it.
    if tool.mark.upward and (tool.mark is RUFF or facts.own_settings(tool.mark) is None):
        found += [path for name in names for path in facts.above.files.get(name, ())]
    return tuple(dict.fromkeys(found))


def _no_ruff_check(facts: Facts) -> str:
    # Many projects have ruff only as a linter: a check that nobody runs would fail for ever.
    return (
        ""
        if facts.formats_by_ruff
        else ("nothing says that ruff formats this code; say it with [tool.ruff.format]")
    )


def _no_ruff_format(facts: Facts) -> str:
    other = facts.uses(BLACK) and not facts.formats_by_ruff
    return "black formats this code" if other else ""


def _no_pyright(facts: Facts) -> str:
    other = facts.uses(BASEDPYRIGHT) and not facts.depends_on(PYRIGHT)
    return "basedpyright checks this code" if other else ""


def _no_sources(facts: Facts) -> str:
    return "" if facts.sources else "no folder with sources was found"


def _flake8(facts: Facts) -> tuple[str, ...]:
    config = facts.settings(FLAKE8)
    text = config.get("extend-exclude", config.get("extend_exclude", ""))
    said = text if isinstance(text, list) else re.split(r"[,\s]+", str(text))
    names = dict.fromkeys((*(word for word in said if word), *_FLAKE8_SKIPS))
    return ("flake8", f"--extend-exclude={','.join(names)}", ".")


def _mypy(facts: Facts) -> tuple[str, ...]:
    # Without a target on either side mypy only prints its usage; a target that is said above
    # is not this project's.
    own = facts.own_settings(MYPY) or {}
    said = any(key in own for key in ("files", "packages", "modules"))
    return ("mypy",) if said else ("mypy", "{sources}")


def _bandit(facts: Facts) -> tuple[str, ...]:
    if facts.folder.exists(".bandit"):
        return ("bandit", "--ini", ".bandit", "-r", "{sources}")
    said = table(facts.manifest.tools, "bandit")
    return ("bandit", *(("-c", "pyproject.toml") if said else ()), "-r", "{sources}")


_RUFF = ("ruff", "check", "--force-exclude", ".")
_RUFF_FIX = ("ruff", "check", "--force-exclude", "--fix", ".")
_RUFF_FORMAT = ("ruff", "format", "--force-exclude", ".")
_RUFF_DIFFERS = ("ruff", "format", "--force-exclude", "--check", ".")
_RUFF_WIDENS = ("include", "extend-include", "extension", "extend")
_NO_RESPECT = ("respect-gitignore",)

# In reference order: imports are sorted before lines are broken.
TOOLS = (
    Tool(
        "format", "isort", ISORT, ("isort", "--filter-files", "."),
        endings=_ENDINGS, skips=_ISORT_SKIPS, skips_off=("skip",), writes=_SOURCE,
        widens=("supported_extensions",),
    ),
    Tool(
        "format", "black", BLACK, ("black", "."),
        endings=_ENDINGS, endings_off=("exclude", "extend-exclude"),
        skips=_BLACK_SKIPS, gitignore_off=("exclude",),
        writes=(*_SOURCE, "**/*.ipynb"), widens=("include",),
    ),
    Tool(
        "format", "ruff", RUFF, _RUFF_FORMAT,
        endings=(*_ENDINGS, ".ipynb"), skips=_RUFF_SKIPS, skips_off=("exclude", "extend"),
        gitignore_off=_NO_RESPECT, writes=(*_SOURCE, "**/*.ipynb", "**/*.md"),
        widens=_RUFF_WIDENS, caches=(".ruff_cache",), unless=_no_ruff_format,
    ),
    Tool(
        "lint", "ruff", RUFF, _RUFF, fix=_RUFF_FIX,
        endings=(*_ENDINGS, ".ipynb"), skips=_RUFF_SKIPS, skips_off=("exclude", "extend"),
        gitignore_off=_NO_RESPECT, caches=(".ruff_cache",),
    ),
    Tool(
        "lint", "ruff-format", RUFF, _RUFF_DIFFERS, fix=_RUFF_FORMAT,
        endings=(*_ENDINGS, ".ipynb"), skips=_RUFF_SKIPS, skips_off=("exclude", "extend"),
        gitignore_off=_NO_RESPECT, caches=(".ruff_cache",), unless=_no_ruff_check,
    ),
    Tool(
        "lint", "isort", ISORT, ("isort", "--check-only", "--filter-files", "."),
        fix=("isort", "--filter-files", "."), endings=_ENDINGS, skips=_ISORT_SKIPS,
        skips_off=("skip",),
    ),
    Tool(
        "lint", "black", BLACK, ("black", "--check", "."), fix=("black", "."),
        endings=_ENDINGS, endings_off=("exclude", "extend-exclude"),
        skips=_BLACK_SKIPS, gitignore_off=("exclude",),
    ),
    Tool(
        "lint", "flake8", FLAKE8, _flake8,
        endings=(".py",), skips=("node_modules",), skips_off=(),
    ),
    Tool(
        "lint", "pylint", PYLINT, ("pylint", "--recursive=y", "{sources}"),
        imports=True, unless=_no_sources,
    ),
    Tool("type-check", "mypy", MYPY, _mypy, imports=True, caches=(".mypy_cache",)),
    Tool("type-check", "pyright", PYRIGHT, ("pyright",), imports=True, unless=_no_pyright),
    Tool("type-check", "basedpyright", BASEDPYRIGHT, ("basedpyright",), imports=True),
    Tool("type-check", "ty", TY, ("ty", "check"), imports=True),
    Tool(
        "security", "bandit", BANDIT, _bandit,
        reads=("{sources}", "pyproject.toml", ".bandit", ".venv"), unless=_no_sources,
    ),
    Tool("security", "pip-audit", PIP_AUDIT, ("pip-audit",), reads=(".venv",)),
)  # fmt: skip
