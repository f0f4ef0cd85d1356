"""What a trace says of changes to files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.run.tracing.traces import TRACED, below, trace, trace_python
from tests.support import FORKS

pytestmark = [FORKS, TRACED]

_WAYS = {
    "write": ("open('new', 'w')", {"new"}),
    "append": ("open('old', 'a')", {"old"}),
    "read and write": ("os.open('old', os.O_RDWR)", {"old"}),
    "create": ("os.open('new', os.O_RDONLY | os.O_CREAT)", {"new"}),
    "exclusive": ("open('new', 'x')", {"new"}),
    "in vain": ("try: open('none/x', 'w')\nexcept OSError: pass", {"none/x"}),
    "truncate": ("os.truncate('old', 0)", {"old"}),
    "remove": ("os.remove('old')", {"old"}),
    "rename": ("os.rename('old', 'new')", {"old", "new"}),
    "replace a folder": ("os.rename('sub', 'other')", {"sub", "other"}),
    "link": ("os.link('old', 'new')", {"new"}),
    "symlink": ("os.symlink('old', 'new')", {"new"}),
    "make a folder": ("os.mkdir('new')", {"new"}),
    "with a slash": ("os.mkdir('new/')", {"new"}),
    "remove a folder": ("os.rmdir('empty')", {"empty"}),
    "make a pipe": ("os.mkfifo('new')", {"new"}),
    "at a descriptor": (
        """
d = os.open('sub', os.O_RDONLY)
os.mkdir('new', dir_fd=d)
os.rename('new', 'n2', src_dir_fd=d, dst_dir_fd=d)
os.rmdir('n2', dir_fd=d)
""",
        {"sub/new", "sub/n2"},
    ),
    "from elsewhere": ("os.chdir('sub'); open('../new', 'w'); os.mkdir('x')", {"new", "sub/x"}),
    "through a descriptor": (
        "f = open('old'); open(f'/proc/self/fd/{f.fileno()}', 'w')",
        {"old"},
    ),
    "through /dev/fd": ("f = open('old'); open(f'/dev/fd/{f.fileno()}', 'w')", {"old"}),
    "through a root": ("open(f'/proc/self/root{os.getcwd()}/new', 'w')", {"new"}),
    "a socket": ("import socket; socket.socket(socket.AF_UNIX).bind('new')", {"new"}),
    "a name for no name": (
        """
d = os.open('.', os.O_TMPFILE | os.O_WRONLY)
os.link(f'/proc/self/fd/{d}', 'new', src_dir_fd=0, follow_symlinks=True)
""",
        {"new"},
    ),
}


def _fill(folder: Path) -> None:
    (folder / "old").write_text("old")
    (folder / "sub").mkdir()
    (folder / "empty").mkdir()


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("reads", [False, True])
def test_each_way_to_change_a_file_is_seen(tmp_path: Path, way: str, *, reads: bool) -> None:
    """Exactly the paths that it names, in both kinds of trace."""
    _fill(tmp_path)
    line, expected = _WAYS[way]
    touches = trace_python(tmp_path, line, reads=reads)
    assert below(tmp_path, touches.written) == expected
    assert str(tmp_path) not in touches.written
    assert touches.lost == {}


@pytest.mark.parametrize(
    "line",
    [
        "os.chmod('old', 0o600)",
        "os.chmod(os.open('old', os.O_RDONLY), 0o600)",
        "os.utime('old')",
        "os.utime(os.open('old', os.O_RDONLY))",
        "os.chown('old', -1, -1)",
        "os.chown('old', -1, -1, follow_symlinks=False)",
        "os.fchown(os.open('old', os.O_RDONLY), -1, -1)",
        "os.setxattr('old', 'user.a', b'1')",
        "os.removexattr('old', 'user.b')",
    ],
)
def test_metadata_is_told_apart(tmp_path: Path, line: str) -> None:
    """A mode, an owner, times and attributes; by path or by descriptor."""
    _fill(tmp_path)
    os.setxattr(tmp_path / "old", "user.b", b"1")
    touches = trace_python(tmp_path, line, reads=False)
    assert below(tmp_path, touches.metadata) == {"old"}
    assert below(tmp_path, touches.written) == set()


def test_a_write_through_a_link_is_a_write_where_it_leads(tmp_path: Path) -> None:
    """Of a folder or of the file itself; ``links`` says what was said."""
    _fill(tmp_path)
    (tmp_path / "way").symlink_to("sub")
    (tmp_path / "name").symlink_to("sub/file")  # leads to what is not there yet
    touches = trace_python(tmp_path, "open('way/x', 'w'); open('name', 'w')", reads=False)
    assert below(tmp_path, touches.written) == {"sub/x", "sub/file"}
    assert touches.links[f"{tmp_path}/way/x"] == f"{tmp_path}/sub/x"
    assert touches.links[f"{tmp_path}/name"] == f"{tmp_path}/sub/file"


def test_a_link_itself_is_changed_by_what_does_not_follow_it(tmp_path: Path) -> None:
    """Removing it, renaming it, or creating what must not exist."""
    _fill(tmp_path)
    for name in ("a", "b", "c"):
        (tmp_path / name).symlink_to("old")
    lines = ("os.remove('a'); os.rename('b', 'd')", "try: open('c', 'x')", "except OSError: pass")
    touches = trace_python(tmp_path, *lines, reads=False)
    assert below(tmp_path, touches.written) == {"a", "b", "d", "c"}


def test_two_dots_behind_a_link_are_where_the_kernel_goes(tmp_path: Path) -> None:
    """Not where the text seems to."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "way").symlink_to("deep/er")
    touches = trace_python(tmp_path, "open('way/../x', 'w')", reads=False)
    assert below(tmp_path, touches.written) == {"deep/x"}


