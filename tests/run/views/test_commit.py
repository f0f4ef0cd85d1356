"""Commits into a real folder, from the same filesystem and from another."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views import commit, copying
from polylane.run.views.changes import Changes
from polylane.run.views.overlay import View
from tests.run.views.places import Found, Place, found, inside, names, place
from tests.support import FORKS

pytestmark = FORKS

__all__ = ["place"]


@pytest.fixture(params=["the same filesystem", "another filesystem"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Where changes come from."""
    if request.param == "the same filesystem":
        yield tmp_path / "source"
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        assert Path(folder).stat().st_dev != tmp_path.stat().st_dev
        yield Path(folder) / "source"


@pytest.fixture
def target(tmp_path: Path, source: Path) -> Path:
    """Where they go to; both folders are made."""
    source.mkdir()
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def _apply(source: Path, target: Path, paths: tuple[str, ...] | None = None, **said: Any) -> None:
    commit.apply(str(source), str(target), Changes(**said), paths)


def test_a_view_is_committed_as_it_was_seen(place: Place) -> None:
    """What lies in the folder then is what lay in the view, to the mode and time."""

    def state(top: Path) -> Any:
        return sorted(
            (str(p.relative_to(top)), p.lstat().st_mode, not p.is_dir() and p.lstat().st_mtime_ns)
            for p in top.rglob("*")
        )

    def change() -> Any:
        shutil.rmtree(place.folder / "a")
        (place.folder / "a/new").mkdir(parents=True)
        (place.folder / "a/new/file").touch(mode=0o640)
        os.utime(place.folder / "a/new/file", ns=(5, 1234567891234567891))
        (place.folder / "gone").unlink()
        (place.folder / "script").chmod(0o755)
        (place.folder / "link").symlink_to("/nowhere")
        os.mkfifo(place.folder / "fifo")
        return state(place.folder)

    def look() -> Any:
        (place.folder / "a/b").mkdir(parents=True)
        (place.folder / "a/b/c").touch()
        (place.folder / "gone").touch()
        (place.folder / "script").touch()
        view = View(place.folder, place.scratch / "view")
        seen = inside(view, change)
        view.commit()
        marks = [
            name
            for path in place.folder.rglob("*")
            for name in os.listxattr(path, follow_symlinks=False)
            if "overlay" in name
        ]
        return seen == state(place.folder), found(view)[:3], marks

    assert place.run(look) == (True, ([], [], []), [])


def test_only_what_is_chosen_is_committed(place: Place) -> None:
    """The rest stays in the view."""

    def change() -> None:
        (place.folder / "dist").mkdir()
        (place.folder / "dist").chmod(0o2750)
        for name in ("one", "other"):
            (place.folder / "dist" / name).touch()
        (place.folder / "old").unlink()

    def look() -> Any:
        (place.folder / "old").touch()
        view = View(place.folder, place.scratch / "view")
        inside(view, change)
        view.commit(["dist/one", "not/there"])
        files = sorted(p.relative_to(place.folder).as_posix() for p in place.folder.rglob("*"))
        return files, found(view), (place.folder / "dist").stat().st_mode

    left: Found = (["dist/other"], [], ["old"], [])
    assert place.run(look) == (["dist", "dist/one", "old"], left, 0o42750)


def test_a_file_is_replaced_as_a_whole(source: Path, target: Path) -> None:
    """Who has the old one open keeps it; nothing else is left in the folder."""
    (source / "file").write_text("new", encoding="utf-8")
    (target / "file").write_text("old", encoding="utf-8")
    with open(target / "file", encoding="utf-8") as old:
        _apply(source, target, modified=("file",))
        assert old.read() == "old"
    assert (target / "file").read_text(encoding="utf-8") == "new"
    assert [p.name for p in target.iterdir()] == ["file"]
    assert list(source.iterdir()) == []


