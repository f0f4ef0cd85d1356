"""A certificate in words: a line a round, and at the end a table and what differs.

Sees only data.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polylane.outcome import BAD
from polylane.prove.certificate import Certificate, Finding
from polylane.prove.certify import Step
from polylane.prove.compare import FILE, LOG, OUTCOME
from polylane.prove.normal import WHAT
from polylane.prove.rounds import Round
from polylane.report.words import counted
from polylane.run.views.places import Place

#: So many differences of a kind are listed; all are in the file.
_LISTED = 12

#: More nondeterministic files of the same tasks than this are told by their folder.
_EACH = 3

_KINDS = {OUTCOME: "the outcome of {}", FILE: "{}", LOG: "the log of {}"}

#: Outcomes after which a task counts for the success rate.
_RAN = frozenset({"passed", *BAD})


def beginning(tasks: int, pairs: int, rounds: int, seed: int, place: Place) -> str:
    """What is going to be done."""
    first = f"{counted(tasks, 'task')}, {counted(pairs, 'pair')} in no order"
    lines = [f"{first}; {counted(rounds, 'parallel round')}, seed {seed}"]
    lines += [f"no view in {refused}" for refused in place.refused]
    if place.none:
        lines.append(
            f"each round runs in a copy in {place.folder}, since views of the workspace are"
            " refused; not certified: absolute paths (editable installs, first lines of scripts)"
            " lead out of a copy, into the workspace itself"
        )
    else:
        lines.append(
            f"each round runs in a view of the workspace; what it writes is in {place.folder}"
        )
    return "\n".join(lines)


def step(done: Step, rounds: int) -> str:
    """One round."""
    name = done.round.order.name
    if name.startswith("round-"):
        name = f"round {name.removeprefix('round-')}/{rounds}"
        more = [str(done.coverage)]
    else:
        busy = ", on a busy machine" if done.round.order.busy else ""
        name, more = name.replace("-", " again, ") + busy, []
    if done.differences is not None:
        count = len(done.differences.items)
        more.append(f"{count} difference{'s' if count > 1 else ''}" if count else "the same")
    return ", ".join([f"{name}: {done.round.result['wall_s']:.1f} s", *more])


def text(certificate: Certificate, path: Path) -> str:
    """The whole certificate; ``path``: where it was written as JSON."""
    return "\n".join(_lines(certificate, path))


def verdict(certificate: Certificate) -> str:
    """One line."""
    rounds = counted(len(certificate.parallel), "parallel round")
    if certificate.signal:
        return f"interrupted after {rounds}: {certificate.coverage}"
    if certificate.differences:
        which = {number for each in certificate.differences for number in each.rounds}
        return (
            f"different: {counted(len(certificate.differences), 'difference')} from the sequential"
            f" run, in {len(which)} of {rounds}"
        )
    same = f"same: {rounds} gave the outcomes, exit codes, files and logs of the sequential run"
    unsteady = len(certificate.unsteady)
    return f"{same}, but for {unsteady} that differ in sequence too" if unsteady else same


def _lines(certificate: Certificate, path: Path) -> Iterator[str]:
    yield ""
    yield verdict(certificate)
    if not certificate.signal:
        yield f"pairs that nothing orders: {certificate.coverage}"
        yield from _not_covered(certificate)
    if certificate.parallel:
        yield ""
        yield _table(certificate)
    if certificate.differences:
        yield "\ndifferences so far:" if certificate.signal else "\ndifferences:"
        yield from _groups(certificate.differences)
    if certificate.unsteady:
        yield "\nnondeterministic: sequential runs differ here too, and a collision could hide:"
        lines = list(_unsteady(certificate.unsteady))
        yield from lines[:_LISTED]
        if len(lines) > _LISTED:
            yield f"- ... and {len(lines) - _LISTED} more"
    yield ""
    if certificate.parallel:
        yield from _conditions(certificate)
    yield f"certificate: {_shown(path)}"


def _conditions(certificate: Certificate) -> Iterator[str]:
    if certificate.untraced and certificate.differences:
        yield f"not traced, so pairs are named by the orders alone: {certificate.untraced}"
    if certificate.reordered:
        yield f"logs with their lines in another order: {', '.join(certificate.reordered)}"
    if certificate.place.none:
        yield "not certified: absolute paths, which lead out of the copies"
    yield f"not compared: {', '.join(certificate.ignored)}"
    yield f"not compared in logs: {', '.join(WHAT)}"
    said = ", ".join(f"{name}={value}" for name, value in certificate.environment.items())
    yield f"set: {said}"


def _not_covered(certificate: Certificate) -> Iterator[str]:
    coverage = certificate.coverage
    missing = sorted(coverage.pairs - (coverage.reversed & coverage.overlapped))
    if missing:
        tasks = certificate.graph.tasks
        a, b = missing[0]
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        yield f"not run in all ways: {tasks[a].id} with {tasks[b].id}{more}; more --rounds may help"


def _table(certificate: Certificate) -> str:
    from tabulate import tabulate  # only the end needs it

    idle = [each for each in certificate.sequential if not each.order.busy]
    return tabulate(
        list(_rows(idle, certificate.parallel)),
        headers=("", "sequential", "parallel", "all orders", "saved"),
        colalign=("left", "right", "right", "right", "right"),
        disable_numparse=True,
    )


#: What a figure is called, how it is read from a result, and how it is written.
_Figure = tuple[str, Callable[[Mapping[str, Any]], float | None], str]


def _rows(sequential: Sequence[Round], parallel: Sequence[Round]) -> Iterator[tuple[str, ...]]:
    for name, read, form in _FIGURES:
        one = _median(read(each.result) for each in sequential)
        first = read(parallel[0].result)
        median = _median(read(each.result) for each in parallel)
        saved = one - first if one and first is not None and name.startswith("wall") else None
        share = f" ({saved / one:.0%})" if saved is not None and one else ""
        cells = (_cell(value, form) for value in (one, first, median))
        yield (name, *cells, "" if saved is None else f"{saved:.2f}{share}")
    for name, rate in (("runs that passed", _runs), ("tasks that passed", _tasks)):
        yield (name, rate(sequential), rate(parallel[:1]), rate(parallel), "")


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _sum(key: str, unit: float = 1.0) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda result: sum(task[key] or 0 for task in result["tasks"]) / unit


def _peak(result: Mapping[str, Any]) -> float | None:
    return max((task["max_rss_bytes"] or 0 for task in result["tasks"]), default=0) / 1e6


def _report(result: Mapping[str, Any]) -> float | None:
    """Milliseconds from a task's end to the report of its failure, the longest of the run."""
    return max(
        (
            (task["reported_s"] - task["started_s"] - task["wall_s"]) * 1000
            for task in result["tasks"]
            if task["reported_s"] is not None and task["started_s"] is not None
        ),
        default=None,
    )


