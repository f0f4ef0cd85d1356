"""What ``lanes.doctor`` found, in words. Sees only data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from polylane.report.summary import printable
from polylane.run.protection import Fact


def text(sections: Sequence[tuple[str, Sequence[Fact]]]) -> str:
    """All facts below their titles, what is lost and how to mend it below each, and a verdict."""
    lines = [line for title, facts in sections for line in _section(title, facts)]
    return "\n".join([*lines, verdict([fact for _, facts in sections for fact in facts])])


def verdict(facts: Iterable[Fact]) -> str:
    """One line: ``2 things that tasks need are missing, 1 is weaker than it could be``."""
    known = list(facts)
    needed = sum(fact.needed for fact in known)
    weaker = sum(bool(fact.lost) for fact in known) - needed
    parts = []
    if needed:
        parts.append(f"missing, and needed by tasks: {needed}")
    if weaker:
        parts.append(f"weaker than it could be: {weaker}")
    return "; ".join(parts) or "all is well"


def _section(title: str, facts: Sequence[Fact]) -> Iterator[str]:
    yield title
    if not facts:
        yield "    nothing"
    for fact in facts:
        yield f"    {printable(fact.what)}: {printable(fact.state)}"
        if fact.lost:
            yield f"        lost: {printable(fact.lost)}"
        if fact.mend:
            yield f"        to mend it: {printable(fact.mend)}"
    yield ""