@pytest.mark.parametrize(
    ("change", "leads"),
    [
        ("os.rename('next', 'up/way')", "empty/x"),
        ("os.remove('up/way'); os.mkdir('up/way')", "up/way/x"),
        ("os.rename('up', 'down'); os.makedirs('up/way')", "up/way/x"),
        ("os.remove('up/way'); os.symlink('../empty', 'up/way')", "empty/x"),
    ],
)
def test_a_link_that_changes_is_followed_anew(tmp_path: Path, change: str, leads: str) -> None:
    """What was learned of folders is forgotten when a link or a folder above it was changed."""
    _fill(tmp_path)
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "way").symlink_to("../sub")
    (tmp_path / "next").symlink_to("../empty")
    lines = ("open('up/way/x', 'w').close()", change, "open('up/way/x', 'w').close()")
    touches = trace_python(tmp_path, *lines, reads=False)
    assert {"sub/x", leads} <= below(tmp_path, touches.written)


def test_a_link_that_is_made_is_followed(tmp_path: Path) -> None:
    """Also where the same path was written in vain before."""
    _fill(tmp_path)
    lines = (
        "try: open('way/x', 'w')",
        "except OSError: pass",
        "os.symlink('sub', 'way'); open('way/x', 'w').close()",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert below(tmp_path, touches.written) == {"way/x", "way", "sub/x"}


def test_a_removed_current_folder_still_has_its_name(tmp_path: Path) -> None:
    """The kernel marks it ``(deleted)``."""
    _fill(tmp_path)
    lines = (
        "os.chdir('empty'); os.rmdir('../empty')",
        "try: open('x', 'w')",
        "except OSError: pass",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert below(tmp_path, touches.written) == {"empty", "empty/x"}


def test_each_thread_has_its_own_current_folder(tmp_path: Path) -> None:
    """Where it asked for that (``CLONE_FS``)."""
    _fill(tmp_path)
    lines = (
        "import ctypes, threading",
        "def run():",
        "    assert ctypes.CDLL(None).unshare(0x200) == 0",
        "    os.chdir('sub'); open('x', 'w')",
        "t = threading.Thread(target=run); t.start(); t.join(); open('y', 'w')",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert below(tmp_path, touches.written) == {"sub/x", "y"}


def test_a_trace_of_writes_costs_nothing_where_nothing_is_written(tmp_path: Path) -> None:
    """Not one call of a program that only reads is notified."""
    (tmp_path / "file").write_text("text")
    ended = trace(tmp_path, "cat", "file", reads=False)
    assert (ended.code, ended.output, ended.touches.calls) == (0, "text", 0)


def test_children_of_all_kinds_are_seen(tmp_path: Path) -> None:
    """Of vfork, fork and clone3, in another session, behind a daemon, and threads."""
    lines = (
        "import subprocess, threading, time",
        "script = 'echo > vfork; (echo > fork); setsid sh -c \"echo > s\"'",
        "subprocess.run(['/bin/sh', '-c', script])",
        "t = threading.Thread(target=lambda: open('thread', 'w').close()); t.start(); t.join()",
        "r, w = os.pipe()",
        "if os.fork() == 0:",
        "    os.setsid()",
        "    if os.fork() == 0: open('daemon', 'w').close(); os.write(w, b'!')",
        "    os._exit(0)",
        "os.read(r, 1); os.wait()",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert below(tmp_path, touches.written) == {"vfork", "fork", "s", "thread", "daemon"}


def test_a_static_program_is_seen(tmp_path: Path) -> None:
    """Nothing is loaded into it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to make a static program with")
    source = '#include <stdio.h>\nint main(void) { return fopen("made", "w") == 0; }\n'
    (tmp_path / "it.c").write_text(source)
    made = subprocess.run([compiler, "-static", "-o", "it", "it.c"], cwd=tmp_path, check=False)
    if made.returncode:
        pytest.skip("the C compiler cannot make static programs")
    ended = trace(tmp_path, "./it", reads=False)
    assert (ended.code, below(tmp_path, ended.touches.written)) == (0, {"made"})
