"""Everything before anything runs: what was asked, and the plan that it comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polylane.describe.config import Config, TaskConfig
from polylane.errors import UserError
from polylane.model import Task
from polylane.plan.selection import Selection
from polylane.planning import Mode, Plan, Request, choose_mode, make_plan
from polylane.remember import history
from polylane.run import slots
from tests.describe.toys import Yard, yard
from tests.plan.examples import task
from tests.remember.made import ended, run

__all__ = ["yard"]

LINT = Selection(("lint",))
ALL = frozenset({"lint"})


def _mode(request: dict[str, Any], config: dict[str, Any], verbs: frozenset[str] = ALL) -> Mode:
    said = {"selection": LINT, "folder": Path("x"), **request}
    return choose_mode(Request(**said), Config(Path("x"), **{"jobs": 3, **config}), verbs)


@pytest.mark.parametrize(
    ("request_", "config", "parallel"),
    [
        ({}, {}, False),
        ({"parallel": True}, {}, True),
        ({"jobs": 2}, {}, True),
        ({"jobs": 1}, {}, False),
        ({}, {"use_parallel": True}, True),
        ({}, {"use_parallel": False}, False),
        ({}, {"parallel": ("lint",)}, True),
        ({}, {"parallel": ("test",)}, False),
        ({"parallel": True}, {"use_parallel": False}, False),
        ({"jobs": 2}, {"use_parallel": False}, False),
        ({}, {"use_parallel": False, "parallel": ("lint",)}, False),
        ({"sequential": True, "parallel": True, "jobs": 2}, {"use_parallel": True}, False),
        ({"sequential": True}, {"parallel": ("lint",)}, False),
    ],
)
def test_the_strongest_word_decides_whether_tasks_run_side_by_side(
    request_: dict[str, Any], config: dict[str, Any], parallel: object
) -> None:
    """The flag, then the environment, then the name or the jobs, then the configuration."""
    mode = _mode(request_, config)
    assert mode.parallel is parallel
    if not parallel:
        assert mode.jobs == 1


@pytest.mark.parametrize(
    ("request_", "config", "jobs"),
    [
        ({"parallel": True}, {}, 3),
        ({"parallel": True, "jobs": 7}, {}, 7),
        ({"parallel": True, "jobs": 1}, {}, 1),
        ({"jobs": 5}, {}, 5),
        ({}, {"use_parallel": True, "jobs": 9}, 9),
        ({}, {"parallel": ("lint",)}, 3),
    ],
)
def test_the_jobs_of_the_request_win_over_those_of_the_configuration(
    request_: dict[str, Any], config: dict[str, Any], jobs: int
) -> None:
    """Both may be silent."""
    assert _mode(request_, config) == Mode(parallel=True, jobs=jobs)


def test_verbs_that_are_not_rolled_out_run_alone_also_where_they_are_only_needed() -> None:
    """Beside those that are; what was asked for in parallel has no such verbs."""
    config = {"parallel": ("lint", "docs")}
    verbs = frozenset({"lint", "build", "setup"})
    assert _mode({}, config, verbs).alone == {"build", "setup"}
    assert _mode({"parallel": True}, config, verbs).alone == frozenset()


CONFIG = """
[tasks."lint:root:a"]
command = ["a"]
reads = ["src"]
writes = []
[tasks."lint:root:b"]
command = "b | c"
shell = true
reads = ["src"]
writes = ["src"]
needs = ["build"]
[tasks."build:root:c"]
command = ["c"]
"""


def _plan(yard: Yard, **said: Any) -> Plan:
    yard.write("polylane.toml", said.pop("config", CONFIG))
    return make_plan(Request(yard.folder, said.pop("selection", LINT), **said))


def _error(yard: Yard, **said: Any) -> str:
    with pytest.raises(UserError) as caught:
        _plan(yard, **said)
    return str(caught.value)


def test_a_plan_has_the_selected_tasks_in_reference_order(yard: Yard) -> None:
    """And what they need, with the workspace and the configuration that they come from."""
    yard.toys("a")
    plan = _plan(yard, selection=Selection(("lint",), projects=("root",)))
    ids = [each.id for each in plan.graph.tasks]
    assert ids == ["build:root:c", "lint:root:a", "lint:root:b"]
    assert sorted(plan.tasks) == ids
    assert plan.graph.needs == ((), (), (0,))
    assert (plan.config.file, list(plan.workspace.projects)) == ("polylane.toml", ["a"])
    assert plan.mode == Mode(parallel=False, jobs=1)


def test_a_plan_starts_nothing_and_writes_only_what_is_remembered(yard: Yard) -> None:
    """The programs that it names don't even exist."""
    _plan(yard)
    assert sorted(p.name for p in yard.folder.iterdir()) == [".git", ".polylane", "polylane.toml"]


