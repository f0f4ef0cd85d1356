"""docs/environment.md and docs/files.md against the code, and against what a run leaves."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from polylane.describe.config import GIT_VARIABLES, task_environment
from tests.docs.pages import DOCS, ROOT, named, rows, section
from tests.integrations.repository import TASKS, Repository

#: Texts in capitals that name no variable.
_OTHERS = {
    *("COMMIT", "CPU", "F_OFD_SETLK", "GIT_", "_PATHSPECS", "HSM", "LANGUAGE", "NULL"),
    *("SC_CLK_TCK", "SC_PAGE_SIZE", "SIGPIPE", "SIGXFSZ", "SIGXFZ"),
}


def capitals() -> set[str]:
    """Every text of the code that could name a variable."""
    trees = (
        ast.parse(path.read_text(encoding="utf-8"))
        for path in (ROOT / "src" / "polylane").rglob("*.py")
    )
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = {node.value for node in nodes if isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"[A-Z_][A-Z0-9_]{2,}", text)}


class TestVariables:
    """docs/environment.md."""

    def test_every_variable_is_documented(self) -> None:
        """What the code names stands in the page, or among those of parallel tools; no other."""
        text = (DOCS / "environment.md").read_text(encoding="utf-8")
        widths = section("inner-parallelism.md", "## How tools are told")
        known = {name for name in re.findall(r"`([A-Z_]{3,})", text + widths) if "-" not in name}
        assert capitals() - _OTHERS == known

    def test_what_is_removed_is_documented(self) -> None:
        """The last table has what a task's environment lacks of ours."""
        documented = named(section("environment.md", "## Removed from tasks"))
        assert documented > GIT_VARIABLES
        assert task_environment(dict.fromkeys([*documented, "KEPT"], "1")) == {"KEPT": "1"}

    def test_what_is_set_is_documented(self, tmp_path: Path) -> None:
        """A task's environment has nothing new that the page does not name."""
        said = named(section("environment.md", "## Set in tasks"))
        widths = section("inner-parallelism.md", "## How tools are told")
        told = {name.partition("=")[0] for name in re.findall(r"`([A-Z_]{3,}[^`]*)`", widths)}
        repository = Repository(tmp_path).tasks(
            env="env", strict={"command": "env", "sandbox": "strict"}
        )
        before = repository.run("env").out
        repository.inv("all-parallel")
        logs = (repository.folder / ".polylane" / "last").glob("*.log")
        names = {line.partition("=")[0] for log in logs for line in log.read_text().splitlines()}
        new = names - {line.partition("=")[0] for line in before.splitlines()}
        assert new - said - told == set()
        assert "POLYLANE_RUN" in new


class TestFiles:
    """docs/files.md."""

    @pytest.fixture
    def patterns(self) -> set[str]:
        """The paths of the table, with ``*`` for what differs."""
        return {
            re.sub(r"RUN|TASK|ID", "*", name)
            for name in named(section("files.md", "## In `.polylane`"))
        }

    def test_what_runs_leave_is_documented(self, tmp_path: Path, patterns: set[str]) -> None:
        """After runs of every kind the folder holds nothing that the table lacks."""
        repository = Repository(tmp_path).tasks(one="true", two="false")
        for words in ("all-parallel", "lanes.trace --select all", "lanes.validate --select all"):
            repository.inv(*words.split(), GITLAB_CI="true", CI="true")
        folder = repository.folder / ".polylane"
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        found = {name for name in found if not name.startswith("last/")}
        assert len(found) > 10
        assert {n for n in found if not any(_matches(n, each) for each in patterns)} == set()

    def test_every_cache_is_documented(self, patterns: set[str]) -> None:
        """Each ``*.cache`` that the code names stands in the table, and no other."""
        code = "".join(
            path.read_text(encoding="utf-8") for path in (ROOT / "src" / "polylane").rglob("*.py")
        )
        assert {*re.findall(r'"(\w+\.cache)"', code)} == {n for n in patterns if ".cache" in n}

    def test_every_row_says_whether_it_may_be_removed(self) -> None:
        """The third cell is never empty."""
        assert all(cells[2].strip() for cells in rows(section("files.md", "## In `.polylane`")))


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern + "*" if pattern.endswith("/") else pattern)


def test_the_workspace_is_left_alone(tmp_path: Path) -> None:
    """Nothing appears beside ``.polylane``, as docs/files.md says."""
    repository = Repository(tmp_path).tasks(one="true").write({"tasks.py": TASKS})
    before = {path.name for path in tmp_path.iterdir()}
    repository.inv("all-parallel", PYTHONDONTWRITEBYTECODE="1")
    assert {path.name for path in tmp_path.iterdir()} - before == {".polylane"}
