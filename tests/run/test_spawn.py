"""A start by the C library does what `subprocess` does, errors and search of programs included."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from polylane.run.spawn import keep_to_itself, spawn

Make = Callable[[Path], None]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _script(path: Path, says: str, mode: int = 0o755) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(mode)


def _cut(path: Path) -> None:
    _script(path, "x")
    path.write_text("echo no first line\n")


def _said(command: list[str], environment: dict[bytes, bytes]) -> tuple[int, str]:
    """Start it with a file as its output; its exit code, and what it said."""
    with Path("out").open("wb") as file:
        pid = spawn(command, environment, output=file.fileno(), session=True)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), Path("out").read_text()


def _fails(command: list[str], path: str) -> tuple[int | None, str]:
    with pytest.raises(OSError, match=r".") as caught:
        spawn(command, {b"PATH": os.fsencode(path)}, output=None, session=False)
    return caught.value.errno, caught.value.filename


def test_both_streams_go_to_the_output_and_it_leads_a_session(tmp_path: Path) -> None:
    """As a task's log wants it; its own environment is all that it has."""
    line = 'echo "$A"; echo b >&2; ps -o sid= -p $$ | tr -d " "; echo $$'
    code, said = _said(["/bin/sh", "-c", line], {b"A": b"a", b"PATH": b"/usr/bin:/bin"})
    first, second, session, pid = said.split()
    assert (code, first, second) == (0, "a", "b")
    assert session == pid


def test_a_name_is_looked_for_in_the_path_of_the_environment(tmp_path: Path) -> None:
    """In its order; not in our own PATH."""
    _script(tmp_path / "one" / "tool", "one")
    _script(tmp_path / "two" / "tool", "two")
    for path, says in (("one:two", "one"), ("none:two:one", "two"), ("two/:one", "two")):
        assert _said(["tool"], {b"PATH": os.fsencode(path)}) == (0, f"{says}\n")


def test_an_empty_part_of_the_path_is_the_current_folder(tmp_path: Path) -> None:
    """As for every shell."""
    _script(tmp_path / "tool", "here")
    for path in (":none", "none::none", "none:", ""):
        assert _said(["tool"], {b"PATH": os.fsencode(path)}) == (0, "here\n")


def test_without_a_path_the_systems_own_is_searched() -> None:
    """`os.defpath`."""
    assert _said(["true"], {}) == (0, "")


def test_what_may_not_run_is_passed_over_but_said_when_nothing_else_is_found(
    tmp_path: Path,
) -> None:
    """A folder before the right one may hold something of the same name."""
    _script(tmp_path / "bad" / "tool", "bad", mode=0o644)
    _script(tmp_path / "good" / "tool", "good")
    assert _said(["tool"], {b"PATH": b"bad:good"}) == (0, "good\n")
    assert _fails(["tool"], "bad:none") == (errno.EACCES, "tool")
    assert _fails(["tool"], "none:bad") == (errno.EACCES, "tool")


@pytest.mark.parametrize(
    ("make", "program"),
    [
        (lambda _: None, "nosuch"),
        (lambda _: None, "./nosuch"),
        (lambda folder: _script(folder / "tool", "x", mode=0o600), "./tool"),
        (lambda folder: (folder / "tool").mkdir(), "./tool"),
        (lambda folder: _script(folder / "file", "x"), "./file/tool"),
        (lambda folder: _cut(folder / "tool"), "./tool"),
    ],
    ids=["no-name", "no-path", "no-right", "a-folder", "below-a-file", "no-program"],
)
def test_errors_are_those_of_subprocess(tmp_path: Path, make: Make, program: str) -> None:
    """The same number, and the program as it was said."""
    make(tmp_path)
    with pytest.raises(OSError, match=r".") as theirs:
        subprocess.Popen([program], env={"PATH": "/usr/bin:/bin"})
    assert _fails([program], "/usr/bin:/bin") == (theirs.value.errno, program)


def test_a_zero_byte_is_a_value_error_as_in_subprocess() -> None:
    """Nothing is started."""
    with pytest.raises(ValueError, match="null"):
        spawn(["/bin/echo", "a\0b"], {}, output=None, session=False)


def test_what_was_inheritable_is_kept_from_programs(tmp_path: Path) -> None:
    """A host's shell may have left descriptors open; the standard streams stay."""
    reader, leak = os.pipe()
    os.set_inheritable(leak, True)  # noqa: FBT003
    try:
        keep_to_itself()
        assert not os.get_inheritable(leak)
        assert all(os.get_inheritable(stream) for stream in (1, 2))
    finally:
        os.close(reader)
        os.close(leak)
