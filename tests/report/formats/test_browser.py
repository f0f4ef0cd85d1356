"""The page of a run of 1,000 tasks in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from polylane.report import reports, trends
from polylane.report.formats import stats_html
from tests.report.formats.made import failed, finished, task

LOG = b"".join(
    b"\x1b[32mok\x1b[0m line %d </script><script>alert(1)</script>\n" % n for n in range(60)
)


def thousand(folder: Path) -> dict[str, Any]:
    """Four lanes of 250 tasks, of which ten failed and one never started."""
    tasks: list[dict[str, Any]] = []
    for number in range(1000):
        make = failed if number % 100 == 7 else task
        name = f"{('build', 'lint', 'test')[number % 3]}:service-{number // 3}:tool{number % 3}"
        waited = [tasks[-4]["id"]] if number >= 4 and number % 2 else []
        tasks.append(make(name, start=number // 4 * 1.001, wall=1.0, log="log", waited_for=waited))
    tasks[-1] = task(tasks[-1]["id"], None, reason="needs something, which failed")
    (folder / "log").write_bytes(LOG)
    return dict(finished(folder, *tasks, slots_used=4).result)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """``result.json`` and the page of a run."""
    folder = tmp_path_factory.mktemp("run")
    result = thousand(folder)
    assert reports.write(result, folder, [folder / "run.html"]) == []
    return result, folder / "run.html"


@pytest.fixture
def said() -> list[str]:
    """What the page put on the console."""
    return []


@pytest.fixture
def page(browser: Any, made: tuple[dict[str, Any], Path], said: list[str]) -> Iterator[Any]:
    """The page, opened on a desktop."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    found = context.new_page()
    found.on("console", lambda message: said.append(message.text))
    found.on("pageerror", lambda error: said.append(str(error)))
    found.goto(made[1].as_uri())
    yield found
    context.close()


def test_it_opens_without_an_error(page: Any, said: list[str], made: Any) -> None:
    """With no network, nothing on the console, under 5 MB; loaded whole."""
    assert page.evaluate("document.readyState") == "complete"
    assert page.locator("details.task").count() == 1000
    assert made[1].stat().st_size < 5_000_000
    assert said == []


def test_its_figures_are_those_of_the_result(page: Any, made: Any) -> None:
    """Those of the run, and of every task."""
    result = made[0]
    values = page.eval_on_selector_all(
        "#facts dd[data-value]", "all => all.map(e => e.dataset.value)"
    )
    keys = ("wall_s", "work_s", "critical_path_s", "slots_used", "task_count", "exit_code")
    assert [float(value) for value in values] == pytest.approx([result[key] for key in keys])
    shown = page.eval_on_selector_all(
        "details.task", "all => all.map(({dataset: d}) => [d.id, d.outcome, d.w, d.s, d.c, d.m])"
    )
    expected = [
        [
            each["id"],
            each["outcome"],
            *(
                "" if each[key] is None else json.dumps(each[key])
                for key in ("wall_s", "started_s", "cpu_s")
            ),
            str(each["max_rss_bytes"] or 0),
        ]
        for each in result["tasks"]
    ]
    assert sorted(shown) == sorted(expected)
    assert page.locator(".bar").count() == 999


def test_failures_come_first(page: Any) -> None:
    """On top with the end of their logs, and first among the tasks."""
    assert page.locator(".failure").count() == 10
    assert "line 59" in page.locator(".failure .log").first.inner_text()
    outcomes = page.eval_on_selector_all("details.task", "all => all.map(e => e.dataset.outcome)")
    assert outcomes[:11] == ["failed"] * 10 + ["skipped"]


def test_tasks_are_filtered_and_sorted(page: Any) -> None:
    """By a part of the id and by what they are; the count says how many are left."""
    page.locator("[data-filter=text]").fill("SERVICE-33")
    page.locator("[data-filter=verb]").select_option("lint")
    assert page.locator("#shown").inner_text() == "4 of 1,000"
    page.locator("[data-order]").select_option("s")
    ids = page.eval_on_selector_all(
        "details.task:not([hidden])", "all => all.map(e => Number(e.dataset.s || 1e9))"
    )
    assert ids == sorted(ids)
    page.locator("[data-filter=text]").fill("no such task")
    assert page.locator("#none").is_visible()


