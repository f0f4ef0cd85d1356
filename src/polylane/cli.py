"""The program ``polylane``: the Invoke tasks of a workspace where there is no ``tasks.py``.

In a folder with a ``tasks.py`` it is ``inv`` itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.exceptions import Exit
from invoke.program import Program

from polylane import __version__

#: A folder with one of these is a workspace.
_MARKS = ("polylane.toml", ".git")


def main() -> None:
    """Run the program with the words of the command line."""
    folder = workspace_folder(Path.cwd())
    if (folder / "tasks.py").exists():
        Program(name="polylane", binary="polylane", version=__version__).run()
        return
    from polylane.integrations.invoke_tasks import WorkspaceCollection

    try:
        namespace = WorkspaceCollection(folder, {}).filled()
    except Exit as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.code)
    Program(name="polylane", binary="polylane", version=__version__, namespace=namespace).run()


def workspace_folder(start: Path) -> Path:
    """The workspace around a folder: the nearest one with our configuration or git's, or itself."""
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS) or _configured(folder):
            return folder
    return start


def _configured(folder: Path) -> bool:
    try:
        return "[tool.polylane" in (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
