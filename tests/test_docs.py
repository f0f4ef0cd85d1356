"""The documentation as a whole: its navigation, its links, its site, and the design's layout.

What single pages say is tested in ``tests/docs``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, name_of, section


class TestSite:
    """The pages as a whole."""

    def test_the_navigation_has_every_page(self) -> None:
        """No page is left out of the site's navigation, and none in it is missing."""
        text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
        assert sorted(re.findall(r"[\w/-]+\.md$", text, re.MULTILINE)) == sorted(
            name_of(page) for page in DOCS.rglob("*.md")
        )

    def test_every_link_leads_to_a_file(self) -> None:
        """Links between the pages, and from the README, have their target."""
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
                assert (page.parent / target).exists(), f"{page.name}: {target}"

    def test_the_site_is_built_strictly(self, tmp_path: Path) -> None:
        """MkDocs builds the site with no warning, links to headings included."""
        pytest.importorskip("mkdocs", reason="mkdocs is not installed")
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def test_the_layout_is_that_of_the_code(self) -> None:
        """The design's layout names every module below src/polylane, and no other.

        What lies deeper than two folders, and the programs in tools, stand as their folder.
        """
        block = section("design.md", "## 3. Layout").split("```")[1]
        inside = block.partition("src/polylane/\n")[2].partition("\ntests/")[0]
        documented, folder = set(), ""
        for line in inside.splitlines():
            name = line.split()[0]
            folder = "" if line.startswith("  ") and line[2] != " " else folder
            documented.add(folder + name)
            folder = name if not folder and name.endswith("/") else folder
        assert documented == set(_modules(ROOT / "src" / "polylane"))


def _modules(source: Path) -> Iterator[str]:
    yield "__init__.py"
    for path in source.rglob("*.py"):
        inside = path.relative_to(source)
        if inside.name != "__init__.py" and len(inside.parts) <= 2 and inside.parts[0] != "tools":
            yield str(inside)
        yield from (f"{each}/" for each in inside.parents[:-1] if len(each.parts) <= 2)
