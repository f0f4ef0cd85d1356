"""Where the other runners lie, and how they come into a folder.

Uses pip and npm as anybody would; knows nothing of what runners are for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from measure import Command
from peers_files import PEERS, Peer, polylane
from peers_work import Work

_VERSION = re.compile(r"\d+(\.\d+)+")
_INV = str(Path(sys.executable).parent / "inv")
_ELF = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class Runner:
    """Somebody who takes part: a peer with its program, or without one us."""

    name: str
    version: str = ""
    peer: Peer | None = None
    program: Path = Path()

    def command(self, folder: Path, work: Work) -> Command:
        """Write a work's files into a new folder; returns the command that runs it."""
        if self.peer is None:
            polylane(folder, work)
            return Command([_INV, "all-parallel", "--jobs", str(work.jobs)], folder)
        folder.mkdir(parents=True)
        self.peer.write(folder, work, self.program)
        return Command(self.peer.argv(self.program, work), folder, self.peer.env)


def found(names: Iterable[str], folder: Path | None) -> tuple[list[Runner], list[str]]:
    """The peers that are there, installed into ``folder`` if one is given; lines for the others.

    A name that there is not is a `ValueError`.
    """
    runners, missing = [], []
    place = None if folder is None else folder.resolve()
    for name in names:
        if name not in PEERS:
            raise ValueError(f"no peer {name}; there are {', '.join(PEERS)}")
        peer = PEERS[name]
        if place is not None:
            install(peer, place)
        program = find(peer, place)
        if program is None:
            missing.append(f"{name} is not installed here, and is left out.")
        else:
            runners.append(Runner(name, version(program), peer, program))
    return runners, missing


def find(peer: Peer, folder: Path | None) -> Path | None:
    """The path of its program: in ``folder`` if it came from there, else on ``PATH``."""
    if folder is not None and (place := _place(peer, folder)) is not None and place.exists():
        return _best(place, peer.program)
    own = str(Path(sys.executable).parent)
    found = shutil.which(peer.program, path=os.pathsep.join([own, os.environ.get("PATH", "")]))
    return None if found is None else Path(found)


def install(peer: Peer, folder: Path) -> None:
    """Install it into ``folder``, in an environment of its own, unless it is there.

    One that cannot be had is said on stderr, and left out.
    """
    place = _place(peer, folder)
    if place is None or _is_there(place):
        return
    place.mkdir(parents=True, exist_ok=True)
    if peer.pypi:
        venv.create(place, with_pip=True)
        command = [str(place / "bin" / "pip"), "install", "--quiet", peer.pypi]
    else:
        (place / "package.json").write_text('{"private": true}\n')
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(place), peer.npm]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        print(f"{peer.program} cannot be installed: {done.stderr[-500:]}", file=sys.stderr)
        return
    _mark(place).touch()


def version(program: Path) -> str:
    """What it says of itself, as a number with dots; empty where it says nothing of the kind."""
    said = subprocess.run(
        [program, "--version"], capture_output=True, check=False, text=True, cwd="/"
    )
    found = _VERSION.search(said.stdout + said.stderr)
    return found[0] if found else ""


def _place(peer: Peer, folder: Path) -> Path | None:
    if peer.pypi:
        return folder / "pypi" / peer.pypi
    return folder / "npm" / peer.npm if peer.npm else None


def _mark(place: Path) -> Path:
    return place / "installed"


def _is_there(place: Path) -> bool:
    return _mark(place).exists()


def _best(place: Path, program: str) -> Path | None:
    """The program itself, where its package starts it through a script of its language."""
    files = [path for path in place.rglob(program) if path.is_file() and os.access(path, os.X_OK)]
    for path in sorted(files):
        with path.open("rb") as file:
            if file.read(4) == _ELF:
                return path
    starts = [place / "bin" / program, place / "node_modules" / ".bin" / program]
    return next((path for path in starts if path.exists()), None)
