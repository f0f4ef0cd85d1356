"""What git says of the workspace: the only caller of git.

Knows nothing of projects. Every call drops git's own variables, so that a hook's are not obeyed.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from polylane.describe.config import task_environment
from polylane.errors import UserError


def _git(
    folder: Path,
    *arguments: str,
    stdin: bytes | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[int, bytes, str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            check=False,
            env={**_environment(), **(environ or {})},
        )
    except FileNotFoundError:
        raise UserError(
            "git is not installed, or not on PATH; polylane asks it what is ignored"
        ) from None
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def _environment() -> dict[str, str]:
    """The environment of git: no wishes about pathspecs, which check-ignore refuses."""
    ours = {k: v for k, v in task_environment().items() if not k.endswith("_PATHSPECS")}
    return {**ours, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def top(folder: Path) -> Path | None:
    """The folder around ``folder``, or itself, that has a ``.git``, found without asking git."""
    return next((f for f in (folder, *folder.parents) if os.path.lexists(f / ".git")), None)


def ignore_sources(folder: Path) -> list[Path]:
    """The files that say what is ignored, but for each ``.gitignore`` below ``folder``.

    Those that don't exist are among them: they may appear.
    """
    exclude = folder / _of_repository(folder, "--git-path", "info/exclude")
    highest = top(folder)
    assert highest is not None  # git has just found it
    above = [f / ".gitignore" for f in folder.parents if f.is_relative_to(highest)]
    named, own = _configuration(folder, highest)
    return [*above, exclude, *global_files(), *named, *own]


def data_folders(folder: Path) -> list[Path]:
    """The folders of the repository's own data around ``folder``, found without asking git.

    A linked work tree has two: its own, and the one that it shares. See gitrepository-layout(5).
    """
    if (highest := top(folder)) is None:
        return []
    git = highest / ".git"
    if git.is_dir():
        return [git]
    try:
        own = git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        shared = own / (own / "commondir").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return []
    return [own, shared]


def global_files() -> list[Path]:
    """The user's files that may say what is ignored, as far as the environment alone names them."""
    environ = task_environment()
    home = Path.home()
    folder = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "git"
    said = environ.get("GIT_CONFIG_GLOBAL")
    configs = [Path(said)] if said else [home / ".gitconfig", folder / "config"]
    return [*configs, folder / "ignore"]


def _of_repository(folder: Path, *question: str) -> Path:
    """A path of the repository around ``folder``; none around it is a `UserError`."""
    code, out, error = _git(folder, "rev-parse", "--is-inside-work-tree", *question)
    inside, _, path = out.partition(b"\n")
    if code or inside != b"true":
        if error and "not a git repository" not in error:
            raise UserError(f"{folder}: git refuses to work here: {error.splitlines()[0]}")
        raise UserError(
            f"{folder}: is no git repository, which polylane needs to know what is ignored;"
            " run git init there, or start in a repository"
        )
    return Path(os.fsdecode(path.removesuffix(b"\n")))


def _configuration(folder: Path, top: Path) -> tuple[list[Path], list[Path]]:
    """The files of excludes that git's configuration names, and those that it is read from."""
    code, out, error = _git(folder, "config", "--list", "--show-origin", "-z")
    if code:
        raise UserError(f"{folder}: git config failed: {error}")
    named: list[Path] = []
    own: dict[Path, None] = {}
    words = os.fsdecode(out).split("\0")
    for origin, entry in zip(words[::2], words[1::2], strict=False):
        if origin.startswith("file:"):
            own[top / origin.removeprefix("file:")] = None
        key, _, value = entry.partition("\n")
        if key == "core.excludesfile" and value:
            named.append(top / Path(value).expanduser())
    return named, list(own)


def ignored(folder: Path, paths: Sequence[str]) -> set[str]:
    """Which of the paths, relative to ``folder``, git ignores; tracked ones never are."""
    if not paths:
        return set()
    # With a leading ./ no name is taken for a pathspec with magic, which starts with a colon.
    text = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)
    code, out, error = _git(folder, "check-ignore", "--stdin", "-z", stdin=text)
    if code > 1:
        raise UserError(f"{folder}: git check-ignore failed: {error}")
    return {path.removeprefix("./") for path in _paths(out)}


