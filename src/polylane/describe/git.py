"""What git says of the workspace: the only caller of git.

Knows nothing of projects. Every call drops git's own variables, so that a hook's are not obeyed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from polylane.describe.config import task_environment
from polylane.errors import UserError


def _git(folder: Path, *arguments: str, stdin: bytes | None = None) -> tuple[int, bytes, str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            check=False,
            env={**task_environment(), "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise UserError(
            "git is not installed, or not on PATH; polylane asks it what is ignored"
        ) from None
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def git_folder(folder: Path) -> Path:
    """The folder which holds git's data for the work tree around ``folder``."""
    code, out, error = _git(folder, "rev-parse", "--absolute-git-dir", "--is-inside-work-tree")
    lines = out.decode(errors="surrogateescape").splitlines()
    if code or len(lines) < 2 or lines[1] != "true":
        if "dubious ownership" in error:
            raise UserError(f"{folder}: git refuses this repository: {error.splitlines()[0]}")
        raise UserError(
            f"{folder}: is no git repository, which polylane needs to know what is ignored;"
            " run git init there, or start in a repository"
        )
    return Path(lines[0])


def ignore_files(folder: Path) -> list[Path]:
    """The files outside the work tree's own ``.gitignore`` that say what is ignored."""
    code, out, _ = _git(folder, "config", "--type=path", "core.excludesFile")
    if code == 0 and out.strip():
        own = Path(os.fsdecode(out.strip()))
    else:
        home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        own = Path(home) / "git" / "ignore"
    return [git_folder(folder) / "info" / "exclude", own]


def ignored(folder: Path, paths: Sequence[str]) -> set[str]:
    """Which of the paths, relative to ``folder``, git ignores; tracked ones never are."""
    if not paths:
        return set()
    text = b"".join(os.fsencode(path) + b"\0" for path in paths)
    code, out, error = _git(folder, "check-ignore", "--stdin", "-z", stdin=text)
    if code > 1:
        raise UserError(f"{folder}: git check-ignore failed: {error}")
    return {os.fsdecode(path) for path in out.split(b"\0") if path}


def changed(folder: Path, revisions: Iterable[str]) -> list[str]:
    """Paths relative to ``folder`` which differ between two revisions."""
    code, out, error = _git(folder, "diff", "--name-only", "-z", "--relative", *revisions, "--")
    if code:
        raise UserError(f"{folder}: git diff failed: {error}")
    return [os.fsdecode(path) for path in out.split(b"\0") if path]
