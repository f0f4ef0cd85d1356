"""polylane beside ninja, make, go-task, just, turbo and nx: ``python benchmarks/peers.py --help``.

Each work is written as every runner's own files. A first run leaves a record of which task ran
when, and a runner that does not run each task once, after what it needs, is left out. A second one
is watched for its memory and makes a history. Then all take turns with ``inv`` doing nothing.
"""

from __future__ import annotations

import argparse
import compileall
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import peers_work
import workspaces
from measure import Command, Sample, interleaved, sample, table
from peers_files import PEERS
from peers_found import Runner, found
from peers_plan import plan
from peers_table import NOTHING, OURS, Extra, Measured, text
from peers_watch import sample_of_lines, watch
from peers_work import Work

import polylane
from run import machine

_INV = str(Path(sys.executable).parent / "inv")
_PLAN = "plan"

#: Samples of each command; more where a run takes a moment.
_ROUNDS = 7
_ROUNDS_OF_FEW = 15
_FEW = 10


def main() -> None:
    """Read the command line, find the runners, measure, print the tables."""
    said = _arguments()
    compileall.compile_dir(str(Path(polylane.__file__).parent), quiet=2)
    peers, missing = found(said.peers, said.install)
    runners = [Runner(OURS, polylane.__version__), *peers]
    print("\n".join([machine(), *missing]))
    if said.scale != 1:
        print(f"A trial at {said.scale:g} of the size: no limit means anything.")
    with tempfile.TemporaryDirectory(prefix="polylane-peers-", dir=said.folder) as name:
        for work in said.works:
            folder = Path(name).resolve() / work
            folder.mkdir()
            try:
                print(f"\n{_of(work, folder, runners, said)}", flush=True)
            except SystemExit as end:  # the rest is worth having
                print(f"\n`{work}` ended early: {end}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    names = f"{', '.join(peers_work.USUAL)}, {_PLAN}"
    parser.add_argument(
        "works", nargs="*", metavar="WORKLOAD", help=f"of {names}, or true-N and chain-N"
    )
    parser.add_argument("--peers", help=f"of {','.join(PEERS)}, with commas between; default: all")
    parser.add_argument("--rounds", type=int, help=f"default: {_ROUNDS}; of few tasks more")
    parser.add_argument(
        "--install", type=Path, metavar="FOLDER", help="install peers below it, and use these"
    )
    parser.add_argument("--folder", type=Path, help="where the workspaces are made")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the size, for trials")
    parser.add_argument("--check", action="store_true", help="only that each task runs once")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for a first run")
    said = parser.parse_args()
    said.works = said.works or [*peers_work.USUAL, _PLAN]
    said.peers = list(PEERS) if said.peers is None else [p for p in said.peers.split(",") if p]
    if unknown := set(said.peers) - set(PEERS):
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    try:
        for name in set(said.works) - {_PLAN}:
            peers_work.make(name)
    except ValueError as error:
        parser.error(str(error))
    return said


def _of(name: str, folder: Path, runners: Iterable[Runner], said: argparse.Namespace) -> str:
    """Everything about one work, for people."""
    rounds: int | None = said.rounds
    if name == _PLAN:
        return table(plan(folder / "plan", scale=said.scale, rounds=rounds or _ROUNDS))
    work = peers_work.make(name, said.scale)
    entered = [_enter(runner, work, folder, said) for runner in _fitting(runners, work)]
    left_out = [f"{e.name} is left out: {' '.join(e.why.split())}" for e in entered if e.why]
    if said.check:
        return "\n".join([f"`{name}`: {work.what}", *(left_out or ["each task ran once"])])
    commands = {e.name: e.command for e in entered if e.command and not e.why}
    if OURS not in commands:
        return "\n".join([f"`{name}`: not measured", *left_out])
    extras = {e.name: e.extra for e in entered}
    plain = workspaces.hand_written(folder / "plain", ["nothing"])
    commands[NOTHING] = Command([_INV, "nothing"], plain)
    few = len(work.tasks) <= _FEW and not (work.bound or work.lines)
    samples = _samples(work, commands, extras, rounds or (_ROUNDS_OF_FEW if few else _ROUNDS))
    return text(Measured(work, samples, extras, left_out))


class _Entered(NamedTuple):
    """Somebody who takes part in one work, or why not."""

    name: str
    why: str
    command: Command | None = None
    extra: Extra = Extra()


def _enter(runner: Runner, work: Work, folder: Path, said: argparse.Namespace) -> _Entered:
    """Let one run the work twice, untimed: with a record, and under our eyes."""
    print(f"{work.name}: {runner.name}", file=sys.stderr, flush=True)
    why = _fault(runner, work, folder, said.limit)
    if why or said.check:
        return _Entered(runner.name, why)
    command = runner.command(folder / runner.name, work)
    extra, why = _first(runner, command, said.limit)
    return _Entered(runner.name, why, command, extra)


def _fitting(runners: Iterable[Runner], work: Work) -> Iterator[Runner]:
    for runner in runners:
        if runner.peer is None or len(work.tasks) <= runner.peer.most:
            yield runner


def _fault(runner: Runner, work: Work, folder: Path, limit_s: float) -> str:
    """What is wrong with a recorded run; empty: nothing."""
    record = folder / f"{runner.name}.record"
    recorded = peers_work.recorded(work, folder, record)
    command = runner.command(folder / f"{runner.name}-recorded", recorded)
    seen = watch(command, limit_s=limit_s)
    if seen.exit_code is None:
        return f"it took longer than {limit_s:g} s"
    if seen.exit_code:
        return f"exit code {seen.exit_code}: {seen.said[-300:]}"
    faults = peers_work.faults(work, record)
    return f"{'; '.join(faults[:3])} ({len(faults)} faults)" if faults else ""


def _first(runner: Runner, command: Command, limit_s: float) -> tuple[Extra, str]:
    """What a first run needs, and why it is of no use; a history comes of it."""
    seen = watch(command, limit_s=limit_s)
    extra = Extra(runner.version, seen.memory, seen.with_forks)
    if seen.exit_code is None:
        return extra, f"it took longer than {limit_s:g} s"
    return extra, f"exit code {seen.exit_code}: {seen.said[-300:]}" if seen.exit_code else ""


def _samples(
    work: Work, commands: Mapping[str, Command], extras: dict[str, Extra], rounds: int
) -> dict[str, list[Sample]]:
    """Let all take turns; where lines are printed, count those that are not whole."""
    if not work.lines:
        return interleaved(commands, rounds=rounds, warm_up=1)
    names = {command.folder: name for name, command in commands.items()}
    expected = work.lines * len(work.tasks)

    def take(command: Command) -> Sample:
        name = names[command.folder]
        if name == NOTHING:
            return sample(command)
        taken, printed = sample_of_lines(command)
        torn = max(extras[name].torn or 0, expected - printed.whole + printed.again)
        extras[name] = replace(extras[name], torn=torn)
        return taken

    return interleaved(commands, rounds=rounds, warm_up=1, take=take)


if __name__ == "__main__":
    main()
