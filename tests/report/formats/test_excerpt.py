"""How a log is cut."""

from __future__ import annotations

from pathlib import Path

from polylane.report.formats import excerpt


def test_a_short_log_is_whole(tmp_path: Path) -> None:
    """It has no tail, and nothing is said of it."""
    log = tmp_path / "log"
    log.write_bytes(b"a\nb\n")
    found = excerpt.read(log, 100)
    assert (found.head, found.tail, found.note, found.text()) == (b"a\nb\n", b"", "", "a\nb\n")


def test_a_long_log_loses_its_middle_in_whole_lines(tmp_path: Path) -> None:
    """The first and the last lines stay, most of them from the end, and it says what is gone."""
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"line %05d\n" % number for number in range(10_000)))
    found = excerpt.read(log, 1000)
    assert found.head.startswith(b"line 00000\n")
    assert found.tail.endswith(b"line 09999\n")
    assert all(len(line) == 10 for line in (found.head + found.tail).splitlines())
    assert len(found.tail) > 4 * len(found.head)
    assert found.note == "109 kB of 110 kB left out"
    assert f"[... {found.note} ...]" in found.text()


def test_a_huge_log_is_not_read(tmp_path: Path) -> None:
    """Of 5 TB only the room that there is; the file has holes, which read as NUL: no text."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(5 * 10**12)
    assert excerpt.read(log, 1000) == excerpt.Excerpt(size=5 * 10**12)


def test_a_long_last_line_is_shown(tmp_path: Path) -> None:
    """One line longer than the room is cut anywhere."""
    log = tmp_path / "log"
    log.write_bytes(b"x" * 5000)
    assert len(excerpt.read(log, 1000).tail) == 875


def test_what_is_no_text_is_not_shown(tmp_path: Path) -> None:
    """Only how much of it there is."""
    log = tmp_path / "log"
    log.write_bytes(bytes(range(256)) * 4)
    assert excerpt.read(log, 10_000).text() == "[... 1.0 kB, not shown ...]\n"


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """It may have been removed since."""
    assert excerpt.read(tmp_path / "gone", 10) == excerpt.read(None, 10) == excerpt.Excerpt()
