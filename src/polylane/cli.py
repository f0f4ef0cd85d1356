"""The program ``polylane``: the Invoke tasks of a workspace where there is no ``tasks.py``.

In a folder with a ``tasks.py`` it is ``inv`` itself, with two commands of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.program import Program

from polylane import __version__
from polylane.describe.home import workspace_around
from polylane.integrations import commands, invoke_program, own_tasks


class _Program(Program):
    """Invoke's program, with our commands beside what a ``tasks.py`` has."""

    def load_collection(self) -> None:
        """Invoke's own method."""
        super().load_collection()
        commands.add(self.collection)


def main() -> None:
    """Run the program with the words of the command line."""
    folder = workspace_around(Path.cwd())
    if commands.asked_for(sys.argv[1:]):
        _run(folder, commands.add(Collection()))
    elif own_tasks.file_of(folder) is not None:
        _run(folder)
    else:
        _run(folder, commands.add(_offered(folder)))


def _offered(folder: Path) -> Collection:
    from polylane.integrations.invoke_tasks import WorkspaceCollection

    try:
        return WorkspaceCollection(folder, {}).filled()
    except Exit as error:
        if "--complete" in sys.argv:
            return Collection()
        print(error.message, file=sys.stderr)
        sys.exit(error.code)


def _run(folder: Path, namespace: Collection | None = None) -> None:
    program = _Program(namespace=namespace, name="polylane", binary="polylane", version=__version__)
    invoke_program.attach(program, folder)
    program.run()
