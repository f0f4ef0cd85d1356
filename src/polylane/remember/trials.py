"""What earlier parallel runs of a selection took, with how many slots; asks the history.

Knows nothing of what follows from that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from polylane.describe.home import NAME
from polylane.plan.jobs import Trial
from polylane.remember.history import FILE
from polylane.remember.tables import stored

#: So many runs are looked at, the newest.
_RUNS = 50

_ASK = (
    "SELECT jobs, wall_s, work_s, critical_path_s FROM runs WHERE mode = 'parallel'"
    " AND exit_code = 0 AND NOT narrowed AND selection = ? AND task_count = ?"
    " AND typeof(jobs) = 'integer' AND typeof(wall_s) = 'real' AND typeof(work_s) = 'real'"
    " AND typeof(critical_path_s) = 'real' ORDER BY id DESC LIMIT ?"
)


def trials(workspace: Path, selection: Sequence[str], tasks: int) -> list[Trial]:
    """The last runs of a selection of so many tasks; none where the history cannot be read."""
    path = workspace / NAME / FILE
    words = json.dumps([stored(word) for word in selection], ensure_ascii=False)
    with (
        suppress(OSError, ValueError, sqlite3.Error),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database,
    ):
        return [Trial(*row) for row in database.execute(_ASK, (words, tasks, _RUNS))]
    return []
