"""Views, with a real kernel: each test is root's and an ordinary user's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views import namespaces
from polylane.run.views.overlay import View, available
from tests.run.views.places import NOBODY, Place, found, inside, names, place
from tests.support import FORKS

pytestmark = FORKS

__all__ = ["place"]


def _view(place: Place, name: str = "view") -> View:
    return View(place.folder, place.scratch / name)


def test_what_is_done_in_a_view_is_seen_there_only(place: Place) -> None:
    """At the same path; outside nothing has changed, neither during it nor after it."""

    def change() -> list[str]:
        (place.folder / "old").write_text("new", encoding="utf-8")
        (place.folder / "more").touch()
        return [(place.folder / "old").read_text(encoding="utf-8"), *names(place.folder)]

    def look() -> Any:
        (place.folder / "old").write_text("old", encoding="utf-8")
        view = _view(place)
        first = inside(view, change)
        again = inside(view, lambda: names(place.folder))
        text = (place.folder / "old").read_text(encoding="utf-8")
        return first[0], sorted(first[1:]), again, text, names(place.folder)

    said = place.run(look)
    assert said == ("new", ["more", "old"], ["more", "old"], "old", ["old"])


@pytest.mark.parametrize("below", ["", "deep/er"])
def test_the_current_folder_is_that_of_the_view(place: Place, below: str) -> None:
    """A process that was in the folder before it entered would otherwise see the real one."""

    def change() -> bool:
        Path("here").touch()
        return Path("/proc/self/cwd/here").exists()

    def look() -> Any:
        where = place.folder / below
        where.mkdir(parents=True, exist_ok=True)
        os.chdir(where)
        view = _view(place)
        return inside(view, change), names(where) == [], found(view)[0]

    assert place.run(look) == (True, not below or True, [f"{below}/here".lstrip("/")])


def test_a_current_folder_elsewhere_stays(place: Place) -> None:
    """Also where its name begins as the folder's does."""
    beside = Path(f"{place.folder}-beside")

    def look() -> Any:
        beside.mkdir()
        os.chdir(beside)
        return inside(_view(place), os.getcwd)

    assert place.run(look) == str(beside)


def test_any_name_of_a_folder_will_do(place: Place) -> None:
    """Mount options give a meaning to commas, colons, backslashes and quotes; spaces are spaces."""
    odd = place.folder / "a b:c,d\\e\"f'g=%\n\udcff"

    def look() -> Any:
        odd.mkdir()
        (odd / "old").touch()
        view = View(odd, place.scratch / "x:y,z w\\")
        inside(view, (odd / "old").unlink)
        return found(view), names(odd), available(odd, place.scratch / ":,")

    assert place.run(look) == (([], [], ["old"], []), ["old"], "")


def test_a_folder_may_be_reached_through_a_link(place: Place) -> None:
    """What is written through either name is in the view."""

    def look() -> Any:
        link = place.scratch / "link"
        link.symlink_to(place.folder)
        view = View(link, place.scratch / "view")

        def change() -> None:
            for folder, name in ((link, "a"), (place.folder, "b"), (Path(), "c")):
                (folder / name).touch()

        os.chdir(link)
        inside(view, change)
        return found(view)[0], names(place.folder)

    assert place.run(look) == (["a", "b", "c"], [])


@pytest.mark.parametrize("pids", [False, True])
def test_a_task_has_the_rights_that_it_has_outside(place: Place, *, pids: bool) -> None:
    """A user namespace gives all rights, so that modes would not count for a Python body."""

    def rights() -> list[str]:
        text = Path("/proc/self/status").read_text(encoding="utf-8")
        return [line for line in text.splitlines() if line.startswith("Cap")]

    def look() -> Any:
        outside = [*rights(), os.getuid(), os.getgid()]
        parent = os.getpid() if pids else None
        seen = inside(_view(place), lambda: [*rights(), os.getuid(), os.getgid()], parent=parent)
        return outside == seen

    assert place.run(look)


def test_an_ordinary_user_cannot_write_what_is_read_only(place: Place) -> None:
    """Neither in the view nor outside."""

    def change() -> str:
        try:
            (place.folder / "mine").write_text("", encoding="utf-8")
        except PermissionError:
            return "refused"
        return "written"

    def look() -> Any:
        (place.folder / "mine").touch(mode=0o444)
        outside = change()
        return outside == inside(_view(place), change)

    assert place.run(look)


def test_other_peoples_files_of_a_mode_that_allows_it_are_written_by_root_only(
    place: Place,
) -> None:
    """A user namespace knows one user; the owner stays where the file is written."""
    other = place.folder / "other"
    other.touch()
    if os.geteuid() == 0:
        os.chown(other, 1, 1)
    other.chmod(0o666)

    def change() -> str:
        try:
            other.write_text("new", encoding="utf-8")
        except OSError as error:
            return type(error).__name__
        return ""

    def look() -> Any:
        view = _view(place)
        said = inside(view, change)
        alone = os.geteuid() == NOBODY
        kept = alone or (place.scratch / "view/upper/other").owner() == other.owner()
        return bool(said) == alone, kept

    assert place.run(look) == (True, True)