def test_modes_and_times_are_kept(source: Path, target: Path) -> None:
    """Of files, of links, and of folders although something comes into them."""
    (source / "folder").mkdir()
    (source / "folder/file").touch()
    (source / "folder/file").chmod(0o751)
    (source / "folder/link").symlink_to("x")
    (source / "folder").chmod(0o2710)
    for name in ("folder/file", "folder/link", "folder"):
        os.utime(source / name, ns=(1, 1000000007), follow_symlinks=False)
    _apply(source, target, created=("folder", "folder/file", "folder/link"))
    modes = [stat.S_IMODE((target / name).lstat().st_mode) for name in ("folder", "folder/file")]
    times = {(target / n).lstat().st_mtime_ns for n in ("folder", "folder/file", "folder/link")}
    assert (modes, times) == ([0o2710, 0o751], {1000000007})


@pytest.mark.parametrize("chosen", [None, ["folder/in/file"]])
def test_a_folder_that_nobody_may_write_comes_with_its_files(
    place: Place, chosen: list[str] | None
) -> None:
    """Its mode comes last, and does not keep the files in the view."""

    def change() -> None:
        (place.folder / "folder/in").mkdir(parents=True)
        (place.folder / "folder/in/file").touch()
        (place.folder / "folder/in").chmod(0o555)
        (place.folder / "folder").chmod(0o500)

    def look() -> Any:
        view = View(place.folder, place.scratch / "view")
        inside(view, change)
        view.commit(chosen)
        modes = [
            (place.folder / n).stat().st_mode for n in ("folder", "folder/in", "folder/in/file")
        ]
        (place.folder / "folder").chmod(0o700)
        (place.folder / "folder/in").chmod(0o700)
        view.discard()
        return list(map(stat.S_IMODE, modes[:2])), stat.S_ISREG(modes[2])

    assert place.run(look) == ([0o500, 0o555], True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owners_are_kept(source: Path, target: Path) -> None:
    """Of files, links and folders; an ordinary user's commit makes them its own."""
    (source / "folder").mkdir()
    (source / "folder/file").touch()
    (source / "folder/link").symlink_to("x")
    paths = ("folder", "folder/file", "folder/link")
    for path in paths:
        os.chown(source / path, 1, 2, follow_symlinks=False)
    _apply(source, target, created=paths)
    assert {((target / p).lstat().st_uid, (target / p).lstat().st_gid) for p in paths} == {(1, 2)}


def test_files_that_are_one_stay_one(source: Path, target: Path) -> None:
    """Two names of a file in one commit."""
    (source / "a").write_text("text", encoding="utf-8")
    os.link(source / "a", source / "b")
    _apply(source, target, created=("a", "b"))
    assert (target / "a").samefile(target / "b")
    assert (target / "b").read_text(encoding="utf-8") == "text"


@pytest.mark.parametrize("kind", ["folder", "link to a folder", "file"])
def test_a_path_may_become_something_else(source: Path, target: Path, kind: str) -> None:
    """A file where a folder or a link was; a link that leads out is not followed."""
    outside = target.parent / "outside"
    outside.mkdir()
    (outside / "x").touch()
    if kind == "folder":
        shutil.copytree(outside, target / "path")
    elif kind == "file":
        (target / "path").touch()
    else:
        (target / "path").symlink_to(outside)
    (source / "path").write_text("file", encoding="utf-8")
    _apply(source, target, modified=("path",))
    assert (target / "path").read_text(encoding="utf-8") == "file"
    assert not (target / "path").is_symlink()
    assert names(outside) == ["x"]


def test_a_folder_takes_the_place_of_a_link_that_leads_out(source: Path, target: Path) -> None:
    """Also if only what is in it was chosen: nothing is written elsewhere."""
    outside = target.parent / "outside"
    outside.mkdir()
    (target / "path").symlink_to(outside)
    (source / "path").mkdir()
    (source / "path/file").touch()
    _apply(source, target, ("path/file",), modified=("path",), created=("path/file",))
    assert (target / "path/file").is_file()
    assert names(outside) == []


def test_removals(source: Path, target: Path) -> None:
    """Of files, links and whole folders; of what is gone already, too."""
    (target / "folder/in").mkdir(parents=True)
    (target / "folder/in/file").touch()
    (target / "link").symlink_to("folder")
    _apply(source, target, removed=("folder", "gone", "link"))
    assert names(target) == []


def test_fifos_and_sockets(source: Path, target: Path) -> None:
    """They keep their kind."""
    os.mkfifo(source / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "socket"))
    _apply(source, target, created=("fifo", "socket"))
    assert stat.S_ISFIFO((target / "fifo").stat().st_mode)
    assert stat.S_ISSOCK((target / "socket").stat().st_mode)


