"""Questions to git, in real repositories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylane.describe import git
from polylane.errors import UserError
from tests.describe.toys import Yard, yard

__all__ = ["yard"]

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org")


def _commit(yard: Yard, message: str = "x") -> None:
    yard.git("add", "-A")
    yard.git(*IDENTITY, "commit", "-q", "--allow-empty", "-m", message)


def test_ignored_paths_are_named_as_they_were_asked(yard: Yard) -> None:
    """Whatever characters they hold, also those that git gives a meaning."""
    names = [":(top)x", ":y", "[id]", "a b", "new\nline", os.fsdecode(b"\xff"), "-n", "é"]
    yard.write(".gitignore", "kept-not\n")
    (yard.folder / ".git" / "info" / "exclude").write_bytes(b"*\n!kept\n")
    assert git.ignored(yard.folder, names) == set(names)
    assert git.ignored(yard.folder, ["kept", "kept-not"]) == {"kept-not"}


def test_a_name_that_starts_like_magic_is_a_name(yard: Yard) -> None:
    """Git would take it for a pathspec with a meaning."""
    yard.write(".gitignore", ":y\n:(top)x\n")
    names = [":y", ":(top)x", "x", "y"]
    assert git.ignored(yard.folder, names) == {":y", ":(top)x"}


def test_nothing_asked_is_nothing_ignored(tmp_path: Path) -> None:
    """Git is not even started: this is no repository."""
    assert git.ignored(tmp_path, []) == set()


@pytest.mark.parametrize("name", ["GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_DIR"])
def test_what_a_hook_or_a_user_tells_git_does_not_reach_our_questions(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Wishes about pathspecs, and another repository."""
    yard.write(".gitignore", "a\n")
    monkeypatch.setenv(name, "1")
    assert git.ignored(yard.folder, ["a", "b"]) == {"a"}


def test_a_question_that_git_cannot_answer_is_one_line(yard: Yard) -> None:
    """Its own words are in it."""
    with pytest.raises(UserError, match=r"git check-ignore failed: fatal: .*outside repository"):
        git.ignored(yard.folder, ["../outside"])


def test_without_git_nobody_knows_what_is_ignored(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says that it is missing."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="git is not installed, or not on PATH"):
        git.ignored(yard.folder, ["a"])


def test_the_files_that_say_what_is_ignored_are_known(yard: Yard) -> None:
    """Those of the folders above, the repository's own, the user's, and the configurations."""
    home = yard.folder.with_name("home")
    (home / ".gitconfig").write_text("[include]\n\tpath = more\n")
    (home / "more").write_text("[core]\n\texcludesFile = ~/mine\n")
    inner = yard.folder / "inner" / "most"
    inner.mkdir(parents=True)
    found = {os.path.normpath(path) for path in git.ignore_sources(inner)}
    assert found == {
        str(path)
        for path in (
            yard.folder / ".gitignore",
            yard.folder / "inner" / ".gitignore",
            yard.folder / ".git" / "info" / "exclude",
            yard.folder / ".git" / "config",
            home / ".gitconfig",
            home / "more",
            home / "mine",
            home / ".config" / "git" / "config",
            home / ".config" / "git" / "ignore",
        )
    }


def test_another_global_configuration_is_obeyed(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As git does."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "other"))
    assert tmp_path / "other" in git.global_files()
    assert yard.folder.with_name("home") / ".gitconfig" not in git.global_files()


def test_a_linked_worktree_has_the_exclude_file_of_its_repository(yard: Yard) -> None:
    """Its own git folder lies elsewhere."""
    _commit(yard)
    yard.git("worktree", "add", "-q", "../linked")
    linked = yard.folder.with_name("linked")
    assert yard.folder / ".git" / "info" / "exclude" in git.ignore_sources(linked)
    found = [path.resolve() for path in git.data_folders(linked)]
    assert found == [yard.folder / ".git" / "worktrees" / "linked", yard.folder / ".git"]


def test_a_repository_may_lie_in_a_folder_with_any_name(tmp_path: Path) -> None:
    """Even with a newline in it."""
    folder = tmp_path / "new\nline é"
    folder.mkdir()
    Yard(folder)
    assert git.data_folders(folder) == [folder / ".git"]
    assert folder / ".git" / "info" / "exclude" in git.ignore_sources(folder)


def test_data_folders_are_found_from_below(yard: Yard, tmp_path: Path) -> None:
    """The nearest repository's; none, or a file that names no folder, is no error."""
    below = yard.folder / "a" / "b"
    below.mkdir(parents=True)
    assert git.data_folders(below) == [yard.folder / ".git"]
    (below / ".git").write_text("gitdir: ../nowhere\n")
    assert git.data_folders(below) == []
    assert git.data_folders(Path("/")) == []


def test_a_bare_repository_is_no_workspace(yard: Yard) -> None:
    """It has no files."""
    with pytest.raises(UserError, match="is no git repository"):
        git.ignore_sources(yard.folder / ".git")


def test_a_repository_of_somebody_else_is_refused_in_gits_words(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git says whose it is, or what is wrong with it."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UserError, match="git refuses to work here: fatal: detected dubious"):
        git.ignore_sources(yard.folder)


def test_a_configuration_that_git_cannot_read_is_named(yard: Yard) -> None:
    """Its file and line, and not that there is no repository."""
    (yard.folder.with_name("home") / ".gitconfig").write_text("[core\n")
    with pytest.raises(UserError, match=r"git refuses to work here: .*bad config .*gitconfig"):
        git.ignore_sources(yard.folder)


def test_values_of_the_command_line_are_no_files(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git says of each value where it comes from."""
    monkeypatch.setattr(git, "_environment", lambda: {**os.environ, **ONE_VALUE})
    assert yard.folder / "mine" in git.ignore_sources(yard.folder)
    assert not [p for p in git.ignore_sources(yard.folder) if p.name.startswith("command")]


ONE_VALUE = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.excludesFile",
    "GIT_CONFIG_VALUE_0": "mine",
}
