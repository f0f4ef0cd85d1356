"""A trace in words: what each task touched, what its claim lacked, who met whom, and what it cost.

Sees only data. Many paths are folded; `trace.json` has them all.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from polylane.describe.claims_file import FILE
from polylane.model import Task
from polylane.outcome import Outcome
from polylane.plan.claiming import fold
from polylane.plan.graph import Graph, longest_paths
from polylane.plan.observed import CACHES, Collision, Observed, Patterns
from polylane.planning import Plan
from polylane.prove.trace import TaskTrace, Trace, kept_back
from polylane.records import NamedTuple
from polylane.report import plan_text
from polylane.report.plain import ending
from polylane.report.summary import printable
from polylane.report.words import counted

#: So many places, patterns and pairs are named in one go.
_PLACES = 6
_PATTERNS = 20
_PAIRS = 12

#: So many parts of a path outside of the workspace are shown.
_DEEP = 3

_WRONG = "33"

#: Folders of a home that tools made for all that run at once; they are safe to share.
_SHARED = (".cache", ".npm", ".yarn", ".bun", ".local/share/pnpm", ".local/state/pnpm")


class Line(NamedTuple):
    """One line, and its colour as the numbers of an SGR sequence."""

    text: str
    style: str = ""


def lines(plan: Plan, trace: Trace, path: Path, home: str) -> Iterator[Line]:
    """The report, but for what is written; ``path``: of ``trace.json``; ``home``: the user's."""
    tops = [project.path for project in plan.workspace.projects.values()]
    yield Line(f"\nwhat {_tasks(len(trace.tasks))} touched, one at a time under the tracer:")
    for each in trace.tasks:
        yield from _task(plan, each, tops, home)
    yield Line("")
    yield from _met(trace, tops)
    yield from _met_outside(trace, home)
    yield Line("")
    yield from _cost(trace)
    yield from _lacking(plan, trace)
    yield Line(f"all paths are in {os.path.relpath(path)}")


def _task(plan: Plan, each: TaskTrace, tops: Sequence[str], home: str) -> Iterator[Line]:
    said = "" if each.result.outcome is Outcome.PASSED else f" {ending(each.result)}"
    yield Line(f"\n{printable(each.task.id)}{said}, claim: {_claim(plan, each.task)}")
    if each.seen is None or each.finding is None:
        yield Line("    nothing was seen of it")
        return
    yield from map(Line, _touched(each.task, each.seen, tops, home))
    lost = [f"not seen: {why}" for why in each.seen.lost]
    yield from (Line(f"  ! {text}", _WRONG) for text in lost)
    yield from _wrong("writes what it does not claim", each.finding.writes, tops)
    yield from _wrong("reads what it does not claim", each.finding.reads, tops)
    if each.finding.untouched and _is_said(plan, each.task):
        yield Line(f"    claims and never touched: {_some(each.finding.untouched, _PATTERNS)}")


def _claim(plan: Plan, task: Task) -> str:
    """Where its claim comes from."""
    if not task.claim.known:
        return "unknown, taken to be its whole project"
    if _is_configured(plan, task):
        return plan.config.file
    return FILE if task.id in plan.config.claims else task.source


def _is_configured(plan: Plan, task: Task) -> bool:
    said = plan.config.tasks.get(task.id)
    return said is not None and (said.reads is not None or said.writes is not None)


def _is_said(plan: Plan, task: Task) -> bool:
    """Whether people said its claim, or may: what we found is ours."""
    return _is_configured(plan, task) or task.id in plan.config.claims or not task.argv


def _touched(task: Task, seen: Observed, tops: Sequence[str], home: str) -> Iterator[str]:
    caches = Patterns((*task.claim.caches, *CACHES))
    writes = {path for path in seen.writes if not caches.hold(path)}
    reads = {path for path in seen.reads - writes if not caches.hold(path)}
    cached = {path for path in seen.reads | seen.writes if caches.hold(path)}
    listed = f"; names in {counted(len(seen.listed), 'folder')}" if seen.listed else ""
    yield f"    reads   {_places(reads, tops, task.cwd)}{listed}"
    yield f"    writes  {_places(writes, tops, task.cwd)}"
    if cached:
        yield f"    caches  {_places(cached, tops, task.cwd)}"
    if seen.outside:
        yield f"    outside {_counted(_outside(seen.outside, home))}"
    if seen.ports:
        yield f"    binds   {_some(seen.ports, _PLACES)}"


def _places(paths: Collection[str], tops: Sequence[str], cwd: str) -> str:
    """Paths as the folders of projects that they lie in, seen from ``cwd``, with how many."""
    if not paths:
        return "nothing"
    places = Counter(_place(path, frozenset(tops)) for path in paths)
    return _counted(Counter({os.path.relpath(place, cwd): n for place, n in places.items()}))


def _place(path: str, tops: frozenset[str]) -> str:
    """What lies directly in the nearest project."""
    parts = path.split("/")
    for end in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:end]) in tops:
            return "/".join(parts[: end + 1])
    return parts[0]


def _counted(places: Counter[str]) -> str:
    shown = [
        printable(place) if n == 1 else f"{printable(place)} ({n})"
        for place, n in sorted(places.items(), key=lambda item: (-item[1], item[0]))
    ]
    return _some(shown, _PLACES)


def _some(texts: Sequence[str], limit: int) -> str:
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(map(printable, texts[:limit])) + more


def _short(path: str, home: str) -> str:
    return f"~{path.removeprefix(home)}" if home and f"{path}/".startswith(f"{home}/") else path


