"""The programs of Node that polylane knows, one row each, and what their words mean.

A row without ``claims`` gets the safe default: test runners have none, because tests may write
anywhere in their project. Knows nothing of scripts and verbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylane.describe.languages.node import claims as touches
from polylane.describe.languages.node.claims import Call, Claims
from polylane.describe.languages.node.package import matching

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylane.describe.languages.node.command import Command
    from polylane.describe.languages.node.package import Package


@dataclass(frozen=True, slots=True)
class Tool:
    """A program."""

    #: The dependencies that bring it.
    packages: tuple[str, ...]
    #: Names of its configuration files.
    configs: tuple[str, ...] = ()
    #: Configuration files of other tools that it reads.
    also_reads: tuple[str, ...] = ()
    claims: Callable[[Call], Claims] | None = None
    #: Endings of files that it takes as words, where its target is ``.``.
    endings: Callable[[Call], tuple[str, ...]] | None = None
    #: Words which say that it writes.
    write_flags: tuple[str, ...] = ()
    #: Words which say that it only checks; `mend` replaces them by the first of `write_flags`.
    check_flags: tuple[str, ...] = ()
    #: Words which say that it watches and never ends; and subcommands, ``""`` for none, that do.
    watch_flags: tuple[str, ...] = ("--watch",)
    watch_commands: tuple[str, ...] = ()
    #: Words that end a watch mode which is the default of a subcommand (``""``: of any).
    once: tuple[str, tuple[str, ...]] = ("", ())
    #: Without its watch words it does the same once: a test runner does, a compiler may not.
    tests: bool = False


_BOTH = ("--watch", "-w")
_SERVERS = ("", "dev", "serve", "preview")
_VITE = ("vite.config.*",)
#: Programs that may be called directly: all of them read no variable that a package manager sets,
#: unless their configuration does.
TOOLS: dict[str, Tool] = {
    "eslint": Tool(
        ("eslint",),
        touches.ESLINT,
        claims=touches.claim_eslint,
        endings=touches.eslint_endings,
        write_flags=("--fix",),
    ),
    "prettier": Tool(
        ("prettier",),
        touches.PRETTIER,
        claims=touches.claim_prettier,
        endings=touches.prettier_endings,
        write_flags=("--write", "-w"),
        check_flags=("--check", "-c", "--list-different", "-l"),
    ),
    "biome": Tool(
        ("@biomejs/biome",),
        touches.BIOME,
        claims=touches.claim_biome,
        endings=touches.biome_endings,
        write_flags=("--write", "--fix", "--apply"),
    ),
    "oxlint": Tool(("oxlint",), (".oxlintrc.json",), write_flags=("--fix",)),
    "stylelint": Tool(
        ("stylelint",), (".stylelintrc*", "stylelint.config.*"), write_flags=("--fix",)
    ),
    "tsc": Tool(("typescript",), claims=touches.claim_tsc, watch_flags=_BOTH),
    "vue-tsc": Tool(("vue-tsc",), claims=touches.claim_tsc, watch_flags=_BOTH),
    "svelte-check": Tool(("svelte-check",), ("svelte.config.*",)),
    "vitest": Tool(
        ("vitest",),
        ("vitest.config.*", "vitest.workspace.*"),
        also_reads=_VITE,
        watch_flags=_BOTH,
        watch_commands=("watch", "dev"),
        once=("", ("--run",)),
        tests=True,
    ),
    "jest": Tool(("jest",), ("jest.config.*",), watch_flags=("--watch", "--watchAll"), tests=True),
    "mocha": Tool(("mocha",), (".mocharc*",), watch_flags=_BOTH, tests=True),
    "ava": Tool(("ava",), ("ava.config.*",), watch_flags=_BOTH, tests=True),
    "typedoc": Tool(("typedoc",), ("typedoc.*",), claims=touches.claim_typedoc),
    "vite": Tool(("vite",), _VITE, watch_flags=_BOTH, watch_commands=_SERVERS),
    "vitepress": Tool(("vitepress",), watch_commands=_SERVERS),
    "rollup": Tool(("rollup",), ("rollup.config.*",), watch_flags=_BOTH),
    "webpack": Tool(
        ("webpack", "webpack-cli"),
        ("webpack.config.*",),
        watch_flags=_BOTH,
        watch_commands=("serve", "watch"),
    ),
    "tsup": Tool(("tsup",), ("tsup.config.*",)),
}
_ENDLESS = Tool((), watch_commands=("*",))
_DEV = Tool((), watch_commands=("", "dev", "start", "serve", "preview"))
#: Programs which are started through the package manager, but are known to watch or to serve.
OTHERS: dict[str, Tool] = {
    "nodemon": _ENDLESS,
    "ts-node-dev": _ENDLESS,
    "live-server": _ENDLESS,
    "http-server": _ENDLESS,
    "serve": _ENDLESS,
    "chokidar": _ENDLESS,
    "onchange": _ENDLESS,
    "webpack-dev-server": _ENDLESS,
    "next": _DEV,
    "nuxt": _DEV,
    "astro": _DEV,
    "docusaurus": _DEV,
    "storybook": _DEV,
    "tsx": Tool((), watch_commands=("watch",)),
    "ng": Tool((), watch_commands=("serve",), once=("test", ("--watch=false",))),
    "react-scripts": Tool((), watch_commands=("start",), once=("test", ("--watchAll=false",))),
}
_UNKNOWN = Tool(())
#: Words of vitest with which it runs once, whatever else is said.
_VITEST_ONCE = frozenset(
    ("run", "--run", "--watch=false", "--no-watch", "related", "bench", "list")
)


def tool_of(command: Command) -> Tool:
    """Return the row of a command's program; an empty one for an unknown program."""
    return TOOLS.get(command.program) or OTHERS.get(command.program) or _UNKNOWN