def test_the_mode_of_the_folder_itself(source: Path, target: Path) -> None:
    """It is called ``.``."""
    source.chmod(0o711)
    _apply(source, target, modified=(".",))
    assert stat.S_IMODE(target.stat().st_mode) == 0o711


class _Stop(BaseException):
    pass


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_an_interrupted_commit_leaves_whole_files_and_goes_on(
    source: Path, target: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped where it renames, as by Ctrl-C: each file is the old or the new one."""
    files = ("a", "b", "c")
    for name in files:
        (source / name).write_text("new", encoding="utf-8")
        (target / name).write_text("old", encoding="utf-8")
    rename, calls = os.rename, 0

    def interrupted(old: str, new: str) -> None:
        nonlocal calls
        calls += 1
        if calls == stop:
            raise _Stop
        rename(old, new)

    monkeypatch.setattr(os, "rename", interrupted)
    with suppress(_Stop):
        _apply(source, target, modified=files)
        pytest.fail("was not interrupted")
    monkeypatch.undo()
    assert names(target) == ["a", "b", "c"]
    assert {(target / n).read_text(encoding="utf-8") for n in files} <= {"old", "new"}
    _apply(source, target, modified=tuple(names(source)))
    assert {(target / n).read_text(encoding="utf-8") for n in files} == {"new"}


def test_removing_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    """Nor is a link to a folder followed."""
    copying.remove(str(tmp_path / "nothing"))
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").touch()
    (tmp_path / "link").symlink_to("real")
    copying.remove(str(tmp_path / "link"))
    assert [p.name for p in tmp_path.rglob("*")] == ["real", "file"]


def test_a_touched_file_gets_its_times(source: Path, target: Path) -> None:
    """It holds the same as before, but tools go by times; one that is gone by now is no error."""
    for folder, time in ((source, 1000), (target, 2000)):
        (folder / "a").write_text("same", encoding="utf-8")
        os.utime(folder / "a", (time, time))
    (source / "gone").touch()
    inode = (target / "a").stat().st_ino
    _apply(source, target, ("a", "gone"), touched=("a", "gone"))
    assert ((target / "a").stat().st_mtime, (target / "a").stat().st_ino) == (1000, inode)
    assert names(target) == ["a"]


def test_a_touched_file_that_was_not_chosen_keeps_its_times(source: Path, target: Path) -> None:
    """Nor are all chosen where nobody chooses: it does not differ."""
    for folder, time in ((source, 1000), (target, 2000)):
        (folder / "a").touch()
        os.utime(folder / "a", (time, time))
    _apply(source, target, (), touched=("a",))
    _apply(source, target, touched=("a",))
    assert (target / "a").stat().st_mtime == 2000


def test_another_one_makes_the_folder_first(source: Path, target: Path) -> None:
    """Its files stay, and so do its mode and times."""
    (source / "new").mkdir(mode=0o700)
    (source / "new/mine").touch()
    (target / "new").mkdir(mode=0o755)
    (target / "new/other").touch()
    _apply(source, target, ("new/mine",), created=("new", "new/mine"))
    assert names(target / "new") == ["mine", "other"]
    assert stat.S_IMODE((target / "new").stat().st_mode) == 0o755


def test_another_one_makes_the_folder_at_the_same_time(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our making."""
    (source / "new").mkdir()
    (source / "new/mine").touch()
    mkdir = os.mkdir

    def slower(path: str, mode: int = 0o777) -> None:
        mkdir(path, mode)
        Path(path, "other").touch()
        mkdir(path, mode)

    monkeypatch.setattr(os, "mkdir", slower)
    _apply(source, target, created=("new", "new/mine"))
    assert names(target / "new") == ["mine", "other"]
