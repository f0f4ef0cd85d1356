"""The clean tool against real git repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polylane.tools.clean import _bytes, main


def _git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(["git", *identity, *words], cwd=folder, env=env, check=True, capture_output=True)


def _repository(folder: Path, ignore: str, tracked: tuple[str, ...] = ()) -> None:
    _git(folder, "init", "-q")
    (folder / ".gitignore").write_text(ignore)
    for path in tracked:
        _write(folder / path)
    _git(folder, "add", "-A", "-f")
    _git(folder, "commit", "-q", "-m", "x")


def _write(path: Path, content: str = "12345") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder which is the working one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_ignored_outputs_are_removed_and_listed_with_their_size(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder and a file that match and are ignored go, each with a line and its bytes."""
    _repository(here, "dist/\n.coverage\n")
    _write(here / "dist/sub/a.whl")
    _write(here / ".coverage")
    assert main(["dist", ".coverage", "build"]) == 0
    assert not (here / "dist").exists()
    assert not (here / ".coverage").exists()
    out = capsys.readouterr().out
    assert "removed dist (5 B)" in out
    assert "removed .coverage (5 B)" in out
    assert "freed 10 B" in out


def test_a_folder_with_a_tracked_file_stays_whole(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the tracked file nor the ignored ones beside it go, and the line says why."""
    _repository(here, "dist/\n", ("dist/keep/me.txt",))
    _write(here / "dist/other")
    assert main(["dist"]) == 0
    assert (here / "dist/keep/me.txt").exists()
    assert (here / "dist/other").exists()
    assert "left dist: holds tracked files" in capsys.readouterr().out


def test_a_tracked_file_that_matches_stays(here: Path) -> None:
    """An ignore rule that came after the file was added does not count."""
    _repository(here, "*.log\n", ("a.log",))
    _write(here / "b.log")
    main(["*.log"])
    assert sorted(path.name for path in here.glob("*.log")) == ["a.log"]


def test_what_git_does_not_ignore_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """New work that nobody has added yet is not output."""
    _repository(here, "")
    _write(here / "build/new.py")
    assert main(["build"]) == 0
    assert (here / "build/new.py").exists()
    assert "left build: is not ignored by git" in capsys.readouterr().out


def test_a_folder_that_ignores_itself_goes(here: Path) -> None:
    """``uv build`` and pytest put a .gitignore of their own into what they make."""
    _repository(here, "")
    _write(here / "dist/.gitignore", "*\n")
    _write(here / "dist/a.whl")
    _write(here / "site/.gitignore", "*\n")
    assert main(["dist", "site"]) == 0
    assert not (here / "dist").exists()
    assert not (here / "site").exists()


def test_an_empty_folder_that_is_not_ignored_stays(here: Path) -> None:
    """Git knows no empty folders, so that nothing says it is output."""
    _repository(here, "")
    (here / "dist").mkdir()
    main(["dist"])
    assert (here / "dist").exists()


def test_without_a_repository_all_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where git cannot say what is ignored nothing is."""
    _write(here / "dist/a")
    assert main(["dist"]) == 0
    assert (here / "dist/a").exists()
    assert "left all" in capsys.readouterr().out


def test_links_are_never_followed(here: Path) -> None:
    """A link that is ignored goes itself; what it points to stays."""
    outside, inside = here / "outside", here / "work"
    _write(outside / "dist/precious")
    inside.mkdir()
    _repository(inside, "dist\nbuild\n")
    (inside / "dist").symlink_to(outside / "dist")
    (inside / "linked").symlink_to(outside)
    _write(inside / "build/real")
    (inside / "build/link").symlink_to(outside)
    os.chdir(inside)
    assert main(["dist", "linked/dist", "**/dist", "build"]) == 0
    assert (outside / "dist/precious").exists()
    assert not (inside / "dist").is_symlink()
    assert not (inside / "build").exists()
    assert (inside / "linked").is_symlink()


def test_patterns_that_leave_the_folder_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line, and nothing done."""
    _repository(here, "dist\n")
    _write(here / "dist/a")
    for pattern in ("../dist", "/dist", "a/../../dist"):
        assert main(["dist", pattern]) == 2
        assert "leaves the folder" in capsys.readouterr().err
    assert (here / "dist/a").exists()


@pytest.mark.parametrize("pattern", ["*", ".*", "**/*"])
def test_environments_are_not_removed_by_a_wildcard(here: Path, pattern: str) -> None:
    """``.venv`` and ``node_modules`` take long to make again; nor is .git ever matched."""
    _repository(here, ".venv\nnode_modules\n")
    _write(here / ".venv/a")
    _write(here / "node_modules/a")
    main([pattern])
    assert (here / ".venv/a").exists()
    assert (here / "node_modules/a").exists()
    assert (here / ".git").exists()


def test_an_environment_goes_when_it_is_named(here: Path) -> None:
    """A pattern that is its very name is a wish."""
    _repository(here, ".venv\n")
    _write(here / ".venv/a")
    main([".venv"])
    assert not (here / ".venv").exists()


def test_two_stars_reach_every_folder_of_the_project_only(here: Path) -> None:
    """Other projects, submodules and environments inside have their own clean, or none."""
    _repository(here, "__pycache__/\n.venv/\n")
    for folder in ("", "a/b/", "a/__pycache__/", "inner/sub/", "repo/", ".venv/"):
        _write(here / f"{folder}__pycache__/x.pyc")
    _write(here / "inner/pyproject.toml")
    (here / "repo/.git").mkdir()
    assert main(["**/__pycache__"]) == 0
    left = sorted(str(path.relative_to(here)) for path in here.rglob("__pycache__"))
    assert left == [".venv/__pycache__", "inner/sub/__pycache__", "repo/__pycache__"]


def test_the_manifests_that_bound_two_stars_can_be_said(here: Path) -> None:
    """A folder with another language's manifest holds this language's caches too."""
    _repository(here, "__pycache__/\n")
    _write(here / "web/package.json")
    _write(here / "web/__pycache__/x.pyc")
    main(["**/__pycache__"])
    assert (here / "web/__pycache__").exists()
    main(["--manifests=pyproject.toml,setup.py", "**/__pycache__"])
    assert not (here / "web/__pycache__").exists()


@pytest.mark.parametrize(
    "name", ["-rf", "a b", "new\nline", "päckchen", "--", "[x]", os.fsdecode(b"\xff")]
)
def test_odd_names_are_removed_and_shown_on_one_line(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No byte of a name is read as an option, a pattern or a second line."""
    _repository(here, "out/*\n")
    _write(here / "out" / name / "file")
    assert main([f"./out/{name}/"]) == 0
    assert not (here / "out" / name).exists()
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert out.startswith("removed ")


def test_a_repository_inside_is_kept(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody's clone in an ignored folder may hold work that is nowhere else."""
    _repository(here, "build\n")
    _write(here / "build/clone/.git/HEAD")
    main(["build"])
    assert (here / "build/clone/.git/HEAD").exists()
    assert "left build: holds a git repository" in capsys.readouterr().out


def test_the_environment_of_a_hook_does_not_mislead_git(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR of another repository, as a hook sets it, is not asked."""
    other, mine = here / "other", here / "mine"
    other.mkdir()
    mine.mkdir()
    _repository(other, "dist\n")
    _repository(mine, "", ("dist/a",))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.chdir(mine)
    main(["dist"])
    assert (mine / "dist/a").exists()


def test_what_matches_inside_another_match_is_listed_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The outermost path stands for all that lies in it; the name beside it is its own."""
    _repository(here, "build*\n")
    _write(here / "build/sub/a")
    _write(here / "build-x/a")
    main(["build", "build/sub", "build-x"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["removed build (5 B)", "removed build-x (5 B)", "freed 10 B"]


def test_a_path_that_cannot_be_removed_is_a_failure(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line gives the reason, the rest is still removed, and the exit code is 1."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    _repository(here, "dist\n.coverage\n")
    _write(here / "dist/a")
    _write(here / ".coverage")
    # Root may remove anything: no real folder refuses it.
    monkeypatch.setattr("shutil.rmtree", refuse)
    assert main([".coverage", "dist"]) == 1
    assert "left dist: cannot be removed: Permission denied" in capsys.readouterr().out
    assert not (here / ".coverage").exists()


def test_it_runs_as_a_program(here: Path) -> None:
    """The command line of the recipe works in the folder that it is started in."""
    _repository(here, "dist\n")
    _write(here / "dist/a")
    argv = [sys.executable, "-m", "polylane.tools.clean", "dist"]
    done = subprocess.run(argv, cwd=here, capture_output=True, text=True, check=True)
    assert done.stdout == "removed dist (5 B)\nfreed 5 B\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (2048, "2 KiB"), (5 << 20, "5 MiB"), (3 << 30, "3.0 GiB")],
)
def test_sizes_are_shown_in_units_that_fit(count: int, text: str) -> None:
    """Bytes below 1024, then binary units."""
    assert _bytes(count) == text
