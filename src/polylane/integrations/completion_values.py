"""The values that our flags may have here, for completion: what this workspace has, and has run.

Knows nothing of command lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from polylane.records import NamedTuple


class Candidate(NamedTuple):
    """What may stand there, and its help."""

    name: str
    help: str = ""


def _fixed(**values: str) -> Callable[[Path], Iterator[Candidate]]:
    return lambda _: (Candidate(*each) for each in values.items())


def _jobs(_: Path) -> Iterator[Candidate]:
    from polylane.run.slots import cores

    yield Candidate("auto", "as many as helped so far")
    for count in range(1, min(cores(), 8) + 1):
        yield Candidate(str(count))
    yield Candidate("50%", "of the cores")


def _projects(folder: Path) -> Iterator[Candidate]:
    from polylane.describe import config, workspace

    for project in workspace.find(config.load(folder)).projects.values():
        yield Candidate(project.name, f"{project.path} ({', '.join(project.languages)})")


def _languages(folder: Path) -> Iterator[Candidate]:
    from polylane.describe import config, workspace

    found = workspace.find(config.load(folder))
    used = {language for each in found.projects.values() for language in each.languages}
    for name in found.languages:
        if name in used:
            yield Candidate(name)


def _verbs(folder: Path) -> Iterator[Candidate]:
    """Verbs and pipelines."""
    from polylane.integrations import bodies, offers

    for offer in offers.find(folder, bodies.registry):
        if not (offer.parallel or offer.languages or offer.ids):
            yield Candidate(offer.name, offer.help)


def _runs(folder: Path) -> Iterator[Candidate]:
    """The newest first."""
    from polylane.describe.home import NAME

    found = (folder / NAME / "runs").glob("*/result.json")
    yield from (Candidate(name) for name in sorted((f.parent.name for f in found), reverse=True))


def _shells(_: Path) -> Iterator[Candidate]:
    from polylane.integrations.completion_scripts import SHELLS

    yield from (Candidate(shell) for shell in SHELLS)


#: By the flag's name. Flags that take a path, or any text, are not among them.
VALUES: Mapping[str, Callable[[Path], Iterator[Candidate]]] = {
    "jobs": _jobs,
    "project": _projects,
    "language": _languages,
    "output": _fixed(
        auto="live on a terminal, else grouped",
        live="a board of what runs",
        grouped="each task's output whole",
        stream="lines as they come",
        errors="the output of failed tasks",
    ),
    "timeout": _fixed(**{"60": "", "300": "", "1800": "", "3600": ""}),
    "sandbox": _fixed(
        projects="a task writes to its own project",
        strict="a task writes to what it claims",
        off="not confined",
    ),
    "rounds": _fixed(**{"5": "", "10": "", "20": ""}),
    "select": _verbs,
    "run": _runs,
    "ci": _fixed(github="GitHub Actions", gitlab="GitLab", none="no CI job"),
    "shell": _shells,
}

#: Flags of ours that take several values with commas between.
LISTS = frozenset({"language", "select"})
