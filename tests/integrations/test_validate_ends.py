"""Where ``inv lanes.validate`` runs, who waits for it, how it ends, and what it leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from polylane.run import tree
from tests.integrations.repository import LIMIT_S, Done, Repository
from tests.integrations.validating import (
    begun,
    certificate,
    repository,
    scratches,
    shell,
    validate,
    words_of,
)

__all__ = ["repository"]
from tests.support import is_alive, kill_left, pids_in, state, wait_for, wait_gone

FORBID_VIEWS = """
import ctypes, os, platform, struct, sys
number = 272 if platform.machine() == "x86_64" else 97  # unshare
codes = (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)
code = b"".join(struct.pack("HBBI", *each) for each in codes)
program = ctypes.create_string_buffer(code)
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, struct.pack("HxxxxxxQ", 4, ctypes.addressof(program)), 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "invoke", *sys.argv[1:]])
"""


def in_copies(repository: Repository) -> Done:
    """Validate where the kernel answers `unshare` with EPERM (seccomp(2)), as in a container."""
    scratch = str(repository.folder.parent / "scratch")
    return repository.run(sys.executable, "-c", FORBID_VIEWS, *words_of(), TMPDIR=scratch)


def test_where_views_are_refused_copies_are_compared(repository: Repository) -> None:
    """It says so, why, and what is not certified; their path is no difference."""
    repository.tasks(
        a=shell("test ! -e .polylane/certificates && pwd | tee a.txt", writes=["a.txt"]),
        b=shell("cat a.txt | wc -l; true"),
    )
    done = in_copies(repository)
    assert done.code == 1, done.all
    assert re.search(r"^no view in \S+/scratch: a seccomp filter", done.out, re.MULTILINE)
    assert "\nnot certified: absolute paths, which lead out of the copies\n" in done.out
    assert re.search(r"^tasks that passed +(\d+)/\1 +2/2 +6/6$", done.out, re.MULTILINE)
    names = [each["name"] for each in certificate(repository)["differences"]]
    assert names == ["all:root:b"]
    assert not (repository.folder / "a.txt").exists()
    assert scratches(repository) == []


def test_our_own_runs_see_the_view_too(repository: Repository) -> None:
    """A task that runs polylane does not wait for the locks of the validation."""
    inner = f"{sys.executable} -m invoke lint > /dev/null"  # a table of seconds, never the same
    repository.tasks(a=shell(inner, writes=["x"]), b=shell("true"))
    config = repository.folder / "pyproject.toml"
    more = '[tool.polylane.tasks."lint:root:x"]\ncommand = "touch x"\nreads = []\nwrites = ["x"]\n'
    config.write_text(config.read_text(encoding="utf-8") + more, encoding="utf-8")
    done = validate(repository)
    assert done.code == 0, done.all
    assert re.search(r"^tasks that passed +(\d+)/\1 +2/2 +6/6$", done.out, re.MULTILINE)
    assert not (repository.folder / "x").exists()


def test_other_runs_wait(repository: Repository) -> None:
    """They would change the workspace below the views."""
    started, go = (repository.folder.parent / name for name in ("started", "go"))
    wait = "touch ../started; until test -e ../go; do sleep 0.01; done"
    repository.tasks(a=shell(wait, writes=["x"]), b=shell("true"))
    with begun(repository, *words_of()) as first:
        wait_for(started.exists, "first round")
        with begun(repository, "all") as second:
            assert second.stderr is not None
            assert second.stderr.readline().startswith(b"polylane: waiting for process ")
            second.terminate()
        go.touch()
        assert first.wait(LIMIT_S) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(repository: Repository, number: signal.Signals) -> None:
    """No process, no scratch folder; it says how far it came, with the signal's exit code."""
    repository.tasks(a=shell("echo $$ >> ../pids; exec sleep 300"), b=shell("true"))
    with begun(repository, *words_of()) as running:
        pids = pids_in(repository.folder.parent / "pids")
        running.send_signal(number)
        out, err = running.communicate(timeout=LIMIT_S)
    assert running.returncode == 128 + number
    assert b"\ninterrupted after 0 parallel rounds: reversed 0/1, overlapped 0/1\n" in out
    assert err == b""
    assert not any(map(is_alive, pids))
    assert scratches(repository) == []
    assert certificate(repository)["verdict"] == "interrupted"


