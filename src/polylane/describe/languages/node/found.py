"""Tools that a package uses without a script for them: by what it depends on and configures.

Knows nothing of how recipes are started.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylane.describe.languages.node import tools
from polylane.describe.languages.node.command import Command
from polylane.describe.languages.node.package import matching
from polylane.describe.languages.node.recipes import direct_recipe
from polylane.describe.languages.node.tsconfig import jsonc, references_only

if TYPE_CHECKING:
    from polylane.describe.languages.node.package import Package
    from polylane.describe.languages.node.scripts import Choice, Script
    from polylane.model import Recipe

#: The first TypeScript with ``-b --noEmit``.
_BUILDS_WITHOUT_EMIT = (5, 6)
_NODE_TEST = re.compile(r".*[.\-_]test\.[cm]?js|test-.*\.[cm]?js|test\.[cm]?js")


@dataclass(frozen=True, slots=True)
class _Found:
    """A tool that runs without a script, where its package and its configuration are there."""

    verb: str
    command: Command
    #: Other names for a configuration: a key of package.json.
    key: str = ""
    #: A dependency of this very package is enough: the tool needs no configuration.
    bare: bool = False


#: The first of each verb and program that fits; all of them are tried for lint.
_FOUND = (
    _Found("lint", Command("eslint", (".",)), "eslintConfig"),
    _Found("lint", Command("prettier", ("--check", ".")), "prettier"),
    _Found("lint", Command("biome", ("check", "--no-errors-on-unmatched", "."))),
    _Found("format", Command("prettier", ("--write", ".")), "prettier"),
    _Found("format", Command("biome", ("format", "--write", "--no-errors-on-unmatched", "."))),
    _Found("type-check", Command("vue-tsc", ("--noEmit",))),
    _Found("type-check", Command("tsc", ("--noEmit",))),
    _Found("test", Command("vitest", ("run",)), bare=True),
    _Found("test", Command("jest"), "jest", bare=True),
    _Found("test", Command("mocha"), "mocha", bare=True),
    _Found("test", Command("ava"), "ava", bare=True),
    _Found("docs", Command("typedoc"), "typedocOptions"),
)


def found_recipes(package: Package, choice: Choice) -> list[Recipe]:
    """Recipes of the verbs that no script speaks for; notes in ``choice`` what it leaves out."""
    recipes: list[Recipe] = []
    done = set(choice.spoken_for)
    checked = {_program(script) for script in choice.scripts if script.verb == "lint"}
    for found in _FOUND:
        if found.verb in done or (found.verb == "lint" and found.command.program in checked):
            continue
        command = _command_of(package, found, choice)
        if command is None:
            continue
        if found.verb != "lint":
            done.add(found.verb)
        recipes.append(direct_recipe(package, found.verb, command))
    if "test" not in done and _has_node_tests(package):
        recipes.append(direct_recipe(package, "test", Command("node", ("--test",))))
    return recipes


def _program(script: Script) -> str:
    command = script.body.only if script.body else None
    return command.program if command else ""


def _command_of(package: Package, found: _Found, choice: Choice) -> Command | None:
    """Return the command of a tool that the package uses, else ``None``."""
    tool = tools.TOOLS[found.command.program]
    own = bool(set(tool.packages) & package.depends.keys())
    if not set(tool.packages) & package.available.keys():
        return None
    if found.verb == "type-check":
        usual = own or found.command.program == "tsc"
        return _type_check(package, found.command, choice) if usual else None
    configured = bool(matching(package.folder, tool.configs)) or found.key in package.manifest
    if not configured and not (found.bare and own and not package.is_root):
        return None
    return _as_formatted(found, choice)


def _as_formatted(found: _Found, choice: Choice) -> Command | None:
    """Check what the format script formats; ``None`` where that is not known."""
    formats = [script for script in choice.scripts if script.verb == "format"]
    if found.command.args[:1] != ("--check",) or not formats:
        return found.command
    said = formats[0].body.only if formats[0].body else None
    if said is None or said.program != found.command.program or not said.plain:
        return None
    flags = tools.tool_of(said).write_flags
    return said._replace(args=("--check", *(word for word in said.args if word not in flags)))


def _type_check(package: Package, command: Command, choice: Choice) -> Command | None:
    """``--noEmit`` where tsconfig.json lists files, ``-b --noEmit`` where it refers to others."""
    if not package.folder.exists("tsconfig.json"):
        return None
    if not references_only(jsonc(package.folder, "tsconfig.json") or {}):
        if not package.is_root:
            return command
        _leave_out(choice, "tsconfig.json of a workspace of packages", "its packages extend it")
        return None
    if (package.version("typescript") or _BUILDS_WITHOUT_EMIT) >= _BUILDS_WITHOUT_EMIT:
        return command._replace(args=("-b", "--noEmit"))
    reason = "it only refers to others, which TypeScript before 5.6 cannot check without building"
    _leave_out(choice, "tsconfig.json", reason)
    return None


def _leave_out(choice: Choice, what: str, why: str) -> None:
    if (what, why) not in choice.left_out:
        choice.left_out.append((what, why))


def _has_node_tests(package: Package) -> bool:
    names = [*package.folder.names("test"), *package.folder.names()]
    runners = {name for tool in tools.TOOLS.values() if tool.tests for name in tool.packages}
    return not runners & package.depends.keys() and any(map(_NODE_TEST.fullmatch, names))
