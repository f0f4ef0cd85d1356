"""Kills tasks while they print, at random times, and looks at their logs.

``python benchmarks/logs.py``: four tasks at once print 200,000 lines each, to both streams; in each
round all of them are killed, or their lanes, or the runner, or the run is told to end. What each
had written before its end must be in its log, whole and in order.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the tests' own programs

from tests.e2e.printing import KILLS, TASKS, printed


def main() -> None:
    said = _arguments()
    chosen = random.Random(said.seed)
    rounds: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for number in range(said.rounds):
        kill = KILLS[number % len(KILLS)]
        bodies = bool(number // len(KILLS) % 2)
        name = f"{kill}, {'bodies' if bodies else 'commands'}"
        after = [chosen.randrange(1, said.lines) for _ in TASKS]
        with tempfile.TemporaryDirectory(prefix="polylane-logs-") as folder:
            try:
                lines[name] += printed(Path(folder) / "r", said.lines, kill, after, bodies=bodies)
            except AssertionError as error:
                raise SystemExit(f"round {number + 1}, {name} after {after}: {error}") from error
        rounds[name] += 1
    print("| killed | rounds | lines written before the end | lines lost, cut or out of order |")
    print("|---|---|---|---|")
    for name, count in rounds.items():
        print(f"| {name} | {count} | {lines[name]:,} | 0 |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="default: %(default)s")
    parser.add_argument(
        "--lines", type=int, default=200_000, help="of a task; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the random times")
    return parser.parse_args()


if __name__ == "__main__":
    main()
