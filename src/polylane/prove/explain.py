"""Which two tasks a difference comes from: by what they touched, and by the orders that show it.

Pure. Knows nothing of how rounds are run or compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from polylane.model import Task
from polylane.plan.graph import Graph
from polylane.plan.observed import Collision, Observed, Patterns, collisions, names_in, one_holds
from polylane.prove.compare import FILE, Item
from polylane.records import NamedTuple

#: So many pairs are named for one difference, and so many paths for a pair.
_PAIRS = 3
_PATHS = 3


class Suspect(NamedTuple):
    """Two tasks, in reference order, that no edge orders."""

    first: str
    second: str
    #: Where they were seen to meet; empty where only the orders accuse them.
    paths: tuple[str, ...] = ()
    #: How they met at the first of these paths, in words; empty as these are.
    how: str = ""
    #: Lines of configuration by which the plan would order them.
    lines: tuple[str, ...] = ()


class Evidence:
    """What is known of the rounds, and of what tasks touched."""

    def __init__(
        self,
        graph: Graph,
        rounds: Sequence[Mapping[int, tuple[float, float]]],
        seen: Mapping[str, Observed],
        table: str = "tool.polylane.",
    ) -> None:
        """``rounds``: start and end of each task in each parallel round.

        ``seen``: what tasks touched in a sequential run; empty where nobody can tell. ``table``:
        where the configuration is, with a dot behind.
        """
        self._tasks = {task.id: task for task in graph.tasks}
        self._place = {task.id: i for i, task in enumerate(graph.tasks)}
        self._rounds = rounds
        self._seen = seen
        self._table = table
        self._met = [each for each in collisions(graph, seen) if not each.ordered]
        self._graph = graph

    def suspects(self, item: Item, differing: Iterable[int]) -> tuple[Suspect, ...]:
        """The pairs that explain a difference best; ``differing``: the rounds that show it."""
        rounds = frozenset(differing)
        involved = self.involved(item)
        accused = [each for each in self._met if self._accuses(each.first, each.second, rounds)]
        for met in (
            [each for each in self._met if item.kind == FILE and item.name in each.paths],
            [each for each in self._met if {each.first, each.second} & involved],
            accused,  # what was read may come through other tasks
        ):
            if met:
                best = [each for each in met if each in accused] or met
                return tuple(map(self._suspect, best[:_PAIRS]))
        return () if self._seen else self._by_order(involved, rounds)

    def involved(self, item: Item) -> frozenset[str]:
        """The tasks that a difference is seen at: those that wrote the path, or may write it."""
        if item.kind != FILE:
            return frozenset((item.name,))
        wrote = {name for name, seen in self._seen.items() if item.name in seen.writes}
        return frozenset(wrote or self._claimants(item.name))

    def _claimants(self, path: str) -> set[str]:
        """Those that name the path, else those whose whole project it is in."""
        may = {t.id: t for t in self._tasks.values() if Patterns(t.claim.writes).hold(path)}
        return {name for name, task in may.items() if task.claim.known} or set(may)

    def _by_order(self, involved: frozenset[str], rounds: frozenset[int]) -> tuple[Suspect, ...]:
        """Pairs that ran in another way in the rounds that differ, and in no other."""
        before = self._graph.ancestors()
        accused = [
            (first.id, second.id)
            for place, second in enumerate(self._graph.tasks)
            for i, first in enumerate(self._graph.tasks[:place])
            if not before[place] >> i & 1 and self._accuses(first.id, second.id, rounds)
        ]
        near = [pair for pair in accused if involved & {*pair}] or accused
        return tuple(Suspect(*pair) for pair in near[:_PAIRS])

    def _accuses(self, first: str, second: str, rounds: frozenset[int]) -> bool:
        """Whether two tasks ran in sequence in all rounds but those that differ."""
        for number, spans in enumerate(self._rounds):
            one, other = spans.get(self._place[first]), spans.get(self._place[second])
            if one and other and (one[1] > other[0]) != (number in rounds):
                return False
        return True

    def _suspect(self, met: Collision) -> Suspect:
        paths = met.paths[:_PATHS]
        lines = [
            line
            for name in (met.first, met.second)
            if name in self._seen and (line := self._missing(self._tasks[name], met.paths))
        ]
        return Suspect(met.first, met.second, paths, self._how(met), tuple(lines))

    def _how(self, met: Collision) -> str:
        path = met.paths[0]
        if path in self._seen[met.first].ports:
            return f"{met.first} and {met.second} both listen at {path}"
        writers = [n for n in (met.first, met.second) if path in self._seen[n].writes]
        if len(writers) != 1:
            return f"{met.first} and {met.second} both {'write' if writers else 'use'} {path}"
        (writer,) = writers
        other = met.second if writer == met.first else met.first
        verb = "reads" if path in self._seen[other].reads else "lists beside others"
        return f"{writer} writes {path}, which {other} {verb}"

    def _missing(self, task: Task, paths: Iterable[str]) -> str:
        """What the claim of a task lacks of some paths, as lines of configuration."""
        seen, claim = self._seen[task.id], task.claim
        may_write = one_holds(claim.writes, claim.caches)
        may_read = one_holds(claim.reads, claim.writes, claim.caches)
        files = [path for path in paths if path not in seen.ports]
        read = [_as_read(path, seen) for path in files if path not in seen.writes]
        lacks = (
            ("reads", claim.reads, [p for p in read if not may_read(p)]),
            (
                "writes",
                claim.writes,
                [p for p in files if p in seen.writes and not may_write(p)],
            ),
            ("locks", claim.locks, [path for path in paths if path in seen.ports]),
        )
        said = [f"{key} = {_array((*old, *new[:_PATHS]))}" for key, old, new in lacks if new]
        return "\n".join([f'[{self._table}tasks."{task.id}"]', *said]) if said else ""


def _as_read(path: str, seen: Observed) -> str:
    """The path, or the names in its folder where only these were asked for."""
    folder = path.rpartition("/")[0] or "."
    return names_in(folder) if path not in seen.reads and folder in seen.listed else path


def _array(values: Iterable[str]) -> str:
    """An array of TOML, each value once."""
    return f"[{', '.join(json.dumps(value) for value in dict.fromkeys(values))}]"