def test_a_bar_leads_to_its_task_with_its_log_as_text(page: Any) -> None:
    """The log keeps its colours, and runs nothing."""
    bar = page.locator(".bar").nth(100)
    task_id = bar.inner_text()
    bar.click()
    opened = page.locator("details.task[open]")
    assert opened.get_attribute("data-id") == task_id
    assert "</script><script>alert(1)" in opened.locator(".log").inner_text()
    assert opened.locator(".log .f2").first.inner_text() == "ok"


def test_the_timeline_says_what_was_used_at_a_moment(page: Any) -> None:
    """Where the pointer is; and it can be zoomed."""
    page.locator(".chart").first.hover()
    assert "4 slots, 4.0 cores, 4 MB" in page.locator("#readout").inner_text()
    before = page.locator(".lanes").bounding_box()["width"]
    page.locator("[data-zoom='4']").click()
    assert page.locator(".lanes").bounding_box()["width"] == pytest.approx(4 * before, rel=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser: Any, made: Any, scheme: str) -> None:
    """Nothing is wider than the screen; in the dark it is dark."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    page.goto(made[1].as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    is_dark = int(colour.removeprefix("rgb(").partition(",")[0]) < 64
    assert is_dark == (scheme == "dark")
    context.close()


def test_no_failure_is_hidden_below_others_on_a_phone(browser: Any, made: Any) -> None:
    """Bars there are narrower than they can be shown; those of failures are on top."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(made[1].as_uri())
    seen = page.eval_on_selector_all(
        ".bar.o-failed",
        """all => all.map(bar => {
            bar.scrollIntoView({block: "center"});
            const box = bar.getBoundingClientRect();
            return document.elementFromPoint(box.x + box.width / 2, box.y + 5) === bar;
        })""",
    )
    assert seen == [True] * 10
    context.close()


def test_keys_reach_all_and_pass_by_the_bars(page: Any) -> None:
    """A thousand bars are no stops: the list has the same tasks. What has the focus is seen."""
    assert page.locator(".bar:not([tabindex='-1'])").count() == 0
    page.locator(".scroll").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.filter") == "text"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.locator("details.task summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.task").first.get_attribute("open") is not None


def test_headings_and_figures_are_told_without_eyes(page: Any) -> None:
    """One first heading, no level is left out, and a task's figures have their names with them."""
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    page.locator("details.task summary").first.click()
    figures = page.locator("details.task[open] .figures").text_content()
    assert figures.startswith("CPU 1.00 s · peak memory 1.0 MB · read ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_what_runs_took(
    browser: Any, tmp_path: Path, said: list[str], width: int, scheme: str
) -> None:
    """Nothing on the console, nothing wider than the screen, a plot that is seen at once."""
    side = trends.Side(12, 1, tuple(map(float, range(1, 13))))
    names = ("test-integration:a-project-with-a-long-name:pytest", "lint:api:ruff")
    lines = [trends.Line(name, side, side, 1, (2, 3)) for name in names]
    path = tmp_path / "stats.html"
    path.write_bytes(stats_html.render(trends.Trends(lines[:1], lines), "shop"))
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for plot in page.locator("svg.spark").all():
        box = plot.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert page.locator("tbody th[scope=row]").all_inner_texts() == [names[0], *names]
    assert page.locator("thead th:not([scope])").count() == 0
    assert said == []
    context.close()


def test_it_is_read_without_scripts(browser: Any, made: Any) -> None:
    """As where a host of artifacts forbids them: all but filters and zoom is there."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(made[1].as_uri())
    page.locator("details.task summary").first.click()
    assert page.locator("details.task .log").first.is_visible()
    assert not page.locator("#filters").is_visible()
    context.close()
