"""The Invoke tasks that only the program ``polylane`` has: ``init`` and ``completion``.

They need no workspace. Knows nothing of what they do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task

from polylane.integrations.invoke_flags import exits


def init(c: Any, yes: bool = False, ci: str = "") -> None:  # noqa: FBT001, FBT002 - Invoke's way
    """Write tasks.py, noxfile.py, the hooks and a CI job; shows them and asks before."""
    from polylane.integrations.init import init

    with exits():
        init(Path.cwd(), yes=yes, ci=ci, dry=c.config.run.dry)


def completion(_: Any, shell: str) -> None:
    """Print the script that completes inv and polylane in bash, zsh or fish."""
    from polylane.integrations.completion_scripts import script

    with exits():
        print(script(shell), end="")


def _made() -> tuple[Task[Any], ...]:
    return (
        Task(
            init,
            auto_shortflags=False,
            help={
                "yes": "write without asking",
                "ci": "the CI job: github, gitlab or none; without it, what is used here",
            },
        ),
        Task(
            completion,
            positional=["shell"],
            auto_shortflags=False,
            help={"shell": "bash, zsh or fish"},
        ),
    )


def add(collection: Collection) -> Collection:
    """Add them, but where people's own have their names."""
    taken = {*collection.tasks, *collection.tasks.aliases, *collection.collections}
    for task in _made():
        if task.name not in taken:
            collection.add_task(task)
    return collection


def asked_for(words: list[str]) -> bool:
    """Whether a command line asks for one of them, whatever flags of Invoke's stand before."""
    first = next((word for word in words if not word.startswith("-")), "")
    return first in {task.name for task in _made()}
