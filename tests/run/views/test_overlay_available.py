"""Where a view can be, and what is said where it cannot: root's and an ordinary user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from polylane.run.views import namespaces, overlay
from polylane.run.views.overlay import View, available
from tests.run.views.places import Place, become_nobody, found, inside, names, place
from tests.support import FORKS, forbid, in_fork

pytestmark = FORKS

__all__ = ["place"]


def _view(place: Place, name: str = "view") -> View:
    return View(place.folder, place.scratch / name)


def test_a_view_can_be_here(place: Place) -> None:
    """Beside the folder, inside of it, in memory, and with new pids."""

    def look() -> list[str]:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            return [
                available(place.folder, place.scratch),
                available(place.folder, place.folder / ".polylane"),
                available(place.folder, Path(memory)),
                available(place.folder, place.scratch, pid=True),
            ]

    assert place.run(look) == ["", "", "", ""]


def test_trying_leaves_nothing(place: Place) -> None:
    """Neither files nor processes."""

    def look() -> list[str]:
        available(place.folder, place.scratch, pid=True)
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
            return ["a process"]
        return names(place.scratch) + names(place.folder)

    assert place.run(look) == []


def test_root_in_a_user_namespace_has_exact_views_too(place: Place) -> None:
    """As in a container without privileges: it may mount, but not set all attributes."""

    def change() -> None:
        shutil.rmtree(place.folder / "a")
        (place.folder / "a").mkdir()

    def look() -> Any:
        (place.folder / "a").mkdir()
        (place.folder / "a/file").touch()
        namespaces.unshare()
        view = _view(place)
        said = available(place.folder, place.scratch)
        inside(view, change)
        return said, found(view)

    assert place.run(look) == ("", ([], [], ["a/file"], []))


def test_a_third_view_is_refused_in_words(place: Place) -> None:
    """The kernel stacks two."""

    def look() -> Any:
        def outer() -> Any:
            return inside(_view(place, "b"), lambda: available(place.folder, place.scratch / "c"))

        return inside(_view(place, "a"), outer)

    assert (
        place.run(look) == "the scratch folder's filesystem cannot be laid over that of the folder"
    )


def test_entering_where_it_cannot_be_is_an_error_in_words(place: Place) -> None:
    """The same as asking before."""

    def look() -> Any:
        def outer() -> str:
            view = View(place.folder, place.folder / "scratch")
            try:
                inside(view, lambda: None)
            except AssertionError as error:
                return str(error)
            return ""

        return overlay._NO_UPPER in inside(_view(place), outer)

    assert place.run(look)


def test_what_is_mounted_inside_the_folder_forbids_a_view(place: Place) -> None:
    """An overlay shows what lies below the other mount: an empty ``node_modules``, say."""

    def look() -> Any:
        inner = place.folder / "node modules"
        beside = Path(f"{place.folder}-beside")
        inner.mkdir()
        beside.mkdir()
        namespaces.unshare()
        namespaces._mount("tmpfs", str(beside), "tmpfs", 0)
        said = available(place.folder, place.scratch / "x")
        namespaces._mount("tmpfs", str(inner), "tmpfs", 0)
        return said, available(place.folder, place.scratch / "y")

    folder = place.folder
    assert place.run(look) == ("", f"{folder}/node modules is mounted inside {folder}")


def test_a_scratch_that_cannot_be_written_forbids_a_view(place: Place) -> None:
    """It says which."""
    said = place.run(lambda: available(place.folder, Path("/proc/nowhere")))
    assert said == "/proc/nowhere cannot be written: No such file or directory"


def test_the_setting_that_refuses_is_named() -> None:
    """It counts for ordinary users only."""

    def look(folder: Path) -> str:
        if os.geteuid() == 0:
            become_nobody()
        space = namespaces.unshare()
        assert space.of_user  # or it would be the machine's own limit
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="utf-8")
        space.give_up_rights()
        return available(folder, folder)

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        assert in_fork(lambda: look(Path(folder))) == "user.max_user_namespaces is 0"


def test_a_filter_that_refuses_is_named(place: Place) -> None:
    """As a container's, which lets nobody unshare."""

    def look() -> Any:
        forbid("unshare")
        return available(place.folder, place.scratch)

    said = place.run(look)
    assert said.startswith("a seccomp filter, as containers have it, or the kernel: ")


def test_a_scratch_without_attributes_forbids_a_view(place: Place) -> None:
    """A folder that was made anew could not be told from one that was not touched."""

    def look() -> Any:
        forbid("setxattr")
        return available(place.folder, place.scratch)

    assert place.run(look) == overlay._NO_UPPER
