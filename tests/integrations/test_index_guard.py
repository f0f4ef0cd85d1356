"""The index stays as it is while the guard holds its lock."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from polylane.integrations.index_guard import guarded

LIMIT_S = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a").write_text("a", encoding="utf-8")
    return tmp_path


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )


def test_nothing_can_be_staged_meanwhile(folder: Path) -> None:
    """It refuses with its own message, and does what it is told afterwards."""
    with guarded(folder / ".git" / "index") as held:
        refused = git(folder, "add", "-A")
    assert held
    assert (refused.returncode, "index.lock" in refused.stderr) == (128, True)
    assert git(folder, "add", "-A").returncode == 0


def test_somebody_elses_lock_stays(folder: Path) -> None:
    """`git commit -a` holds it itself: nothing is taken, and nothing is removed."""
    lock = folder / ".git" / "index.lock"
    lock.write_text("theirs", encoding="utf-8")
    with guarded(folder / ".git" / "index") as held:
        assert not held
    assert lock.read_text(encoding="utf-8") == "theirs"


def test_a_lock_that_replaced_ours_stays(folder: Path) -> None:
    """Somebody removed our lock by hand, and took their own."""
    lock = folder / ".git" / "index.lock"
    with guarded(folder / ".git" / "index"):
        other = folder / "other"
        other.write_text("theirs", encoding="utf-8")
        other.replace(lock)
    assert lock.read_text(encoding="utf-8") == "theirs"


def test_the_lock_goes_away_with_a_killed_hook(folder: Path) -> None:
    """Not even kill -9 leaves a repository in which git refuses to work."""
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from polylane.integrations.index_guard import guarded\n"
        "with guarded(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    hook = subprocess.Popen(
        [sys.executable, "-c", script, str(folder / ".git" / "index")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert hook.stdout is not None
    assert hook.stdin is not None
    with hook.stdin, hook.stdout:
        assert hook.stdout.readline() == b"held\n"
        assert (folder / ".git" / "index.lock").exists()
        os.killpg(hook.pid, signal.SIGKILL)
        hook.wait(LIMIT_S)
        # Its child holds our pipe until it has removed the lock.
        assert select.select([hook.stdout], [], [], LIMIT_S)[0]
        assert hook.stdout.read() == b""
    assert not (folder / ".git" / "index.lock").exists()
