"""The process that watches folders: what it says, and what it says where it cannot watch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polylane.errors import UserError
from polylane.integrations import watcher
from polylane.integrations.watcher import Watcher
from tests.integrations.repository import Repository


def test_all_that_changed_up_to_now_is_read(tmp_path: Path) -> None:
    """Each time; with how it changed, and not what lies below a watched folder."""
    (tmp_path / "a/b").mkdir(parents=True)
    watching = Watcher(tmp_path, ["a"])
    try:
        for number in range(20):
            (tmp_path / f"a/{number}").write_text("x", encoding="utf-8")
            (tmp_path / f"a/b/{number}").write_text("x", encoding="utf-8")
            found = watching.read_all()
            assert {p for p in found if not p.startswith(".polylane")} == {f"a/{number}"}
            assert "+" in found[f"a/{number}"]
        (tmp_path / "a/7").unlink()
        assert watching.read_all()["a/7"] == "-"
    finally:
        watching.close()
    assert not list((tmp_path / ".polylane").glob("watch*"))


def test_a_folder_that_is_gone_is_left_out(tmp_path: Path) -> None:
    """It may go between the look for folders and the watch."""
    (tmp_path / "a").mkdir()
    watching = Watcher(tmp_path, ["gone", "a"])
    try:
        (tmp_path / "a/x").touch()
        assert "a/x" in watching.read_all()
    finally:
        watching.close()


def test_where_the_library_is_missing_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is an extra."""
    monkeypatch.setattr(watcher, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"needs watchfiles.*: pip install 'polylane\[watch\]'"):
        watcher.check()


@pytest.mark.parametrize("limit", ["watches", "instances"])
def test_where_the_kernel_allows_no_more_a_line_says_what_to_raise(
    limit: str, tmp_path: Path
) -> None:
    """With exit code 2, before anything runs."""
    made = Repository(tmp_path / "r").tasks(a=["true"])
    made.write({"a/b/c/x": "", "d/x": ""})
    script = f'echo 1 > /proc/sys/user/max_inotify_{limit} && exec "$@"'
    if limit == "instances":
        script = script.replace("1", "0", 1)
    alone = ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")
    if not shutil.which("unshare") or subprocess.run((*alone, "true"), check=False).returncode:
        pytest.skip("no user namespace can be made, which has limits of its own")
    done = made.run(*alone, sys.executable, "-m", "invoke", "all", "--watch")
    name = f"fs.inotify.max_user_{limit}"
    assert f"{name}); raise it: sudo sysctl {name}=" in done.err
    assert done.err.count("\n") == 1
    assert (done.code, done.out) == (2, "")


def test_a_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    """The library knows only names in UTF-8; the others are watched."""
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")  # noqa: PTH102 - a name that no Path is written with
    (tmp_path / "a").mkdir()
    watching = Watcher(tmp_path, [os.fsdecode(b"\xff"), "a"])
    try:
        (tmp_path / "a/x").touch()
        assert "a/x" in watching.read_all()
    finally:
        watching.close()