_FIGURES: tuple[_Figure, ...] = (
    ("wall s", lambda result: result["wall_s"], ".2f"),
    ("CPU s", _sum("cpu_s"), ".2f"),
    ("peak MB of the largest task", _peak, ".0f"),
    ("read MB", _sum("read_bytes", 1e6), ".1f"),
    ("wrote MB", _sum("write_bytes", 1e6), ".1f"),
    ("ms from a failure to its report", _report, ".1f"),
)


def _runs(rounds: Sequence[Round]) -> str:
    return f"{sum(each.result['exit_code'] == 0 for each in rounds)}/{len(rounds)}"


def _tasks(rounds: Sequence[Round]) -> str:
    outcomes = [task["outcome"] for each in rounds for task in each.result["tasks"]]
    return f"{outcomes.count('passed')}/{sum(outcome in _RAN for outcome in outcomes)}"


def _groups(findings: Sequence[Finding]) -> Iterator[str]:
    """Differences that the same tasks explain stand together, with the explanation below."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.suspects or each.tasks, each.logs), []).append(each)
    for group in groups.values():
        for each in group[:_LISTED]:
            numbers = ", ".join(map(str, each.rounds))
            yield f"- {_name(each)}: {each.how} (round{_s(each.rounds)} {numbers})"
        if len(group) > _LISTED:
            yield f"- ... and {len(group) - _LISTED} more"
        yield from (f"    {line}" for line in _explained(group[0]))


def _explained(each: Finding) -> Iterator[str]:
    for pair in each.suspects:
        if pair.how:
            more = f"; also {', '.join(pair.paths[1:])}" if pair.paths[1:] else ""
            yield f"{pair.how}{more}"
        else:
            yield f"{pair.first} and {pair.second} ran in another way in these rounds only"
        if pair.lines:
            yield "nothing orders them: say so, or let inv lanes.trace --write say it"
        yield from (f"  {line}" for lines in pair.lines for line in lines.split("\n"))
    if not each.suspects:
        whose = ", ".join(each.tasks) or "no task that is known"
        yield f"of {whose}; no two tasks that nothing orders were seen to touch one path"
        yield "time or load, most likely; what nobody reads can be claimed as a cache"
    yield from (f"log: {_shown(log)}" for log in each.logs)


def _unsteady(findings: Iterable[Finding]) -> Iterator[str]:
    """A line each, or one for several files of the same tasks."""
    files: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        if each.item.kind == FILE:
            files.setdefault(each.tasks, []).append(each)
        else:
            yield f"- {_name(each)}: {each.how}"
    for tasks, found in files.items():
        whose = ", ".join(tasks[:3]) or "of no task that is known"
        if len(found) > _EACH:
            folder = os.path.commonpath([each.item.name for each in found]) or "."
            yield f"- {len(found)} paths in {folder}: {found[0].how} ({whose})"
        else:
            yield from (f"- {_name(each)}: {each.how} ({whose})" for each in found)


def _name(each: Finding) -> str:
    return _KINDS[each.item.kind].format(each.item.name)


def _s(many: Sequence[object]) -> str:
    return "s" if len(many) > 1 else ""


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
