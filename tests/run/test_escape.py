"""Whoever is confined to a project changes no content outside it, however it is tried.

Each way is first seen to work unconfined, so that its refusal means something.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polylane.run.sandbox import Confinement, Sandbox, confine, why_not
from tests.run.escapes import ESCAPES, PRELUDE, Escape
from tests.support import FORKS, in_fork, is_alive, kill_left, python

pytestmark = [FORKS, pytest.mark.skipif(bool(why_not()), reason=why_not())]

PAGE = Path(__file__).parents[2] / "docs" / "confinement.md"


class World:
    """A workspace with the projects ``own`` and ``other``, and a folder outside it."""

    def __init__(self, folder: Path) -> None:
        self.ws, self.outside = folder / "ws", folder / "outside"
        self.own, self.other = self.ws / "own", self.ws / "other"
        for path in (self.own, self.other / "empty", self.other / "work", self.outside / "home"):
            path.mkdir(parents=True)
        for place in (self.own, self.other, self.outside):
            (place / "file").write_text(f"a line of {place.name}\n")
        (self.other / "package.json").write_text("{}")
        (self.outside / "back").symlink_to(self.other)
        if shutil.which("git"):
            subprocess.run(["git", "init", "-q", str(self.ws)], check=True)
            (self.ws / ".git" / "hooks").mkdir(exist_ok=True)

    @property
    def confinement(self) -> Confinement:
        return confine(self.ws, ["own"])

    @property
    def environment(self) -> dict[str, str]:
        places = {name: str(getattr(self, name)) for name in ("ws", "own", "other", "outside")}
        return {**os.environ, **places, "HOME": str(self.outside / "home")}

    def contents(self) -> dict[str, tuple[int, bytes]]:
        """Every path of the workspace but those in ``own``, with its type and bytes."""
        found = {}
        for folder, names, files in os.walk(self.ws):
            if folder == str(self.own):
                names.clear()
                continue
            for path in (Path(folder, name) for name in (*names, *files)):
                kind = stat.S_IFMT(path.lstat().st_mode)
                data = path.read_bytes() if stat.S_ISREG(kind) else b""
                found[str(path.relative_to(self.ws))] = (kind, data)
        return found

    def run(self, program: str, *, confined: bool, shell: bool = False) -> str:
        """Run a program to the end of all that holds its output; returns that."""
        argv = ["/bin/sh", "-c", program] if shell else python(PRELUDE + program)
        return self.start(argv, confined=confined).communicate(timeout=60)[0].decode()

    def start(self, argv: Any, *, confined: bool, **how: Any) -> subprocess.Popen[bytes]:
        def popen() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                argv,
                cwd=self.own,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **how,
            )

        sandbox = Sandbox()
        try:
            return sandbox.start(self.confinement, popen) if confined else popen()
        finally:
            sandbox.close()


@pytest.mark.parametrize("escape", ESCAPES, ids=[each.name for each in ESCAPES])
def test_it_is_refused(escape: Escape, tmp_path: Path) -> None:
    """The same program changes the workspace when it is free, and nothing when it is confined."""
    free, confined = World(tmp_path / "free"), World(tmp_path / "confined")
    before = free.contents()
    said = free.run(escape.program, confined=False, shell=escape.shell)
    if free.ws.exists() and free.contents() == before:
        assert escape.needs, said
        pytest.skip(f"it needs {escape.needs}, which this machine lacks")
    before = confined.contents()
    confined.run(escape.program, confined=True, shell=escape.shell)
    assert confined.contents() == before


def test_a_python_body_is_refused(tmp_path: Path) -> None:
    """A forked child that confines itself writes its own project, and no other."""
    world = World(tmp_path)

    def body() -> list[str]:
        Sandbox().confine_self(world.confinement)
        (world.own / "new").write_text("mine")
        refused = []
        for path in (world.other / "file", world.ws / "new", world.ws / ".git" / "config"):
            try:
                path.write_text("spoilt")
            except PermissionError:
                refused.append(path.name)
        return refused

    assert in_fork(body) == ["file", "new", "config"]


#: What needs the process ``pid``, which is not below the one that tries.
FOREIGN = {
    "kill": "os.kill(pid, signal.SIGKILL)",
    "kill by a pidfd": "signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)",
    "kill of its group": "os.killpg(pid, signal.SIGKILL)",
    "ptrace, then kill": "libc.ptrace(16, pid, None, None) and sys.exit(1)\n"
    "os.waitpid(pid, 0x40000000)\nlibc.ptrace(8, pid, None, None)",
    "its memory": "memory = os.open(f'/proc/{pid}/mem', os.O_RDWR)\n"
    "at = int(open(f'/proc/{pid}/maps').readline().split('-')[0], 16)\n"
    "for line in open(f'/proc/{pid}/maps'):\n"
    "    if 'r-xp' in line and '[' not in line:\n"
    "        first, last = (int(word, 16) for word in line.split()[0].split('-'))\n"
    "        os.pwrite(memory, bytes(last - first), first)\n"
    "libc.kill(pid, signal.SIGCONT)\nos.kill(pid, signal.SIGALRM)",
}


@pytest.mark.parametrize("way", FOREIGN)
def test_a_foreign_process_is_out_of_reach(way: str, tmp_path: Path) -> None:
    """It ends when a free process tries this, and lives when a confined one does."""
    world = World(tmp_path)
    for confined in (False, True):
        neighbour = world.start(["sleep", "300"], confined=False, start_new_session=True)
        try:
            said = world.run(f"pid = {neighbour.pid}\n{FOREIGN[way]}", confined=confined)
            if confined:
                assert is_alive(neighbour.pid)
                assert re.search("PermissionError|^$", said), said
            else:
                neighbour.wait(timeout=30)
        finally:
            kill_left([neighbour.pid])
            neighbour.communicate()


def test_own_children_can_be_killed(tmp_path: Path) -> None:
    """A task ends what it started itself."""
    world = World(tmp_path)
    said = world.run("sleep 300 & kill -9 $!; wait $!; echo $?", confined=True, shell=True)
    assert said.split()[-1] == "137"


def test_a_file_that_a_foreign_process_has_open_cannot_be_taken(tmp_path: Path) -> None:
    """Neither by pidfd_getfd nor by its place in /proc."""
    world = World(tmp_path)
    steal = "fd = call(438, os.pidfd_open(pid), 0, 0); os.write(fd, b'spoilt')"
    again = "spoil(f'/proc/{pid}/fd/0')"
    for program in (steal, again):
        for confined in (False, True):
            (world.other / "file").write_text("whole")
            with (world.other / "file").open("r+b") as file:
                neighbour = subprocess.Popen(["sleep", "300"], stdin=file)
            world.run(f"pid = {neighbour.pid}\n{program}", confined=confined)
            kill_left([neighbour.pid])
            neighbour.wait()
            assert ((world.other / "file").read_text() == "whole") is confined


#: What Landlock does not refuse: a change of what `os.stat` and its kin say, and the program.
METADATA: dict[str, tuple[str, Callable[[Path], object]]] = {
    "chmod": ("os.chmod(victim, 0o640)", lambda path: path.stat().st_mode),
    "utime": ("os.utime(victim, (1, 1))", lambda path: path.stat().st_mtime),
    "chown": ("os.chown(victim, -1, os.getgid())", lambda path: path.stat().st_ctime_ns),
    "setxattr": ("os.setxattr(victim, 'user.a', b'b')", os.listxattr),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_can_be_changed(name: str, tmp_path: Path) -> None:
    """What the page lists as not refused is not."""
    world = World(tmp_path)
    program, look = METADATA[name]
    before = look(world.other / "file")
    world.run(program, confined=True)
    assert look(world.other / "file") != before


class TestNotRefused:
    """The other ways that the page lists as open."""

    def test_a_lock(self, tmp_path: Path) -> None:
        """A foreign file can be locked, for as long as somebody holds it open."""
        world = World(tmp_path)
        hold = "fcntl.flock(os.open(victim, os.O_RDONLY), fcntl.LOCK_EX); print('held', flush=True)"
        argv = python(PRELUDE + hold + "\nsignal.pause()")
        holder = world.start(argv, confined=True)
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with (world.other / "file").open() as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            holder.kill()
            holder.communicate()

    def test_a_descriptor_that_was_open_for_writing(self, tmp_path: Path) -> None:
        """Rights were taken when it was opened; so lanes hand on none."""
        world = World(tmp_path)
        with (world.other / "file").open("w") as file:
            argv = python(f"import os; os.write({file.fileno()}, b'spoilt')")
            world.start(argv, confined=True, pass_fds=[file.fileno()]).communicate()
        assert (world.other / "file").read_text() == "spoilt"

    def test_a_server_that_writes_for_somebody(self, tmp_path: Path) -> None:
        """A socket of a process outside is reached, and that one is free."""
        world = World(tmp_path)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "s"))
            server.listen()
            world.run(
                f"socket.socket(socket.AF_UNIX).connect({str(tmp_path / 's')!r})", confined=True
            )
            server.settimeout(30)
            server.accept()[0].close()

    def test_a_hard_link_that_was_there_before(self, tmp_path: Path) -> None:
        """A file belongs to every folder that has a name of it."""
        world = World(tmp_path)
        (world.outside / "same").hardlink_to(world.other / "file")
        world.run("spoil(outside + '/same')", confined=True)
        assert (world.other / "file").read_text() == "spoilt"


def test_the_page_names_every_way() -> None:
    """docs/confinement.md lists each row of the tables here, by name."""
    listed = set(re.findall(r"^\| ([^|]+?) +\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {each.name for each in ESCAPES} | set(FOREIGN) | set(METADATA) <= listed
