"""``polylane-hook``: the three hooks for pre-commit and prek.

Turns the files that a hook is given into a `Request`, and a `RunResult` into an exit code. What is
heavy is imported when there is something to do.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylane.errors import DEFECT, PASSED, SIGNAL_BASE, UserError
from polylane.integrations.hook_files import HOOKS, Change, Hook, Narrowing
from polylane.integrations.hook_words import USAGE, Words, parse, workspace_folder

if TYPE_CHECKING:
    from polylane.describe.workspace import Workspace
    from polylane.integrations.bodies import Body
    from polylane.integrations.hook_memory import Memory
    from polylane.model import Task
    from polylane.planning import Request


class _NothingToDo(Exception):  # noqa: N818 - it is no error
    """No task is asked for by the changed files."""


def main() -> None:
    """Run the program with the words of the command line."""
    try:
        code = run(sys.argv[1:])
    except UserError as error:
        print(f"polylane: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:  # before or after a run, which answers for itself
        code = SIGNAL_BASE + signal.SIGINT
    except Exception as error:  # noqa: BLE001 - whatever it is, people get one line
        from polylane.integrations.defect import report

        print(report(error), file=sys.stderr)
        code = DEFECT
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run a hook; returns its exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE, end="")
        return PASSED if argv else UserError.exit_code
    if argv[0] == "--version":
        from polylane import __version__

        print(f"polylane-hook {__version__}")
        return PASSED
    words = parse(argv)
    folder = workspace_folder(words)
    change = find_change(words, folder)
    return _run(words, folder, change) if change.paths else PASSED


def find_change(words: Words, folder: Path) -> Change:
    """The files of the command line, and those that are gone, which no hook is ever given."""
    from polylane.describe import git
    from polylane.describe.config import hook_range

    start = str(Path.cwd())
    given = [os.path.normpath(os.path.join(start, name)) for name in words.files]  # noqa: PTH118
    base = f"{folder}/".replace("//", "/")
    paths = [path.removeprefix(base) for path in given if path.startswith(base)]
    between = hook_range()
    if between is None:
        paths += git.staged_deletions(folder)
    else:  # a push that is given no names is asked for all that it changes
        every = words.hook == "push" and not words.files
        paths += git.changed(folder, *between, gone=not every)
    present = [(path, os.path.isfile(base + path)) for path in dict.fromkeys(paths)]  # noqa: PTH113
    return Change(
        tuple(path for path, there in present if there),
        tuple(path for path, there in present if not there),
    )


def _run(words: Words, folder: Path, change: Change) -> int:
    from polylane.describe import git
    from polylane.integrations import offers
    from polylane.integrations.hook_memory import Memory
    from polylane.integrations.index_guard import guarded

    hook = HOOKS[words.hook]
    bodies = _bodies(words, folder)
    memory = None if hook.mends else Memory(folder, hook.name, words.plain(), words.files)
    narrowing = Narrowing(
        hook, change, _manifests(hook, change), memory.done if memory else frozenset()
    )
    request = _request(words, folder, hook, narrowing)
    try:
        if "--open-index" in words.flags:
            result = offers.run(request, bodies, _invoke_config(folder, bodies))
        else:
            with guarded(git.index_file(folder)):
                result = offers.run(request, bodies, _invoke_config(folder, bodies))
    except _NothingToDo:
        return PASSED
    _keep(memory, narrowing, result.tasks)
    return result.exit_code


def _keep(memory: Memory | None, narrowing: Narrowing, results: Sequence[Any]) -> None:
    from polylane.outcome import Outcome

    if memory is not None:
        ran = (each.id for each in results if each.outcome is not Outcome.CANCELLED)
        memory.keep(narrowing.whole.intersection(ran))


def _request(words: Words, folder: Path, hook: Hook, narrowing: Narrowing) -> Request:
    from polylane.integrations.flags import jobs, seconds
    from polylane.plan.selection import Selection
    from polylane.planning import Request

    def adapt(tasks: list[Task], workspace: Workspace) -> list[Task]:
        kept = narrowing(tasks, workspace)
        if not kept:
            raise _NothingToDo
        return kept

    return Request(
        folder=folder,
        selection=Selection(
            hook.verbs,
            words.names("--language"),
            words.names("--project"),
            note=f"files={len(narrowing.change.paths)}",
        ),
        parallel=True,
        sequential="--sequential" in words.flags,
        jobs=jobs(words.value("--jobs")),
        fail_fast="--fail-fast" in words.flags,
        output="errors",
        timeout=seconds(words.value("--timeout")),
        adapt=adapt,
        must_match=False,
        brief=True,
    )


def _manifests(hook: Hook, change: Change) -> frozenset[str]:
    """The names of manifests, where one may be gone and others depend on it."""
    if not (hook.dependents and change.gone):
        return frozenset()
    from polylane.describe import languages

    targets = languages.registered().values()
    return frozenset(name for target in targets for name in languages.load(target).manifests)


def _bodies(words: Words, folder: Path) -> list[Body]:
    if "--no-own-tasks" in words.flags:
        return []
    from polylane.integrations import own_tasks

    try:
        bodies = own_tasks.load(folder)
    except UserError as error:
        raise UserError(f"{error}, or give the hook --no-own-tasks") from error
    if bodies:
        sys.path.append(str(folder))  # as Invoke does, for what bodies import when they run
    return bodies


def _invoke_config(folder: Path, bodies: Sequence[Body]) -> Any:
    """What `inv` would give the bodies' contexts: the workspace's ``invoke.yaml`` and the like."""
    if not bodies:
        return None
    from invoke.config import Config

    config = Config(project_location=folder)
    config.load_project()
    config.load_shell_env()
    return config
