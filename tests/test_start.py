"""Where a run starts: what a traced one tells."""

from __future__ import annotations

from pathlib import Path

from polylane.plan.selection import Selection
from polylane.planning import Plan, Request
from polylane.remember.runs import RunFolder
from polylane.report.plain import Screen
from polylane.result import RunResult
from polylane.run.tracing.touches import Touches
from polylane.start import start
from tests.integrations.repository import Repository
from tests.run.tracing.traces import TRACED, below
from tests.support import FORKS

pytestmark = [FORKS, TRACED]


class Seen:
    """Keeps what it is told, in order."""

    def __init__(self, plan: Plan) -> None:
        self.folder = plan.config.folder
        self.told: list[tuple[str, object]] = []

    def touched(self, task: str, touches: Touches) -> None:
        read = below(self.folder, touches.read) - {".polylane"}
        self.told.append((task, (read, below(self.folder, touches.written))))

    def ended(self, result: RunResult, folder: RunFolder, screen: Screen) -> None:
        assert (folder.path / "result.json").exists()
        screen.line("said last")
        self.told.append(("", result.exit_code))


def test_a_traced_run_tells_of_every_attempt_and_of_its_end(tmp_path: Path) -> None:
    """Reads and writes by the task's id; the end when the result is written."""
    script = "cat file; echo > made"
    text = (
        f'[tasks."all:root:a"]\ncommand = "{script}"\nshell = true\n'
        '[tasks."all:root:b"]\ncommand = "cat file; exit 3"\nshell = true\nretries = 1\n'
    )
    Repository(tmp_path).write({"polylane.toml": text, "file": ""})
    seen: list[Seen] = []

    def watch(plan: Plan) -> Seen:
        seen.append(Seen(plan))
        return seen[0]

    result = start(Request(tmp_path, Selection(("all",))), watch)
    attempt: tuple[str, object] = ("all:root:b", ({"file"}, set()))
    assert result.exit_code == 1
    assert seen[0].told == [("all:root:a", ({"file"}, {"made"})), attempt, attempt, ("", 1)]
