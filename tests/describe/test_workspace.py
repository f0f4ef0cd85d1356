"""What is found in a workspace, and what of it is remembered."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from polylane.describe import walk, workspace
from polylane.describe.config import Config
from polylane.describe.languages.base import Folder
from polylane.errors import UserError
from polylane.model import Description
from tests.describe.toys import TOY, Yard, register, yard

__all__ = ["yard"]


def test_every_folder_with_a_manifest_is_a_project_named_by_its_folder(yard: Yard) -> None:
    """At any depth, in the order of their paths; the workspace's own folder is ``root``."""
    yard.toys(".", "b", "a/deep/down", "a")
    assert yard.names() == {"root": ".", "a": "a", "down": "a/deep/down", "b": "b"}
    assert yard.paths() == [".", "a", "a/deep/down", "b"]


def test_folders_without_a_manifest_or_a_description_are_no_projects(yard: Yard) -> None:
    """A language may say that a manifest makes no project after all."""
    yard.write("a/other.txt")
    yard.write("b/toy.txt", "none")
    assert yard.names() == {}
    assert yard.names() == {}


def test_folders_of_the_same_name_are_named_by_their_paths(yard: Yard) -> None:
    """All of them, so that none is called by what several could mean."""
    yard.toys("services/api", "libs/api", "libs/core")
    assert yard.names() == {
        "libs/api": "libs/api",
        "core": "libs/core",
        "services/api": "services/api",
    }


def test_a_folder_called_root_is_told_from_the_workspace(yard: Yard) -> None:
    """The workspace's own project keeps the name ``root``."""
    yard.toys(".", "root")
    assert yard.names() == {"root": ".", "./root": "root"}


def test_a_folder_called_root_is_root_where_the_workspace_is_no_project(yard: Yard) -> None:
    """Nothing else has the name."""
    yard.toys("root")
    assert yard.names() == {"root": "root"}


@pytest.mark.parametrize(
    "path",
    [
        "with space/inner project",
        "größe/naïve-日本",
        "/".join(["long" * 20] * 4),
        "dash/-x",
        ":top/:(glob)x",
        "[id]/[...rest]",
        "100%/a%0Ab",
        "star*/what?",
        "quote'\"/$HOME",
    ],
)
def test_odd_names_work(yard: Yard, path: str) -> None:
    """Spaces, letters of any script, wildcards, pathspec magic, 300 characters."""
    yard.toys(path)
    assert yard.paths() == [path]
    assert yard.paths() == [path]


def test_names_of_projects_are_one_printable_line_without_a_colon(yard: Yard) -> None:
    """What could break a line, a terminal or an id is percent-encoded; the path stays as it is."""
    yard.toys("new\nline", "es\x1bcape", "co:lon")
    broken = os.fsdecode(b"broken\xff")
    yard.toys(broken)
    assert yard.names() == {
        "broken%FF": broken,
        "co%3Alon": "co:lon",
        "es%1Bcape": "es\x1bcape",
        "new%0Aline": "new\nline",
    }


def test_ignored_folders_hold_no_projects(yard: Yard) -> None:
    """By a .gitignore at the top or below, negated or not, by pattern or path."""
    yard.write(".gitignore", "build/\n/only-here\ngen-*\n!gen-kept\n")
    yard.write("sub/.gitignore", "local\n")
    yard.toys("build/x", "sub/build", "only-here", "sub/only-here", "gen-a", "gen-kept")
    yard.toys("sub/local", "local")
    assert sorted(yard.paths()) == ["gen-kept", "local", "sub/only-here"]


def test_a_tracked_folder_is_found_though_it_is_ignored(yard: Yard) -> None:
    """As git sees it: what is tracked is not ignored."""
    yard.write(".gitignore", "vendor\n")
    yard.toys("vendor/kept")
    yard.git("add", "-f", "vendor")
    assert yard.paths() == ["vendor/kept"]


def test_the_repositorys_own_exclude_file_is_honoured(yard: Yard) -> None:
    """``.git/info/exclude``, also when it changes."""
    yard.toys("a", "b")
    yard.write(".git/info/exclude", "a\n")
    assert yard.paths() == ["b"]
    yard.write(".git/info/exclude", "b/\n")
    assert yard.paths() == ["a"]


def test_the_users_excludes_file_is_honoured_also_when_it_appears(yard: Yard) -> None:
    """The default place, then one that the configuration names."""
    home = yard.folder.with_name("home")
    yard.toys("a", "b", "c")
    assert yard.paths() == ["a", "b", "c"]
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "ignore").write_text("a\n")
    assert yard.paths() == ["b", "c"]
    (home / "mine").write_text("b\n")
    (home / ".gitconfig").write_text("[core]\n\texcludesFile = ~/mine\n")
    assert yard.paths() == ["a", "c"]
    (home / "mine").write_text("a\nc\n")
    assert yard.paths() == ["b"]


