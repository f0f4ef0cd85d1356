"""Reads the body of a package.json script: which commands it holds, and what it needs a shell for.

Knows nothing of what a program does, and starts nothing.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache

from polylane.records import NamedTuple

#: A command: all that stands between two operators, quotes kept whole.
_SEGMENT = re.compile(r"""(?:[^'"\\&|;\n]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+""", re.DOTALL)
#: Quoted text in which no shell finds anything to expand.
_QUOTED = re.compile(r"""'[^']*'|"[^"$`\\!]*\"""")
#: What a shell does something with, outside quotes.
_SHELL = re.compile(r"""[$`<>()*?\[\]{}'"\\!]|(?:^|\s)[~#]|=~""")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
#: Shell builtins which are no programs, or do something else as programs.
_BUILTINS = frozenset((
    "cd", "exit", "export", "set", "unset", "source", ".", ":", "alias", "eval", "exec", "umask",
    "ulimit", "trap", "wait", "if", "for", "while", "case", "until", "function", "return",
    "shift", "local", "read", "test", "echo", "printf",
))  # fmt: skip
#: Words before a program which only say: take it from node_modules/.bin.
_RUNNERS = (
    ("npx", "--no-install"),
    ("npx", "--no"),
    ("npx",),
    ("bunx",),
    ("pnpm", "exec"),
    ("yarn", "exec"),
    ("npm", "exec", "--"),
    ("bun", "x"),
)


class Command(NamedTuple):
    """One command of a script."""

    program: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    #: Means the same when it is started without a shell.
    plain: bool = True


class Body(NamedTuple):
    """The commands of a script in their order."""

    commands: tuple[Command, ...]
    #: No other operator than ``&&`` joins them: each must pass.
    chained: bool

    @property
    def only(self) -> Command | None:
        """The command, where there is just one."""
        return self.commands[0] if len(self.commands) == 1 and self.chained else None


@lru_cache(maxsize=4096)  # many packages have the same few scripts
def parse(body: str) -> Body | None:
    """Return the commands of ``body``; ``None`` where only a shell can tell."""
    segments = [segment for segment in _SEGMENT.findall(body) if segment.strip()]
    operators = set(_SEGMENT.sub(" ", body).split())
    commands = [_command(segment) for segment in segments]
    known = tuple(command for command in commands if command is not None)
    if not known or len(known) < len(commands) or operators & {"'", '"', "\\"}:
        return None  # a quote that nothing closes, or no program
    return Body(known, chained=operators <= {"&&"})


def _command(segment: str) -> Command | None:
    words = shlex.split(segment)
    env, words = _assignments(words)
    if words[:1] in (["cross-env"], ["cross-env-shell"]):
        more, words = _assignments(words[1:])
        env += more
    words = _without_runner(words)
    if not words:
        return None
    program = words[0].removeprefix("./").removeprefix("node_modules/.bin/")
    plain = not _SHELL.search(_QUOTED.sub("q", segment)) and program not in _BUILTINS
    return Command(program, tuple(words[1:]), tuple(env), plain)


def _assignments(words: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the leading ``K=V`` words, and the rest."""
    env: list[tuple[str, str]] = []
    for index, word in enumerate(words):
        match = _ASSIGNMENT.fullmatch(word)
        if match is None:
            return env, words[index:]
        env.append((match[1], match[2]))
    return env, []


def _without_runner(words: list[str]) -> list[str]:
    for runner in _RUNNERS:
        rest = words[len(runner) :]
        if tuple(words[: len(runner)]) == runner and rest and not rest[0].startswith("-"):
            return rest
    return words
