"""What lies around a workspace: paths outside it, folders of a home, second mounts."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from polylane.run import surroundings
from polylane.run.sandbox import Sandbox, confine, why_not
from polylane.run.surroundings import other_names, outside, prepare_home, private_temporary
from polylane.run.views import scratch
from tests.support import FORKS, descriptors, forbid, in_fork

pytestmark = FORKS


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """A workspace with two projects."""
    for name in ("own", "other"):
        (tmp_path / "ws" / name).mkdir(parents=True)
    return tmp_path / "ws"


class TestOutside:
    """Everything outside the workspace, as the siblings of each folder above it."""

    def test_it_is_the_siblings_of_each_ancestor(self, tmp_path: Path) -> None:
        """Files too; neither the workspace nor what is in it or above it."""
        for name in ("a/b/ws/own", "a/c", "d"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "a" / "file").touch()
        found = outside(str(tmp_path / "a" / "b" / "ws"))
        inside = {path for path in found if path.startswith(f"{tmp_path}/")}
        assert inside == {str(tmp_path / name) for name in ("a/c", "a/file", "d")}
        assert {"/usr", "/dev", "/proc"} <= set(found)
        assert not {str(each) for each in tmp_path.parents} & set(found)

    def test_links_are_left_out(self, tmp_path: Path) -> None:
        """One may lead back into the workspace."""
        (tmp_path / "ws").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "ws")
        assert str(tmp_path / "link") not in outside(str(tmp_path / "ws"))

    def test_other_paths_are_kept_out_with_their_ancestors(self, tmp_path: Path) -> None:
        """Such as the git folder of a linked worktree; their siblings remain."""
        for name in ("main/.git/objects", "main/src", "worktree"):
            (tmp_path / name).mkdir(parents=True)
        found = outside(str(tmp_path / "worktree"), str(tmp_path / "main" / ".git"))
        inside = {path for path in found if path.startswith(f"{tmp_path}/")}
        assert inside == {str(tmp_path / "main" / "src")}

    def test_what_is_kept_out_may_hold_the_workspace(self, tmp_path: Path) -> None:
        """Or lie in it: then nothing of the outer one is outside."""
        (tmp_path / "outer" / "deep" / "ws").mkdir(parents=True)
        (tmp_path / "outer" / "deep" / "sibling").mkdir()
        outer, inner = str(tmp_path / "outer"), str(tmp_path / "outer" / "deep" / "ws")
        assert not [path for path in outside(inner, outer) if path.startswith(outer)]
        assert set(outside(outer)) == set(outside(inner, outer))

    def test_a_folder_that_may_not_be_listed_has_nothing(self, tmp_path: Path) -> None:
        """What may be reached in it by name cannot be known."""

        def child() -> list[str]:
            if os.getuid() == 0:
                for path in (tmp_path, *tmp_path.parents[:-2]):
                    path.chmod(0o755)
                os.setuid(65534)
            return outside(str(tmp_path / "shut" / "ws"))

        (tmp_path / "shut" / "ws").mkdir(parents=True)
        (tmp_path / "shut" / "sibling").mkdir()
        (tmp_path / "open").mkdir()
        (tmp_path / "shut").chmod(0o311)
        found = in_fork(child)
        (tmp_path / "shut").chmod(0o700)
        assert str(tmp_path / "shut" / "sibling") not in found
        assert str(tmp_path / "open") in found


class TestHome:
    """A home that holds the workspace."""

    def made(self, home: Path, workspace: Path, **environment: str) -> list[str]:
        found = prepare_home(str(home), str(workspace), {"PATH": str(home / "bin"), **environment})
        return [os.path.relpath(path, home) for path in found]

    def test_the_folders_that_tools_expect_are_made(self, ws: Path) -> None:
        """Private to their owner, and once."""
        home = ws.parent
        expected = [".cache", ".config", ".local/share", ".local/state"]
        assert self.made(home, ws) == expected
        assert {(home / name).stat().st_mode & 0o777 for name in expected} == {0o700}
        assert self.made(home, ws) == []

    def test_a_programs_own_only_where_that_is_found(self, ws: Path) -> None:
        """Nobody wants an empty folder of what he does not have."""
        npm = ws.parent / "bin" / "npm"
        npm.parent.mkdir()
        npm.touch(mode=0o755)
        assert ".npm" in self.made(ws.parent, ws)

    def test_the_environment_names_other_places(self, ws: Path) -> None:
        """Those are made then, and the usual ones are not; relative ones count for nothing."""
        made = self.made(
            ws.parent, ws, XDG_CACHE_HOME=str(ws.parent / "c"), XDG_CONFIG_HOME="relative"
        )
        assert made == ["c", ".local/share", ".local/state"]

    def test_nothing_is_made_in_a_home_elsewhere(self, tmp_path: Path, ws: Path) -> None:
        """There tasks make their folders themselves."""
        home = tmp_path / "home"
        home.mkdir()
        assert self.made(home, ws) == []
        assert list(home.iterdir()) == []

    def test_a_home_that_refuses_is_left(self, ws: Path) -> None:
        """A file in the place of a folder, here."""
        (ws.parent / ".local").touch()
        assert self.made(ws.parent, ws) == [".cache", ".config"]

    def test_a_private_temporary_folder_where_the_workspace_lies_in_it(self, ws: Path) -> None:
        """Elsewhere nothing is made."""
        made = private_temporary(str(ws.parent), str(ws))
        assert Path(made).parent == ws.parent
        assert Path(made).stat().st_mode & 0o777 == 0o700
        assert private_temporary(str(ws), str(ws)) == ""
        assert private_temporary("/usr", str(ws)) == ""


@contextmanager
def owner(ws: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process with a private temporary folder, which it keeps."""
    program = (
        "from polylane.run.surroundings import private_temporary as make\n"
        f"print(make({str(ws.parent)!r}, {str(ws)!r}), flush=True)\n"
        "import signal; signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().decode().strip())
    finally:
        process.kill()
        process.communicate()


class TestAbandoned:
    """Private temporary folders of runs that were killed."""

    def test_one_of_a_killed_owner_is_removed(self, ws: Path) -> None:
        """By the next call, with all in it; not while the owner lives."""
        with owner(ws) as (process, folder):
            (folder / "deep").mkdir()
            (folder / "deep" / "file").touch()
            private_temporary(str(ws.parent), str(ws))
            assert (folder / "deep" / "file").exists()
            process.kill()
            process.wait()
            private_temporary(str(ws.parent), str(ws))
            assert not folder.exists()

    def test_nothing_else_is_removed(self, ws: Path) -> None:
        """What is named otherwise, is no folder, or is another user's."""
        names = ["polylane-", "polylane-abcdefghi", "polylane-bench-abcdefgh", "own-abcdefgh"]
        for name in names:
            (ws.parent / name).mkdir()
        (ws.parent / "polylane-file0000").touch()
        (ws.parent / "polylane-link0000").symlink_to(ws)
        names += ["polylane-file0000", "polylane-link0000"]
        if os.geteuid() == 0:
            (ws.parent / "polylane-other000").mkdir()
            os.chown(ws.parent / "polylane-other000", 65534, 65534)
            names += ["polylane-other000"]
        (ws.parent / "polylane-gone0000").mkdir()
        private_temporary(str(ws.parent), str(ws))
        assert not (ws.parent / "polylane-gone0000").exists()
        assert all(os.path.lexists(ws.parent / name) for name in names)
        assert (ws / "own").exists()

    def test_a_run_does_not_wait_for_many(self, ws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What takes too long is left to later ones."""
        monkeypatch.setattr(scratch, "_SWEEP_S", 0.0)
        for i in range(3):
            (ws.parent / f"polylane-gone000{i}").mkdir()
        counts = []
        for _ in range(4):
            private_temporary(str(ws.parent), str(ws))
            counts.append(len(list(ws.parent.glob("polylane-gone*"))))
        assert counts == [2, 1, 0, 0]

    def test_a_long_life_keeps_one_descriptor(self, ws: Path) -> None:
        """That of a folder which was removed is given back by the next call."""
        shutil.rmtree(private_temporary(str(ws.parent), str(ws)))
        before = descriptors()
        for _ in range(5):
            shutil.rmtree(private_temporary(str(ws.parent), str(ws)))
        assert descriptors() == before

    def test_without_locks_nobody_sweeps(self, ws: Path) -> None:
        """A folder is made all the same, with a name that no sweep takes."""

        def child() -> list[str]:
            forbid("flock", errno.ENOLCK)
            return [private_temporary(str(ws.parent), str(ws)) for _ in range(2)]

        made = in_fork(child)
        private_temporary(str(ws.parent), str(ws))
        assert all(Path(each).is_dir() for each in made)
        assert len(list(ws.parent.glob("polylane-*"))) == 3


_NEW_NAMESPACES = 0x10000000 | 0x20000  # of users and of mounts
_BIND = 4096


def mounted(source: Path, target: Path, then: Callable[[], Any]) -> Any:
    """Call in a forked child that sees ``source`` at ``target`` too."""

    def child() -> Any:
        libc = ctypes.CDLL(None, use_errno=True)
        uid = os.getuid()
        if libc.unshare(_NEW_NAMESPACES):
            return "refused"
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        if libc.mount(bytes(source), bytes(target), None, ctypes.c_ulong(_BIND), None):
            return "refused"
        return then()

    target.mkdir(parents=True)
    found = in_fork(child)
    if found == "refused":
        pytest.skip("needs unprivileged user namespaces")
    return found


class TestSecondMounts:
    """The workspace at another path."""

    def test_it_is_found(self, ws: Path, tmp_path: Path) -> None:
        """Its own, that of a folder above it, and that of one in it."""
        (ws / "own" / "deep").mkdir()
        for source, name in ((ws, ""), (tmp_path, "/ws"), (ws / "own", "")):
            target = tmp_path / f"a second\t{source.name}" / "mount"
            found = mounted(source, target, lambda: sorted(other_names(str(ws))))
            assert found == [f"{target}{name}"]

    def test_others_are_not(self, ws: Path, tmp_path: Path) -> None:
        """A sibling's, and one inside the workspace, of which everything is kept anyway."""
        (tmp_path / "sibling").mkdir()
        for i, source in enumerate((tmp_path / "sibling", ws / "own")):
            target = ws / f"mount{i}" if i else tmp_path / "mount"
            assert mounted(source, target, lambda: sorted(other_names(str(ws)))) == []

    def test_a_system_that_does_not_tell_has_none(
        self, ws: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No mounts are known then."""
        monkeypatch.setattr(surroundings, "_mounts", list)
        assert other_names(str(ws)) == set()

    @pytest.mark.skipif(bool(why_not()), reason=why_not())
    @pytest.mark.parametrize("place", ["second", "deep/er/second"])
    def test_it_is_no_way_to_write(self, ws: Path, tmp_path: Path, place: str) -> None:
        """What is refused at the workspace is refused there; beside it one may write."""
        target = tmp_path / place

        def write() -> list[bool]:
            box = Sandbox()
            box.confine_self(confine(ws, ["own"]))
            found = []
            for path in (target / "other" / "x", target / "own" / "x", tmp_path / "beside" / "x"):
                try:
                    path.touch()
                    found.append(True)
                except PermissionError:
                    found.append(False)
            return found

        (tmp_path / "beside").mkdir()
        assert mounted(ws, target, write) == [False, True, True]
