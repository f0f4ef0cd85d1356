"""A certificate as data and as text; what the documentation says of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polylane.integrations.lanes import collection
from polylane.model import Claim, Task
from polylane.plan.graph import build
from polylane.plan.orders import Coverage
from polylane.prove.certificate import Asked, Certificate, Finding, to_json
from polylane.prove.compare import FILE, LOG, Item
from polylane.prove.explain import Suspect
from polylane.report import certificate_text
from polylane.run.views.places import Place
from tests.docs.pages import named, section
from tests.prove.made import made, task


def certificate(folder: Path, **said: Any) -> Certificate:
    """Of two tasks, run in sequence and in two parallel rounds that did not cover everything."""
    tasks = [Task(name, "v", "p", "", name, ("x",), ".", Claim()) for name in "ab"]
    graph = build(tasks, lambda task: (task.id,))
    coverage = Coverage(graph)
    coverage.record({0: (0.0, 1.0), 1: (0.5, 1.0)})
    sequential = made(folder, task("a"), task("b"), wall_s=2.0)
    failed = task("b", outcome="failed", started_s=0.5, reported_s=1.25)
    parallel = (
        made(folder, task("a"), task("b"), name="round-1", wall_s=1.0),
        made(folder, task("a"), failed, name="round-2", wall_s=1.5),
    )
    return Certificate(
        id="c",
        started="2025-11-23T12:00:00+0000",
        selection=("all",),
        graph=graph,
        asked=Asked(2, 7, 2),
        place=Place(folder, refused=()),
        environment={"SOURCE_DATE_EPOCH": "1"},
        ignored=(".polylane/",),
        coverage=coverage,
        sequential=(sequential,),
        parallel=parallel,
    )._replace(**said)


def text(folder: Path, **said: Any) -> str:
    return certificate_text.text(certificate(folder, **said), folder / "certificate.json")


def finding(name: str, *suspects: Suspect, kind: str = FILE, **said: Any) -> Finding:
    return Finding(Item(kind, name), "other content", (1,), ("b",), suspects)._replace(**said)


def test_the_figures_stand_in_one_table(tmp_path: Path) -> None:
    """In sequence, in the first parallel round, the median of all orders, and what is saved."""
    lines = [" ".join(line.split()) for line in text(tmp_path).splitlines()]
    assert "sequential parallel all orders saved" in lines
    assert "wall s 2.00 1.00 1.25 1.00 (50%)" in lines
    assert "CPU s 0.50 0.50 0.50" in lines
    assert "peak MB of the largest task 1 1 1" in lines
    assert "ms from a failure to its report - - 250.0" in lines
    assert "runs that passed 1/1 1/1 1/2" in lines
    assert "tasks that passed 2/2 2/2 3/4" in lines


def test_a_busy_machine_is_no_measurement(tmp_path: Path) -> None:
    """Sequential runs beside processes that take all time do not count for the figures."""
    reference = certificate(tmp_path).sequential[0]
    busy = made(tmp_path, task("a"), task("b"), name="sequential-2", wall_s=90.0)
    busy = busy._replace(order=busy.order._replace(busy=2))
    said = text(tmp_path / "x", sequential=(reference, busy))
    assert "wall s                                   2.00" in said


def test_pairs_that_were_not_covered_are_named(tmp_path: Path) -> None:
    """With what may help."""
    assert "not run in all ways: a with b; more --rounds may help\n" in text(tmp_path)


def test_differences_with_one_cause_are_explained_once(tmp_path: Path) -> None:
    """A line each, and the two tasks below."""
    suspect = Suspect(
        "a", "b", ("x", "y"), "a writes x, which b reads", ('[tasks."b"]\nreads = 1',)
    )
    said = text(tmp_path, differences=(finding("b.txt", suspect), finding("b", suspect, kind=LOG)))
    assert said.startswith("\ndifferent: 2 differences from the sequential run, in 1 of 2 parallel")
    assert (
        "differences:\n"
        "- b.txt: other content (round 1)\n"
        "- the log of b: other content (round 1)\n"
        "    a writes x, which b reads; also y\n"
        "    nothing orders them: say so, or let inv lanes.trace --write say it\n"
        '      [tasks."b"]\n'
        "      reads = 1\n"
    ) in said


def test_a_difference_that_no_pair_explains_says_what_it_may_be(tmp_path: Path) -> None:
    """Where the orders alone accuse somebody, it says that too."""
    said = text(tmp_path, differences=(finding("x"),))
    assert "    time or load, most likely; what nobody reads can be claimed as a cache\n" in said
    said = text(
        tmp_path / "x",
        differences=(finding("x", Suspect("a", "b")),),
        untraced="tracing needs Linux 5.9",
    )
    assert "    a and b ran in another way in these rounds only\n" in said
    assert "not traced, so pairs are named by the orders alone: tracing needs Linux 5.9\n" in said


def test_many_unsteady_files_are_one_line(tmp_path: Path) -> None:
    """With the folder that holds them; the first line says how many."""
    unsteady = tuple(finding(f"b/out/{name}") for name in "1234")
    said = text(tmp_path, unsteady=unsteady)
    assert said.splitlines()[1].endswith(", but for 4 that differ in sequence too")
    assert "\n- 4 paths in b/out: other content (b)\n" in said


@pytest.mark.parametrize(
    ("said", "verdict", "code"),
    [
        ({}, "same", 0),
        ({"differences": (finding("x"),)}, "different", 1),
        ({"unsteady": (finding("x"),)}, "same", 0),
        ({"signal": 15, "differences": (finding("x"),)}, "interrupted", 143),
    ],
)
def test_the_verdict_is_the_exit_code(
    tmp_path: Path, said: dict[str, Any], verdict: str, code: int
) -> None:
    """In the data and in the first line."""
    made_of_it = certificate(tmp_path, **said)
    found = to_json(made_of_it)
    assert (found["verdict"], found["exit_code"]) == (verdict, code)
    assert certificate_text.verdict(made_of_it).startswith(verdict)


def test_every_key_is_documented(tmp_path: Path) -> None:
    """docs/validation.md has the keys of certificate.json, and no other."""
    documented = named(section("validation.md", "## The certificate"))
    assert documented == set(to_json(certificate(tmp_path)))


def test_every_flag_is_documented() -> None:
    """docs/validation.md has the flags of lanes.validate, and no other."""
    validate = collection(Path()).tasks["validate"]
    flags = {f"--{name}" for argument in validate.get_arguments() for name in argument.names}
    assert named(section("validation.md", "## Flags")) == flags


def test_a_certificate_says_where_its_pairs_were_not_covered(tmp_path: Path) -> None:
    """By their ids."""
    found = to_json(certificate(tmp_path))
    assert (found["pairs"], found["reversed"], found["overlapped"]) == (1, 0, 1)
    assert found["not_reversed"] == [["a", "b"]]
    assert found["not_overlapped"] == []
