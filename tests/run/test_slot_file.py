"""The file of the machine's slots: who may have it, what is locked, what is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from polylane.run import slot_file
from polylane.run.slot_file import (
    RUNS,
    Head,
    SlotFile,
    Use,
    Waiting,
    default_folder,
    run_place,
    slot_place,
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SlotFile]:
    opened = SlotFile(tmp_path)
    yield opened
    opened.close()


class TestFolder:
    """Where the runs of one user meet."""

    def test_is_the_same_in_every_run(self) -> None:
        """Wherever it was started from."""
        folder = default_folder()
        assert folder == default_folder()
        assert folder.name == f"polylane-{os.getuid()}"

    @pytest.mark.parametrize("what", ["open to others", "a link", "a file"])
    def test_is_refused_where_others_could_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        """Somebody made it before us, where anybody may."""
        target = tmp_path / f"polylane-{os.getuid()}"
        if what == "a link":
            (tmp_path / "elsewhere").mkdir(mode=0o700)
            target.symlink_to(tmp_path / "elsewhere")
        elif what == "a file":
            target.touch(0o600)
        else:
            target.mkdir()
            target.chmod(0o777)
        monkeypatch.setattr(slot_file, "PLACES", (str(tmp_path),))
        with pytest.raises(PermissionError, match="is not ours alone"):
            default_folder()

    def test_is_made_for_us_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In the first place that is there."""
        monkeypatch.setattr(slot_file, "PLACES", (str(tmp_path / "none"), str(tmp_path)))
        assert default_folder().stat().st_mode & 0o777 == 0o700


class TestLocks:
    """What another opening of the file has locked."""

    def test_keep_others_out(self, file: SlotFile, tmp_path: Path) -> None:
        """Until they are taken off; our own don't."""
        other = SlotFile(tmp_path)
        assert file.lock(slot_place(3))
        assert file.lock(slot_place(3))
        assert not file.is_locked(slot_place(3))
        assert other.is_locked(slot_place(3))
        assert not other.lock(slot_place(3))
        assert other.lock(run_place(3))
        file.unlock(slot_place(3))
        assert other.lock(slot_place(3))
        other.close()

    def test_end_with_the_opening(self, file: SlotFile, tmp_path: Path) -> None:
        """So they end with the processes that have it."""
        other = SlotFile(tmp_path)
        assert other.lock(slot_place(0))
        other.close()
        assert file.lock(slot_place(0))


class TestRecords:
    """What is written beside them."""

    def test_nothing_is_agreed_on_at_first(self, file: SlotFile) -> None:
        """An empty file says nothing."""
        assert file.head() is None

    def test_what_is_agreed_on(self, file: SlotFile) -> None:
        """Comes back as it was."""
        file.write_head(Head(4, said=True, records=7))
        assert file.head() == Head(4, said=True, records=7)

    def test_every_run_is_read(self, file: SlotFile) -> None:
        """Also where more have come than were expected."""
        file.write_head(Head(4, said=False, records=RUNS))
        last = Waiting(RUNS - 1, 12, 1, 2, 3, 3.5, 4.5)
        file.write_run(last)
        file.name_run(last.number, "me")
        found = file.runs(1)
        assert (len(found), found[-1]) == (RUNS, last)
        assert file.name_of(last.number) == "me"

    def test_a_long_name_is_cut(self, file: SlotFile) -> None:
        """It changes no other record; so is that of a task."""
        second = Waiting(1, 5, 6, 7, 8, 8.0, 9.0)
        file.write_run(second)
        file.name_run(0, "x" * 10_000)
        file.write_use(Use(1, 3, 2.0, "second"))
        file.write_use(Use(0, 2, 1.0, "ü" * 10_000))
        file.write_head(Head(1, said=False, records=2))
        assert file.runs(2)[1] == second
        assert set(file.name_of(0)) == {"x"}
        assert file.use(1) == Use(1, 3, 2.0, "second")

    def test_a_reader_makes_nothing(self, tmp_path: Path) -> None:
        """Where no run ever was, there is no file."""
        with pytest.raises(FileNotFoundError):
            SlotFile(tmp_path, write=False)
        assert not list(tmp_path.iterdir())

    def test_all_may_use_what_lies_in_a_folder_for_all(self, tmp_path: Path) -> None:
        """Whatever the umask of the user is who came first."""
        tmp_path.chmod(0o777)
        before = os.umask(0o077)
        try:
            SlotFile(tmp_path).close()
        finally:
            os.umask(before)
        assert (tmp_path / "slots").stat().st_mode & 0o777 == 0o666
