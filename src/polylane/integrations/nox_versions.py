"""An environment of nox's for one Python version: the workspace's projects are installed into it.

What is installed is what the projects' ``setup`` installs into their own environments. Knows
nothing of what runs there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import nox

from polylane.describe.languages.base import Environment
from polylane.integrations import offers, setup
from polylane.model import Task
from polylane.planning import Request
from polylane.start import lock_projects

if TYPE_CHECKING:
    from polylane.integrations.bodies import Body

_LANGUAGE = "python"
_OUR_SETUP = ("-m", "polylane.tools.setup_python")


def environments(
    session: nox.Session, request: Request, bodies: Sequence[Body]
) -> dict[str, Environment]:
    """Install the projects that a request selects; returns what leads ``PATH`` for Python.

    Nothing where nox was told to make no environments (``--no-venv``).
    """
    folders = tuple(str(Path(path).resolve()) for path in session.bin_paths or ())
    if not folders:
        return {}
    place = str(Path(session.virtualenv.location).resolve())
    python = [t for t in setup.plan_setup(request, bodies).graph.tasks if t.language == _LANGUAGE]
    due = setup.serving(python, offers.plan(request, bodies))
    if due:
        # A build of the project writes into it, as that of another version does.
        locks, _ = lock_projects(setup.plan_setup(request, bodies, due))
        try:
            for task in due:
                _install(session, request.folder / task.cwd, task, place)
        finally:
            locks.release()
    return {_LANGUAGE: Environment(folders, (("VIRTUAL_ENV", place),))}


def _install(session: nox.Session, folder: Path, task: Task, place: str) -> None:
    """Do what a setup task does, into the environment at ``place``."""
    env = {**dict(task.env), "VIRTUAL_ENV": place, "UV_PROJECT_ENVIRONMENT": place}
    with session.chdir(folder):
        if task.argv[1:3] == _OUR_SETUP:
            _pip_install(session, folder, task.argv[3:])
        elif task.argv[:2] == ("uv", "sync"):
            # Exact would take away what another project has installed.
            words = ("uv", "sync", "--inexact", f"--python={place}", *task.argv[2:])
            session.run_install(*words, env=env, external=True)
        else:
            words = ("/bin/sh", "-c", *task.argv) if task.shell else task.argv
            session.run_install(*words, env=env, external=True)


def _pip_install(session: nox.Session, folder: Path, words: Sequence[str]) -> None:
    from polylane.tools import setup_python

    if wanted := setup_python.pip_words(folder, words):
        session.install(*wanted)
