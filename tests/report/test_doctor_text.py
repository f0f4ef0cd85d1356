"""How ``lanes.doctor`` looks."""

from __future__ import annotations

import pytest

from polylane.report import doctor_text
from polylane.run.protection import Fact

FINE = Fact("a", "is fine")
WEAKER = Fact("b", "is none", "something", "do this")
NEEDED = Fact("c", "is gone", "all", "get it", needed=True)


def test_each_fact_has_a_line_and_what_is_lost_below_it() -> None:
    """Sections by their titles; an empty one says so; odd names stay in their line."""
    odd = Fact("x\ny", "z")
    assert doctor_text.text([("one", (FINE, WEAKER)), ("two", ()), ("three", (odd,))]) == (
        "one\n"
        "    a: is fine\n"
        "    b: is none\n"
        "        lost: something\n"
        "        to mend it: do this\n"
        "\n"
        "two\n"
        "    nothing\n"
        "\n"
        "three\n"
        "    x\\ny: z\n"
        "\n"
        "weaker than it could be: 1"
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([], "all is well"),
        ([FINE], "all is well"),
        ([WEAKER, WEAKER, FINE], "weaker than it could be: 2"),
        ([NEEDED], "missing, and needed by tasks: 1"),
        ([NEEDED, WEAKER], "missing, and needed by tasks: 1; weaker than it could be: 1"),
    ],
)
def test_the_verdict_counts(facts: list[Fact], said: str) -> None:
    """What tasks need apart from what is only weaker."""
    assert doctor_text.verdict(facts) == said
