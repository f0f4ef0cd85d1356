"""The Python of a workspace that this process has loaded: ``tasks.py``, and what its tasks import.

What is loaded stays as it is, so that a change of it needs a new process. Knows nothing of how
changes are seen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from invoke.collection import Collection as InvokeCollection

from polylane.integrations import own_tasks, trial_load


class OwnPython:
    """What a process has loaded of a workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> list[Path]:
        """The files whose change matters in any case: those that say what tasks there are."""
        names = {name for name, _ in self._loaded(with_bodies=False)}
        return [self._folder / name for name in (*own_tasks.FILES, *sorted(names))]

    def of(self, changed: Collection[str], *, with_bodies: bool) -> list[str]:
        """Those of the paths that are loaded here.

        ``with_bodies``: whatever a Python body may use is, too; else only what says which tasks
        there are.
        """
        loaded = {*own_tasks.FILES, *(n for n, _ in self._loaded(with_bodies=with_bodies))}
        return sorted(loaded.intersection(changed))

    def _loaded(self, *, with_bodies: bool) -> Iterator[tuple[str, ModuleType]]:
        """Paths of modules, relative to the workspace, with the modules."""
        base = f"{self._folder}{os.sep}"
        found = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if file.startswith(base) and "site-packages" not in file:
                found[name] = (file.removeprefix(base), module)
        hosts = {name.partition(".")[0] for name, (_, m) in found.items() if _is_invokes(m)}
        for name, each in found.items():
            if with_bodies or name.partition(".")[0] in hosts:
                yield each

    def broken(self, paths: Collection[str]) -> str:
        """Why a new process could not load these, in a line; empty where it can be tried."""
        for path in paths:
            try:
                compile((self._folder / path).read_bytes(), path, "exec")
            except SyntaxError as error:
                return f"{path}:{error.lineno}: {error.msg}; waiting until it is mended"
            except (OSError, ValueError) as error:
                return f"{path}: cannot be read: {error}; waiting until it can"
        loaded = [module for _, module in self._loaded(with_bodies=True)]
        hosts = [module.__name__ for module in loaded if _is_invokes(module)]
        why = trial_load.why_not(self._folder, [each.__name__ for each in loaded], hosts)
        return f"{why}; waiting until it is mended" if why else ""

    def start_anew(self) -> NoReturn:
        """Run the same command line in the place of this process."""
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, (sys.executable, *sys.orig_argv[1:]))  # noqa: S606 - no shell


def _is_invokes(module: ModuleType) -> bool:
    """Whether Invoke finds its tasks in a module."""
    return any(isinstance(value, InvokeCollection) for value in vars(module).values())
