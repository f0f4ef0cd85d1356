"""Rulesets of the kernel: what they allow and refuse, and whom they bind."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polylane.run import landlock
from polylane.run.landlock import Places, Ruleset, abi, write_rights
from tests.support import FORKS, descriptors, in_fork, is_alive, kill_left

pytestmark = [FORKS, pytest.mark.skipif(abi() == 0, reason="this kernel has no Landlock")]


def bound(ruleset: Ruleset, *tries: Callable[[], object]) -> list[bool]:
    """Whether each call succeeds in a process that is bound."""

    def child() -> list[bool]:
        ruleset.restrict_thread()
        return [_succeeds(each) for each in tries]

    found: list[bool] = in_fork(child)
    ruleset.close()
    return found


def _succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EPERM, errno.EXDEV}:
            return False
        raise
    return True


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders, each with a file."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    return tmp_path / "a", tmp_path / "b"


class TestPaths:
    """What may be written."""

    def test_a_folder_is_writable_with_all_below(self, folders: tuple[Path, Path]) -> None:
        """Also what did not exist when the rule was made; everything can be read."""
        a, b = folders
        assert bound(
            Ruleset([a]),
            (a / "new").mkdir,
            lambda: (a / "new" / "file").write_text("x"),
            (a / "file").unlink,
            (b / "file").read_text,
            lambda: (b / "file").write_text("x"),
            (b / "new").mkdir,
            (b / "file").unlink,
        ) == [True, True, True, True, False, False, False]

    def test_a_file_is_writable_and_cannot_be_removed(self, folders: tuple[Path, Path]) -> None:
        """Its name belongs to its folder."""
        file = folders[0] / "file"
        assert bound(
            Ruleset([file]),
            lambda: file.write_text("x"),
            lambda: os.truncate(file, 0),
            file.unlink,
        ) == [True, True, False]

    def test_files_move_between_writable_folders(self, folders: tuple[Path, Path]) -> None:
        """And not from one that is only read."""
        a, b = folders
        move = lambda: (a / "file").rename(b / "moved")  # noqa: E731
        link = lambda: (b / "linked").hardlink_to(a / "file")  # noqa: E731
        assert bound(Ruleset([b]), move, link) == [False, False]
        assert bound(Ruleset([a, b]), link, move) == [True, True]

    def test_what_is_neither_file_nor_folder_is_named_and_not_opened(
        self, folders: tuple[Path, Path]
    ) -> None:
        """A fifo that nobody reads, and a socket; data may go through the fifo."""
        a, _ = folders
        os.mkfifo(a / "fifo")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(a / "socket"))
        write = lambda: os.close(os.open(a / "fifo", os.O_RDWR))  # noqa: E731
        assert bound(Ruleset([a / "fifo", a / "socket"]), write) == [True]

    def test_missing_paths_are_left_out(self, folders: tuple[Path, Path]) -> None:
        """What is not there cannot be allowed; the rest is."""
        a, _ = folders
        paths = [a / "none", a / "file" / "below a file", a]
        assert bound(Ruleset(paths), (a / "new").touch) == [True]

    def test_a_link_is_not_followed(self, folders: tuple[Path, Path]) -> None:
        """Nothing is allowed by the name of a link, be it to a folder or a file."""
        a, b = folders
        (a / "folder").symlink_to(b)
        (a / "link").symlink_to(b / "file")
        assert bound(
            Ruleset([a / "folder", a / "link"]),
            (b / "new").touch,
            lambda: (b / "file").write_text("x"),
        ) == [False, False]

    def test_a_rule_belongs_to_the_folder_and_not_its_name(
        self, folders: tuple[Path, Path]
    ) -> None:
        """A new folder of the same name has none; the old one keeps it."""
        a, b = folders
        ruleset = Ruleset([a])
        a.rename(b / "moved")
        a.mkdir()
        assert bound(ruleset, (a / "new").touch, (b / "moved" / "new").touch) == [False, True]

    @pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx"])
    def test_devices_are_always_writable(self, device: str) -> None:
        """No program works without."""
        assert bound(Ruleset([]), lambda: os.close(os.open(device, os.O_RDWR))) == [True]

    def test_shared_memory_is_always_writable(self) -> None:
        """Semaphores of multiprocessing are files there."""
        file = Path(f"/dev/shm/polylane-test-{os.getpid()}")
        assert bound(Ruleset([]), file.touch, file.unlink) == [True, True]

    def test_places_are_opened_once_for_many(self, folders: tuple[Path, Path]) -> None:
        """They allow what their paths would, and can be closed before anybody is bound."""
        a, b = folders
        places = Places([a, b / "file", b / "none"])
        rulesets = [Ruleset([], places=places) for _ in range(2)]
        places.close()
        for ruleset in rulesets:
            assert bound(
                ruleset,
                lambda: (a / "new").write_text("x"),
                lambda: (b / "file").write_text("x"),
                (b / "file").unlink,
            ) == [True, True, False]


class TestBinding:
    """Who is bound."""

    def test_a_thread_binds_itself_and_its_children_only(self, folders: tuple[Path, Path]) -> None:
        """The process that it belongs to stays free."""
        a, b = folders
        ruleset, codes = Ruleset([a]), []

        def work() -> None:
            ruleset.restrict_thread()
            codes.append(subprocess.run(["touch", str(b / "one")], check=False).returncode)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        codes.append(subprocess.run(["touch", str(b / "two")], check=False).returncode)
        (b / "three").touch()
        ruleset.close()
        assert (codes, sorted(path.name for path in b.iterdir())) == (
            [1, 0],
            ["file", "three", "two"],
        )
        assert "NoNewPrivs:\t0" in Path("/proc/self/status").read_text()

    def test_one_bound_twice_has_what_both_allow(self, folders: tuple[Path, Path]) -> None:
        """A run inside a task is confined by both."""
        a, b = folders

        def child() -> list[bool]:
            Ruleset([a, b]).restrict_thread()
            Ruleset([a]).restrict_thread()
            return [_succeeds((each / "new").touch) for each in folders]

        assert in_fork(child) == [True, False]

    def test_the_seventeenth_is_refused(self) -> None:
        """The kernel's limit, as an error."""

        def child() -> tuple[int, int]:
            ruleset, count = Ruleset(["/"]), 0
            try:
                while count < 100:
                    ruleset.restrict_thread()
                    count += 1
            except OSError as error:
                return count, error.errno or 0
            return count, 0

        assert in_fork(child) == (16, errno.E2BIG)

    @pytest.mark.skipif(abi() < 6, reason="signals are scoped from Landlock's version 6 on")
    @pytest.mark.parametrize("scope", [True, False])
    def test_signals_to_foreign_processes(self, scope: bool) -> None:  # noqa: FBT001
        """They are refused, unless that was not asked for."""
        neighbour = subprocess.Popen(["sleep", "300"])
        try:
            ruleset = Ruleset([], scope_signals=scope)
            [sent] = bound(ruleset, lambda: os.kill(neighbour.pid, signal.SIGCONT))
            assert sent is not scope
            assert is_alive(neighbour.pid)
        finally:
            kill_left([neighbour.pid])
            neighbour.returncode = 0


