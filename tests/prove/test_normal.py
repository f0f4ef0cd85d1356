"""Logs without times, addresses and names that are made up."""

from __future__ import annotations

import tempfile

import pytest

from polylane.prove.normal import WHAT, Normal, first_difference

SAME = {
    "a duration": ("3 passed in 0.12s", "3 passed in 1.5s"),
    "one in words": ("Done in 1 second", "Done in 12 seconds"),
    "minutes and seconds": ("took 1m 3.2s", "took 59.1s"),
    "milliseconds": ("built in 301ms", "built in 87 ms"),
    "a key with a duration": ("  duration_ms: 12.5", "  duration_ms: 301.123"),
    "a TAP comment": ("# duration_ms 12.5", "# duration_ms 3"),
    "one that only slow tests have": ("  ✓ adds (12 ms)", "  ✓ adds"),
    "a line that only slow tests have": (" ✓ a.test.ts\n   ✓ adds 312ms\nend", " ✓ a.test.ts\nend"),
    "a speed": ("1.2 MB/s, 30 files/s", "30 MB/s, 7 files/s"),
    "a date": ("at 2024-01-02 done", "at 2025-11-23 done"),
    "an ISO time": ("2024-01-02T10:11:12.5Z x", "2025-11-23T01:02:03+01:00 x"),
    "a time of a log": ("2024-01-02 10:11:12,123 INFO x", "2025-11-23 01:02:03,9 INFO x"),
    "a date in words": ("Sun Nov 23 12:24:11 UTC 2025", "Mon Jan  1 01:02:03 CET 2024"),
    "a mail's date": ("Sun, 23 Nov 2025 12:24:11 +0000", "Mon, 01 Jan 2024 01:02:03 +0100"),
    "a time of day": ("[12:24:11] Starting", "[1:02:03 PM] Starting"),
    "an address": ("<X at 0x7f0012345678>", "<X at 0x55aabbccddee>"),
    "a process id": ("pid 12, (node:12345) Warning", "pid 9876, (node:7) Warning"),
    "a port": ("http://localhost:4000/ 127.0.0.1:80", "http://localhost:51234/ 127.0.0.1:8080"),
    "a port in words": ("listening on port 4000", "listening on port 51234"),
    "a temporary name": ("in /tmp/tmpab12/x", "in /tmp/pytest-of-me/x"),
    "a private one": ("at file:///tmp/polylane-a1/x-Ab1/y", "at file:///tmp/polylane-b2/x-Cd2/y"),
    "the private one itself": ("TMPDIR=/tmp/polylane-a1", "TMPDIR=/tmp/polylane-b2"),
    "a counted folder": ("/data/pytest-of-me/pytest-12/x", "/data/pytest-of-me/pytest-13/x"),
    "the ruler around a duration": ("===== 1 in 0.1s =====", "==== 1 in 0.12s ===="),
    "a run": ("runs/20251123-122411-123-4567/x", "runs/20240102-030405-007-89/x"),
    "a colour": ("\x1b[32mok\x1b[0m", "ok"),
    "a progress": (" 10%\r 50%\r100%\n", "100%\n"),
    "the end of a line": ("ok\r\n", "ok\n"),
}

OTHER = {
    "a count": ("3 passed in 0.12s", "2 passed in 0.12s"),
    "a place in a file": ("a.py:12:34: E1", "a.py:12:35: E1"),
    "a short hex number": ("0x1f", "0x2f"),
    "a name": ("test_a ok", "test_b ok"),
    "a version": ("1.2.3", "1.2.4"),
    "an indentation": ("  a", "    a"),
    "a path below a temporary one": ("/tmp/x/a", "/tmp/x/b"),
    "a folder that is called so": ("/home/tmp/a/x", "/home/tmp/b/x"),
    "a line": ("a\nb", "a"),
}


def lines(text: str) -> list[bytes]:
    return Normal().lines(text.encode())


@pytest.mark.parametrize("what", SAME)
def test_what_changes_from_run_to_run_is_the_same(what: str) -> None:
    """Times, addresses, made-up names."""
    one, other = SAME[what]
    assert lines(one) == lines(other)


@pytest.mark.parametrize("what", OTHER)
def test_what_says_something_is_not(what: str) -> None:
    """A verdict, a place, a name."""
    one, other = OTHER[what]
    assert lines(one) != lines(other)


def test_the_path_of_a_round_is_replaced() -> None:
    """A copy's stands for the workspace's."""
    one = Normal([("/copies/1", "<here>")]).lines(b"/copies/1/a.py: bad")
    other = Normal([("/w", "<here>")]).lines(b"/w/a.py: bad")
    assert one == other == [b"<here>/a.py: bad"]


def test_the_temporary_folder_of_this_user_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever TMPDIR says it is."""
    monkeypatch.setattr(tempfile, "tempdir", "/data/mine")
    assert lines("/data/mine/abc/x") == lines("/data/mine/def/x") == [b"/data/mine/<name>/x"]


def test_bytes_that_are_no_text_stay() -> None:
    """A log may hold anything."""
    assert Normal().lines(b"\xff\xfe\x00 0.1s") == [b"\xff\xfe\x00 <duration>"]


def test_a_difference_is_told_by_its_first_line() -> None:
    """Long lines are cut; an end that is missing is said."""
    assert first_difference([b"a", b"b"], [b"a", b"c"]) == "line 2: 'c' instead of 'b'"
    assert first_difference([b"a"], [b"a", b"c"]) == "line 2: 'c' instead of no line"
    assert first_difference([b"a"], [b"a"]) == "nothing"
    assert len(first_difference([b"a" * 500], [b"b"])) < 130


def test_all_that_is_replaced_is_said() -> None:
    """For the report, in words."""
    assert "durations and speeds" in WHAT
    assert "names in the temporary folder" in WHAT
