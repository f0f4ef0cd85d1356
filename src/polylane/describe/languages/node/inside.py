"""What a script comes to, as far as it says how many cores it takes: `Recipe.inside`.

Knows the options of vitest's and jest's configuration files, by their texts; runs none of them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from polylane.describe.languages.node.package import matching, table
from polylane.describe.languages.node.tools import tool_of
from polylane.describe.languages.widths import ROWS

if TYPE_CHECKING:
    from polylane.describe.languages.node.command import Command
    from polylane.describe.languages.node.package import Package

_CONFIGURED = frozenset({"vitest", "jest"})
_ONE = re.compile(r"\bfileParallelism\W{1,4}false|\bsingle(?:Fork|Thread)\W{1,4}true")
_NUMBER = re.compile(r"\bmax(?:Workers|Forks|Threads)[\"']?\s*:\s*(.+)")
_AMOUNT = re.compile(r"[\"']?(\d+%?)[\"']?[\s,;})\]]*$")


def inside(package: Package, commands: Iterable[Command]) -> str:
    """The commands, with what configuration adds; empty where no tool of theirs could be wide."""
    known = [command for command in commands if command.program in ROWS]
    return " && ".join(
        shlex.join((command.program, *command.args, *_added(package, command))) for command in known
    )


def _added(package: Package, command: Command) -> tuple[str, ...]:
    """The options that say how wide it is; a number that only running it would tell is 1."""
    if command.program not in _CONFIGURED:
        return ()
    for text in _texts(package, command):
        if _ONE.search(text):
            return ("--maxWorkers=1",)
        if said := _NUMBER.search(text):
            amount = _AMOUNT.match(said[1])
            return (f"--maxWorkers={amount[1] if amount else 1}",)
    return ()


def _texts(package: Package, command: Command) -> Iterator[str]:
    tool = tool_of(command)
    for name in matching(package.folder, tool.configs + tool.also_reads):
        yield package.folder.text(name) or ""
    if said := table(package.manifest, command.program).get("maxWorkers"):
        yield f"maxWorkers: {said}"
