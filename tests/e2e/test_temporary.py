"""The private temporary folder of a run whose runner is killed with ``kill -9``."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.run import sandbox
from tests.e2e.test_supervision import running
from tests.integrations.repository import TASKS, Repository
from tests.support import FORKS, wait_for

pytestmark = [
    FORKS,
    pytest.mark.skipif(bool(sandbox.why_not()), reason=sandbox.why_not() or "-"),
]


def test_a_later_run_removes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its own, at its end."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    lines = ['[tasks."all:api:stay"]', "shell = true"]
    lines += ["command = 'echo $TMPDIR > x; mv x said; exec sleep 300'"]
    lines += ['[tasks."other:api:true"]', "command = 'true'"]
    repository = Repository(tmp_path / "repo").write(
        {
            "tasks.py": TASKS,
            "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
            "polylane.toml": "\n".join(lines) + "\n",
        }
    )
    said = repository.folder / "api" / "said"
    with running(repository, "all") as process:
        wait_for(said.exists, "start of the task")
        process.kill()
        process.wait()
    folder = Path(said.read_text().strip())
    assert folder.parent == tmp_path
    assert folder.is_dir()
    assert repository.inv("other").code == 0
    assert list(tmp_path.glob("polylane-*")) == []
