"""Chooses the scripts of package.json that are a project's verbs, and says what it leaves out.

Knows the usual names of scripts; knows nothing of claims and of how scripts are started.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from polylane.describe.languages.node import tools, tsconfig
from polylane.describe.languages.node.command import Body, Command, parse
from polylane.describe.languages.node.manager import MANAGERS
from polylane.describe.languages.node.package import table
from polylane.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from polylane.describe.languages.node.package import Package

#: Verb to script names: the first that can be used is the verb.
NAMES: dict[str, tuple[str, ...]] = {
    "format": (
        "format", "fmt", "prettier", "format:write", "format:fix", "prettier:fix",
        "prettier:write", "prettier-fix", "fix:format", "style:fix",
    ),
    "build": ("build", "compile", "bundle"),
    "lint": (
        "lint", "eslint", "lint:check", "check:lint", "lint:ci", "lint:js", "lint:ts", "biome",
    ),
    "type-check": (
        "type-check", "typecheck", "check-types", "types:check", "check:types", "ts:check",
        "check:ts", "tsc:check", "lint:types", "tsc", "types",
    ),
    "test": ("test", "tests", "test:run", "test:all"),
    "test-unit": ("test:unit", "test-unit", "unit", "test:units"),
    "test-integration": ("test:integration", "test-integration", "test:int", "integration"),
    "security": (
        "security", "audit", "security:audit", "audit:ci", "security:check", "test:security",
    ),
    "docs": (
        "docs:build", "build:docs", "build-docs", "docs-build", "docs", "doc", "typedoc", "apidocs",
    ),
    "clean": ("clean",),
}  # fmt: skip
#: Checks of the form of sources: a second task of the verb lint.
FORMAT_CHECKS = (
    "format:check", "check-format", "format-check", "check:format", "fmt:check", "check:fmt",
    "prettier:check", "prettier-check", "check:prettier", "lint:format", "lint:prettier",
    "format:ci", "style:check", "style",
)  # fmt: skip
#: Names that may as well make something: taken only where a type checker writes nothing.
_DOUBTFUL_TYPES = frozenset({"tsc", "types"})
_WATCHES = "starts a watch mode or a server"
_END_TO_END = ("test:e2e", "e2e", "test:playwright", "test:browser")
_NOTHING = frozenset({"echo", "true", ":", "exit 0", "printf"})
_DELEGATORS = frozenset({"lerna", "turbo", "nx", "lage", "rush", "wsrun", "moon", "ultra"})
#: Words with which a package manager runs scripts of the other packages of its workspace.
_ELSEWHERE = {
    "npm": frozenset(("-ws", "--workspaces", "-w", "--workspace")),
    "pnpm": frozenset(("-r", "--recursive", "recursive", "--filter", "-F")),
    "yarn": frozenset(("workspaces", "workspace")),
    "bun": frozenset(("--workspaces", "--filter", "-F")),
}
#: Options before the folder in which a package manager shall work.
_FOLDER_OPTIONS = frozenset(("--prefix", "-C", "--dir", "--cwd"))
_SEVERAL = frozenset({"npm-run-all", "npm-run-all2", "run-s", "run-p"})
_ALL_NAMES = frozenset(name for names in NAMES.values() for name in names) | frozenset(
    FORMAT_CHECKS
)


class Script(NamedTuple):
    """A script that is a task."""

    verb: str
    name: str
    #: ``None``: only a shell understands it.
    body: Body | None
    #: A ``pre`` or ``post`` script runs with it.
    framed: bool


@dataclass
class Choice:
    """The scripts chosen, and what was seen and left out."""

    scripts: list[Script] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    #: Verbs that the scripts here speak for, though other folders may do the work.
    spoken_for: set[str] = field(default_factory=set)


def choose(package: Package) -> Choice:
    """Find the script of each verb, and of the format check."""
    choice = Choice()
    scripts = table(package.manifest, "scripts")
    bodies = {name: body for name, body in scripts.items() if isinstance(body, str)}
    for verb, names in NAMES.items():
        _take_first(package, bodies, choice, verb, names)
    _take_format_check(package, bodies, choice)
    _split_lint(package, bodies, choice)
    for name in _END_TO_END:
        if name in bodies:
            reason = "end-to-end tests need servers or browsers; add it as a task to run it"
            choice.left_out.append((f"{name} script of package.json", reason))
    return choice


def own_scripts(command: Command, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scripts of the same package which are all that a command runs; else none."""
    words = [word for word in command.args if word not in {"-s", "--silent", "run", "run-script"}]
    if command.program in _SEVERAL:
        wanted = [word for word in words if word not in {"-p", "--parallel", "--sequential", "-l"}]
        found = [[name for name in names if _fits(name, word)] for word in wanted]
        return tuple(name for group in found for name in group) if all(found) else ()
    if command.program in MANAGERS and len(words) == 1 and words[0] in names:
        return (words[0],)
    return ()


def _fits(name: str, pattern: str) -> bool:
    """Whether npm-run-all's pattern means the script: a ``*`` stays between colons."""
    return fnmatchcase(name, pattern) and name.count(":") == pattern.count(":")


def _take_first(
    package: Package, bodies: dict[str, str], choice: Choice, verb: str, names: tuple[str, ...]
) -> None:
    for name in names:
        if name not in bodies:
            continue
        script = _script(verb, name, bodies)
        if _is_another(package, script, bodies[name]):
            continue
        reason = _reason_against(package, script)
        if reason is None:
            choice.scripts.append(script)
            choice.spoken_for.add(verb)
            return
        choice.left_out.append((f"{name} script of package.json", reason))
        if reason != _WATCHES:
            choice.spoken_for.add(verb)
            return


