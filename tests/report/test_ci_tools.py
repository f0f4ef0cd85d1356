"""Defects planted for five real tools, in a real run under a host: file and line are right."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from polylane.report.ci import CODE_QUALITY
from tests.integrations.repository import Repository

BIN = Path(__file__).parents[2] / "examples" / "workflow-kit" / "node_modules" / ".bin"

pytestmark = pytest.mark.skipif(
    not ((BIN / "tsc").exists() and (BIN / "eslint").exists() and shutil.which("node")),
    reason="the example's packages are not installed",
)

FILES = {
    "services/api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
    "services/api/src/unused.py": '"""A."""\n\nimport os\n',
    "services/api/src/typed.py": "def f(x: int) -> str:\n    return str(x)\n\n\ny: int = f(1)\n",
    "services/api/tests/test_sum.py": "def test_sum() -> None:\n    one = 1\n    assert one == 2\n",
    "services/web/src/wrong.ts": "export const a = 1;\n\nexport const b: string = a;\n",
    "services/web/src/idle.js": "export const a = 1;\n\n\nconst idle = 1;\n",
    "services/web/eslint.config.mjs": 'export default [{rules: {"no-unused-vars": "error"}}];\n',
}

#: Below the checkout, by the tool.
PLANTED = {
    "ruff": ("services/api/src/unused.py", 3),
    "mypy": ("services/api/src/typed.py", 5),
    "pytest": ("services/api/tests/test_sum.py", 3),
    "tsc": ("services/web/src/wrong.ts", 3),
    "eslint": ("services/web/src/idle.js", 4),
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The checkout is above the workspace, and the tools run below it, in their projects."""
    python = [sys.executable, "-m"]
    commands = {
        "ruff": [*python, "ruff", "check", "--isolated", "--no-cache", "--select", "F401", "src"],
        "mypy": [*python, "mypy", "--cache-dir", "/dev/null", "src/typed.py"],
        "pytest": [*python, "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        "tsc": [str(BIN / "tsc"), "--noEmit", "--skipLibCheck", "src/wrong.ts"],
        "eslint": [str(BIN / "eslint"), "src/idle.js"],
    }
    made = Repository(tmp_path / "checkout" / "kit").write(FILES)
    api, web = "services/api", "services/web"
    return made.tasks(
        **{
            tool: {"command": command, "cwd": web if tool in {"tsc", "eslint"} else api}
            for tool, command in commands.items()
        }
    )


@pytest.mark.parametrize("colour", ["", "1"])
def test_github_is_told_the_file_and_the_line(
    repository: Repository, tmp_path: Path, colour: str
) -> None:
    """By annotations, each once, with paths below the checkout; with coloured output too."""
    done = repository.inv(
        "all-parallel",
        GITHUB_ACTIONS="true",
        GITHUB_WORKSPACE=str(tmp_path / "checkout"),
        TERM="xterm",
        FORCE_COLOR=colour,
        NO_COLOR="" if colour else "1",
    )
    assert done.code == 1
    pattern = r"::error file=([^,]+),line=(\d+),title=all%3Aroot%3A(\w+)[^:]*::.+"
    marks = [re.fullmatch(pattern, line) for line in done.out.splitlines() if "::error" in line]
    found = sorted((m[3], (m[1], int(m[2]))) if m else ("", ("", 0)) for m in marks)
    assert found == sorted((t, (f"kit/{path}", line)) for t, (path, line) in PLANTED.items())


def test_gitlab_is_told_the_file_and_the_line(repository: Repository, tmp_path: Path) -> None:
    """By its report for Code Quality."""
    folder = tmp_path / "checkout"
    done = repository.inv("all-parallel", GITLAB_CI="true", CI_PROJECT_DIR=str(folder))
    assert done.code == 1
    report = repository.folder / ".polylane" / CODE_QUALITY
    places = [each["location"] for each in json.loads(report.read_text(encoding="utf-8"))]
    found = sorted((each["path"], each["lines"]["begin"]) for each in places)
    assert found == sorted((f"kit/{path}", line) for path, line in PLANTED.values())
