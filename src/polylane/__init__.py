"""polylane: run the checks of a repository in several languages side by side.

The public names: `namespace` for ``tasks.py``, `nox_sessions` for ``noxfile.py``, and `task` for
people's own Invoke tasks. Each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polylane.integrations.bodies import task
    from polylane.integrations.invoke_tasks import namespace
    from polylane.integrations.nox_sessions import nox_sessions

__version__ = "0.1.0"
__all__ = ["__version__", "namespace", "nox_sessions", "task"]

_HOMES = {
    "namespace": "polylane.integrations.invoke_tasks",
    "nox_sessions": "polylane.integrations.nox_sessions",
    "task": "polylane.integrations.bodies",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from polylane.garbage import paused

    with paused():
        return getattr(import_module(_HOMES[name]), name)
