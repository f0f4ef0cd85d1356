"""What samples of several runners come to: ratios, what they must reach, one Markdown table.

Sees numbers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from measure import Sample, median_cpu, median_wall
from peers_work import Quantity, Work

OURS = "polylane"
#: What is taken off our time where it says net.
NOTHING = "inv nothing"
_NINJA = "ninja"

_SAID: Mapping[Quantity, str] = {
    "ratio": "{:.2f}",
    "net": "net {:.2f}",
    "net ms": "net {:.0f} ms",
    "MB": "{:.0f} MB",
}


@dataclass(frozen=True, slots=True)
class Extra:
    """What is known of a runner beside its times; memory in bytes, 0 where nothing is known."""

    version: str = ""
    memory: int = 0
    with_forks: int = 0
    #: Lines that were not whole in the worst round; None where no lines are counted.
    torn: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One work, with all who did it."""

    work: Work
    samples: Mapping[str, Sequence[Sample]]
    extras: Mapping[str, Extra]
    #: Who was left out, and why.
    left_out: Sequence[str] = ()

    def reference(self) -> float | None:
        """The seconds that ratios are over; None where ninja is missing."""
        if self.work.bound:
            return self.work.bound
        return self.wall(_NINJA) if _NINJA in self.samples else None

    def wall(self, name: str) -> float:
        """The median in seconds."""
        return median_wall(self.samples[name])

    def net(self) -> float:
        """Our wall time without that of Invoke doing nothing."""
        return self.wall(OURS) - self.wall(NOTHING)

    def quantity(self, what: Quantity) -> float | None:
        """One of our figures; None where it cannot be known."""
        if what == "MB":
            return self.extras[OURS].memory / 1e6
        if what == "net ms":
            return self.net() * 1000
        seconds = self.wall(OURS) if what == "ratio" else self.net()
        over = self.reference()
        return None if over is None else seconds / over


def text(measured: Measured) -> str:
    """A heading, the table, and who was left out."""
    work = measured.work
    over = "the bound" if work.bound else _NINJA
    rounds = len(measured.samples[OURS])
    lines = [
        f"`{work.name}`: {work.what}; {work.jobs} jobs, ratios over {over}, {rounds} rounds",
        "",
        "| runner | wall | CPU | ratio | net ratio | memory | limit | met |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(measured, name) for name in measured.samples),
    ]
    if measured.left_out:
        lines += ["", *measured.left_out]
    return "\n".join(lines)


def _row(measured: Measured, name: str) -> str:
    samples, extra = measured.samples[name], measured.extras.get(name, Extra())
    over = measured.reference()
    ours = name == OURS
    cells = [
        f"{name} {extra.version}".strip(),
        f"{median_wall(samples) * 1000:.0f} ms",
        f"{median_cpu(samples) * 1000:.0f} ms",
        "" if over is None or name == NOTHING else f"{median_wall(samples) / over:.2f}",
        f"{measured.net() / over:.2f}" if ours and over else "",
        _memory(extra),
        ", ".join(limits(measured)) if ours else "",
        _met(measured) if ours else _whole(extra),
    ]
    return f"| {' | '.join(cells)} |"


def _memory(extra: Extra) -> str:
    if not extra.memory:
        return ""
    own, all_ = extra.memory / 1e6, extra.with_forks / 1e6
    return f"{own:.0f} MB" if all_ < own * 1.05 else f"{own:.0f} MB, {all_:.0f} with its forks"


def limits(measured: Measured) -> Iterator[str]:
    """What we want to reach, in words."""
    for what, most in measured.work.limits.items():
        yield _SAID[what].format(most)
    if measured.work.lines:
        yield "all lines whole"


def _met(measured: Measured) -> str:
    """``yes``, or what is not met; empty without limits, or where one cannot be known."""
    said = [
        (_SAID[what].format(value), value <= most)
        for what, most in measured.work.limits.items()
        if (value := measured.quantity(what)) is not None
    ]
    extra = measured.extras.get(OURS, Extra())
    if extra.torn is not None:
        said.append((_whole(extra), extra.torn == 0))
    if not said:
        return ""
    missed = [value for value, met in said if not met]
    words = ", ".join(value for value, _ in said)
    return f"no: {', '.join(missed)}" if missed else f"yes: {words}"


def _whole(extra: Extra) -> str:
    if extra.torn is None:
        return ""
    return f"{extra.torn:,} lines not whole" if extra.torn else "all lines whole"
