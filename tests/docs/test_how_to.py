"""docs/how-to: before and after really run, in the repository that the pages speak of."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.conftest import GIT
from tests.docs.pages import DOCS, blocks_of
from tests.docs.walk import Walk
from tests.integrations.repository import Repository

_PAGES = sorted((DOCS / "how-to").glob("*.md"))

#: The repository of these pages. Nothing has to be installed for it beside what runs the tests.
_API = {
    ".gitignore": "dist/\nnode_modules/\n__pycache__/\n.venv/\n",
    "api/pyproject.toml": (
        '[project]\nname = "api"\nversion = "1"\n\n'
        '[tool.ruff]\n\n[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    ),
    "api/src/api/__init__.py": "def double(number: int) -> int:\n    return 2 * number\n",
    "api/tests/test_api.py": (
        "from api import double\n\n\ndef test_double() -> None:\n    assert double(2) == 4\n"
    ),
}
_WEB = {
    "web/package.json": (
        '{\n  "name": "web",\n  "version": "1.0.0",\n  "scripts": {\n'
        '    "lint": "node --check index.js",\n'
        '    "build": "mkdir -p dist && cp index.js dist/",\n'
        '    "test": "node --test"\n  }\n}\n'
    ),
    "web/index.js": "exports.double = (number) => 2 * number;\n",
    "web/web.test.js": (
        'const { double } = require("./dist/index.js");\n'
        'require("node:test")("it doubles", () => double(2));\n'
    ),
}


@pytest.fixture
def walk(tmp_path: Path, installed: Path) -> Walk:
    """A shell in the example, with polylane, ruff, pytest and pre-commit."""
    repository = Repository(tmp_path / "shop").write({**_API, **_WEB})
    return Walk(
        repository.folder, tmp_path, [str(installed), str(Path(sys.executable).parent)], **GIT
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "page",
    [page for page in _PAGES if not page.stem.startswith("from-")],
    ids=lambda page: page.stem,
)
def test_the_page_works(page: Path, walk: Walk) -> None:
    """Its blocks, pasted one after the other, do what the page says."""
    walk.page(page)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["from-taskfile", "from-tox-and-nox"])
def test_whoever_comes_from_a_program_of_pypi_can(
    name: str, tmp_path: Path, installed: Path, peers: Path
) -> None:
    """Before works with the other program, and after with ours."""
    repository = Repository(tmp_path / "shop").write({**_API, **_WEB})
    path = [str(installed), str(Path(sys.executable).parent), str(peers)]
    Walk(repository.folder, tmp_path, path, **GIT).page(DOCS / "how-to" / f"{name}.md")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_whoever_comes_from_make_can(walk: Walk) -> None:
    """Before works with make, and after with both."""
    walk.page(DOCS / "how-to" / "from-make.md")


@pytest.mark.timeout(300)
def test_whoever_comes_from_turbo_or_nx_can(tmp_path: Path) -> None:
    """Before works with both of them as npm has them, and after with ours."""
    repository = Repository(tmp_path / "shop").write(_API)
    walk = Walk(repository.folder, tmp_path, [str(Path(sys.executable).parent)], **GIT)
    walk.page(DOCS / "how-to" / "from-turbo-and-nx.md")


class TestCI:
    """docs/how-to/ci.md: what the jobs say would work."""

    @pytest.fixture
    def files(self) -> dict[str, str]:
        """The page's files."""
        blocks = [b for b in blocks_of(DOCS / "how-to" / "ci.md") if b.mark.startswith("file: ")]
        return {block.mark.removeprefix("file: "): block.text for block in blocks}

    @pytest.mark.timeout(300)
    @pytest.mark.parametrize("name", [".github/workflows/qa.yml", ".gitlab-ci.yml"])
    def test_the_commands_of_the_job_work(
        self, name: str, files: dict[str, str], walk: Walk, tmp_path: Path
    ) -> None:
        """Each of them, in order, and they leave the files that the job hands in."""
        job = yaml.safe_load(files[name])
        steps = job["jobs"]["qa"]["steps"] if "jobs" in job else []
        parts = ("before_script", "script", "after_script")
        commands = [step["run"] for step in steps if "run" in step] or [
            command for part in parts for command in job["qa"][part]
        ]
        host = "GITHUB_ACTIONS" if "jobs" in job else "GITLAB_CI"
        (tmp_path / "home").mkdir()
        variables = f"{host}=true CI=true CI_PROJECT_DIR=$PWD HOME={tmp_path}/home"
        text = "\n".join([f"export {variables}", *commands])
        setup = '[tasks."setup:api:venv"]\ncommand = "mkdir -p .venv"\n'
        (walk.folder / "polylane.toml").write_text(setup, encoding="utf-8")
        page = tmp_path / "page.md"
        tasks = f"<!-- file: tasks.py -->\n```python\n{files['tasks.py']}```\n\n"
        page.write_text(f"{tasks}<!-- runs -->\n```console\n{text}\n```\n", encoding="utf-8")
        walk.page(page)
        assert (walk.folder / "junit.xml").exists()
        assert (walk.folder / ".polylane" / "runs").is_dir()