class TestVersions:
    """Older kernels refuse less."""

    @pytest.mark.parametrize(
        ("version", "bits"), [(1, 0x1FF2), (2, 0x3FF2), (3, 0x7FF2), (4, 0x7FF2), (9, 0x7FF2)]
    )
    def test_the_rights_of_each(self, version: int, bits: int) -> None:
        """As linux/landlock.h numbers them: moving comes with 2, truncating with 3."""
        assert write_rights(version) == bits

    @pytest.mark.parametrize("version", range(1, abi() + 1))
    def test_each_is_accepted_by_a_newer_kernel(
        self, version: int, folders: tuple[Path, Path]
    ) -> None:
        """What it knows is refused: `truncate(2)` from version 3 on."""
        a, b = folders
        assert bound(
            Ruleset([a], version=version),
            lambda: (a / "file").write_text("x"),
            (b / "new").touch,
            lambda: os.truncate(b / "file", 0),
        ) == [True, False, version < 3]

    @pytest.mark.parametrize(("version", "moves"), [(1, False), (2, True)])
    def test_moving_files(self, version: int, moves: bool, folders: tuple[Path, Path]) -> None:  # noqa: FBT001
        """Version 1 refuses it always."""
        a, b = folders
        move = lambda: (a / "file").rename(b / "moved")  # noqa: E731
        assert bound(Ruleset([a, b], version=version), move) == [moves]


class TestDescriptors:
    """What a ruleset holds open, and what it says when it cannot be made."""

    def test_one_until_it_is_closed(self, folders: tuple[Path, Path]) -> None:
        """However many paths; closing twice is fine."""
        before = descriptors()
        ruleset = Ruleset(folders)
        assert descriptors() == before + 1
        ruleset.close()
        ruleset.close()
        assert descriptors() == before

    def test_programs_do_not_inherit_it(self, folders: tuple[Path, Path]) -> None:
        """Nor the places, even where other descriptors are inherited."""
        ruleset, places = Ruleset(folders), Places(folders)
        done = subprocess.run(
            ["ls", "-l", "/proc/self/fd"], close_fds=False, capture_output=True, check=True
        )
        ruleset.close()
        places.close()
        assert b"landlock" not in done.stdout
        assert str(folders[0]).encode() not in done.stdout

    def test_an_error_names_the_path(self, tmp_path: Path) -> None:
        """A path that is too long, here; and nothing stays open."""
        before = descriptors()
        path = tmp_path / ("x" * 300)
        with pytest.raises(OSError, match="x" * 300) as caught:
            Ruleset([path])
        assert caught.value.errno == errno.ENAMETOOLONG
        assert descriptors() == before

    def test_a_place_without_rules_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The kernel refuses a rule with rights that it does not know."""
        before = descriptors()
        monkeypatch.setattr(landlock, "_ON_FILES", 1 << 60)
        monkeypatch.setattr(landlock, "DEVICES", ("/dev/null",))
        monkeypatch.setattr(landlock, "write_rights", _with_a_wrong_bit)
        monkeypatch.setattr(landlock, "_create", _without_a_wrong_bit(landlock._create))
        with pytest.raises(OSError, match="/dev/null") as caught:
            Ruleset([])
        assert caught.value.errno == errno.EINVAL
        assert descriptors() == before


def _with_a_wrong_bit(version: int) -> int:
    return write_rights(version) | 1 << 60


def _without_a_wrong_bit(create: Callable[..., int]) -> Callable[..., int]:
    def changed(rights: int, version: int, **how: Any) -> int:
        return create(rights & ~(1 << 60), version, **how)

    return changed
