"""Strict tasks: what is kept of what they write, and what they share with others."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from polylane.run import strict
from tests.run.strict_workspace import Workspace, views, workspace
from tests.run.views.places import Place, place
from tests.support import FORKS, job, lanes, python, reports, run, wait_for

pytestmark = [FORKS, pytest.mark.usefixtures("views")]

__all__ = ["place", "views", "workspace"]


class TestKept:
    """What becomes of what a task writes."""

    def test_what_is_claimed_is_kept(self, workspace: Workspace) -> None:
        """As it was written, by the patterns of the claim; a new folder above comes with it."""
        script = "mkdir -p new/deep; echo a > new/deep/a.txt; echo b > b.txt"
        report = workspace.run(script, writes=("new/**/*.txt", "b.txt"))
        assert (report.exit_code, report.unclaimed) == (0, ())
        assert workspace.tree() == {
            "b.txt": "b\n",
            "new": "drwxr-xr-x",
            "new/deep": "drwxr-xr-x",
            "new/deep/a.txt": "a\n",
        }

    def test_what_is_not_claimed_is_told_and_not_kept(self, workspace: Workspace) -> None:
        """New, changed and removed paths; a file that was written as it was is none."""
        workspace.write(old="old", gone="gone", same="same")
        script = "echo new > new; echo x > old; rm gone; printf same > same; echo mine > mine"
        report = workspace.run(script, writes=("mine",))
        assert (report.kind, report.exit_code) == ("exited", 0)
        assert report.unclaimed == ("gone", "new", "old")
        assert workspace.tree() == {
            "gone": "gone",
            "mine": "mine\n",
            "old": "old",
            "same": "same",
        }

    def test_a_failure_keeps_what_it_claims(self, workspace: Workspace) -> None:
        """As without a view: a report of what failed, say."""
        report = workspace.run("echo 2 errors > report; exit 3", writes=("report",))
        assert (report.exit_code, workspace.tree()) == (3, {"report": "2 errors\n"})

    def test_times_and_modes_are_kept(self, workspace: Workspace) -> None:
        """Of a file that was written as it was before too: build tools go by times."""
        workspace.write(same="x")
        script = "echo > new; chmod 750 new; touch -d @1000 new same"
        assert workspace.run(script, writes=("new", "same")).unclaimed == ()
        new, same = (workspace.folder / name for name in ("new", "same"))
        assert (new.stat().st_mode & 0o777, new.stat().st_mtime) == (0o750, 1000)
        assert same.stat().st_mtime == 1000

    def test_some_is_dropped_without_a_word(self, workspace: Workspace) -> None:
        """What the view says: our own folder, and other people's caches."""
        report = workspace.run("mkdir dropped; echo x > dropped/x")
        assert (report.unclaimed, workspace.tree()) == ((), {})

    @pytest.mark.parametrize("end", ["time-out", "cancel", "kill"])
    def test_a_task_that_was_cut_off_keeps_nothing(self, workspace: Workspace, end: str) -> None:
        """It may have been in the middle of anything."""
        script = "echo half > claimed; echo x > $READY; exec sleep 300"
        ready = workspace.folder.parent / "ready"
        limit = 1.0 if end == "time-out" else 100.0
        cut = workspace.job(
            script, writes=("claimed",), env=(("READY", str(ready)),), timeout=limit
        )
        with lanes() as pool:
            pool.assign(0, cut)
            wait_for(ready.exists, "its start")
            if end != "time-out":
                pool.cancel(kill=end == "kill")
            report = reports(pool)[0]
        assert report.kind == ("timed-out" if end == "time-out" else "cancelled")
        assert (workspace.tree(), workspace.left(), report.unclaimed) == ({}, [], ())

    def test_what_cannot_be_kept_is_a_crash_in_words(self, workspace: Workspace) -> None:
        """The lane goes on, and leaves nothing."""
        go = workspace.folder.parent / "go"
        os.mkfifo(go)
        with lanes() as pool:
            pool.assign(0, workspace.job(f"echo x > file; read x < {go}", writes=("file",)))
            with go.open("w") as file:
                workspace.folder.rename(workspace.folder.parent / "away")
                workspace.folder.touch()
                file.write("go\n")
            report = reports(pool)[0]
            pool.assign(1, job(workspace.folder.parent, "exit 5"))
            assert reports(pool)[1].exit_code == 5
        assert report.kind == "crashed"
        assert report.reason.startswith("what it wrote cannot be kept: ")
        assert report.reason.endswith(": Not a directory")
        assert workspace.left() == []

    def test_a_defect_of_ours_is_named(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The task has crashed; the lane goes on, and leaves nothing."""
        monkeypatch.setattr(strict, "sort_out", lambda *_: 1 / 0)
        first, second = run(
            workspace.job("echo > a", writes=("a",)), job(workspace.folder.parent, "exit 5")
        )
        assert first.kind == "crashed"
        assert first.reason.startswith("BUG: ZeroDivisionError: ")
        assert (second.exit_code, workspace.left()) == (5, [])


#: A script, what is claimed, what is told, and the tree behind it. Before there are ``c/f`` and
#: ``c/sub/g``, which hold ``f`` and ``g``.
ODD: dict[str, tuple[str, tuple[str, ...], list[str], dict[str, str]]] = {
    "a claimed folder goes": ("rm -r c", ("c/**",), [], {}),
    "a folder goes of which a part is claimed": (
        "rm -r c/sub",
        ("c/*",),
        ["c/sub"],
        {"c": "drwxr-xr-x", "c/f": "f", "c/sub": "drwxr-xr-x", "c/sub/g": "g"},
    ),
    "a folder becomes a file": (
        "rm -r c/sub; echo x > c/sub",
        ("c/sub/g",),
        ["c/sub"],
        {"c": "drwxr-xr-x", "c/f": "f", "c/sub": "drwxr-xr-x", "c/sub/g": "g"},
    ),
    "a claimed folder is renamed": (
        "mv c/sub c/other",
        ("c",),
        [],
        {"c": "drwxr-xr-x", "c/f": "f", "c/other": "drwxr-xr-x", "c/other/g": "g"},
    ),
    "a file becomes a folder": (
        "rm c/f; mkdir c/f; echo x > c/f/in",
        ("c",),
        [],
        {"c": "drwxr-xr-x", "c/f": "drwxr-xr-x", "c/f/in": "x\n"},
    ),
    "a file that is not claimed becomes a folder of what is": (
        "rm c/f; mkdir c/f; echo x > c/f/in",
        ("c/f/in", "c/sub"),
        ["c/f"],
        {"c": "drwxr-xr-x", "c/f": "f"},
    ),
    "a file becomes a folder and a file again": (
        "rm c/f; mkdir c/f; rmdir c/f; printf f > c/f",
        (),
        [],
        {"c": "drwxr-xr-x", "c/f": "f"},
    ),
    "a folder's mode changes above what is claimed": (
        "chmod 700 c; echo x > c/f",
        ("c/f",),
        ["c"],
        {"c": "drwxr-xr-x", "c/f": "x\n"},
    ),
    "links, of which none is followed": (
        "ln -s /etc c/out; ln -s ../c/sub c/in; echo x > c/in/g",
        ("c/in", "c/out"),
        ["c/sub/g"],
        {"c": "drwxr-xr-x", "c/f": "f", "c/in": "-> ../c/sub", "c/out": "-> /etc"},
    ),
    "a claimed file is replaced by a link": (
        "ln -sf /nowhere c/f",
        ("c/f",),
        [],
        {"c": "drwxr-xr-x", "c/f": "-> /nowhere"},
    ),
    "fifos and folders that nobody may write": (
        "mkfifo c/p; mkdir c/n; echo x > c/n/x; chmod 555 c/n",
        ("c",),
        [],
        {"c": "drwxr-xr-x", "c/f": "f", "c/n": "dr-xr-xr-x", "c/n/x": "x\n", "c/p": "prw-r--r--"},
    ),
    "a name that is no text": (
        r"echo x > $(printf 'c/\377'); echo y > $(printf '\376')",
        ("c",),
        ["\udcfe"],
        {"c": "drwxr-xr-x", "c/f": "f", "c/\udcff": "x\n"},
    ),
    "the workspace's own mode": ("chmod 700 .", ("c",), ["."], {"c": "drwxr-xr-x", "c/f": "f"}),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_write_set(place: Place, name: str) -> None:
    """What is claimed is kept to the letter, and nothing else; for root and for others."""
    script, writes, told, after = ODD[name]

    def look() -> Any:
        workspace = Workspace(place.scratch).write(c__f="f", c__sub__g="g")
        report = workspace.run(script, writes=writes)
        return report.kind, list(report.unclaimed), workspace.tree(), workspace.left()

    kind, unclaimed, tree, left = place.run(look)
    if "c" in after and "c/other" not in after:
        after = {**after, "c/sub": "drwxr-xr-x", "c/sub/g": "g"}
    tops = [path for path in unclaimed if path.rpartition("/")[0] not in unclaimed]
    assert (kind, tops, tree, left) == ("exited", told, after, [])


def test_names_of_one_file_stay_one(workspace: Workspace) -> None:
    """Hard links that a task makes."""
    workspace.run("echo x > a; ln a b", writes=("a", "b"))
    assert (workspace.folder / "a").samefile(workspace.folder / "b")


def test_thousands_of_files(workspace: Workspace) -> None:
    """Kept where they are claimed, told where not."""
    program = "import os\nfor i in range(3000): os.close(os.open(str(i), 64))"
    assert len(workspace.run(*python(program)).unclaimed) == 3_000
    assert workspace.tree() == {}
    assert workspace.run(*python(program), writes=("**",)).unclaimed == ()
    assert len(workspace.tree()) == 3_000


@pytest.mark.parametrize("path", ["new/inner", "old"])
def test_a_folder_that_we_cannot_look_into_is_not_lost_in_silence(path: str) -> None:
    """An ordinary user's, of mode 000: the task has crashed, with its name."""
    script = f"mkdir -p {path}; chmod 000 {path}"

    def look(folder: Path) -> Any:
        workspace = Workspace(folder).write(old__file="x")
        report = workspace.run(script, writes=("**",))
        return report.kind, report.reason, workspace.left()

    with tempfile.TemporaryDirectory() as folder:
        user = Place(Path(folder), nobody=os.geteuid() == 0)
        Path(folder).chmod(0o755)
        kind, reason, left = user.run(lambda: look(user.scratch))
    assert (kind, left) == ("crashed", [])
    assert reason == f"what it wrote cannot be kept: {path}: Permission denied"


class TestApart:
    """What lives beside a strict task."""

    def test_nobody_sees_it_before_its_end(self, workspace: Workspace) -> None:
        """And it sees its own files, at the workspace's own path."""
        go = workspace.folder.parent / "go"
        os.mkfifo(go)
        with lanes() as pool:
            script = f"echo x > file; cat {workspace.folder}/file; read x < {go}"
            pool.assign(0, workspace.job(script, writes=("file",)))
            wait_for(lambda: workspace.log() == "x\n", "its file")
            before = workspace.tree()
            go.write_text("go\n")
            assert reports(pool)[0].exit_code == 0
        assert (before, workspace.tree()) == ({}, {"file": "x\n"})

    def test_two_make_the_same_new_folder(self, workspace: Workspace) -> None:
        """Each keeps its own part."""
        go = workspace.folder.parent / "go"
        os.mkfifo(go)
        with lanes() as pool:
            script = f"mkdir new; echo a > new/a; echo; read x < {go}"
            pool.assign(0, workspace.job(script, writes=("new/a",)))
            wait_for(workspace.log, "its folder")
            pool.assign(1, workspace.job("mkdir new; echo b > new/b", writes=("new/b",)))
            second = reports(pool)[1]
            go.write_text("go\n")
            first = reports(pool)[0]
        assert (first.exit_code, first.unclaimed) == (0, ())
        assert (second.exit_code, second.unclaimed) == (0, ())
        assert workspace.tree() == {"new": "drwxr-xr-x", "new/a": "a\n", "new/b": "b\n"}

    def test_commits_beside_a_view_do_not_harm_it(self, workspace: Workspace) -> None:
        """The kernel calls that undefined: what it reads of other paths stays right."""
        for number in range(50):
            workspace.write(**{f"still__{number}": str(number), f"busy__{number}": "0"})
        stop = workspace.folder.parent / "stop"
        program = (
            "import os, sys\n"
            f"while not os.path.exists({str(stop)!r}):\n"
            "    for i in range(50):\n"
            "        if open(f'still/{i}').read() != str(i): sys.exit(3)\n"
            "        if not open(f'busy/{i}').read().strip().isdigit(): sys.exit(4)\n"
            "    if len(os.listdir('still')) != 50: sys.exit(5)\n"
            "open('still/done', 'w').close()\n"
        )
        with lanes() as pool:
            pool.assign(0, workspace.job(*python(program), writes=("still/done",)))
            for times in range(1, 11):
                script = f"for i in $(seq 0 49); do echo {times} > busy/$i; done; rm -f busy/x*"
                script += f"; echo > busy/x{times}"
                pool.assign(times, workspace.job(script, writes=("busy",)))
                assert reports(pool)[times].unclaimed == ()
            stop.touch()
            report = reports(pool)[0]
        assert (report.kind, report.exit_code, report.unclaimed) == ("exited", 0, ())
        assert (workspace.folder / "still/done").exists()
        assert {text for path, text in workspace.tree().items() if path.startswith("busy/")} == {
            "10\n",
            "\n",
        }

    def test_what_it_leaves_behind_is_ended_and_named(self, workspace: Workspace) -> None:
        """Also what is stubborn and in a session of its own; its exit code counts."""
        begun = 'until [ "$(tr "\\0" . < /proc/$!/cmdline)" = sleep.300. ]; do :; done'
        report = workspace.run(f"trap '' TERM; setsid sleep 300 & {begun}; exit 7")
        assert (report.exit_code, report.leftovers) == (7, ("sleep 300",))

    def test_its_temporary_folder_goes_with_it(self, workspace: Workspace) -> None:
        """With what nobody may read in it."""
        view = workspace.job("cd $T; mkdir -p a/b; echo x > a/b/c; chmod 000 a/b a; pwd")
        assert view.view is not None
        [report] = run(view._replace(env=(("T", view.view[2]),)))
        assert report.exit_code == 0
        assert (workspace.log(), workspace.left()) == (f"{view.view[2]}\n", [])
