"""What the history's records come to."""

from __future__ import annotations

import pytest

from polylane.remember.records import Records, Run, Start
from polylane.report import trends, trends_text
from polylane.report.formats import stats_html
from polylane.report.trends import Line, Side


def starts(task: str, *outcomes: str, mode: str = "parallel", attempts: int = 1) -> list[Start]:
    return [Start(task, mode, each, 1.0 + n, attempts) for n, each in enumerate(outcomes)]


def test_only_what_passed_or_failed_counts() -> None:
    """A cancelled or skipped start says nothing of success; only passed ones of time."""
    ends = ("passed", "cancelled", "failed", "skipped", "timed-out", "crashed")
    (line,) = trends.find(Records([], starts("a:b:c", *ends)), {}).tasks
    assert line.parallel == Side(1, 3, (1.0,))
    assert line.parallel.success == 0.25
    assert line.sequential.success is line.sequential.median is line.sequential.high is None


def test_the_95th_percentile_is_the_nearest_rank() -> None:
    """Of 20 the 19th."""
    assert Side(20, 0, tuple(map(float, range(1, 21)))).high == 19
    assert Side(1, 0, (7.0,)).high == 7


def test_a_pipeline_has_its_name() -> None:
    """Other selections are their words; what ran most comes first."""
    run = Run("parallel", ("lint", "test"), "", 2.0, 0)
    sequential = run._replace(mode="sequential", wall_s=8.0)
    lint = run._replace(selection=("lint", "project=api"), exit_code=1)
    found = trends.find(Records([lint, run, sequential], []), {"qa": ("lint", "test")}).selections
    assert [line.name for line in found] == ["qa", "lint project=api"]
    assert found[0].saved == 0.75
    assert found[1].parallel == Side(0, 1, ())


def test_a_task_that_passed_on_a_retry_is_flaky() -> None:
    """Its inputs were the same, its outcomes were not."""
    records = Records([], starts("a:b:c", "passed", "failed", attempts=2))
    (line,) = trends.find(records, {}).tasks
    assert line.flaky == 1
    assert "flaky: a:b:c passed on a retry in 1 run" in trends_text.judgements(
        trends.Trends([], [line])
    )


@pytest.mark.parametrize(
    ("walls", "trend"),
    [((1.0,) * 5 + (1.5,) * 5, 0.5), ((2.0,) * 9, None), ((0.0,) * 10, None)],
)
def test_a_trend_needs_enough_runs(walls: tuple[float, ...], trend: float | None) -> None:
    """The newest five against all before, of which five are the least."""
    assert Line("x", Side(10, 0, walls), Side()).trend == trend


def test_parallel_below_the_goal_is_named() -> None:
    """95 % of the success in sequence is the goal."""
    ten = ("passed",) * 10
    records = Records(
        [Run("parallel", ("a",), "", 1.0, 0)],
        [
            *starts("a:bad:c", *ten[1:], "failed"),
            *starts("a:bad:c", *ten, mode="sequential"),
            *starts("a:good:c", *ten),
            *starts("a:good:c", *ten, mode="sequential"),
        ],
    )
    text = trends_text.text(trends.find(records, {}))
    assert "all tasks: 95 %, and 100 % in sequence: at least 95 % of it" in text
    assert "passes less often in parallel: a:bad:c: 90 %, and 100 % in sequence" in text
    assert "in parallel: a:good:c" not in text


def test_a_task_that_ran_in_one_mode_is_not_compared() -> None:
    """It would weigh on one side only."""
    records = Records(
        [Run("parallel", ("a",), "", 1.0, 0)],
        [
            *starts("a:b:c", "passed"),
            *starts("a:b:c", "passed", mode="sequential"),
            *starts("a:b:d", "failed"),
        ],
    )
    assert "all tasks: 100 %, and 100 %" in trends_text.text(trends.find(records, {}))


def test_nothing_is_known_at_first() -> None:
    """The text and the page say so."""
    none = trends.find(Records([], []), {})
    assert trends_text.text(none).startswith("nothing is known yet")
    assert b"Nothing is known yet" in stats_html.render(none, "shop")


def test_the_page_has_a_plot_for_each_line() -> None:
    """Names mean nothing to HTML."""
    records = Records([Run("parallel", ("a",), "", 1.0, 0)], starts("a:<b>:c", "passed", "passed"))
    page = stats_html.render(trends.find(records, {}), "shop").decode()
    assert page.count("<polyline") == 2
    assert "a:&lt;b&gt;:c" in page


@pytest.mark.parametrize(
    ("walls", "points"), [((1.0, 2.0), "0.0,15.0 150.0,2.0"), ((2.0,), "0.0,2.0 150.0,2.0")]
)
def test_a_plot_begins_at_nothing(walls: tuple[float, ...], points: str) -> None:
    """So that heights can be compared; one run alone is a level line."""
    assert stats_html.points(walls, 2.0) == points
