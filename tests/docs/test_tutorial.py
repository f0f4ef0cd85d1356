"""docs/tutorial.md: whoever pastes its blocks sees what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.conftest import GIT
from tests.docs.pages import DOCS, blocks_of
from tests.docs.walk import Walk, first_missing

_PAGE = DOCS / "tutorial.md"


@pytest.mark.timeout(600)
def test_the_tutorial_works_in_an_empty_folder(tmp_path: Path, constraint: Path) -> None:
    """From its first block to its last, with the tools of the registries, it shows what it says."""
    folder, scratch = tmp_path / "empty", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    Walk(folder, scratch, [], **GIT, PIP_CONSTRAINT=str(constraint)).page(_PAGE)
    assert [path.name for path in folder.iterdir()] == ["shop"]


def test_every_block_of_the_tutorial_is_gone_through() -> None:
    """It has no block that is only looked at."""
    assert {block.mark.split()[0] for block in blocks_of(_PAGE)} == {"runs", "fails", "shows"}


class TestWalk:
    """What the tests of pages themselves rely on."""

    @pytest.fixture
    def walk(self, tmp_path: Path) -> Walk:
        (tmp_path / "start").mkdir()
        return Walk(tmp_path / "start", tmp_path, [])

    def page(self, tmp_path: Path, text: str) -> Path:
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        return page

    def test_what_one_block_sets_the_next_one_has(self, walk: Walk, tmp_path: Path) -> None:
        """Folder and variables are kept from block to block, and files are written there."""
        text = """
<!-- runs -->
```console
mkdir -p a/b && cd a && export WHO=me
```

<!-- file: b/said -->
```text
hello
```

<!-- runs -->
```console
cat b/said; echo $WHO
```

<!-- shows -->
```text
hello
me
```
"""
        walk.page(self.page(tmp_path, text))
        assert walk.folder == tmp_path / "start" / "a"

    @pytest.mark.parametrize(
        ("mark", "commands", "said"),
        [
            ("runs", "false; true", "exit code 1"),
            ("runs", "false | true", "exit code 1"),
            ("fails 1", "true", "exit code 0"),
            ("fails 1", "exit 2", "exit code 2"),
        ],
    )
    def test_another_exit_code_is_told(
        self, walk: Walk, tmp_path: Path, mark: str, commands: str, said: str
    ) -> None:
        """A block must end as its mark says, and no command in it may fail."""
        page = self.page(tmp_path, f"<!-- {mark} -->\n```console\n{commands}\n```\n")
        with pytest.raises(AssertionError, match=said):
            walk.page(page)

    @pytest.mark.parametrize(
        ("shown", "missing"),
        [
            ("one 2.5 s\nthree", ""),
            ("one  7 s\n...\nthree", ""),
            ("three\none 1 s", "one 1 s"),
            ("two", "two"),
            ("thr", "thr"),
        ],
    )
    def test_what_is_shown_must_have_been_printed(self, shown: str, missing: str) -> None:
        """Whole lines, in order, whatever their numbers."""
        assert first_missing(shown, "zero\none 1.0 s\nthree\n") == missing