def test_the_folder_itself_is_as_it_was(place: Place) -> None:
    """Its mode, owner and time are those of the folder below."""

    def state() -> Any:
        seen = place.folder.stat()
        return seen.st_mode, seen.st_uid, seen.st_gid, seen.st_mtime_ns

    def look() -> Any:
        place.folder.chmod(0o2750)
        os.utime(place.folder, ns=(1, 1000000007))
        view = _view(place)
        return inside(view, state) == state(), found(view)

    assert place.run(look) == (True, ([], [], [], []))


def test_mounts_of_the_machine_are_not_touched(place: Place) -> None:
    """Where mounts are shared, as by systemd, a mount would otherwise be seen everywhere."""

    def look() -> Any:
        namespaces.unshare()
        namespaces._mount(None, "/", None, 0x4000 | 0x100000)  # recursively, shared
        before = Path("/proc/self/mounts").read_text(encoding="utf-8")
        inside(_view(place), (place.folder / "new").touch)
        kept = before == Path("/proc/self/mounts").read_text(encoding="utf-8")
        return kept, names(place.folder)

    assert place.run(look) == (True, [])


def test_two_views_of_a_folder_know_nothing_of_each_other(place: Place) -> None:
    """Also while both are in use; what was not touched is the same in both."""
    (place.folder / "same").touch()

    def look() -> Any:
        one, other = _view(place, "one"), _view(place, "other")

        def nested() -> Any:
            (place.folder / "first").touch()
            return names(place.folder)

        ready, go = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            one.enter()
            (place.folder / "mine").touch()
            os.write(ready[1], b".")
            os.read(go[0], 1)
            os._exit(len(names(place.folder)))
        os.read(ready[0], 1)
        seen = inside(other, nested)
        os.write(go[1], b".")
        return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert place.run(look) == (["first", "same"], 2)


def test_a_view_in_a_view(place: Place) -> None:
    """A run inside a task: its scratch lies outside the folder, and its commit is in the view."""

    def inner() -> list[str]:
        (place.folder / "old").unlink()
        (place.folder / "new").touch()
        return names(place.folder)

    def outer() -> Any:
        said = [
            available(place.folder, place.scratch / "x"),
            available(place.folder, place.folder / ".x"),
        ]
        view = _view(place, "inner")
        seen = inside(view, inner)
        before = names(place.folder)
        view.commit()
        return said, seen, before, names(place.folder)

    def look() -> Any:
        (place.folder / "old").touch()
        view = _view(place, "outer")
        said, *seen = inside(view, outer)
        return said[0], bool(said[1]), seen, names(place.folder), found(view)[2]

    seen = [["new"], ["old"], ["new"]]
    assert place.run(look) == ("", True, seen, ["old"], ["old"])


def test_discarding_leaves_nothing(place: Place) -> None:
    """Also what the kernel has made with mode 000, and folders that the task has closed."""

    def change() -> None:
        (place.folder / "closed/in").mkdir(parents=True)
        (place.folder / "closed/in/file").touch()
        (place.folder / "closed").chmod(0)

    def look() -> Any:
        view = _view(place)
        inside(view, change)
        view.discard()
        view.discard()
        return names(place.scratch)

    assert place.run(look) == []


def test_programs_run_in_a_view(place: Place) -> None:
    """A script by its own first line, git by its index, a socket and a fifo in the upper folder."""
    script = place.folder / "script"

    def change() -> Any:
        os.chdir(place.folder)
        said = subprocess.run([script], capture_output=True, check=True, text=True).stdout
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind("socket")
            server.listen()
            client.connect("socket")
        os.mkfifo("fifo")
        return said

    def look() -> Any:
        (place.folder / "interpreter").symlink_to(shutil.which("cat") or "")
        script.write_text(f"#!{place.folder}/interpreter\nhello\n", encoding="utf-8")
        script.chmod(0o755)
        view = _view(place)
        said = inside(view, change)
        kinds = {path: each.kind for path, each in view.fingerprint().items()}
        return said.endswith("hello\n"), found(view)[0], kinds

    kinds = {"fifo": "fifo", "socket": "socket"}
    assert place.run(look) == (True, ["fifo", "socket"], kinds)


def test_a_renamed_folder_is_two_changes(place: Place) -> None:
    """The kernel says EXDEV, as between disks, and programs copy: nothing is hidden in a mark."""

    def change() -> str:
        with suppress(OSError):
            (place.folder / "a").rename(place.folder / "b")
            return "renamed"
        shutil.move(place.folder / "a", place.folder / "b")
        return "moved"

    def look() -> Any:
        (place.folder / "a").mkdir()
        (place.folder / "a/file").touch()
        view = _view(place)
        return inside(view, change), found(view)

    assert place.run(look) == ("moved", (["b", "b/file"], [], ["a"], []))


def test_the_folder_below_is_never_synced(place: Place) -> None:
    """Unmounting would sync the whole disk, which takes seconds on a busy one."""

    def look() -> bool:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        mine = next(line for line in lines if line.split()[1] == str(place.folder))
        return "volatile" in mine

    assert place.run(lambda: inside(_view(place), look))