def index_file(folder: Path) -> Path:
    """The index of the work tree around ``folder``, a linked work tree's own."""
    code, out, error = _git(folder, "rev-parse", "--git-path", "index")
    if code:
        raise UserError(f"{folder}: is no git repository: {error}")
    return folder / os.fsdecode(out.removesuffix(b"\n"))


def remote(folder: Path) -> str:
    """The host of the remote ``origin``, or of the first of others; empty where none has one."""
    _, out, _ = _git(folder, "remote")
    names = os.fsdecode(out).split()
    for name in sorted(names, key=lambda name: name != "origin"):
        _, url, _ = _git(folder, "remote", "get-url", name)
        if found := re.match(_HOST, os.fsdecode(url)):
            return found[1].lower()
    return ""


#: ``https://host/path``, ``ssh://user@host:22/path``, ``user@host:path``. See git-clone(1).
_HOST = r"(?:[\w+]+://)?(?:[^@/\s]+@)?([\w.-]+\w)[:/]"


def head_time(folder: Path) -> int | None:
    """The time of the newest commit, in seconds since 1970; None where there is none."""
    code, out, _ = _git(folder, "log", "-1", "--format=%ct")
    return int(out) if code == 0 and out.strip() else None


def files(folder: Path) -> list[str]:
    """Paths below ``folder`` that git does not ignore, tracked or not."""
    code, out, error = _git(folder, "ls-files", "-z", "-c", "-o", "--exclude-standard")
    if code:
        raise UserError(f"{folder}: git ls-files failed: {error}")
    return _paths(out)


class Listing:
    """Every file below a folder that git does not ignore, while git looks for them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def read(self) -> bytes | None:
        """Wait for it: records with NULs, as ``git ls-files -zts`` has them; None where it failed.

        A file that differs from the index has a record of the index and another one.
        """
        with self._process as process:
            out = process.stdout.read() if process.stdout else b""
            try:
                done = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            except ChildProcessError:  # somebody else reaped it: nobody knows whether it failed
                return None
        return out if done and done.si_code == os.CLD_EXITED and done.si_status == 0 else None

    def end(self) -> None:
        """End it; whoever reads gets None."""
        self._process.kill()


def begin_listing(folder: Path) -> Listing:
    """Start looking; who starts it must `Listing.read` it. `OSError` where git is not there."""
    words = ("ls-files", "-z", "-t", "-s", "-c", "-m", "-d", "-o", "--exclude-standard")
    return Listing(
        subprocess.Popen(
            ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
    )


def changed(folder: Path, before: str, after: str, *, gone: bool = False) -> list[str]:
    """Paths relative to ``folder`` that changed from one revision to another; both of a rename.

    Since their common ancestor, where they have one. ``gone``: only those that are no more.
    """
    which = ("--diff-filter=D",) if gone else ()
    for dots in ("...", ".."):
        code, out, error = _git(folder, *_DIFF, *which, f"{before}{dots}{after}", "--")
        if code == 0:
            return _paths(out)
    raise UserError(f"{folder}: git diff {before} {after} failed: {error}")


def staged_deletions(folder: Path) -> list[str]:
    """Paths relative to ``folder`` that the commit being made deletes, the old ones of renames.

    In a hook git names the index of that commit, the one variable of git's that is obeyed.
    """
    index = {"GIT_INDEX_FILE": path} if (path := os.environ.get("GIT_INDEX_FILE")) else {}
    code, out, _ = _git(folder, *_DIFF, "--cached", "--diff-filter=D", environ=index)
    return _paths(out) if code == 0 else []


_DIFF = ("diff", "--name-only", "-z", "--relative", "--no-renames", "--no-ext-diff")


def _paths(out: bytes) -> list[str]:
    return [os.fsdecode(path) for path in out.split(b"\0") if path]
