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
from peers_found import Runner, found
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
    runners, missing = _peers(said)
    for workspace in said.qa:
        figures += qa(
            workspace.resolve(),
            rounds=said.rounds or 5,
            jobs=said.jobs,
            limit=said.limit,
            runners=runners,
        )
    versions = [f"{runner.name} {runner.version}" for runner in runners]
    print("\n".join([", ".join([machine(), *versions]), *missing, "", table(figures)]))


def _peers(said: argparse.Namespace) -> tuple[list[Runner], list[str]]:
    """Who runs the commands of qa too."""
    if not said.qa:
        return [], []
    try:
        return found([name for name in said.peers.split(",") if name], said.install)
    except ValueError as error:
        raise SystemExit(str(error)) from None


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
    parser.add_argument("--jobs", default=str(JOBS), help="slots of qa: a number, or auto")
    parser.add_argument("--limit", type=float, help="the ratio that qa should meet")
    parser.add_argument(
        "--peers",
        default="make,go-task,turbo",
        help="who runs the commands of qa too; default: %(default)s",
    )
    parser.add_argument(
        "--install", type=Path, metavar="FOLDER", help="install peers below it, and use these"
    )
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
