"""The command line of ``polylane-hook``: words -> the hook, its flags, and files.

Knows nothing of what a hook does.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from polylane.describe.home import workspace_around
from polylane.errors import UserError, did_you_mean
from polylane.integrations.hook_files import HOOKS

USAGE = """\
usage: polylane-hook fix|check|push [flags] [--] [FILE ...]

  fix    format the files, and mend what linters can mend
  check  lint the files and check their format; writes nothing
  push   check the types and run the unit tests of the changed projects and of their dependents

flags:
  --jobs N          slots: how many tasks run at once; a number, auto, or such as 50%
  --sequential      run one task at a time
  --fail-fast       cancel the rest at the first failure
  --timeout S       seconds that each task may take
  --project NAME    only this project (repeatable)
  --language NAME   only this language (repeatable)
  --workspace DIR   the workspace, where it is not the repository's own folder
  --no-own-tasks    leave out the @polylane.task functions of tasks.py
  --open-index      let tasks, and other terminals, change git's index meanwhile
"""
_VALUES = ("--jobs", "--timeout", "--project", "--language", "--workspace")
_SWITCHES = ("--sequential", "--fail-fast", "--no-own-tasks", "--open-index")


@dataclass(slots=True)
class Words:
    """The command line."""

    hook: str
    #: Every flag with its values; switches have none.
    flags: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def value(self, flag: str) -> str:
        """The last value of a flag, or an empty text."""
        return self.flags.get(flag, [""])[-1]

    def names(self, flag: str) -> tuple[str, ...]:
        """All values of a flag."""
        return tuple(self.flags.get(flag, ()))

    def plain(self) -> list[str]:
        """The flags as words again."""
        return [word for flag, values in self.flags.items() for word in (flag, *values)]


def parse(argv: Sequence[str]) -> Words:
    """Read the command line: the hook, flags, and files from the first word that is no flag."""
    if argv[0] not in HOOKS:
        hint = did_you_mean(argv[0], HOOKS) or f"; hooks: {', '.join(HOOKS)}"
        raise UserError(f"polylane-hook {argv[0]}: there is no such hook{hint}")
    words = Words(argv[0])
    rest = list(argv[1:])
    while rest and rest[0].startswith("-"):
        flag, equals, value = rest[0].partition("=")
        if flag in _SWITCHES and not equals:
            words.flags[flag] = []
        elif flag in _VALUES:
            if not equals:
                if len(rest) == 1:
                    raise UserError(f"{flag}: needs a value")
                value = rest.pop(1)
            words.flags.setdefault(flag, []).append(value)
        elif flag == "--":
            rest.pop(0)
            break
        elif os.path.lexists(rest[0]):  # a file, where the hook's args lost their "--"
            break
        else:
            hint = did_you_mean(flag, (*_VALUES, *_SWITCHES))
            raise UserError(f"polylane-hook {rest[0]}: there is no such flag{hint}")
        rest.pop(0)
    words.files = rest
    return words


def workspace_folder(words: Words) -> Path:
    """The folder that was named, else the nearest one above with our configuration or git's."""
    named = words.value("--workspace")
    start = Path.cwd()
    if named:
        if not (start / named).is_dir():
            raise UserError(f"--workspace {named}: is no folder")
        return (start / named).resolve()
    return workspace_around(start)
