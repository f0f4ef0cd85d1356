"""A certificate: what was asked, which rounds were run, and what differs between them.

Frozen data. Knows nothing of how it came about, nor of how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polylane.errors import FAILED, PASSED, SIGNAL_BASE
from polylane.plan.graph import Graph
from polylane.plan.orders import Coverage
from polylane.prove.compare import Item
from polylane.prove.explain import Suspect
from polylane.prove.rounds import Round
from polylane.records import NamedTuple
from polylane.run.views.places import Place

VERSION = 1


class Asked(NamedTuple):
    """How a certificate is to be made."""

    rounds: int
    seed: int
    jobs: int


class Finding(NamedTuple):
    """One difference."""

    item: Item
    #: In words, of the first round that shows it.
    how: str
    #: The parallel rounds that show it, counted from 1.
    rounds: tuple[int, ...]
    #: The tasks that wrote it, or whose it is.
    tasks: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    #: Of these tasks, in the reference and in the first round that shows it.
    logs: tuple[Path, ...] = ()


class Certificate(NamedTuple):
    """What was found."""

    id: str
    #: ISO 8601, with its offset.
    started: str
    selection: tuple[str, ...]
    graph: Graph
    asked: Asked
    place: Place
    #: What was added to the rounds' environment.
    environment: Mapping[str, str]
    #: Which paths were not compared, in words.
    ignored: tuple[str, ...]
    coverage: Coverage
    #: The first is the reference.
    sequential: tuple[Round, ...]
    parallel: tuple[Round, ...]
    differences: tuple[Finding, ...] = ()
    #: What differs among sequential runs too.
    unsteady: tuple[Finding, ...] = ()
    #: Tasks whose logs had the same lines in another order.
    reordered: tuple[str, ...] = ()
    #: Why nothing was traced, where it would have helped; else empty.
    untraced: str = ""
    #: The signal that cut it off, or 0.
    signal: int = 0

    @property
    def exit_code(self) -> int:
        """0: all the same; 1: something differs; 128 and more: it was cut off."""
        if self.signal:
            return SIGNAL_BASE + self.signal
        return FAILED if self.differences else PASSED

    @property
    def verdict(self) -> str:
        """In one word."""
        return "interrupted" if self.signal else "different" if self.differences else "same"


def to_json(certificate: Certificate) -> dict[str, Any]:
    """``certificate.json``, version 1."""
    names = [task.id for task in certificate.graph.tasks]
    coverage = certificate.coverage
    return {
        "version": VERSION,
        "certificate": certificate.id,
        "started": certificate.started,
        "verdict": certificate.verdict,
        "exit_code": certificate.exit_code,
        "selection": list(certificate.selection),
        "jobs": certificate.asked.jobs,
        "seed": certificate.asked.seed,
        "tasks": names,
        "view": "copy" if certificate.place.none else "overlay",
        "view_refused": list(certificate.place.refused),
        "environment": dict(certificate.environment),
        "ignored": list(certificate.ignored),
        "pairs": len(coverage.pairs),
        "reversed": len(coverage.reversed),
        "overlapped": len(coverage.overlapped),
        "not_reversed": _pairs(coverage.pairs - coverage.reversed, names),
        "not_overlapped": _pairs(coverage.pairs - coverage.overlapped, names),
        "rounds": [
            _round(each, names) for each in (*certificate.sequential, *certificate.parallel)
        ],
        "differences": [_finding(each) for each in certificate.differences],
        "nondeterministic": [_finding(each) for each in certificate.unsteady],
        "reordered_logs": list(certificate.reordered),
        "not_traced": certificate.untraced,
    }


def _pairs(pairs: frozenset[tuple[int, int]], names: list[str]) -> list[list[str]]:
    return [[names[a], names[b]] for a, b in sorted(pairs)]


def _round(each: Round, names: list[str]) -> dict[str, Any]:
    kept = ("run", "mode", "wall_s", "work_s", "critical_path_s", "slots_used", "exit_code")
    return {
        "name": each.order.name,
        **{key: each.result[key] for key in kept},
        "batches": [[names[task] for task in batch] for batch in each.order.batches],
        "tasks": [
            {key: task[key] for key in ("id", "outcome", "exit_code", "started_s", "wall_s")}
            for task in each.result["tasks"]
        ],
    }


def _finding(each: Finding) -> dict[str, Any]:
    return {
        "kind": each.item.kind,
        "name": each.item.name,
        "how": each.how,
        "rounds": list(each.rounds),
        "tasks": list(each.tasks),
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "how": pair.how,
                "paths": list(pair.paths),
                "configuration": list(pair.lines),
            }
            for pair in each.suspects
        ],
        "logs": [str(path) for path in each.logs],
    }
