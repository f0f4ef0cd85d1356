"""Makes a project's ``.venv`` and installs into it: ``python -m polylane.tools.setup_python``.

Works in the folder that it is started in. Options: ``--editable`` the project itself;
``--dependencies`` its dependencies only, where it is no package; ``--extra NAME``,
``--group NAME``, ``--requirement FILE`` and ``--also NAME``, each any number of times.

Two at once set an environment up once: the second waits, and finds it done. A file in the
environment, written last, holds the hash of all that went in: while that is the same a call does
nothing. An environment that is new and fails is removed. pip's own settings hold.
Exit codes: 0 done; pip's or venv's where one fails; 2 bad usage.
Knows nothing of tasks and of other installers.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ENVIRONMENT = ".venv"
MARKER = "polylane-setup"
UNFINISHED = b"unfinished"
_INPUTS = ("pyproject.toml", "setup.cfg", "setup.py")


class _Stop:
    """The wish to stop: an exception out of a signal handler could lose a child that starts."""

    number = 0
    child: subprocess.Popen[bytes] | None = None

    def said(self, number: int, _: object) -> None:
        self.number = number
        self.end()

    def end(self) -> None:
        """Kill the child with its own children, who would go on writing into what we remove."""
        if self.child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)


_stop = _Stop()


def main(words: Sequence[str] | None = None) -> int:
    """Run with the words of a command line; returns the exit code."""
    options = _parser().parse_args(words)
    folder = Path.cwd()
    with _alone(folder):
        environment = folder / ENVIRONMENT
        marker = environment / MARKER
        wanted = _digest(folder, options)
        if _read(marker) == wanted.encode():
            print(f"{ENVIRONMENT} is up to date")
            return 0
        if _read(marker) == UNFINISHED:
            shutil.rmtree(environment)
        if environment.exists():
            marker.unlink(missing_ok=True)
            code = _install(folder, options)
        else:
            code = _fresh(folder, options)
        if code == 0:
            marker.write_text(wanted, encoding="ascii")
    return code


def _fresh(folder: Path, options: argparse.Namespace) -> int:
    """Make and fill a new environment, or leave none: half of one would look like a whole."""
    environment = folder / ENVIRONMENT
    environment.mkdir()
    # Should we be killed, the next call knows by this what it may remove.
    (environment / MARKER).write_bytes(UNFINISHED)
    code = 1
    try:
        code = _run(folder, sys.executable, "-m", "venv", ENVIRONMENT) or _install(folder, options)
    finally:
        if code != 0:
            shutil.rmtree(environment, ignore_errors=True)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m polylane.tools.setup_python")
    parser.add_argument("--editable", action="store_true")
    parser.add_argument("--dependencies", action="store_true")
    for name in ("--extra", "--group", "--requirement", "--also"):
        parser.add_argument(name, action="append", default=[])
    return parser


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; a lock on the folder itself leaves no file in the project."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another setup of {folder}", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _digest(folder: Path, options: argparse.Namespace) -> str:
    """The hash of all that decides what gets installed."""
    parts = [sys.version, repr(sorted(vars(options).items()))]
    hasher = hashlib.sha256("\0".join(parts).encode())
    for path in (*_INPUTS, *_requirements(folder, options.requirement)):
        content = _read(folder / path)
        hasher.update(f"\0{path}\0{-1 if content is None else len(content)}\0".encode())
        hasher.update(content or b"")
    return hasher.hexdigest()


def _requirements(folder: Path, paths: Sequence[str]) -> list[str]:
    """Requirements and constraints files, with those that they name."""
    seen: dict[str, None] = {}
    todo = list(reversed(paths))
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen[path] = None
        text = (_read(folder / path) or b"").decode(errors="replace")
        named = re.findall(
            r"^\s*(?:-r|-c|--requirement|--constraint)[ =]*(\S+)", text, re.MULTILINE
        )
        todo += [os.path.normpath(Path(path).parent / name) for name in reversed(named)]
    return list(seen)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _install(folder: Path, options: argparse.Namespace) -> int:
    python = _python(folder / ENVIRONMENT)
    try:
        words = _words(folder, options)
    except tomllib.TOMLDecodeError as error:
        print(f"setup: pyproject.toml: {error}; mend it", file=sys.stderr)
        return 2
    except KeyError as error:
        print(f"setup: pyproject.toml has no group or extra {error}; mend it", file=sys.stderr)
        return 2
    if not words:
        return 0
    return _run(folder, str(python), "-m", "pip", "--no-input", "install", "--quiet", *words)


def _run(folder: Path, *argv: str) -> int:
    print("+ " + " ".join(argv), flush=True)
    # pip would install into the environment that these name.
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV")}
    _stop.child = subprocess.Popen(
        argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, process_group=0
    )
    if _stop.number:  # it came while the child was starting
        _stop.end()
    code = _stop.child.wait()
    _stop.child = None
    if _stop.number:
        raise SystemExit(128 + _stop.number)
    return code if code >= 0 else 128 - code


def _python(environment: Path) -> Path:
    if os.name == "nt":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def _words(folder: Path, options: argparse.Namespace) -> list[str]:
    """What pip is told to install."""
    pyproject = tomllib.loads((_read(folder / "pyproject.toml") or b"").decode())
    words = [word for path in options.requirement for word in ("-r", path)]
    words += [name for group in options.group for name in _group(pyproject, group, ())]
    if options.editable:
        extras = f"[{','.join(options.extra)}]" if options.extra else ""
        words += ["-e", f".{extras}"]
    else:
        words += _without_package(pyproject, options)
    return [*words, *options.also]


def pip_words(folder: Path, words: Sequence[str]) -> list[str]:
    """What `main` with these words would tell pip to install: for hosts with their own pip."""
    return _words(folder, _parser().parse_args(words))


def _without_package(pyproject: Mapping[str, Any], options: argparse.Namespace) -> list[str]:
    project = pyproject.get("project", {})
    names = list(project.get("dependencies", [])) if options.dependencies else []
    for extra in options.extra:
        names += project.get("optional-dependencies", {})[extra]
    return names


def _group(pyproject: Mapping[str, Any], group: str, above: tuple[str, ...]) -> Iterator[str]:
    """The requirements of a dependency group, with the groups that it includes (PEP 735)."""
    if group in above:
        raise KeyError(" -> ".join((*above, group)))
    groups = {_normal(name): content for name, content in _groups(pyproject).items()}
    for item in groups[_normal(group)]:
        if isinstance(item, str):
            yield item
        else:
            yield from _group(pyproject, item["include-group"], (*above, group))


def _groups(pyproject: Mapping[str, Any]) -> Mapping[str, Any]:
    groups: Mapping[str, Any] = pyproject.get("dependency-groups", {})
    return groups


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signal_number, _stop.said)
    raise SystemExit(main())
