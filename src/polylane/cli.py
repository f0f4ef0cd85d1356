"""The program ``polylane``: the Invoke tasks of a workspace where there is no ``tasks.py``.

In a folder with a ``tasks.py`` it is ``inv`` itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.program import Program

from polylane import __version__
from polylane.describe.home import workspace_around
from polylane.integrations import invoke_program, own_tasks


def main() -> None:
    """Run the program with the words of the command line."""
    folder = workspace_around(Path.cwd())
    if own_tasks.file_of(folder) is not None:
        _run()
        return
    from polylane.integrations.invoke_tasks import WorkspaceCollection

    try:
        namespace = WorkspaceCollection(folder, {}).filled()
    except Exit as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.code)
    _run(namespace)


def _run(namespace: Collection | None = None) -> None:
    program = Program(namespace=namespace, name="polylane", binary="polylane", version=__version__)
    invoke_program.attach(program)
    program.run()
