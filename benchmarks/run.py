"""Runs benchmarks by name and prints one Markdown table: ``python benchmarks/run.py --help``."""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

from cases import CASES, EXAMPLE, JOBS, Asked
from measure import Figure, table
from qa import qa

import polylane


def main() -> None:
    """Read the command line, run what it names, print the table."""
    said = _arguments()
    # Installed packages are compiled; Invoke keeps Python from compiling an editable one.
    compileall.compile_dir(str(Path(polylane.__file__).parent), quiet=2)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="polylane-benchmark-") as folder:
        for name in said.names:
            asked = Asked(Path(folder) / name, said.rounds)
            asked.folder.mkdir()
            figures += CASES[name](asked)
    for workspace in said.qa:
        rounds = said.rounds or 5
        figures += qa(workspace.resolve(), rounds=rounds, jobs=said.jobs, limit=said.limit)
    print(f"{machine()}\n\n{table(figures)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}; default: all"
    )
    parser.add_argument("--rounds", type=int, help="samples of each command")
    parser.add_argument(
        "--qa",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help=f"time qa of this workspace, set up (the example: {os.path.relpath(EXAMPLE)});"
        " without a NAME, of nothing else",
    )
    parser.add_argument("--jobs", type=int, default=JOBS, help="slots of qa")
    parser.add_argument("--limit", type=float, help="the ratio that qa should meet")
    said = parser.parse_args()
    if unknown := set(said.names) - set(CASES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    said.names = said.names or ([] if said.qa else list(CASES))
    return said


def machine() -> str:
    """What was measured where."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"polylane {polylane.__version__}, Invoke {version('invoke')}, Python"
        f" {platform.python_version()}, {platform.system()} {platform.release()}, {cores} cores,"
        f" load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
