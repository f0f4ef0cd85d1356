"""Counts what survives a run, for every way to end it: ``python benchmarks/survivors.py --help``.

The matrix of ``tests/e2e/ways.py``, as often as asked: one Markdown table of survivors and of the
seconds from the signal to the runner's exit (where the runner is killed: to the end of the last
process). With ``--peers`` the same command under other runners.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the tests' own table

from survivors_peers import PEERS, peers_table
from tests.e2e.matrix import GRACE_S, Cell, Run, cells, running
from tests.e2e.ways import LOST, POLITE, WAYS

#: How long a process may live on where the runner was killed; where it lives it has no time.
_LIMIT_S = 30.0
#: Where nothing will end what is left: so long is it looked at.
_LOST_S = 1.0

#: From the signal to the exit, for children that end on TERM; for others the grace comes to it.
_SLOWEST_S = 0.5

_COLUMNS = {
    (1, False): "a command",
    (4, False): "4 commands",
    (1, True): "a body",
    (4, True): "4 bodies",
}


@dataclass
class Seen:
    """What became of one cell, in all rounds."""

    survivors: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    #: Exit codes, results or summaries that were not as they should be.
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.survivors:
            return "-"
        most = max(self.survivors)
        times = [statistics.median(self.seconds), max(self.seconds)] if self.seconds else []
        return "; ".join(
            [f"{most}", *(f"{' / '.join(f'{t:.2f}' for t in times)} s",) * bool(times)]
        )


def main() -> None:
    said = _arguments()
    _heed_signals()
    if said.peers:
        print(peers_table(said.rounds, said.names or list(PEERS)))
        return
    ways = {**WAYS, **POLITE, **LOST}
    seen: dict[Cell, Seen] = {}
    for number in range(said.rounds):
        for name in said.names or ways:
            with tempfile.TemporaryDirectory(prefix="polylane-survivors-") as folder:
                _round(name, Path(folder), seen, strict=said.sandbox == "strict")
        print(f"round {number + 1} of {said.rounds}: {_count(seen)}", file=sys.stderr, flush=True)
    print(_table(seen))
    print(f"\n{_verdict(seen)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="ways to end; with --peers: peers")
    parser.add_argument("--rounds", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--sandbox", choices=("projects", "strict"), default="projects")
    parser.add_argument("--peers", action="store_true", help="of other runners instead")
    said = parser.parse_args()
    known = PEERS if said.peers else {**WAYS, **POLITE, **LOST}
    if unknown := set(said.names) - set(known):
        parser.error(f"no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return said


def _heed_signals() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and so would we the runs."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # which `exec` undoes, other than an ignored one


def _round(name: str, folder: Path, seen: dict[Cell, Seen], *, strict: bool) -> None:
    """Start the cells of a way together, and end one after the other."""
    way = {**WAYS, **POLITE, **LOST}[name]
    with ExitStack() as stack:
        runs = [
            stack.enter_context(running(cell, way, folder / str(cell)))
            for cell in cells(name, way, strict=strict)
        ]
        for run in runs:
            run.get_ready()
        for run in runs:
            _look(run, seen.setdefault(run.cell, Seen()))


def _look(run: Run, seen: Seen) -> None:
    """End a run, and note what became of it."""
    run.end()
    code = run.exit_code()
    exited = time.monotonic()
    limit = _LOST_S if _is_lost(run.cell) else 0.0 if run.way.outcome else _LIMIT_S
    seen.survivors.append(run.survivors(limit))
    if run.told_at is not None and not _is_lost(run.cell):
        seen.seconds.append((exited if run.way.outcome else time.monotonic()) - run.told_at)
    if code != run.way.code:
        seen.wrong.append(f"{run.cell}: exit code {code}, not {run.way.code}")
    if run.way.outcome:
        told, expected = run.told(), (run.way.code, {run.way.outcome}, True)
        if told != expected:
            seen.wrong.append(f"{run.cell}: {told}, not {expected}")


def _is_lost(cell: Cell) -> bool:
    """Whether nothing will end what is left."""
    return cell.way in LOST and not cell.strict


def _table(seen: dict[Cell, Seen]) -> str:
    lines = [
        f"| way to end | {' | '.join(_COLUMNS.values())} |",
        "|---" * (len(_COLUMNS) + 1) + "|",
    ]
    for way, strict in dict.fromkeys((cell.way, cell.strict) for cell in seen):
        row = [str(seen.get(Cell(way, *column, strict), "-")) for column in _COLUMNS]
        lines.append(f"| `{way}` | {' | '.join(row)} |")
    return "\n".join(lines)


def _count(seen: dict[Cell, Seen]) -> str:
    left = sum(sum(each.survivors) for cell, each in seen.items() if not _is_lost(cell))
    runs = sum(len(each.survivors) for each in seen.values())
    return f"{runs} runs, {left} survivors"


def _verdict(seen: dict[Cell, Seen]) -> str:
    """The slowest of those that have a limit, and what was wrong."""
    lines = [_count(seen) + " where none is expected."]
    for what, ways, limit in (
        ("Children that end on TERM", POLITE, _SLOWEST_S),
        (
            "Children that do not",
            {w for w in WAYS if WAYS[w].grace == GRACE_S},
            GRACE_S + _SLOWEST_S,
        ),
    ):
        times = [t for cell, each in seen.items() if cell.way in ways for t in each.seconds]
        if times:
            late = sum(t > limit for t in times)
            lines.append(
                f"{what}: median {statistics.median(times):.2f} s, slowest {max(times):.2f} s;"
                f" {late} of {len(times)} above {limit:.1f} s."
            )
    lines += [wrong for each in seen.values() for wrong in each.wrong]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
