"""What to say where Invoke could not read a command line: what, which word, how to mend it.

Knows nothing of workspaces, plans or runs.
"""

from __future__ import annotations

import re
from ast import literal_eval
from itertools import pairwise

from invoke.exceptions import ParseError
from invoke.parser.context import ParserContext
from invoke.program import Program

from polylane.errors import did_you_mean
from polylane.model import VERBS

# The texts of Invoke's parser (invoke/parser/parser.py, 2.2 to 3.0), which hold a `repr`. Other
# texts are passed on as they are.
_UNKNOWN = re.compile(r"No idea what (?P<word>(['\"]).*\2) is!")
_NOT_GIVEN = re.compile(
    r"'(?P<task>.*)' did not receive required positional arguments: (?P<names>.*)"
)
_NO_VALUE = re.compile(r"Flag <Argument: (?P<name>\S+?)(?: .*)?> needed value")


def misread(program: Program, error: ParseError) -> str:
    """One line for an error of Invoke's parser."""
    context = error.context
    if context is not None and (unknown := _UNKNOWN.fullmatch(str(error))):
        word = literal_eval(unknown["word"])
        if word.startswith("-"):
            return _no_flag(program, context, word)
        return _given_twice(program, context, word) or no_task(program, word)
    if context is not None and (bare := _NO_VALUE.match(str(error))):
        return _no_value(program, context, bare["name"])
    if missing := _NOT_GIVEN.fullmatch(str(error)):
        typed, task = _typed(program), missing["task"]
        return f"{typed} {task}: lacks {missing['names']}; {typed} --help {task} says what it wants"
    return str(error)


def no_task(program: Program, name: str) -> str:
    """One line for the name of an Invoke task that does not exist."""
    message = f"there is no Invoke task {name!r}"
    names = program.collection.task_names
    everything = f"{_typed(program)} --list shows what there is"
    if name.removesuffix("-parallel") in VERBS:
        return f"{message}, since no project has this verb; {everything}"
    hint = did_you_mean(name, (*names, *(alias for each in names.values() for alias in each)))
    return message + (hint or f"; {everything}")


def _given_twice(program: Program, context: ParserContext, value: str) -> str:
    """Invoke takes the value of a flag that had one for the name of a task."""
    words: list[str] = program.argv
    for flag, word in pairwise(words):
        if word == value and flag in context.flags and words.count(flag) > 1:
            return f"{_start(program, context)}: {flag} is given twice; give it once"
    return ""


def _no_flag(program: Program, context: ParserContext, flag: str) -> str:
    message = f"{_start(program, context)}: there is no flag {flag!r}"
    known = [name.removeprefix("--") for name in context.flag_names() if name.startswith("--")]
    # The dashes, which all flags have, would make any two of them alike.
    if hint := did_you_mean(flag.lstrip("-"), known):
        return message + hint.replace("'", "'--", 1)
    if not context.name:
        return message + _where_it_goes(program, flag)
    message += f"; {_typed(program)} --help {context.name} shows what there is"
    return message + _words(program, context.name)


def _where_it_goes(program: Program, flag: str) -> str:
    contexts = program.parser.contexts
    for name in (*program.core.unparsed, *contexts):
        if name in contexts and flag in contexts[name].flags:
            return f"; it goes behind its Invoke task, as in: {_typed(program)} {name} {flag}"
    return f"; {_typed(program)} --help shows what there is"


def _words(program: Program, name: str) -> str:
    ours = program.collection[name].body.__module__.partition(".")[0] == "polylane"
    return ", and words for the tools go behind --" if ours else ""


def _no_value(program: Program, context: ParserContext, name: str) -> str:
    argument = context.args.get(name)
    about = f" ({argument.help})" if argument is not None and argument.help else ""
    return f"{_start(program, context)}: --{name} needs a value{about}"


def _start(program: Program, context: ParserContext) -> str:
    return " ".join(filter(None, (_typed(program), context.name)))


def _typed(program: Program) -> str:
    """The program's name as people type it: Invoke calls itself ``inv[oke]``."""
    return program.binary.replace("[oke]", "")
