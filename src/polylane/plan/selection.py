"""What was asked for -> the tasks that run, and their place in the reference order.

Pure: it sees tasks, not how they were found.
"""

from collections.abc import Callable, Iterable, Mapping

from polylane.errors import UserError, did_you_mean
from polylane.model import VERBS, Project, Task, task_id
from polylane.records import NamedTuple

#: So many names are listed in a message.
_LISTED = 12


class Selection(NamedTuple):
    """Verbs in the order in which a sequential run takes them; empty filters take everything."""

    verbs: tuple[str, ...]
    languages: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    #: Ids to which the selection is narrowed further, where it is not empty.
    ids: frozenset[str] = frozenset()
    #: What else narrows it, for people and history: ``files=3``.
    note: str = ""

    def words(self) -> list[str]:
        """The selection for people and ``result.json``: ``["lint", "project=api"]``."""
        filters = [f"project={name}" for name in self.projects]
        filters += [self.note] if self.note else []
        return [*self.verbs, *(f"language={name}" for name in self.languages), *filters]


def select(tasks: Mapping[str, Task], selection: Selection) -> list[Task]:
    """The selected tasks and all that they need, in no particular order.

    A filter that no project or language answers to is a `UserError`; a selection that matches
    nothing is an empty list.
    """
    _check(tasks, selection)
    chosen = [task.id for task in tasks.values() if _matches(task, selection)]
    found = dict.fromkeys(chosen)
    while chosen:
        for need in tasks[chosen.pop()].needs:
            if need not in found:
                found[need] = None
                chosen.append(need)
    return [tasks[name] for name in found]


def _matches(task: Task, selection: Selection) -> bool:
    return (
        task.verb in selection.verbs
        and (not selection.languages or task.language in selection.languages)
        and (not selection.projects or task.project in selection.projects)
        and (not selection.ids or task.id in selection.ids)
    )


def _check(tasks: Mapping[str, Task], selection: Selection) -> None:
    known = {
        "verb": (selection.verbs, {*VERBS, *(t.verb for t in tasks.values())}),
        "language": (selection.languages, {t.language for t in tasks.values()}),
        "project": (selection.projects, {t.project for t in tasks.values()}),
    }
    for what, (asked, names) in known.items():
        for name in asked:
            if name not in names:
                hint = did_you_mean(name, names) or _listed(what, names)
                raise UserError(f"there is no {what} {name!r} with a task{hint}")


def _listed(what: str, names: Iterable[str]) -> str:
    shown = sorted(name for name in names if name)
    more = ", ..." if len(shown) > _LISTED else ""
    return f"; {what}s: {', '.join(shown[:_LISTED])}{more}" if shown else ""


def reference_key(
    selection: Selection,
    projects: Mapping[str, Project],
    languages: Iterable[str],
    tasks: Iterable[Task],
) -> Callable[[Task], tuple[object, ...]]:
    """The place of a task in the reference order, as far as no need decides.

    By verb, then dependencies between projects, language, project path, the language's order of
    tools (that of ``tasks``), id. Parts of a task, with ids of their own, share its place.
    """
    verbs = {verb: i for i, verb in reversed([*enumerate(selection.verbs)])}
    depth = _depths(projects)
    language = {name: i for i, name in enumerate(languages)}
    place = {task.id: i for i, task in enumerate(tasks)}
    paths = {name: project.path for name, project in projects.items()}
    pulled_in = -1  # a verb that only needs brought in comes before those that were asked for

    def key(task: Task) -> tuple[object, ...]:
        return (
            verbs.get(task.verb, pulled_in),
            depth.get(task.project, 0),
            language.get(task.language, len(language)),
            paths.get(task.project, ""),
            place.get(task.id, place.get(task_id(task.verb, task.project, task.tool), len(place))),
            task.id,
        )

    return key


def _depths(projects: Mapping[str, Project]) -> dict[str, int]:
    """For each project the length of the longest chain of projects below it; cycles count once."""
    depth: dict[str, int] = {}
    for start in projects:
        if start in depth:
            continue
        stack = [(start, iter(projects[start].depends))]
        open_names = {start}
        while stack:
            name, rest = stack[-1]
            child = next((c for c in rest if c not in depth and c not in open_names), None)
            if child is not None:
                open_names.add(child)
                stack.append((child, iter(projects[child].depends)))
            else:
                stack.pop()
                known = [depth[c] for c in projects[name].depends if c in depth]
                depth[name] = 1 + max(known, default=-1)
    return depth