def _is_another(package: Package, script: Script, text: str) -> bool:
    """Whether the script is not what its name says."""
    if script.verb == "format":  # `_take_format_check` takes it
        return script.body is not None and _all(script.body, tools.checks)
    if script.verb == "type-check" and script.name in _DOUBTFUL_TYPES:
        return not _only_checks_types(package, script)
    return script.verb == "test" and "no test specified" in text  # npm's placeholder


def _take_format_check(package: Package, bodies: dict[str, str], choice: Choice) -> None:
    lint = next((script.name for script in choice.scripts if script.verb == "lint"), "")
    covered = _closure(lint, bodies)
    for name in (*FORMAT_CHECKS, *NAMES["format"]):
        if name not in bodies or name in covered:
            continue
        script = _script("lint", name, bodies)
        writes = script.body is not None and any(map(tools.writes, script.body.commands))
        checks = script.body is not None and _all(script.body, tools.checks)
        if name in NAMES["format"] and not checks:
            continue
        if writes:
            continue
        reason = _reason_against(package, script)
        if reason is None:
            choice.scripts.append(script)
        else:
            choice.left_out.append((f"{name} script of package.json", reason))
        return


def _split_lint(package: Package, bodies: dict[str, str], choice: Choice) -> None:
    """Replace a lint script that only runs scripts beside it: its parts run side by side."""
    whole = next((script for script in choice.scripts if script.verb == "lint"), None)
    if whole is None or whole.body is None or not whole.body.chained or whole.framed:
        return
    named = [own_scripts(command, tuple(bodies)) for command in whole.body.commands]
    parts = [_script("lint", name, bodies) for names in named for name in names]
    if all(named) and all(_only_reads(package, part) for part in parts):
        at = choice.scripts.index(whole)
        choice.scripts[at : at + 1] = parts


def _only_reads(package: Package, part: Script) -> bool:
    reads = part.body is not None and not any(map(tools.writes, part.body.commands))
    return reads and _reason_against(package, part) is None


def _script(verb: str, name: str, bodies: dict[str, str]) -> Script:
    framed = f"pre{name}" in bodies or f"post{name}" in bodies
    return Script(verb, name, parse(bodies[name]), framed)


def _reason_against(package: Package, script: Script) -> str | None:
    """Why a script is no task."""
    body = script.body
    if body is None:
        return None
    if _all(body, _does_nothing):
        return "only prints a line"
    if _works_below(package, body) or _all(body, lambda command: _delegates(package, command)):
        return "delegates to the workspaces"
    watching = [command for command in body.commands if tools.watches(command)]
    if watching and not _can_run_once(package, script):
        return _WATCHES
    waiting = [command for command in body.commands if tools.words_to_end(command)]
    # a package manager appends words to the last command only
    return _WATCHES if any(command is not body.commands[-1] for command in waiting) else None


def _can_run_once(package: Package, script: Script) -> bool:
    """Whether the words that make it watch can be taken away: only where it is started directly."""
    command = script.body.only if script.body else None
    return (
        command is not None
        and not script.framed
        and tools.once(command) is not None
        and tools.is_direct(package, command)
    )


def _all(body: Body, check: Callable[[Command], bool]) -> bool:
    return body.chained and all(check(command) for command in body.commands)


def _does_nothing(command: Command) -> bool:
    words = " ".join((command.program, *command.args))
    return command.program in _NOTHING or words in _NOTHING


def _delegates(package: Package, command: Command) -> bool:
    """Whether the command runs scripts of other folders, under names that are verbs there."""
    words = {*command.args, *(part for word in command.args for part in re.split(r"[=:,]", word))}
    if not words & _ALL_NAMES:
        return False
    if command.program in MANAGERS and words & _FOLDER_OPTIONS:
        return any(package.folder.exists(f"{word}/package.json") for word in words)
    elsewhere = bool(words & _ELSEWHERE.get(command.program, frozenset()))
    via_manager = command.program in MANAGERS and bool(_DELEGATORS & set(command.args[:2]))
    return package.is_root and (elsewhere or via_manager or command.program in _DELEGATORS)


def _works_below(package: Package, body: Body) -> bool:
    """``cd web && npm run build`` where web is a project of its own."""
    first, *rest = body.commands
    return (
        body.chained
        and bool(rest)
        and (first.program, len(first.args)) == ("cd", 1)
        and package.folder.exists(f"{first.args[0]}/package.json")
        and all(
            command.program in MANAGERS and bool(set(command.args) & _ALL_NAMES) for command in rest
        )
    )


def _only_checks_types(package: Package, script: Script) -> bool:
    command = script.body.only if script.body else None
    if command is None or command.program not in {"tsc", "vue-tsc"}:
        return False
    return not tsconfig.emits(package.folder, command.args)


def _closure(name: str, bodies: dict[str, str]) -> set[str]:
    """Return the scripts that a script runs, and those that they run."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for inner in _named(bodies.get(waiting.pop(), ""), tuple(bodies)):
            if inner not in found:
                found.add(inner)
                waiting.append(inner)
    return found


def _named(body: str, names: tuple[str, ...]) -> Iterator[str]:
    parsed = parse(body) if body else None
    for command in parsed.commands if parsed else ():
        yield from own_scripts(command, names)