def test_ctrl_c_of_the_terminal_ends_it_once(repository: Repository) -> None:
    """The terminal tells the whole group; a round has a group of its own, so tasks get grace."""
    said = (
        "trap 'sleep 0.5; echo asked > ../asked; exit 1' TERM; echo $$ >> ../pids; sleep 300 & wait"
    )
    repository.tasks(a=shell(said), b=shell("true"))
    command = [sys.executable, "-m", "invoke", *words_of()]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=repository.folder, stdin=quiet, stdout=quiet, start_new_session=True
    ) as running:
        pids = pids_in(repository.folder.parent / "pids")
        (child,) = tree.children(running.pid)
        assert os.getpgid(child) != running.pid  # or it would be told twice, when it is slow
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(LIMIT_S) == 130
    assert (repository.folder.parent / "asked").exists()
    wait_gone(pids)


def test_ctrl_z_stops_all_of_it_and_it_goes_on(repository: Repository) -> None:
    """The validation, its round and the tasks stop; then all of them continue."""
    repository.tasks(a=shell("echo $$ >> ../pids; exec sleep 300"), b=shell("true"))
    # A job of a session, as a shell starts it: who has no parent in its session is never stopped.
    program = (
        "import pathlib, subprocess, sys\n"
        "job = subprocess.Popen(sys.argv[1:], process_group=0)\n"
        "pathlib.Path('../inv').write_text(f'{job.pid}\\n')\n"
        "job.wait()\n"
    )
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        (sys.executable, "-c", program, sys.executable, "-m", "invoke", *words_of()),
        cwd=repository.folder,
        env={**os.environ, "TMPDIR": str(repository.folder.parent / "scratch")},
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
        start_new_session=True,
    ):
        (task,) = pids_in(repository.folder.parent / "pids")
        (validation,) = pids_in(repository.folder.parent / "inv")
        all_of_it = (validation, *tree.children(validation), task)
        try:
            os.kill(validation, signal.SIGTSTP)
            wait_for(lambda: set(map(state, all_of_it)) == {"T"}, "stop")
            os.kill(validation, signal.SIGCONT)
            wait_for(lambda: "T" not in map(state, all_of_it), "continuation")
            os.kill(validation, signal.SIGTERM)
            wait_gone([validation])
        finally:
            kill_left([validation])
    wait_gone(all_of_it)
    assert scratches(repository) == []


def test_what_a_killed_validation_leaves_is_removed_by_the_next(repository: Repository) -> None:
    """Its processes end at once, its scratch folder at the next start."""
    wait = "echo $$ >> ../pids; test -e ../go || exec sleep 300"
    repository.tasks(a=shell(wait), b=shell("true"))
    with begun(repository, *words_of()) as running:
        pids = pids_in(repository.folder.parent / "pids")
        running.kill()
    wait_gone(pids)
    (left,) = scratches(repository)
    (repository.folder.parent / "go").touch()
    done = validate(repository)
    assert done.code == 0, done.all
    assert left not in scratches(repository)
    assert scratches(repository) == []


def test_a_round_that_is_killed_is_a_defect_in_one_line(repository: Repository) -> None:
    """With its name; nothing is left."""
    repository.tasks(a=shell("echo $$ >> ../pids; exec sleep 300"), b=shell("true"))
    with begun(repository, *words_of()) as running:
        pids = pids_in(repository.folder.parent / "pids")
        (child,) = tree.children(running.pid)
        os.kill(child, signal.SIGKILL)
        _, err = running.communicate(timeout=LIMIT_S)
    assert running.returncode == 3
    assert b"sequential: its process was killed" in err
    assert err.count(b"\n") == 1
    assert not any(map(is_alive, pids))
    assert not [name for name in scratches(repository) if name.startswith("polylane-round")]


def test_a_round_that_somebody_else_interrupts_is_interrupted(repository: Repository) -> None:
    """Whatever differed until then was not told apart yet: nobody is accused."""
    repository.tasks(a=shell("echo $$ >> ../pids; exec sleep 300"), b=shell("true"))
    with begun(repository, *words_of()) as running:
        pids = pids_in(repository.folder.parent / "pids")
        (child,) = tree.children(running.pid)
        os.kill(child, signal.SIGTERM)
        running.communicate(timeout=LIMIT_S)
    assert running.returncode == 128 + signal.SIGTERM
    assert not any(map(is_alive, pids))
