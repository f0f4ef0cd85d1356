"""Holds the tracer against strace, and against no trace: ``python benchmarks/tracer.py --help``.

Both watch the same run of a tool, one inside of the other, so that even random names must agree.
CPU times are those of the tool and of the tracer's process, with rounds in turn.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import strace_paths
from cases import EXAMPLE
from measure import environment

from polylane.run.tracing.tracer import Touches, Tracer, available

PYTHON = Path("packages/opencode_config")
NODE = Path("packages/cody-beads-integration")

#: A test of the tracer in small: each way to change a file that a shell has.
_SHELL = """
mkdir -p a/b && cd a && echo x > b/c && mv b/c d && ln -s b e && echo y > e/f && ln d g
(cd b && touch h && rm h) & wait
cp -r b i && rm -r i && truncate -s 1 d && mkfifo j && rmdir none; cat none; exit 0
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """A command, and where it runs in a copy of the example."""

    argv: list[str]
    folder: Path


def _tools(workspace: Path, esbuild: str) -> dict[str, Tool]:
    bins, venv = f"{workspace}/node_modules/.bin", f"{workspace}/{PYTHON}/.venv/bin"
    tools = {
        "shell": Tool(["/bin/sh", "-c", _SHELL], Path()),
        # With a folder of its own, or it removes what earlier runs left in the temporary folder.
        "pytest": Tool([f"{venv}/python", "-m", "pytest", "-q", "--basetemp=.tmp"], PYTHON),
        "mypy": Tool([f"{venv}/python", "-m", "mypy", "src"], PYTHON),
        "eslint": Tool([f"{bins}/eslint", "--cache", "src", "tests"], NODE),
        "tsc": Tool([f"{bins}/tsc", "--project", "tsconfig.build.json"], NODE),
        "vitest": Tool([f"{bins}/vitest", "run", "--dir", "tests"], NODE),
        "npm": Tool(["npm", "run", "build"], NODE),
        "ruff": Tool([f"{venv}/ruff", "check", "."], PYTHON),
    }
    if esbuild:
        words = ["src/index.ts", "--bundle", "--platform=node", "--packages=external"]
        tools["esbuild"] = Tool([esbuild, *words, "--outdir=dist-bundle", "--sourcemap"], NODE)
    return tools


#: Made by tools; each measured run begins without, so that all do the same work.
_MADE = ("a", ".tmp", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".eslintcache", "dist-bundle")


class Run(NamedTuple):
    """One run of a tool."""

    code: int
    #: Seconds, of the tool with its children; and of the tracer's process.
    cpu: float
    tracer_cpu: float
    touches: Touches


def main() -> int:
    """Print a row for each tool; 1 where a path differs."""
    said = _arguments()
    why = available()
    if why or not shutil.which("strace"):
        raise SystemExit(why or "there is no strace")
    heads = ("tool", "same paths", "paths", "only ours", "only strace's", "lost")
    times = ("CPU: writes", "CPU: all", "untraced")
    rows = [f"| {' | '.join(heads + times)} |", "|---" * len(heads + times) + "|"]
    equal = True
    with tempfile.TemporaryDirectory(prefix="polylane-tracer-") as name:
        folder = Path(name).resolve()
        workspace = folder / "workspace"
        if said.names == ["shell"]:
            workspace.mkdir()
        else:
            shutil.copytree(EXAMPLE, workspace, symlinks=True)
        tools = _tools(workspace, said.esbuild)
        for tool in said.names or tools:
            row, same = _row(tool, tools[tool], workspace, folder / tool, said.rounds)
            rows.append(row)
            equal = equal and same
    print("\n".join(rows))
    return 0 if equal else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="TOOL", help="default: all")
    parser.add_argument("--rounds", type=int, default=5, help="samples; 0: only the paths")
    parser.add_argument("--esbuild", default="", help="an esbuild program, which is static (Go)")
    said = parser.parse_args()
    known = _tools(Path(), said.esbuild)
    if unknown := set(said.names) - set(known):
        parser.error(f"no tool {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return said


def _row(name: str, tool: Tool, workspace: Path, folder: Path, rounds: int) -> tuple[str, bool]:
    folder.mkdir()
    ours, theirs, lost = _compare(tool, workspace, folder / "strace")
    cells = [name, "yes" if ours == theirs and not lost else "no", str(len(ours | theirs))]
    cells += [_few(ours - theirs), _few(theirs - ours), str(lost or "")]
    return f"| {' | '.join(cells + _ratios(tool, workspace, rounds))} |", cells[1] == "yes"


def _few(paths: Collection[str]) -> str:
    return " ".join(sorted(paths)[:3]) + (f" and {len(paths) - 3}" if len(paths) > 3 else "")


def _compare(tool: Tool, workspace: Path, prefix: Path) -> tuple[frozenset[str], set[str], object]:
    """What the tracer and strace say that was written in the same run, and what was lost."""
    argv = strace_paths.command(tool.argv, prefix)
    touches = _run(Tool(argv, tool.folder), workspace, reads=True).touches
    said = strace_paths.changed(prefix, workspace / tool.folder)
    theirs = {touches.links.get(path, path) for path in said}
    # strace itself is watched by us, and writes its files and to /dev/null.
    own = {path for path in touches.written if path.startswith(f"{prefix}.")} | {os.devnull}
    return touches.written - own, theirs - own, touches.lost


def _ratios(tool: Tool, workspace: Path, rounds: int) -> list[str]:
    samples: dict[bool | None, list[float]] = {None: [], False: [], True: []}
    for _ in range(rounds):
        for reads, taken in samples.items():
            run = _run(tool, workspace, reads=reads)
            taken.append(run.cpu + run.tracer_cpu)
    if not rounds:
        return ["", "", ""]
    plain, writes, everything = (statistics.median(taken) for taken in samples.values())
    return [f"{writes / plain:.2f}", f"{everything / plain:.2f}", f"{plain:.2f} s"]


def _run(tool: Tool, workspace: Path, *, reads: bool | None) -> Run:
    """Run a tool from the same state; ``reads`` None: without a trace."""
    for made in _MADE:
        for parent in (Path(), PYTHON, NODE):
            path = workspace / parent / made
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    ended: list[tuple[int, float]] = []
    start = _starter(tool, workspace, ended)
    if reads is None:
        start()
        return Run(*ended[0], 0.0, Touches())
    tracer = Tracer(reads=reads)

    def traced() -> None:
        tracer.install()
        start()

    thread = threading.Thread(target=traced)
    thread.start()
    thread.join()
    touches = tracer.collect(60)
    return Run(*ended[0], touches.cpu_s, touches)


def _starter(tool: Tool, workspace: Path, ended: list[tuple[int, float]]) -> Callable[[], None]:
    def start() -> None:
        process = subprocess.Popen(
            tool.argv,
            cwd=workspace / tool.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.append((process.returncode, used.ru_utime + used.ru_stime))

    return start


if __name__ == "__main__":
    raise SystemExit(main())
