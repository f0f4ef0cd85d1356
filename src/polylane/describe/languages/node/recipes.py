"""Turns the chosen scripts into recipes: directly where that is the same, else by the manager.

Knows nothing of how scripts are chosen; the rows of `tools` say what a program claims.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylane.describe.languages.node import tools, tsconfig
from polylane.describe.languages.node.claims import Claims
from polylane.describe.languages.node.inside import inside
from polylane.describe.languages.node.manager import MANAGERS, installs
from polylane.model import Recipe

if TYPE_CHECKING:
    from polylane.describe.languages.node.command import Command
    from polylane.describe.languages.node.package import Package
    from polylane.describe.languages.node.scripts import Choice, Script

_TESTED = (("build", "^build"), ())
#: Verb to (needs, after).
_ORDER: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "build": (("^build",), ()),
    "lint": ((), ("^build",)),
    "type-check": ((), ("^build",)),
    "docs": ((), ("^build",)),
    "test": _TESTED,
    "test-unit": _TESTED,
    "test-integration": _TESTED,
}
#: What Node's tools leave; the cleaner removes of these only what git ignores.
_LEFTOVERS = (
    "dist", "build", "out", "coverage", ".nyc_output", ".next", ".nuxt", ".turbo", ".eslintcache",
    "*.tsbuildinfo", "node_modules/.cache", "node_modules/.vite",
)  # fmt: skip
#: Options of eslint, prettier and biome whose value may be ``.``.
_TAKE_A_PATH = frozenset((
    "-c", "--config", "--config-path", "--ignore-path", "--rulesdir",
    "--resolve-plugins-relative-to",
))  # fmt: skip
#: Programs that touch the folders which their words name: with ``../`` those of other projects.
_MOVERS = frozenset(
    ("cd", "cp", "mv", "rm", "rsync", "ln", "mkdir", "shx", "cpy", "copyfiles", "ncp", "rimraf")
)


def script_recipes(package: Package, choice: Choice) -> list[Recipe]:
    """One recipe a script, with tool names that are unique within a verb."""
    recipes: list[Recipe] = []
    taken: set[tuple[str, str]] = set()
    for script in choice.scripts:
        recipe = _script_recipe(package, script)
        slug = re.sub(r"[^a-z0-9]+", "-", script.name.lower()).strip("-")
        while (recipe.verb, recipe.tool) in taken:
            recipe = recipe._replace(tool=f"{recipe.tool}-{slug}")
        taken.add((recipe.verb, recipe.tool))
        recipes.append(recipe)
    return recipes


def setup_recipe(package: Package) -> Recipe | None:
    """Return the install; ``None`` where the folder above does it, or none is due."""
    if package.home is not package.folder:
        return None
    argv = installs(package.folder, package.manager)
    if not package.depends and argv[-1] == "install" and not package.is_root:
        return None
    creates = (package.manager.creates,)
    return Recipe("setup", package.manager.name, argv, takes_arguments=False, creates=creates)


def audit_recipe(package: Package) -> Recipe | None:
    """Return the package manager's audit, at the folder with the lockfile that it reads."""
    manager = package.manager
    locks = [name for name in manager.locks if package.folder.exists(name)]
    if not locks:
        return None
    reads = ("**/package.json", *locks)
    return Recipe("security", f"{manager.name}-audit", manager.audit, reads, (), audit=True)


def clean_recipe(package: Package) -> Recipe:
    """Remove what the tools leave."""
    written = tsconfig.written_by(package.folder, ()) or ()
    outputs = [path for path in written if not path.startswith(("/", "*"))]
    patterns = tuple(dict.fromkeys((*_LEFTOVERS, *outputs)))
    argv = ("{python}", "-m", "polylane.tools.clean", *patterns)
    return Recipe("clean", "node", argv, (), patterns, takes_arguments=False)


def _script_recipe(package: Package, script: Script) -> Recipe:
    command = script.body.only if script.body else None
    once = tools.once(command) if command else None
    if command and once and not script.framed and tools.is_direct(package, command):
        return direct_recipe(package, script.verb, once)
    claims = tools.claims(package, command) if command and not script.framed else Claims()
    if script.body and any(map(_reaches_out, script.body.commands)):
        claims = Claims(("/**",), ("/**",))
    needs, after = _ORDER.get(script.verb, ((), ()))
    return Recipe(
        script.verb,
        package.manager.name,
        _managed(package, script),
        claims.reads,
        claims.writes,
        claims.caches,
        needs,
        after,
        takes_arguments=command is not None,
        inside=inside(package, script.body.commands if script.body else ()),
    )


def _reaches_out(command: Command) -> bool:
    """Whether the command works, or moves files, in other folders of the workspace."""
    moves = command.program in _MOVERS
    return moves and any(word == ".." or word.startswith("../") for word in command.args)


def _managed(package: Package, script: Script) -> tuple[str, ...]:
    """Return the script started by the package manager."""
    manager = package.manager
    commands = script.body.commands if script.body else ()
    # A silent manager silences the managers below it too, with their reasons to fail.
    quiet = (
        bool(commands)
        and not script.framed
        and not any(command.program in MANAGERS for command in commands)
    )
    more = tools.words_to_end(commands[-1]) if commands else ()
    words = manager.separator if len(commands) == 1 or more else ()
    return (*(manager.quiet if quiet else manager.run), script.name, *words, *more)


def direct_recipe(package: Package, verb: str, command: Command) -> Recipe:
    """Return the program itself."""
    command = _target_last(command)
    claims = tools.claims(package, command)
    needs, after = _ORDER.get(verb, ((), ()))
    whole = _checks_all(command)
    mended = tools.mend(command) if whole and verb == "lint" else ()
    runner = () if package.manager.bins else package.manager.run
    return Recipe(
        verb,
        command.program,
        (*runner, command.program, *command.args),
        claims.reads,
        claims.writes,
        claims.caches,
        needs,
        after,
        command.env,
        file_endings=tools.endings(package, command) if whole else (),
        fix_argv=(*runner, *mended) if mended else (),
        inside=inside(package, (command,)),
    )


def _target_last(command: Command) -> Command:
    """Return the same command with its target ``.`` as the last word, where that can be said."""
    if command.program not in {"eslint", "prettier"} or command.args.count(".") != 1:
        return command
    at = command.args.index(".")
    if at and command.args[at - 1] in _TAKE_A_PATH:
        return command
    return command._replace(args=(*command.args[:at], *command.args[at + 1 :], "."))


def _checks_all(command: Command) -> bool:
    """Whether the whole folder, as the last word, is the only target."""
    words = command.args[1:-1] if command.program == "biome" else command.args[:-1]
    pairs = zip(("", *words), words, strict=False)
    return (
        command.args[-1:] == (".",)
        and not (words and words[-1] in _TAKE_A_PATH)
        and all(word.startswith("-") or before.startswith("--") for before, word in pairs)
    )
