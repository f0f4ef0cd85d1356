"""Ignore files as claim patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylane.describe.languages.base import Folder
from polylane.describe.languages.ignore_files import files_above, ignored_patterns
from tests.describe.node_project import write

if TYPE_CHECKING:
    from pathlib import Path


def ignored(workspace: Path, text: str) -> tuple[str, ...]:
    write(workspace, {".gitignore": text})
    return ignored_patterns(Folder(workspace, "."), ".gitignore")


def test_a_bare_name_counts_at_any_depth(tmp_path: Path) -> None:
    """As a file, and as a folder with all below it."""
    assert ignored(tmp_path, "dist\n") == ("**/dist", "**/dist/**")


def test_a_trailing_slash_means_folders_only(tmp_path: Path) -> None:
    """A file of that name is not ignored."""
    assert ignored(tmp_path, "coverage/\n/out/\n") == ("**/coverage/**", "out/**")


def test_a_slash_within_anchors_a_line(tmp_path: Path) -> None:
    """To the folder of the ignore file."""
    assert ignored(tmp_path, "/dist\ndocs/*.html\na/**\n") == (
        "dist", "docs/*.html", "docs/*.html/**", "a/**",
    )  # fmt: skip


def test_two_stars_at_the_start_count_at_any_depth(tmp_path: Path) -> None:
    """They say what a bare name says."""
    assert ignored(tmp_path, "**/gen/") == ("**/gen/**",)


def test_lines_before_a_negation_are_dropped(tmp_path: Path) -> None:
    """It may take any of them back, and reading too much is safe."""
    assert ignored(tmp_path, "*.log\n!keep.log\ntmp/\n") == ("**/tmp/**",)


def test_hard_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    """Comments say nothing; character classes and escapes are not worth a wrong claim."""
    assert ignored(tmp_path, "# x\n\n*.py[co]\na\\ b\n/\n") == ()


def test_a_missing_file_ignores_nothing(tmp_path: Path) -> None:
    """And is remembered as read, so that its coming is seen."""
    folder = Folder(tmp_path, ".")
    assert ignored_patterns(folder, ".prettierignore") == ()
    assert folder.read == {".prettierignore"}


def test_files_above_count_where_they_reach_the_folder(tmp_path: Path) -> None:
    """Bare names do; anchored lines do where they lead through the folder."""
    text = (
        "logs/\n/packages/*/dist\n/packages/web/out\n/packages/api/out\n/packages\n**/packages/x\n"
    )
    write(tmp_path, {".gitignore": text, "packages/web/.gitignore": "tmp\n"})
    folder = Folder(tmp_path, "packages/web")
    assert ignored_patterns(folder, ".gitignore") == (
        "**/logs/**", "dist", "out", "**/packages/x", "**/packages/x/**", "**/tmp", "**/tmp/**",
    )  # fmt: skip
    assert ignored_patterns(folder, ".gitignore", above=False) == ("**/tmp", "**/tmp/**")


def test_two_stars_above_the_folder_are_skipped(tmp_path: Path) -> None:
    """Where they would end is not told by their place."""
    write(tmp_path, {".gitignore": "/a/**/dist\n"})
    assert ignored_patterns(Folder(tmp_path, "a/b"), ".gitignore") == ()


def test_the_files_above_are_claims_of_the_workspace(tmp_path: Path) -> None:
    """Those that are there, the nearest first; the folder's own is its project's."""
    write(tmp_path, {".gitignore": "", "a/b/.gitignore": "", "a/b/c/.gitignore": "", "d/x": ""})
    folder = Folder(tmp_path, "a/b/c")
    assert files_above(folder, ".gitignore") == ("/a/b/.gitignore", "/.gitignore")
    assert "a/b/.gitignore" in folder.read
    assert files_above(Folder(tmp_path, "."), ".gitignore") == ()
