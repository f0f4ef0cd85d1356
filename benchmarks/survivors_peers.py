"""The hostile command under other runners: who leaves what behind.

Each peer runs four hostile commands at once, and is ended in each way that it has. A peer that is
not found is installed from PyPI into an environment below a temporary folder, where it is there;
one that cannot be had is said. Survivors are killed afterwards, by the pids that the kernel names.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests import hostile
from tests.support import wait_for

from polylane.run import tree

TASKS = ("t0", "t1", "t2", "t3")
FAILS = "fails"

#: A runner that has not ended after so many seconds runs on.
_EXIT_S = 8.0
#: What still lives so many seconds after the runner's end has survived.
_SETTLE_S = 1.0


@dataclass(frozen=True)
class Peer:
    """Another runner."""

    program: str
    #: Writes its configuration for commands by name.
    write: Callable[[Path, Mapping[str, list[str]]], None]
    words: tuple[str, ...]
    #: More words for fail-fast.
    fail_fast: tuple[str, ...] = ()
    #: The project of PyPI that has the program; empty where none has.
    pypi: str = ""


def _make(folder: Path, commands: Mapping[str, list[str]]) -> None:
    rules = "".join(f"{name}:\n\t@{' '.join(words)}\n" for name, words in commands.items())
    names = " ".join(commands)
    (folder / "Makefile").write_text(f"all: {names}\n.PHONY: all {names}\n{rules}")


def _ninja(folder: Path, commands: Mapping[str, list[str]]) -> None:
    # What it was building it removes when it is interrupted: not the files of the locks.
    made = {f"made-{name}": " ".join(words) for name, words in commands.items()}
    builds = "".join(f"build {name}: r\n  cmd = {words}\n" for name, words in made.items())
    text = f"rule r\n  command = $cmd\n{builds}build all: phony {' '.join(made)}\n"
    (folder / "build.ninja").write_text(text)


def _go_task(folder: Path, commands: Mapping[str, list[str]]) -> None:
    tasks: dict[str, object] = {name: {"cmds": [" ".join(c)]} for name, c in commands.items()}
    text = json.dumps({"version": "3", "tasks": {"all": {"deps": list(commands)}, **tasks}})
    (folder / "Taskfile.yml").write_text(text)


def _nox(folder: Path, commands: Mapping[str, list[str]]) -> None:
    sessions = "".join(
        f"@nox.session(venv_backend='none')\n"
        f"def {name}(session):\n    session.run(*{words!r}, external=True)\n"
        for name, words in commands.items()
    )
    (folder / "noxfile.py").write_text(f"import nox\n{sessions}")


def _tox(folder: Path, commands: Mapping[str, list[str]]) -> None:
    head = f"[tox]\nno_package = true\nenv_list = {','.join(commands)}\n"
    common = "[testenv]\nskip_install = true\npass_env = *\nallowlist_externals = *\n"
    each = "".join(f"[testenv:{n}]\ncommands = {' '.join(c)}\n" for n, c in commands.items())
    (folder / "tox.ini").write_text(head + common + each)


_TOX = ("-q", "run-parallel", "-p", "5", "--parallel-no-spinner")

PEERS = {
    "nox -j": Peer("nox", _nox, ("-j", "5", "--allow-parallel"), ("-x",), "nox"),
    "tox -p": Peer("tox", _tox, _TOX, ("--fail-fast",), "tox"),
    "go-task": Peer("task", _go_task, ("-C", "5", "all"), ("--failfast",), "go-task-bin"),
    "make -j": Peer("make", _make, ("-j", "5", "all")),
    "ninja": Peer("ninja", _ninja, ("-j", "5", "all"), (), "ninja"),
}

WAYS_OF_PEERS: dict[str, tuple[int, bool]] = {
    "SIGINT": (signal.SIGINT, False),
    "SIGINT, group": (signal.SIGINT, True),
    "SIGTERM": (signal.SIGTERM, False),
    "SIGTERM, group": (signal.SIGTERM, True),
    "SIGKILL": (signal.SIGKILL, False),
    "SIGKILL, group": (signal.SIGKILL, True),
    "fail-fast": (0, False),
}


def peers_table(rounds: int, names: list[str]) -> str:
    """Survivors of 20 processes by peer and way: the most of all rounds."""
    lines = [f"| runner | {' | '.join(WAYS_OF_PEERS)} |", "|---" * (len(WAYS_OF_PEERS) + 1) + "|"]
    missing = []
    with tempfile.TemporaryDirectory(prefix="polylane-peers-") as folder:
        for name in names:
            program = _found(PEERS[name], Path(folder) / "environments")
            if program is None:
                missing.append(f"{name} is not installed here, and was not measured.")
                continue
            cells = [_cell(PEERS[name], program, way, rounds) for way in WAYS_OF_PEERS]
            lines.append(f"| {name} {_version(program)} | {' | '.join(cells)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join([*lines, "", *missing])


def _found(peer: Peer, environments: Path) -> str | None:
    """Its path; installed where it can be and is not here."""
    beside = Path(sys.executable).parent / peer.program
    if beside.exists():
        return str(beside)
    if found := shutil.which(peer.program):
        return found
    if not peer.pypi:
        return None
    folder = environments / peer.pypi
    venv.create(folder, with_pip=True)
    done = subprocess.run([folder / "bin" / "pip", "install", "-q", "-q", peer.pypi], check=False)
    return str(folder / "bin" / peer.program) if done.returncode == 0 else None


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, check=False, text=True)
    words = (said.stdout + said.stderr).split()
    return next((word for word in words if word[:1].isdigit()), "")


def _cell(peer: Peer, program: str, way: str, rounds: int) -> str:
    seen = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="polylane-peer-") as folder:
            seen.append(_survivors(peer, program, way, Path(folder)))
    left = max(alive for alive, _ in seen)
    return f"{left}, runs on" if any(runs_on for _, runs_on in seen) else f"{left}"


def _survivors(peer: Peer, program: str, way: str, folder: Path) -> tuple[int, bool]:
    """How many processes live on, and whether the runner itself does."""
    shutil.copy(hostile.__file__, folder / "hostile.py")
    commands = {name: [sys.executable, "-I", "-S", "hostile.py", name] for name in TASKS}
    fail_fast = not WAYS_OF_PEERS[way][0]
    if fail_fast:
        os.mkfifo(folder / f"{FAILS}.go")
        (folder / "fails.sh").write_text(f"read x < {FAILS}.go; exit 3\n")
        commands[FAILS] = ["sh", "fails.sh"]
    peer.write(folder, commands)
    process = subprocess.Popen(
        [program, *peer.words, *(peer.fail_fast if fail_fast else ())],
        cwd=folder,
        env={**os.environ, "VIRTUALENV_NO_SEED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return _end(process, way, folder)


def _end(process: subprocess.Popen[bytes], way: str, folder: Path) -> tuple[int, bool]:
    number, group = WAYS_OF_PEERS[way]
    watched: dict[int, int] = {}
    try:
        everybody = len(TASKS) * len(hostile.ROLES)
        wait_for(lambda: _living(folder) == everybody, f"life of all for {way} in {folder}")
        watched = {pid: os.pidfd_open(pid) for pid in tree.descendants(process.pid)}
        if number:
            (os.killpg if group else os.kill)(process.pid, number)
        else:
            (folder / f"{FAILS}.go").write_text("go\n")
        runs_on = False
        try:
            process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            runs_on = True
        return _wait_none(folder, 0.0 if runs_on else _SETTLE_S), runs_on
    finally:
        _clean_up(process, folder, watched)


def _living(folder: Path) -> int:
    return sum(len(hostile.holders(folder / name)) for name in TASKS)


def _wait_none(folder: Path, limit: float) -> int:
    with suppress(AssertionError):
        wait_for(lambda: not _living(folder), "end of all", limit)
    return _living(folder)


def _clean_up(process: subprocess.Popen[bytes], folder: Path, watched: Mapping[int, int]) -> None:
    """Kill the runner, what it started, and what the kernel names as alive."""
    process.kill()
    process.wait()
    for pidfd in watched.values():
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        select.select([pidfd], [], [], 10)
        os.close(pidfd)
    for name in TASKS:
        for pid in hostile.holders(folder / name).values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
