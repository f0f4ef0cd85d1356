"""What may stand next on a command line of Invoke's: names, flags, values, each with its help.

Asked by the scripts of `completion_scripts`, through Invoke's own flag ``--complete``; without
them, or in a ``tasks.py`` that is none of ours, Invoke answers itself. Nothing means: a path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.program import Program
from invoke.util import helpline

from polylane.errors import UserError
from polylane.integrations.completion_values import LISTS, VALUES, Candidate
from polylane.records import NamedTuple


class _Typed(NamedTuple):
    """What stands before the word that is completed."""

    context: ParserContext
    #: The flag whose value comes next, if one wants it.
    flag: Argument | None = None
    #: The flags of this Invoke task that are there.
    given: frozenset[str] = frozenset()
    #: How many words stand there that are neither flags nor their values.
    positional: int = 0


def answer(program: Program, folder: Path) -> str:
    """A line for each candidate, behind a tab its help; ``folder``: of the workspace.

    The words are those behind ``--``, the program's name first, the one to be completed last.
    """
    argv = list(program.argv)
    words = argv[argv.index("--") + 2 :] if "--" in argv else []
    try:
        found = list(_candidates(program, folder, words or [""]))
    except UserError:
        return ""
    return "".join(f"{name}\t{' '.join(text.split())}\n" for name, text in found)


def _candidates(program: Program, folder: Path, words: Sequence[str]) -> Iterator[Candidate]:
    *before, word = words
    if "--" in before:  # the tools' own
        return
    typed = _read(program, before)
    name, equals, start = word.partition("=")
    if typed.flag is not None and not (typed.flag.optional and word.startswith("-")):
        yield from _values(program, folder, typed, typed.flag, word)
    elif word.startswith("--") and equals:
        if argument := _flag(program, typed.context, name):
            found = _values(program, folder, typed, argument, start)
            yield from (Candidate(f"{name}={value}", text) for value, text in found)
    elif word.startswith("-"):
        yield from _flags(typed)
    elif typed.positional < len(typed.context.positional_args):
        argument = typed.context.positional_args[typed.positional]
        yield from _values(program, folder, typed, argument, word)
    else:
        yield from _names(program, word)


def _read(program: Program, words: Sequence[str]) -> _Typed:
    typed = _Typed(program.initial_context)
    contexts = program.parser.contexts
    for word in words:
        if typed.flag is not None and not (typed.flag.optional and word.startswith("-")):
            typed = typed._replace(flag=None)
        elif word.startswith("-"):
            name, equals, _ = word.partition("=")
            argument = _flag(program, typed.context, name)
            wants = argument is not None and argument.takes_value and not equals
            names = argument.names if argument is not None else ()
            typed = typed._replace(
                flag=argument if wants else None, given=typed.given | {*names, name.strip("-")}
            )
        elif typed.positional < len(typed.context.positional_args):
            typed = typed._replace(positional=typed.positional + 1)
        elif word in contexts:
            typed = _Typed(contexts[word])
    return typed


def _flag(program: Program, context: ParserContext, name: str) -> Argument | None:
    """A flag of the Invoke task, or else of Invoke itself, which takes its own everywhere."""
    found: Argument | None = context.flags.get(name) or program.initial_context.flags.get(name)
    return found


def _flags(typed: _Typed) -> Iterator[Candidate]:
    """The long flags that can still be given."""
    for argument in dict.fromkeys(typed.context.flags.values()):
        is_list = argument.kind is list
        if is_list or argument.incrementable or typed.given.isdisjoint(argument.names):
            for name in argument.names:
                if len(name) > 1:
                    yield Candidate(f"--{name}", argument.help or "")
    for name in typed.context.inverse_flags:
        if name.strip("-") not in typed.given:
            yield Candidate(name, "")


def _values(
    program: Program, folder: Path, typed: _Typed, argument: Argument, word: str
) -> Iterator[Candidate]:
    """The values of a flag: of ours, and of those of Invoke's that name Invoke tasks."""
    name, flag = typed.context.name, argument.name or ""
    if name is None or flag not in typed.context.args:
        if flag == "help":
            yield from _names(program, word)
        elif flag == "list":
            yield from (Candidate(each) for each in program.collection.collections)
        return
    if not _is_ours(program, name) or flag not in VALUES:
        return
    # Of several names with commas between, the last one is completed.
    head, comma, _ = word.rpartition(",") if flag in LISTS else ("", "", "")
    chosen = head.split(",")
    for value, text in VALUES[flag](folder):
        if value not in chosen:
            yield Candidate(f"{head}{comma}{value}", text)


def _is_ours(program: Program, name: str) -> bool:
    module: str = program.collection[name].body.__module__
    return module.partition(".")[0] == "polylane"


def _names(program: Program, word: str) -> Iterator[Candidate]:
    """The Invoke tasks; their other names only for a word that begins none of these."""
    names = program.collection.task_names
    is_begun = any(name.startswith(word) for name in names)
    for name, others in names.items():
        text = helpline(program.collection[name]) or ""
        for each in (name, *(() if is_begun else others)):
            yield Candidate(each, text)