def watches(command: Command) -> bool:
    """Whether the command never ends by itself."""
    tool = tool_of(command)
    first = _subcommand(command)
    asked = "*" in tool.watch_commands or first in tool.watch_commands
    if "build" in command.args:  # vite --mode test build
        asked = False
    return asked or any(flag in command.args for flag in tool.watch_flags)


def words_to_end(command: Command) -> tuple[str, ...]:
    """Words to append so that a command whose default is a watch mode runs once."""
    which, words = tool_of(command).once
    if not words or which not in {"", _subcommand(command)}:
        return ()
    return () if _VITEST_ONCE & set(command.args) or set(words) & set(command.args) else words


def once(command: Command) -> Command | None:
    """Return the command without its watch mode; ``None`` where it has no meaning without."""
    tool = tool_of(command)
    if watches(command):
        if not tool.tests:
            return None
        command = command._replace(
            args=tuple(
                word
                for word in command.args
                if word not in (*tool.watch_flags, *tool.watch_commands)
            ),
        )
    if command.program == "vitest" and words_to_end(command):
        return command._replace(args=("run", *command.args))
    return command._replace(args=(*command.args, *words_to_end(command)))


def writes(command: Command) -> bool:
    """Whether a word says that the command writes into sources."""
    return any(flag in command.args for flag in tool_of(command).write_flags)


def checks(command: Command) -> bool:
    """Whether the command is known to check the form of sources without writing."""
    tool = tool_of(command)
    formats = command.program == "biome" and _subcommand(command) in {"check", "ci", "format"}
    return not writes(command) and (
        formats or any(word in command.args for word in tool.check_flags)
    )


def mend(command: Command) -> tuple[str, ...]:
    """Return the command that mends what ``command``, whose last word is ``.``, finds; or none."""
    tool = tool_of(command)
    if not tool.write_flags or writes(command):
        return ()
    kept = [
        "check" if word == "ci" else word for word in command.args if word not in tool.check_flags
    ]
    return (command.program, *kept[:-1], tool.write_flags[0], *kept[-1:])


def _subcommand(command: Command) -> str:
    first = command.args[0] if command.args else ""
    return "" if first.startswith("-") else first


def is_direct(package: Package, command: Command) -> bool:
    """Whether the program may be started without the package manager, which costs 150-360 ms."""
    if not command.plain:
        return False
    if command.program == "node":
        return command.args[:1] == ("--test",)
    tool = TOOLS.get(command.program)
    if tool is None or not set(tool.packages) & package.available.keys():
        return False
    configs = matching(package.folder, tool.configs + tool.also_reads)
    return not any("npm_" in (package.folder.text(name) or "") for name in configs)


def claims(package: Package, command: Command) -> Claims:
    """Return what the command touches; unknown for most programs."""
    tool = tool_of(command)
    return tool.claims(Call(package, command, writes(command))) if tool.claims else Claims()


def endings(package: Package, command: Command) -> tuple[str, ...]:
    """Return the endings of changed files that may stand in place of the last word."""
    tool = tool_of(command)
    return tool.endings(Call(package, command, writes(command))) if tool.endings else ()
