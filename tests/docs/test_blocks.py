"""Every block of the pages is run, checked, or says why not; and those marked `runs` do run."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.conftest import GIT
from tests.docs.pages import BLOCKS, DOCS, Block, blocks_of
from tests.integrations.repository import TASKS, Repository

#: Pages that are gone through as a whole, by tests of their own.
_WALKED = ("tutorial.md", "how-to/")

#: What the README's two commands are called; CI runs them from there.
_OF_CI = ("main-job", "tests")

#: Kinds that tests look at wherever they stand: see `test_configuration` and below. The rest of
#: the kinds show what is printed or stands in files of other tools.
_CHECKED = ("toml", "python", "yaml")
_LOOKED_AT = ("text", "")

#: How many blocks may say why they are not run.
_MOST_NOT_RUN = 8


def is_walked(block: Block) -> bool:
    return block.page.startswith(_WALKED)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_block_is_run_or_says_why_not(block: Block) -> None:
    """Its mark or its kind says which test has it; a reason is more than a word."""
    word, _, rest = block.mark.partition(" ")
    if block.mark.startswith("not run: "):
        assert len(block.mark.split()) > len(["not", "run:", "a", "reason"])
    elif is_walked(block):
        assert word in ("runs", "fails", "file:", "shows")
    elif block.kind not in (*_CHECKED, *_LOOKED_AT):
        assert block.mark == "runs" or block.mark in _OF_CI or (word == "file:" and rest)


def test_few_blocks_are_not_run() -> None:
    """A reason is the exception."""
    assert sum(block.mark.startswith("not run") for block in BLOCKS) <= _MOST_NOT_RUN


def test_blocks_are_marked() -> None:
    """The pages that teach show what runs."""
    marked = {block.page for block in BLOCKS if block.mark == "runs"}
    assert {"index.md", "invoke.md", "nox.md", "results.md", "tutorial.md"} <= marked


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A small workspace with a project in each language, and a Python body."""
    body = next(b.text for b in blocks_of(DOCS / "invoke.md") if "@polylane.task" in b.text)
    assert TASKS.split("\n")[0] in body
    pytest_too = "[tool.ruff]\n[tool.pytest.ini_options]\n"
    return Repository(tmp_path / "repo").write(
        {
            "tasks.py": body,
            "noxfile.py": "from polylane import nox_sessions\n\nnox_sessions()\n",
            "sql/a.sql": "select 1;\n",
            "api/pyproject.toml": f'[project]\nname = "api"\nversion = "1"\n{pytest_too}',
            "api/src/api/__init__.py": "",
            "api/tests/test_api.py": "def test_name() -> None: ...\n",
            "web/package.json": '{"name": "web", "scripts": {"test": "node --test"}}\n',
            "web/test/it.test.js": 'require("node:test")("it", () => {});\n',
        }
    )


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.mark == "runs" and not is_walked(block)],
    ids=lambda block: block.place,
)
def test_every_block_that_is_marked_runs(block: Block, repository: Repository) -> None:
    """Each command of a block works in a repository that the pages could speak of."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command in block.text.splitlines():
        done = repository.run("/bin/sh", "-c", command, PATH=path, **GIT)
        assert done.code == 0, f"{command}: {done.all}"


@pytest.mark.parametrize(
    "block",
    [b for b in BLOCKS if b.kind == "python" and not b.mark and "polylane" in b.text],
    ids=lambda block: block.place,
)
def test_every_python_block_is_taken_by_its_host(block: Block, repository: Repository) -> None:
    """As ``tasks.py`` or ``noxfile.py`` it loads, and offers what the page speaks of."""
    if "nox_sessions" in block.text:
        repository.write({"noxfile.py": block.text})
        done = repository.run(sys.executable, "-m", "nox", "-l")
        assert "lint-python" in done.out, done.all
        return
    before = "" if "namespace()" in block.text else TASKS
    repository.write({"tasks.py": before + block.text})
    done = repository.inv("--list")
    assert done.code == 0, done.all
    assert "lint-sql" in done.out or "@polylane" not in block.text


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.kind == "python"], ids=lambda block: block.place
)
def test_every_python_block_is_python(block: Block) -> None:
    """It can be compiled."""
    assert ast.parse(block.text).body


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.kind == "yaml"], ids=lambda block: block.place
)
def test_every_yaml_block_is_taken_by_its_host(block: Block, tmp_path: Path) -> None:
    """It is YAML; a configuration of pre-commit's is one that pre-commit accepts."""
    found = yaml.safe_load(block.text)
    assert isinstance(found, dict | list)
    if "repos" in found:
        from pre_commit.clientlib import load_config  # type: ignore[import-untyped]

        file = tmp_path / ".pre-commit-config.yaml"
        file.write_text(block.text, encoding="utf-8")
        assert load_config(str(file))["repos"]
