"""Tasks, claims and graphs for the planner's tests, and a planner that tries every path.

The universe is small enough to enumerate, and rich enough for every kind of pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from polylane.model import Claim, Task
from polylane.plan.graph import Graph, build

#: The same examples in every run; set ``max_examples`` higher to search by hand.
searched = settings(deadline=None, derandomize=True, database=None, max_examples=100)

NAMES = ("a", "b", "ab", "a.py", "b.py")
Path = tuple[str, ...]
UNIVERSE: tuple[Path, ...] = tuple(p for n in range(4) for p in product(NAMES, repeat=n))

_SEGMENTS = ("a", "b", "ab", "a.py", "*", "**", "?", "*.py", "a*", "?b", "a.??", "*b*")

patterns = st.lists(st.sampled_from(_SEGMENTS), max_size=4).map(lambda s: "/".join(s) or ".")


@st.composite
def claims(draw: st.DrawFn, *, max_size: int = 9) -> list[Claim]:
    """Claims that share a few patterns, so that most of them have something to do with others."""
    few = draw(st.lists(patterns, min_size=1, max_size=4))
    marked = st.tuples(st.sampled_from(("", "", "", "!")), st.sampled_from(few)).map("".join)
    some = st.lists(marked, max_size=3).map(tuple)
    locks = st.lists(st.sampled_from(("x", "y")), max_size=1).map(tuple)
    each = st.builds(Claim, reads=some, writes=some, locks=locks)
    return draw(st.lists(each, max_size=max_size))


def task(name: str, **fields: Any) -> Task:
    """A task whose id is ``name``."""
    verb = fields.pop("verb", "test")
    claim = Claim(
        reads=tuple(fields.pop("reads", ())),
        writes=tuple(fields.pop("writes", ())),
        locks=tuple(fields.pop("locks", ())),
    )
    return Task(
        id=name,
        verb=verb,
        project=fields.pop("project", "p"),
        language=fields.pop("language", ""),
        tool=fields.pop("tool", "t"),
        argv=fields.pop("argv", ("true",)),
        cwd=".",
        claim=fields.pop("claim", claim),
        **fields,
    )


def graph_of(*tasks: Task) -> Graph:
    """The graph of tasks whose reference order is the order in which they are given."""
    place = {each.id: i for i, each in enumerate(tasks)}
    return build(tasks, lambda each: (place[each.id],))


def numbered(claims: Sequence[Claim]) -> list[Task]:
    """A task for each claim: ``t0``, ``t1``, ..."""
    return [task(f"t{i}", claim=claim) for i, claim in enumerate(claims)]


@st.composite
def graphs(draw: st.DrawFn, *, max_size: int = 9) -> Graph:
    """Graphs of tasks with random claims, slots, verbs and needs on earlier tasks."""
    tasks: list[Task] = []
    for i, claim in enumerate(draw(claims(max_size=max_size))):
        earlier = [each.id for each in tasks]
        some = (
            st.lists(st.sampled_from(earlier), max_size=2, unique=True) if earlier else st.just([])
        )
        tasks.append(
            task(
                f"t{i}",
                claim=claim,
                needs=tuple(draw(some)),
                after=tuple(draw(some)),
                slots=draw(st.integers(1, 3)),
                verb=draw(st.sampled_from(("lint", "test"))),
            )
        )
    return graph_of(*tasks)


@cache
def matched(pattern: str) -> frozenset[Path]:
    """The paths of the universe that a pattern without ``!`` stands for, tried one by one."""
    segments = tuple(s for s in pattern.split("/") if s not in ("", "."))
    if not segments or segments[-1] not in ("*", "**"):
        segments = (*segments, "**")
    return frozenset(path for path in UNIVERSE if _matches(path, segments))


def _matches(path: Path, segments: Path) -> bool:
    if not segments:
        return not path
    if segments[0] == "**":
        return any(_matches(path[i:], segments[1:]) for i in range(len(path) + 1))
    return bool(path) and _name(path[0], segments[0]) and _matches(path[1:], segments[1:])


def _name(name: str, glob: str) -> bool:
    if not glob:
        return not name
    if glob[0] == "*":
        return any(_name(name[i:], glob[1:]) for i in range(len(name) + 1))
    return bool(name) and glob[0] in ("?", name[0]) and _name(name[1:], glob[1:])


def paths(said: Sequence[str]) -> frozenset[Path]:
    """The paths of patterns in turn: ``!`` takes away from those before it."""
    found: frozenset[Path] = frozenset()
    for pattern in said:
        own = matched(pattern.removeprefix("!"))
        found = found - own if pattern.startswith("!") else found | own
    return found


def conflict(a: Claim, b: Claim) -> bool:
    """Whether one writes what the other reads or writes, or both hold a lock."""
    reads_a, writes_a, reads_b, writes_b = map(paths, (a.reads, a.writes, b.reads, b.writes))
    return bool(
        writes_a & (reads_b | writes_b) or writes_b & reads_a or set(a.locks) & set(b.locks)
    )


def ancestors(graph: Graph) -> list[set[int]]:
    """For each vertex everything from which an edge path leads to it."""
    found: list[set[int]] = [set() for _ in graph.before]
    for vertex in graph.order:
        for earlier in graph.before[vertex]:
            found[vertex] |= {earlier, *found[earlier]}
    return found
