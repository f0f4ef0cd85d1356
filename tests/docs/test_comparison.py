"""docs/comparison.md: no claim without a source."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, ROOT, rows

_ROWS = [
    (row[0].strip(" |"), " ".join(row[1:-1]), row[-1].strip(" |"))
    for row in rows((DOCS / "comparison.md").read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("who", "claim", "source"), _ROWS, ids=[who for who, _, _ in _ROWS])
def test_every_row_has_a_source(who: str, claim: str, source: str) -> None:
    """A link, a script that measured it, or it says that nothing was found."""
    linked = re.search(r"\]\((https://|[\w/-]+\.md)", source)
    assert linked or source.startswith("measured: ") or "nothing found" in claim or "users" in who


def test_what_was_measured_can_be_measured_again() -> None:
    """The scripts that the page names are there."""
    text = (DOCS / "comparison.md").read_text(encoding="utf-8")
    named = {*re.findall(r"`(benchmarks/\w+\.py)", text)}
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_what_was_measured_is_what_supervision_says() -> None:
    """The figures are those of the larger table."""
    supervision = (DOCS / "supervision.md").read_text(encoding="utf-8")
    larger = {
        row[0].split()[0]: [row[i].strip() for i in (3, 4, 5)]
        for row in rows(supervision.split("### The same command under other runners")[1])
    }
    text = (DOCS / "comparison.md").read_text(encoding="utf-8")
    ours = rows(text.split("## What is left when a run is ended")[1].split("\n## ")[0])
    assert {row[0].split()[0]: [each.strip() for each in row[1:4]] for row in ours} == larger