def test_slots_follow_what_earlier_runs_took(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the same tasks: they waited on two slots, while both cores were idle."""
    monkeypatch.setattr(slots, "cores", lambda: 2)
    before = _plan(yard, parallel=True, jobs="auto")
    assert before.mode.jobs == 2
    waited = [ended(name, cpu_s=0.1) for name in before.tasks]
    done = run(*waited, selection=tuple(LINT.words()), wall_s=2.0, work_s=3.0, critical_path_s=1.0)
    assert not history.record(yard.folder, done, before.tasks)
    assert _plan(yard, parallel=True, jobs="auto").mode.jobs == 3
    assert _plan(yard, parallel=True, jobs=2).mode.jobs == 2
    limited = f"machine_jobs = 2\n{CONFIG}"
    assert _plan(yard, parallel=True, jobs="auto", config=limited).mode.jobs == 2
    narrowed = _plan(yard, parallel=True, jobs="auto", adapt=lambda tasks, _: tasks)
    assert narrowed.mode.jobs == 2


def test_a_time_out_is_given_to_every_task(yard: Yard) -> None:
    """To needed ones too; without one each keeps its own."""
    assert {t.timeout for t in _plan(yard, timeout=7.0).graph.tasks} == {7.0}
    assert {t.timeout for t in _plan(yard).graph.tasks} == {1800.0}


def test_words_go_to_the_tools_that_were_asked_for(yard: Yard) -> None:
    """Quoted where a shell reads them; what is only needed gets none."""
    tasks = _plan(yard, words=("-k", "a b")).tasks
    assert tasks["lint:root:a"].argv == ("a", "-k", "a b")
    assert tasks["lint:root:b"].argv == ("b | c -k 'a b'",)
    assert tasks["build:root:c"].argv == ("c",)


def test_a_python_body_gets_its_words_when_it_is_called(yard: Yard) -> None:
    """It has no command that they could be added to."""
    body = task("lint:root:own", verb="lint", argv=())
    plan = _plan(yard, words=("x",), own_tasks=lambda *_: (body,))
    assert plan.tasks["lint:root:own"].argv == ()


def test_words_that_no_tool_takes_are_refused(yard: Yard) -> None:
    """They would be lost."""
    body = task("docs:root:own", verb="docs", takes_arguments=False)
    said = {"selection": Selection(("docs",)), "own_tasks": lambda *_: (body,)}
    assert _error(yard, words=("a b", "c"), **said) == (
        "-- 'a b' c: none of the selected tasks takes words for its tool"
    )
    assert list(_plan(yard, **said).tasks) == ["docs:root:own"]


def test_a_host_may_narrow_what_was_selected(yard: Yard) -> None:
    """Before it is planned."""

    def adapt(tasks: list[Task], found: object) -> list[Task]:
        return [each for each in tasks if each.id == "lint:root:a"]

    assert list(_plan(yard, adapt=adapt).tasks) == ["lint:root:a"]
    assert _plan(yard, adapt=lambda *_: [], must_match=False).tasks == {}


def test_a_selection_of_nothing_is_refused(yard: Yard) -> None:
    """Where there are projects, it says where to look for what there is to do."""
    said = {"selection": Selection(("docs",), projects=("root",))}
    assert _error(yard, **said) == (
        "nothing to do for docs project=root: inv lanes.plan shows what was found"
    )


def test_a_workspace_without_projects_says_what_is_looked_for(yard: Yard) -> None:
    """The manifests by name, and the folder."""
    assert _error(yard, config="") == (
        f"{yard.folder}: no project was found: polylane looks for pyproject.toml,"
        " setup.cfg, setup.py and package.json that git does not ignore"
    )


@pytest.mark.parametrize("request_", [{}, {"sequential": True}, {"parallel": True}])
def test_an_unknown_verb_in_the_configuration_is_refused_in_every_mode(
    yard: Yard, request_: dict[str, Any]
) -> None:
    """Its line says which was meant."""
    assert _error(yard, config=f'parallel = ["lnit"]\n{CONFIG}', **request_) == (
        "polylane.toml:1: parallel: there is no verb 'lnit'; did you mean 'lint'?"
    )


def test_a_verb_of_ones_own_may_be_rolled_out(yard: Yard) -> None:
    """Of the configuration, or of a Python body; one that no task has may be one of ours."""
    config = 'parallel = ["seed", "own", "docs"]\n[tasks."seed:root:x"]\ncommand = ["x"]\n'
    body = task("own:root:x", verb="own")
    said = {"selection": Selection(("seed", "own")), "own_tasks": lambda *_: (body,)}
    assert _plan(yard, config=config, **said).mode.parallel


def test_verbs_of_configured_tasks_need_not_be_said_twice() -> None:
    """The id says it."""
    config = Config(Path("x"), tasks={"seed:root:x": TaskConfig(), "lint:root:x": TaskConfig()})
    assert config.verb_order()[-2:] == ("clean", "seed")
