"""Which tools a task starts, and what its words say of how wide they are.

Reads commands roughly as a shell would. Pure: it knows nothing of slots and of what runs.
"""

import shlex
from collections.abc import Iterable, Iterator
from functools import lru_cache

from polylane.describe.languages.widths import ROWS, RUNNERS, Row
from polylane.model import Task
from polylane.records import NamedTuple

#: What stands between commands where a shell reads them.
_OPERATORS = frozenset({"&&", "||", ";", "|", "&", "|&", "(", ")"})
_PYTHONS = ("python", "pypy")


class Use(NamedTuple):
    """One command of a task whose tool we know."""

    row: Row
    #: Its arguments.
    words: tuple[str, ...]

    def said(self) -> int | None:
        """The number that people said; 0 where they said all, None where they said nothing."""
        numbers = map(self._number, range(len(self.words)))
        return max((number for number in numbers if number is not None), default=None)

    def _number(self, at: int) -> int | None:
        word = self.words[at]
        if word in self.row.ones:
            return 1
        if word in self.row.wide_words:
            return 0
        for option in self.row.options:
            if word == option:
                return self._value(self.words[at + 1] if at + 1 < len(self.words) else "")
            if word.startswith(f"{option}="):
                return self._value(word[len(option) + 1 :])
            if len(option) == 2 and word.startswith(option) and is_amount(word[2:]):  # noqa: PLR2004
                return self._value(word[2:])
        return None

    def _value(self, text: str) -> int:
        if not text.isdecimal():
            return 1 if text == "off" else 0
        return int(text) or (1 if self.row.zero_is_one else 0)

    @property
    def is_wide(self) -> bool:
        """Whether it takes every core, as far as its words say."""
        said = self.said()
        return said == 0 or (said is None and self.row.wide and self._is_wide_command())

    def _is_wide_command(self) -> bool:
        first = next((word for word in self.words if word[:1] not in "-+"), "")
        return not self.row.commands or first in self.row.commands

    def without_all(self) -> tuple[str, ...]:
        """The words, less those that say all."""
        kept: list[str] = []
        for at, word in enumerate(self.words):
            after_option = at and self.words[at - 1] in self.row.options and is_amount(word)
            says = self._number(at) == 0 and word not in self.row.wide_words
            if not says and not after_option:
                kept.append(word)
        return tuple(kept)


def is_amount(text: str) -> bool:
    """Whether a text says how many: ``4``, ``auto``, ``50%``."""
    return text.removesuffix("%").isdecimal() or text in ("auto", "logical", "max", "off")


def uses(task: Task) -> tuple[Use, ...]:
    """The commands of a task whose tools we know; what configuration adds counts as words."""
    return _uses(task.argv, task.shell, task.inside)


@lru_cache(maxsize=20_000)  # many projects have the same few
def _uses(argv: tuple[str, ...], shell: bool, inside: str) -> tuple[Use, ...]:  # noqa: FBT001
    direct = _known(_commands(argv[0]) if shell and argv else (argv,))
    if not inside:
        return direct
    found = _known(_commands(inside))
    if len(found) != 1:
        return found
    more = argv[argv.index("--") + 1 :] if "--" in argv else ()
    return (found[0]._replace(words=(*found[0].words, *(direct[0].words if direct else more))),)


def _known(commands: Iterable[tuple[str, ...]]) -> tuple[Use, ...]:
    return tuple(use for words in commands if (use := _use(words)) is not None)


def _commands(text: str) -> Iterator[tuple[str, ...]]:
    """The commands in a shell's text, roughly: as its operators divide it."""
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    try:
        for word in lexer:
            if word in _OPERATORS:
                yield tuple(command)
                command = []
            else:
                command.append(word)
    except ValueError:  # a quote that nothing closes
        return
    yield tuple(command)


def _use(words: tuple[str, ...]) -> Use | None:
    words = _program(words)
    if not words:
        return None
    name = words[0].rpartition("/")[2]
    if name == "cargo" and _subcommand(words) in _CARGO_TESTS:
        name = "cargo test"
    row = ROWS.get(name)
    return None if row is None else Use(row, words[1:])


_CARGO_TESTS = ROWS["cargo test"].commands


def _subcommand(words: tuple[str, ...]) -> str:
    return next((word for word in words[1:] if word[:1] not in "-+"), "")


def _program(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words from the program on that does the work."""
    while words:
        name = words[0].rpartition("/")[2]
        if name.startswith(_PYTHONS) and words[1:2] == ("-m",):
            words = words[2:]
        elif (name,) in RUNNERS:
            words = _after_options(words[1:])
        elif (name, *words[1:2]) in RUNNERS:
            words = _after_options(words[2:])
        elif "=" in words[0] and name == words[0]:
            words = words[1:]
        else:
            break
    return words


def _after_options(words: tuple[str, ...]) -> tuple[str, ...]:
    """Less the options of a runner, whose values we take for programs that nobody knows."""
    while words and words[0].startswith("-"):
        module = words[0] == "-m"
        words = words[1:]
        if module:
            break
    return words
