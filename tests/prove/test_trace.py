"""What a traced run says: which claims did not hold, and what the file of claims says then."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from polylane.describe.claims_file import FILE, SaidClaim
from polylane.outcome import Outcome, TaskResult
from polylane.plan.observed import Observed
from polylane.plan.selection import Selection
from polylane.planning import Plan, Request, make_plan
from polylane.prove import trace_json
from polylane.prove.trace import Trace, judge
from polylane.remember.runs import RunFolder
from polylane.result import RunResult
from tests.integrations.repository import Repository

KNOWN = '[tasks."all:root:known"]\ncommand = "k"\nreads = ["src"]\nwrites = ["out"]\n'
UNKNOWN = '[tasks."all:root:unknown"]\ncommand = "u"\n'


def plan_of(folder: Path, text: str, claims: str = "") -> Plan:
    """The plan of a workspace with that configuration and those claims."""
    Repository(folder).write({"polylane.toml": text, FILE: claims})
    return make_plan(Request(folder, Selection(("all",))))


def seen(reads: str = "", writes: str = "", **more: Any) -> Observed:
    return Observed(frozenset(reads.split()), writes=frozenset(writes.split()), **more)


def ended(plan: Plan, code: int = 0, **outcomes: Outcome) -> RunResult:
    """The result of a run whose tasks passed, but for some, by the last part of their ids."""
    tasks = [
        TaskResult(task.id, outcomes.get(task.tool, Outcome.PASSED), wall_s=1.0)
        for task in plan.graph.tasks
    ]
    return RunResult("r", "sequential", ("all",), 1, "", 0, 0, 0, code, tuple(tasks))


def judged(plan: Plan, **touched: Observed) -> Trace:
    """What is said of tasks that touched that, by the last parts of their ids."""
    return judge(plan, (), ended(plan), by_id(touched))


def by_id(touched: dict[str, Observed]) -> dict[str, Observed]:
    return {f"all:root:{name}": each for name, each in touched.items()}


def test_an_unknown_claim_becomes_what_was_observed(tmp_path: Path) -> None:
    """Reads and writes, though one of them may be empty."""
    found = judged(plan_of(tmp_path, UNKNOWN), unknown=seen("a"))
    assert found.claims == {"all:root:unknown": SaidClaim(("a",), ())}
    assert found.tasks[0].entry == found.claims["all:root:unknown"]
    assert found.planned.tasks[0].claim.known


def test_what_the_configuration_says_is_left_to_it(tmp_path: Path) -> None:
    """What its claim lacks is named by key; nothing is written."""
    found = judged(plan_of(tmp_path, KNOWN), known=seen("src/a conf", "out/x new"))
    assert found.claims == {}
    assert found.tasks[0].lacking == {"reads": ("conf",), "writes": ("new",)}


def test_what_the_configuration_does_not_say_is_written(tmp_path: Path) -> None:
    """Of a task whose reads it says."""
    text = '[tasks."all:root:half"]\ncommand = "h"\nreads = ["src"]\n'
    found = judged(plan_of(tmp_path, text), half=seen("src/a conf", "new"))
    claim = found.planned.tasks[0].claim
    assert (claim.reads, claim.writes, claim.known) == (("src",), ("new",), True)
    assert found.tasks[0].lacking == {"reads": ("conf",)}


def test_a_known_claim_that_did_not_hold_is_mended(tmp_path: Path) -> None:
    """Only the keys that lacked something are written."""
    files = {
        "pyproject.toml": '[project]\nname = "p"\n[tool.mypy]\n',
        "src/a.py": "",
        FILE: "",
    }
    Repository(tmp_path).write(files)
    plan = make_plan(Request(tmp_path, Selection(("type-check",))))
    (task,) = plan.graph.tasks
    found = judge(plan, (), ended(plan), {task.id: seen("src/a.py", "made")})
    assert found.claims == {task.id: SaidClaim(writes=("made",))}
    held = judge(plan, (), ended(plan), {task.id: seen("src/a.py", ".mypy_cache/x")})
    assert held.claims == {}


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome.FAILED, "it failed"),
        (Outcome.TIMED_OUT, "it timed out"),
        (Outcome.CRASHED, "it crashed"),
        (Outcome.SKIPPED, "it was skipped"),
        (Outcome.CANCELLED, "it was cancelled"),
    ],
)
def test_a_task_that_did_not_pass_is_not_written(
    tmp_path: Path, outcome: Outcome, why: str
) -> None:
    """It may not have touched all; what an earlier observation said of it stays."""
    old = '[tasks."all:root:unknown"]\nreads = ["old"]\nwrites = []\n'
    plan = plan_of(tmp_path, UNKNOWN, old)
    found = judge(plan, (), ended(plan, unknown=outcome), {"all:root:unknown": seen("new")})
    assert found.claims == {"all:root:unknown": SaidClaim(("old",), ())}
    assert (found.tasks[0].unfit, found.tasks[0].entry) == (why, None)


def test_a_trace_with_holes_is_not_written(tmp_path: Path) -> None:
    """Nor that of a task which was not seen at all."""
    plan = plan_of(tmp_path, UNKNOWN + KNOWN)
    found = judged(plan, unknown=seen("a", lost=("open by x: why (1 times)",)))
    assert found.claims == {}
    assert {each.unfit for each in found.tasks} == {
        "there is no trace of it",
        "not all that it touched could be seen",
    }


def test_a_setup_is_not_written(tmp_path: Path) -> None:
    """Others leave what it installs out of their claims."""
    text = '[tasks."setup:root:x"]\ncommand = "x"\n'
    Repository(tmp_path).write({"polylane.toml": text})
    plan = make_plan(Request(tmp_path, Selection(("setup",))))
    found = judge(plan, (), ended(plan), {"setup:root:x": seen("", "node_modules/x")})
    assert found.claims == {}
    assert "setup" in found.tasks[0].unfit


def test_an_earlier_observation_is_replaced(tmp_path: Path) -> None:
    """By a narrower one too; those of tasks that did not run stay, those of none are dropped."""
    old = "".join(
        f'[tasks."all:root:{name}"]\nreads = ["old"]\nwrites = ["w"]\n'
        for name in ("unknown", "gone")
    )
    old += '[tasks."test:root:other"]\nreads = ["x"]\nwrites = []\n'
    plan = plan_of(tmp_path, f'{UNKNOWN}[tasks."test:root:other"]\ncommand = "x"\n', old)
    found = judged(plan, unknown=seen("new"))
    assert found.claims == {
        "all:root:unknown": SaidClaim(("new",), ()),
        "test:root:other": SaidClaim(("x",), ()),
    }
    assert found.vanished == ("all:root:gone",)


def test_an_earlier_observation_is_kept_where_that_was_asked_for(tmp_path: Path) -> None:
    """And what is new is added."""
    old = '[tasks."all:root:unknown"]\nreads = ["old"]\nwrites = ["w"]\n'
    plan = plan_of(tmp_path, UNKNOWN, old)
    touched = by_id({"unknown": seen("new", "v")})
    found = judge(plan, (), ended(plan), touched, merge=True)
    assert found.claims == {"all:root:unknown": SaidClaim(("old", "new"), ("v", "w"))}


def test_a_claim_that_holds_without_the_file_leaves_it(tmp_path: Path) -> None:
    """The file holds what needs a review, and nothing else."""
    old = '[tasks."all:root:known"]\nlocks = ["l"]\n'
    assert judged(plan_of(tmp_path, KNOWN, old), known=seen("src/a")).claims == {}


def test_tasks_that_bind_the_same_port_get_a_lock(tmp_path: Path) -> None:
    """Which orders them from then on."""
    text = KNOWN + KNOWN.replace("known", "other").replace("out", "out2")
    plan = plan_of(tmp_path, text)
    bound = {
        name: seen(ports=(f"tcp {address}:8080", f"udp 0.0.0.0:{port}"))
        for name, address, port in (("known", "127.0.0.1", 1), ("other", "127.0.0.1", 2))
    }
    found = judged(plan, **bound)
    assert set(found.claims.values()) == {SaidClaim(locks=("tcp 8080",))}
    assert [met.ordered for met in found.collisions] == [False]
    assert found.remaining() == set()


def test_a_pair_that_nothing_will_order_remains(tmp_path: Path) -> None:
    """Because the configuration says what they touch."""
    plan = plan_of(tmp_path, KNOWN + KNOWN.replace("known", "other").replace("out", "out2"))
    found = judged(plan, known=seen("", "met"), other=seen("met"))
    assert found.remaining() == {("all:root:known", "all:root:other")}


def test_all_of_it_is_plain_data(tmp_path: Path) -> None:
    """Written whole beside the result, with names that are no UTF-8, too."""
    plan = plan_of(tmp_path, UNKNOWN)
    found = judged(plan, unknown=seen("a\udcff", "b", aside=frozenset({"c"})))
    path = trace_json.write(RunFolder("r", tmp_path), found, ended(plan))
    data = json.loads(path.read_text(encoding="utf-8"))
    assert (data["version"], data["run"], data["interrupted"]) == (1, "r", False)
    (task,) = data["tasks"]
    assert (task["reads"], task["writes"], task["aside"]) == (["a\udcff"], ["b"], ["c"])
    assert task["entry"] == {"reads": ["a?"], "writes": ["b"]}
    assert not list(tmp_path.glob("*.new"))


def test_an_interrupted_run_is_known_as_such(tmp_path: Path) -> None:
    """What was seen until then is said, and not written."""
    plan = plan_of(tmp_path, UNKNOWN)
    assert judge(plan, (), ended(plan, code=130), {}).interrupted
    assert not judge(plan, (), ended(plan, code=1), {}).interrupted


def test_every_key_of_the_json_is_documented(tmp_path: Path) -> None:
    """The two tables of docs/tracing.md have them, and no other."""
    plan = plan_of(tmp_path, KNOWN + KNOWN.replace("known", "other"))
    found = judged(plan, known=seen("", "met"), other=seen("met"))
    made = trace_json.to_json(found, ended(plan))
    page = (Path(__file__).parents[2] / "docs" / "tracing.md").read_text(encoding="utf-8")
    of_run, of_tasks = page.partition("## `trace.json`")[2].split("Each of `tasks` has")
    assert _named(of_run) == set(made)
    assert _named(of_tasks.partition("\n## ")[0]) == set(made["tasks"][0])
    assert all(f"`{key}`" in of_run for key in made["collisions"][0])


def _named(text: str) -> set[str]:
    """What stands between backticks in the first cells of tables."""
    cells = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