def _outside(paths: Iterable[str], home: str) -> Counter[str]:
    """The first parts of paths outside (``~/.cache/uv``), or fewer where that would be many."""
    places = Counter("/".join(_short(path, home).split("/")[:_DEEP]) for path in paths)
    crowded = Counter(place.rpartition("/")[0] for place in places)
    found: Counter[str] = Counter()
    for place, n in places.items():
        folder = place.rpartition("/")[0]
        found[folder if crowded[folder] > _PLACES else place] += n
    return found


def _wrong(what: str, paths: Sequence[str], tops: Sequence[str]) -> Iterator[Line]:
    if not paths:
        return
    folded = fold(paths, tops)
    yield Line(f"  ! {what}:", _WRONG)
    for pattern in folded[:_PATTERNS]:
        yield Line(f"        {printable(pattern)}", _WRONG)
    if len(folded) > _PATTERNS:
        yield Line(f"        and {len(folded) - _PATTERNS} more", _WRONG)


def _met(trace: Trace, tops: Sequence[str]) -> Iterator[Line]:
    free = [met for met in trace.collisions if not met.ordered]
    kept = [met for met in trace.collisions if met.ordered]
    if not free:
        yield Line(f"no two tasks met without an order; {counted(len(kept), 'pair')} met in order")
    else:
        have = "pair of tasks met" if len(free) == 1 else "pairs of tasks met"
        yield Line(f"{len(free)} {have} and nothing orders them:", _WRONG)
        remaining = trace.remaining()
        for met in free:
            yield Line(f"  ! {_pair(met, 'and', tops)}", _WRONG)
            if (met.first, met.second) not in remaining:
                yield Line("        the claims that were observed order them")
        yield Line(f"{counted(len(kept), 'pair')} met in order")
    for met in kept[:_PAIRS]:
        yield Line(f"    {_pair(met, 'then', tops)}")
    if len(kept) > _PAIRS:
        yield Line(f"    and {len(kept) - _PAIRS} more")


def _pair(met: Collision, word: str, tops: Sequence[str]) -> str:
    where = _some(fold(met.paths, tops), _PLACES)
    return f"{printable(met.first)} {word} {printable(met.second)}: {where}"


def _met_outside(trace: Trace, home: str) -> Iterator[Line]:
    shared = tuple(f"{home}/{folder}/" for folder in _SHARED) if home else ()
    found = []
    for met in trace.outside:
        paths = [path for path in met.paths if not path.startswith(shared)]
        if paths and not met.ordered:
            found.append((met, [_short(path, home) for path in paths]))
    if found:
        yield Line(
            f"{counted(len(found), 'pair')} wrote the same outside of the workspace:", _WRONG
        )
    for met, shown in found:
        text = f"{printable(met.first)} and {printable(met.second)}: {_some(shown, _PLACES)}"
        yield Line(f"  ! {text}", _WRONG)


def _cost(trace: Trace) -> Iterator[Line]:
    """What safe defaults cost, in tasks and in the time that these took."""
    unknown = [each.task.id for each in trace.tasks if not each.task.claim.known]
    names = f" ({_some(unknown, _PLACES)})" if unknown else ""
    yield Line(f"{len(unknown)} of {_tasks(len(trace.tasks))} ran under safe defaults{names}")
    walls = {each.task.id: each.result.wall_s for each in trace.tasks}
    now, then = _chain(trace.graph, walls), _chain(trace.planned, walls)
    whole = sum(walls.values())
    yield Line(f"the longest chain has {now} of {whole:.1f} s")
    if then != now:
        yield Line(f"with the claims that were observed it has {then}")


def _chain(graph: Graph, walls: dict[str, float]) -> str:
    longest = max(longest_paths(graph, lambda task: walls[task.id]), default=0.0)
    return f"{_tasks(plan_text.chain(graph))}, and the slowest one took {longest:.1f} s"


def _lacking(plan: Plan, trace: Trace) -> Iterator[Line]:
    """What only whoever said a claim can mend."""
    for each in trace.tasks:
        for key, patterns in each.lacking.items():
            said = plan.config.tasks.get(each.task.id)
            stated = said is not None and getattr(said, key) is not None
            where = plan.config.where("tasks", each.task.id, key) if stated else each.task.source
            yield Line(f"{where} lacks {_quoted(patterns)}", _WRONG)


def _quoted(patterns: Iterable[str]) -> str:
    return ", ".join(f'"{printable(pattern)}"' for pattern in patterns)


def to_write(trace: Trace) -> Iterator[str]:
    """What ``--write`` would do."""
    names = _entries(trace)
    if names or _dropped(trace):
        yield f"lanes.trace --write would put {_claims(names)} into {FILE}{_dropped(trace)}"
    yield from _kept_back(trace)


def written(trace: Trace) -> Iterator[str]:
    """What ``--write`` did."""
    names = _entries(trace)
    yield f"wrote {_claims(names)} into {FILE}{_dropped(trace)}"
    yield from _kept_back(trace)


def _entries(trace: Trace) -> list[str]:
    return [each.task.id for each in trace.tasks if each.entry is not None]


def _claims(names: Sequence[str]) -> str:
    if not names:
        return "no claim"
    of = f" ({_some(names, _PLACES)})"
    return (
        f"the claim of {_tasks(len(names))}{of}"
        if len(names) == 1
        else (f"the claims of {_tasks(len(names))}{of}")
    )


def _dropped(trace: Trace) -> str:
    gone = _some(trace.vanished, _PLACES)
    return f", less those of tasks that are not there: {gone}" if gone else ""


def _kept_back(trace: Trace) -> Iterator[str]:
    for each in kept_back(trace):
        yield f"not written: {printable(each.task.id)}: {each.unfit}"


def _tasks(number: int) -> str:
    return counted(number, "task")
