"""Which two tasks a difference comes from."""

from __future__ import annotations

from polylane.model import Claim, Task
from polylane.plan.graph import Graph, build
from polylane.plan.observed import Observed
from polylane.prove.compare import FILE, LOG, Item
from polylane.prove.explain import Evidence, Suspect

#: Starts and ends: in sequence, the other way round, and at once.
AFTER = {0: (0.0, 1.0), 1: (1.0, 2.0)}
REVERSED = {0: (1.0, 2.0), 1: (0.0, 1.0)}
AT_ONCE = {0: (0.0, 1.0), 1: (0.5, 1.5)}


def graph(*claims: Claim) -> Graph:
    """Tasks a, b, c, ... with these claims."""
    tasks = [
        Task(name, "v", "p", "", name, ("x",), ".", claim)
        for name, claim in zip("abcd", claims, strict=False)
    ]
    return build(tasks, lambda task: (task.id,))


def seen(reads: str = "", writes: str = "", listed: str = "") -> Observed:
    return Observed(
        reads=frozenset(reads.split()),
        writes=frozenset(writes.split()),
        listed=frozenset(listed.split()),
    )


def test_a_file_that_both_write_accuses_both() -> None:
    """It says what each claim lacks, and what it has already."""
    touched = {"a": seen(writes="x"), "b": seen(writes="x")}
    evidence = Evidence(graph(Claim(), Claim(writes=("y",))), [REVERSED], touched)
    lines = (
        '[tool.polylane.tasks."a"]\nwrites = ["x"]',
        '[tool.polylane.tasks."b"]\nwrites = ["y", "x"]',
    )
    assert evidence.suspects(Item(FILE, "x"), [0]) == (
        Suspect("a", "b", ("x",), "a and b both write x", lines),
    )


def test_what_was_read_on_the_way_is_found() -> None:
    """The path that differs is written by one task only, which read what another one writes."""
    touched = {"a": seen(writes="x"), "b": seen(reads="x", writes="y")}
    claims = Claim(writes=("x",)), Claim(writes=("y",))
    evidence = Evidence(graph(*claims), [AT_ONCE], touched, table="")
    assert evidence.suspects(Item(FILE, "y"), [0]) == (
        Suspect("a", "b", ("x",), "a writes x, which b reads", ('[tasks."b"]\nreads = ["x"]',)),
    )


def test_a_folder_that_is_listed_is_named() -> None:
    """The reader claims its names, the writer what it makes."""
    touched = {"a": seen(listed="out", writes="y"), "b": seen(writes="out/x")}
    evidence = Evidence(graph(Claim(writes=("y",)), Claim()), [REVERSED], touched)
    (suspect,) = evidence.suspects(Item(FILE, "y"), [0])
    assert suspect.how == "b writes out/x, which a lists beside others"
    assert suspect.lines == (
        '[tool.polylane.tasks."a"]\nreads = ["out/*"]',
        '[tool.polylane.tasks."b"]\nwrites = ["out/x"]',
    )


def test_a_port_is_a_lock() -> None:
    """Both tasks are told to take it."""
    touched = {name: Observed(ports=("tcp 127.0.0.1:8080",)) for name in "ab"}
    evidence = Evidence(graph(Claim(locks=("l",)), Claim()), [AT_ONCE], touched)
    (suspect,) = evidence.suspects(Item(LOG, "b"), [0])
    assert suspect.how == "a and b both listen at tcp 127.0.0.1:8080"
    assert suspect.lines == (
        '[tool.polylane.tasks."a"]\nlocks = ["l", "tcp 127.0.0.1:8080"]',
        '[tool.polylane.tasks."b"]\nlocks = ["tcp 127.0.0.1:8080"]',
    )


def test_pairs_that_are_ordered_are_not_accused() -> None:
    """They ran in the same order in every round."""
    touched = {"a": seen(writes="x"), "b": seen(reads="x", writes="y")}
    claims = Claim(writes=("x",)), Claim(reads=("x",), writes=("y",))
    assert Evidence(graph(*claims), [AFTER], touched).suspects(Item(FILE, "y"), [0]) == ()


def test_where_nothing_met_nobody_is_accused() -> None:
    """A trace that shows it is worth more than the orders."""
    touched = {"a": seen(writes="x"), "b": seen(writes="y")}
    evidence = Evidence(graph(Claim(), Claim()), [REVERSED], touched)
    assert evidence.suspects(Item(FILE, "x"), [0]) == ()
    assert evidence.involved(Item(FILE, "x")) == {"a"}


def test_a_pair_that_met_elsewhere_is_accused_only_by_the_orders() -> None:
    """What a third task read may come from it, through others; or it has nothing to do with it."""
    touched = {"a": seen(writes="x"), "b": seen(writes="x"), "c": seen(writes="y")}
    claims = Claim(), Claim(), Claim()
    for rounds, accused in (([REVERSED], 1), ([AFTER], 0)):
        evidence = Evidence(graph(*claims), rounds, touched)
        assert len(evidence.suspects(Item(FILE, "y"), [0])) == accused


def test_without_a_trace_the_orders_accuse() -> None:
    """The pair that ran in another way in the rounds that differ, and in no other."""
    evidence = Evidence(graph(Claim(writes=("x",)), Claim()), [AFTER, REVERSED, AT_ONCE], {})
    assert evidence.suspects(Item(FILE, "x"), [1, 2]) == (Suspect("a", "b"),)
    assert evidence.suspects(Item(FILE, "x"), [1]) == ()


def test_without_a_trace_the_tasks_that_claim_a_path_are_involved() -> None:
    """Those that name it, before those whose whole project it is in."""
    claims = Claim(writes=("x",)), Claim(writes=("**",), known=False), Claim(writes=("y",))
    evidence = Evidence(graph(*claims), [], {})
    assert evidence.involved(Item(FILE, "x")) == {"a"}
    assert evidence.involved(Item(FILE, "z")) == {"b"}
    assert evidence.involved(Item(LOG, "c")) == {"c"}
