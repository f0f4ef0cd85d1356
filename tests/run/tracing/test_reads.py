"""What a trace says of reads, of looks, and of what was not there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.run.tracing.traces import TRACED, below, trace, trace_python
from tests.support import FORKS

pytestmark = [FORKS, TRACED]


def _fill(folder: Path) -> None:
    for name in ("file", "other"):
        (folder / name).write_text("text")
    (folder / "sub").mkdir()
    (folder / "sub" / "inner").write_text("text")


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ("open('file')", "read", {"file"}),
        ("os.open('file', os.O_RDWR)", "read", {"file"}),
        ("os.link('file', 'new')", "read", {"file"}),
        ("os.open('file', os.O_RDWR | os.O_TRUNC)", "read", set()),
        ("open('file', 'w')", "read", set()),
        ("os.stat('file')", "looked", {"file"}),
        ("os.access('file', os.R_OK)", "looked", {"file"}),
        ("os.open('file', os.O_PATH)", "looked", {"file"}),
        ("os.getxattr('file', 'user.a') if 0 else os.listxattr('file')", "looked", {"file"}),
        ("os.stat('file'); open('file')", "looked", set()),
        ("os.stat('sub')", "folders", {"sub"}),
        ("os.chdir('sub')", "folders", {"sub"}),
        ("os.open('sub', os.O_RDONLY | os.O_DIRECTORY)", "folders", {"sub"}),
        ("os.listdir('sub')", "folders", set()),
        ("os.listdir('sub')", "listed", {"sub"}),
        ("os.listdir(os.open('sub', os.O_RDONLY))", "listed", {"sub"}),
        ("os.open('sub', os.O_RDONLY | os.O_DIRECTORY)", "listed", set()),
        ("os.path.exists('none')", "missing", {"none"}),
        ("os.path.exists('none/at/all')", "missing", {"none/at/all"}),
        ("os.path.exists('file/below')", "missing", {"file/below"}),
    ],
)
def test_each_kind_of_read_has_its_place(
    tmp_path: Path, line: str, field: str, expected: set[str]
) -> None:
    """Contents, attributes, folders, their entries, and absence are told apart."""
    _fill(tmp_path)
    touches = trace_python(tmp_path, line)
    assert below(tmp_path, getattr(touches, field)) - {""} == expected
    assert touches.lost == {}


def test_an_absence_is_what_was_found_then(tmp_path: Path) -> None:
    """Though the file was made at once, and read."""
    line = "os.path.exists('a'); open('a', 'w').close(); open('a').read()"
    touches = trace_python(tmp_path, line)
    assert below(tmp_path, touches.missing) == {"a"}
    assert below(tmp_path, touches.written) == {"a"}
    assert below(tmp_path, touches.read) == {"a"}


def test_reads_through_links_are_reads_of_where_they_lead(tmp_path: Path) -> None:
    """And of the path that was said; a link that is only read is looked at."""
    _fill(tmp_path)
    (tmp_path / "way").symlink_to("sub")
    (tmp_path / "name").symlink_to("way/inner")
    touches = trace_python(tmp_path, "open('name'); open('way/inner'); os.readlink('way')")
    assert below(tmp_path, touches.read) == {"sub/inner"}
    assert below(tmp_path, touches.looked) == {"way"}
    said = {touches.links[f"{tmp_path}/{path}"] for path in ("name", "way/inner")}
    assert said == {f"{tmp_path}/sub/inner"}


def test_what_is_absent_behind_a_link_is_absent_where_it_leads(tmp_path: Path) -> None:
    """Also behind a link that leads nowhere."""
    _fill(tmp_path)
    (tmp_path / "way").symlink_to("sub")
    (tmp_path / "nowhere").symlink_to("sub/none")
    touches = trace_python(tmp_path, "os.path.exists('way/x'); os.path.exists('nowhere')")
    assert below(tmp_path, touches.missing) == {"sub/x", "sub/none"}


def test_programs_and_the_interpreters_of_scripts_are_executed(tmp_path: Path) -> None:
    """The kernel opens those in a first line without a call; one script may need another."""
    (tmp_path / "inner").write_text(f"#!{sys.executable} -IS\nprint('hello')\n")
    (tmp_path / "outer").write_text(f"#! {tmp_path}/inner arg\n")
    for name in ("inner", "outer"):
        (tmp_path / name).chmod(0o755)
    (tmp_path / "way").symlink_to("outer")
    ended = trace(tmp_path, "./way")
    assert (ended.code, ended.output) == (0, "hello\n")
    assert below(tmp_path, ended.touches.executed) == {"inner", "outer"}
    assert str(Path(sys.executable).resolve()) in ended.touches.executed
    assert ended.touches.executed <= ended.touches.read


def test_programs_that_are_looked_for_in_vain_are_missing(tmp_path: Path) -> None:
    """A folder of ``PATH`` in which a program appears changes what runs."""
    (tmp_path / "bin").mkdir()
    ended = trace(tmp_path, f"PATH={tmp_path}/bin:$PATH; exec env true")
    assert below(tmp_path, ended.touches.missing) == {"bin/env", "bin/true"}


def test_ports_are_bound_with_their_address(tmp_path: Path) -> None:
    """TCP, UDP, both families, and names without a file; any free port is none of them."""
    lines = (
        "from socket import *",
        "def free(family, kind, host):",
        "    s = socket(family, kind); s.bind((host, 0)); port = s.getsockname()[1]",
        "    s.close(); s = socket(family, kind); s.bind((host, port)); return port",
        "ports = [free(AF_INET, SOCK_STREAM, '127.0.0.1'), free(AF_INET, SOCK_DGRAM, '0.0.0.0')]",
        "ports.append(free(AF_INET6, SOCK_STREAM, '::1') if os.path.exists('/proc/net/if_inet6')",
        "             and open('/proc/net/if_inet6').read() else 0)",
        "socket(AF_UNIX).bind(chr(0) + 'polylane-test')",
        "open('ports', 'w').write(' '.join(map(str, ports)))",
    )
    touches = trace_python(tmp_path, *lines, reads=True)
    tcp, udp, six = map(int, (tmp_path / "ports").read_text().split())
    expected = {("tcp", "127.0.0.1", tcp), ("udp", "0.0.0.0", udp), ("unix", "@polylane-test", 0)}
    assert touches.bound == expected | ({("tcp", "::1", six)} if six else set())