def test_another_home_means_other_excludes(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment names counts when it is asked for, not when it was remembered."""
    yard.toys("a", "b")
    assert yard.paths() == ["a", "b"]
    other = yard.folder.with_name("other")
    (other / "git").mkdir(parents=True)
    (other / "git" / "ignore").write_text("a\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(other))
    assert yard.paths() == ["b"]


def test_a_workspace_may_lie_below_the_repositorys_top(yard: Yard) -> None:
    """What the folders above say is ignored is ignored here, also when it changes."""
    yard.toys("inner/a", "inner/b", "outer")
    yard.write(".gitignore", "a\n")
    inner = Yard.__new__(Yard)
    inner.folder = yard.folder / "inner"
    assert inner.paths() == ["b"]
    yard.write(".gitignore", "/inner/b\n")
    assert inner.paths() == ["a"]


def test_environments_of_languages_are_never_entered(yard: Yard) -> None:
    """Names that a language skips, git's own folder and ours, ignored or not."""
    yard.toys("toy_modules/x", "a/toy_modules", ".git/x", ".polylane/x", "b")
    assert yard.paths() == ["b"]


def test_repositories_within_the_repository_are_not_entered(yard: Yard) -> None:
    """Submodules and clones: git does not say what of them is ignored."""
    yard.toys("a", "clone/x", "submodule/x")
    Yard(yard.folder / "clone")
    yard.write("submodule/.git", "gitdir: ../.git/modules/submodule\n")
    assert yard.paths() == ["a"]


def test_links_to_folders_are_not_followed(yard: Yard) -> None:
    """Inside or outside, in a circle or to nowhere: a project is found once, where it lies."""
    yard.toys("a")
    outside = yard.folder.with_name("outside")
    outside.mkdir()
    (outside / "toy.txt").touch()
    for name, target in {"b": "a", "c": str(outside), "a/up": "..", "gone": "nowhere"}.items():
        (yard.folder / name).symlink_to(target)
    assert yard.paths() == ["a"]


def test_a_linked_manifest_is_one(yard: Yard) -> None:
    """A file may lie anywhere."""
    yard.write("shared.txt", "shared")
    (yard.folder / "a").mkdir()
    (yard.folder / "a" / "toy.txt").symlink_to("../shared.txt")
    assert yard.paths() == ["a"]


def test_a_folder_whose_clock_stands_at_zero_is_found(yard: Yard) -> None:
    """Reproducible images have such times."""
    yard.toys("a")
    os.utime(yard.folder / "a", (0, 0))
    assert yard.paths() == ["a"]


def test_an_empty_repository_has_no_projects(yard: Yard) -> None:
    """Nothing is an answer, remembered or not."""
    assert yard.names() == {}
    assert yard.names() == {}


def test_a_folder_that_is_no_repository_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what is missing, and how to mend it."""
    register(monkeypatch, "TOY")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UserError, match=r"is no git repository, .* run git init there"):
        workspace.find(Config(tmp_path))


def test_a_repository_that_is_gone_is_refused_though_it_is_remembered(yard: Yard) -> None:
    """Without git nobody knows what is ignored."""
    yard.toys("a")
    yard.find()
    shutil.rmtree(yard.folder / ".git")
    with pytest.raises(UserError, match="is no git repository"):
        yard.find()


def test_a_workspace_that_is_gone_is_refused(tmp_path: Path) -> None:
    """Its folder is named."""
    with pytest.raises(UserError, match="nowhere: git refuses to work here: fatal: cannot change"):
        workspace.find(Config(tmp_path / "nowhere"))


def test_a_folder_that_vanishes_in_between_holds_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other programs go on while we look."""
    yard.toys("a", "b")
    listing = walk._listing

    def vanishing(absolute: str, *names: object) -> object:
        if absolute.endswith("/a"):
            shutil.rmtree(absolute)
        return listing(absolute, *names)

    monkeypatch.setattr(walk, "_listing", vanishing)
    assert yard.paths() == ["b"]


def test_what_was_left_out_on_purpose_is_said_with_its_project(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the language says it."""
    yard.toys("a", "b")
    described = TOY.describe

    def leaving_out(folder: Folder) -> Description | None:
        found = described(folder)
        return found and found._replace(left_out=(("script x", "only delegates"),))

    monkeypatch.setattr(TOY, "describe", leaving_out)
    assert yard.find().left_out() == [
        ("a", "script x", "only delegates"),
        ("b", "script x", "only delegates"),
    ]
