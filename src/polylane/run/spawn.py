"""Starts a program by one call of the C library, at half of what `subprocess` takes.

The process that calls must have marked what its programs shall not inherit (`keep_to_itself`): the
C library closes nothing. Knows nothing of tasks, logs and confinement.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping
from contextlib import suppress

#: What Python ignores for itself; `subprocess` resets it, too.
_RESET = tuple(
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ") if hasattr(signal, name)
)

_SEARCH_ON = (errno.ENOENT, errno.ENOTDIR)


def keep_to_itself() -> None:
    """Mark all that is open, but the standard streams, to be closed in what this process starts."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a Path costs as much
        with suppress(OSError):  # the listing's own
            if (descriptor := int(name)) > 2:  # noqa: PLR2004 - the standard streams
                os.set_inheritable(descriptor, False)  # noqa: FBT003 - no keyword there


def spawn(
    command: list[str],
    environment: Mapping[bytes, bytes],
    *,
    output: int | None,
    session: bool,
) -> int:
    """Start a program in the current folder; returns its pid, a child of ours.

    ``output``: where both its streams go, else to ours. ``session``: it leads one of its own.
    A name without a slash is looked for in the ``PATH`` of ``environment``, which is encoded.
    `OSError` and `ValueError` as `subprocess.Popen` raises them.
    """
    actions = [] if output is None else [(os.POSIX_SPAWN_DUP2, output, 1)]
    if output is not None:
        actions.append((os.POSIX_SPAWN_DUP2, output, 2))
    said: OSError | None = None
    for path in _candidates(command[0], environment):
        try:
            return os.posix_spawn(
                path,
                command,
                environment,
                file_actions=actions,
                setsid=session,
                setsigdef=_RESET,
            )
        except OSError as error:
            if said is None or said.errno in _SEARCH_ON:
                said = error
    assert said is not None
    raise OSError(said.errno, os.strerror(said.errno or 0), command[0])


def _candidates(program: str, environment: Mapping[bytes, bytes]) -> list[str]:
    """The paths to try; the last one always, to hear why it cannot be started."""
    if "/" in program:
        return [program]
    path = environment.get(b"PATH")
    folders = os.defpath if path is None else os.fsdecode(path)
    paths = [f"{folder}/{program}" if folder else f"./{program}" for folder in folders.split(":")]
    # A start that fails costs as much as one that succeeds, a look next to nothing.
    return [path for path in paths[:-1] if os.access(path, os.F_OK)] + paths[-1:]
