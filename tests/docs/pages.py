"""The pages of the documentation as data: their blocks of code, sections and tables.

Knows nothing of what any page says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]

_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>[^\n]*?) -->\n)?^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    #: The page's path below ``docs``, or ``README.md``.
    page: str
    line: int
    kind: str
    #: The comment in the line above.
    mark: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for the name of a test."""
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    """A page's name as its blocks have it."""
    return str(page.relative_to(DOCS)) if page.is_relative_to(DOCS) else page.name


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        lines = [each.removeprefix(found["indent"]) for each in found["text"].splitlines()]
        mark, body = found["mark"] or "", "\n".join(lines) + "\n"
        yield Block(name_of(page), line, found["kind"], mark, body)


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next one of the same level."""
    level = heading.partition(" ")[0]
    text = (DOCS / page).read_text(encoding="utf-8")
    assert f"\n{heading}\n" in text, f"{page} has no heading {heading!r}"
    below = text.split(f"\n{heading}\n")[1]
    return re.split(rf"^#{{1,{len(level)}}} ", below, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows, headings and rules left out."""
    lines = [line.strip("|") for line in text.splitlines() if line.startswith("|")]
    rules = [i for i, line in enumerate(lines) if set(line) <= set("-|")]
    heads = {i - 1 for i in rules}
    return [line.split(" | ") for i, line in enumerate(lines) if i not in {*rules, *heads}]


def named(text: str) -> set[str]:
    """What stands between backticks in the first cells of the tables."""
    return {name for cells in rows(text) for name in re.findall(r"`([^`]+)`", cells[0])}
