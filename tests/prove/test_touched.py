"""What a task touched, seen from its workspace: real traces of real commands."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from polylane.plan.observed import Observed
from polylane.prove.touched import Whereabouts, joined, port
from polylane.run.tracing.touches import Touches
from tests.run.tracing.traces import TRACED, trace

pytestmark = TRACED


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with the projects ``.`` and ``packages/api``."""
    folder = tmp_path / "workspace"
    (folder / "packages" / "api" / "src").mkdir(parents=True)
    (folder / "packages" / "api" / "src" / "a.py").write_text("a\n", encoding="utf-8")
    return folder


def seen(workspace: Path, script: str, temporary: str = "/nowhere") -> Observed:
    """What a shell script touches."""
    ended = trace(workspace, script)
    assert ended.code == 0, ended.output
    return Whereabouts(workspace, (".", "packages/api"), temporary).observed(ended.touches)


def test_paths_are_relative_to_the_workspace(workspace: Path) -> None:
    """Also where it is named through a link."""
    link = workspace.parent / "link"
    link.symlink_to(workspace)
    ended = trace(workspace, f"cat {link}/packages/api/src/a.py > copy; ls packages/api/src")
    found = Whereabouts(link, ("packages/api",), "/nowhere").observed(ended.touches)
    assert found.reads == {"packages/api/src/a.py"}
    assert found.writes == {"copy"}
    assert found.listed == {"packages/api/src"}
    assert not found.outside


def test_what_only_the_outside_knows_is_left_out(workspace: Path) -> None:
    """Reads outside, devices, processes, our own folder, and the run's temporary folder."""
    outside = workspace.parent / "outside"
    own = workspace.parent / "polylane-x"
    own.mkdir()
    script = (
        f"cat /etc/hostname > /dev/null; echo > {outside}; echo > {own}/y; mkdir .polylane;"
        " echo > .polylane/x; echo > /proc/self/comm"
    )
    found = seen(workspace, script, str(workspace.parent))
    assert found.outside == {str(outside)}
    assert not found.reads | found.listed | found.writes


def test_a_folder_that_was_only_made_sure_of_is_not_written(workspace: Path) -> None:
    """It is a project, or files in it were read; a new one is."""
    found = seen(workspace, "mkdir -p packages/api/src packages/api/out; cat packages/api/src/a.py")
    assert found.writes == {"packages/api/out"}


def test_a_folder_that_was_moved_away_is_written(workspace: Path) -> None:
    """Though files in it were read before."""
    found = seen(workspace, "cat packages/api/src/a.py; mv packages/api/src packages/api/new")
    assert found.writes == {"packages/api/src", "packages/api/new"}


def test_what_is_absent_installed_or_gits_own_is_aside(workspace: Path) -> None:
    """With the names among projects, which are there before any task."""
    for name in (".git/HEAD", "node_modules/x/index.js", "packages/api/node_modules/y.js"):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text("", encoding="utf-8")
    script = (
        "cat .git/HEAD node_modules/x/index.js; test -e gone; ls . packages packages/api"
        " packages/api/node_modules; echo > node_modules/made"
    )
    found = seen(workspace, script)
    assert found.aside >= {".git/HEAD", "node_modules/x/index.js", "gone", "*", "packages/*"}
    assert found.aside >= {"packages/api/node_modules/*"}
    assert not found.reads
    assert found.listed == {"packages/api"}
    assert found.writes == {"node_modules/made"}


def test_a_link_counts_as_it_was_said_and_where_it_leads(workspace: Path) -> None:
    """Whoever changes the link changes what is read, too."""
    (workspace / "link").symlink_to("packages/api/src")
    assert seen(workspace, "cat link/a.py").reads == {"link/a.py", "packages/api/src/a.py"}


def test_what_could_not_be_seen_is_said() -> None:
    """With how often."""
    found = Whereabouts(Path("/w"), (), "/t").observed(Touches(lost={"open by x: why": 3}))
    assert found.lost == ("open by x: why (3 times)",)


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        (("tcp", "127.0.0.1", 80), "tcp 127.0.0.1:80"),
        (("udp", "::", 53), "udp [::]:53"),
        (("unix", "@x", 0), "unix @x"),
    ],
)
def test_ports_have_words(bound: tuple[str, str, int], text: str) -> None:
    """As a URL has them."""
    assert port(*bound) == text


def test_two_attempts_are_one_task(tmp_path: Path) -> None:
    """Both touched what they touched."""
    one = Observed(frozenset("a"), ports=("tcp a:1",), lost=("x",), writes=frozenset("w"))
    two = Observed(frozenset("b"), ports=("tcp a:1",), lost=("y",), outside=frozenset("o"))
    assert joined(one, two) == Observed(
        frozenset("ab"),
        writes=frozenset("w"),
        outside=frozenset("o"),
        ports=("tcp a:1",),
        lost=("x", "y"),
    )


def test_temporary_folders_of_others_count(workspace: Path) -> None:
    """Only those that runs make for their tasks do not."""
    with tempfile.TemporaryDirectory() as folder:
        assert seen(workspace, f"echo > {folder}/x", "/nowhere").outside == {f"{folder}/x"}
