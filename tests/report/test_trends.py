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


def test_both_outcomes_with_the_same_inputs_are_flaky() -> None:
    """Failures and passes of these inputs are counted; unknown ones say nothing."""
    ends = [("passed", 1), ("failed", 1), ("timed-out", 1), ("cancelled", 1)]
    ends += [("failed", 2), ("passed", 3), ("failed", None), ("passed", None)]  # type: ignore[list-item]
    starts = [Start("a:b:c", "parallel", end, 1.0, 1, number) for end, number in ends]
    (line,) = trends.find(Records([], starts), {}).tasks
    assert (line.flaky, line.contradicted) == (2, (2, 1))
    assert trends_text.judgements(trends.Trends([], [line]))[1:] == [
        "flaky: a:b:c failed in 2 runs and passed in 1 with the same inputs"
    ]


def test_tasks_weigh_the_same_however_often_they_ran() -> None:
    """One that always fails, and ran in parallel mostly, is no sign against parallel runs."""
    records = Records(
        [],
        [
            *starts("a:bad:c", *("failed",) * 99),
            *starts("a:bad:c", "failed", mode="sequential"),
            *starts("a:good:c", "passed"),
            *starts("a:good:c", *("passed",) * 99, mode="sequential"),
        ],
    )
    assert trends.find(records, {}).success() == trends.Success(0.5, 0.5, 2)


class TestTable:
    """What is printed."""

    SIDE = Side(33, 9, (200.0, 233.0, 277.0))

    def test_it_fits_eighty_columns(self) -> None:
        """A name that is too long for that has a line of its own."""
        name = "test-integration:opencode_config:pytest"
        line = Line(name, self.SIDE, self.SIDE, 1)
        text = trends_text.text(trends.Trends([line], [line]), 80)
        table = text.partition("\n\nsuccess")[0].splitlines()
        assert max(map(len, table)) <= 80
        assert name in table
        wide = trends_text.text(trends.Trends([line], [line]), 120)
        assert f"{name}  parallel  " in wide

    def test_every_figure_is_where_its_heading_is(self) -> None:
        """Of made-up runs, reckoned by hand."""
        parallel = Side(11, 1, tuple(map(float, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 50))))
        sequential = Side(3, 1, (10.0, 12.0, 11.0))
        line = Line("lint", parallel, sequential)
        rows = trends_text.text(trends.Trends([line], []), 80).splitlines()[:3]
        assert [row.split("  ")[0] for row in rows] == ["selection", "lint", ""]
        cells = [[cell for cell in row.split("  ") if cell] for row in rows]
        stripped = [[cell.strip() for cell in row] for row in cells]
        assert stripped[0][1:] == ["runs", "median", "95 %", "passed", "trend", "saved"]
        # Of 11 the nearest rank is the 11th; (7 8 9 10 50) against (1 2 3 4 5 6); 6 against 11.
        assert stripped[1] == [
            "lint",
            "parallel",
            "12",
            "6.00 s",
            "50.0 s",
            "92 %",
            "+157 %",
            "45 %",
        ]
        assert stripped[2] == ["sequence", "4", "11.0 s", "12.0 s", "75 %"]


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
    assert (
        "in sequence: 95 %, and 100 % in sequence, the mean of 2 tasks: at least 95 % of it" in text
    )
    assert "passes less often in parallel: a:bad:c: 90 % of 10, and 100 % of 10 in sequence" in text
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
    assert "in sequence: 100 %, and 100 %" in trends_text.text(trends.find(records, {}))


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
