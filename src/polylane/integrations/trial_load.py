"""Loads modules again in a fork of this process, and says in a line why that fails.

A new process that cannot load them would end with a traceback. Knows nothing of what they are for.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Collection
from pathlib import Path

from polylane.run import forked


def why_not(folder: Path, loaded: Collection[str], first: Collection[str]) -> str:
    """Why the modules ``first`` cannot be imported anew; nothing where they can.

    ``loaded``: all modules of ``folder``, which are forgotten before.
    """
    why = forked.ask(lambda: _tried(folder, loaded, first))
    return "loading it ends the process" if why is None else why


def _tried(folder: Path, loaded: Collection[str], first: Collection[str]) -> str:
    try:
        with open(os.devnull, "r+b") as null:
            for descriptor in (0, 1, 2):
                os.dup2(null.fileno(), descriptor)
        for name in loaded:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        for name in first:
            importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it would end a new process
        return _in_words(error, folder)
    return ""


def _in_words(error: BaseException, folder: Path) -> str:
    """What was raised, and the line of the folder that it comes from."""
    places = [(each.filename, each.lineno) for each in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    base = f"{folder}{os.sep}"
    own = [f"{file.removeprefix(base)}:{n}" for file, n in places if file.startswith(base)]
    words = " ".join(str(error).split())
    return ": ".join(filter(None, (*own[-1:], type(error).__name__, words)))
