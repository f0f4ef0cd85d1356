"""The documentation is true: what it lists is what there is, and what it shows works."""

from __future__ import annotations

import inspect
import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

import polylane
from polylane import errors
from polylane.describe import config
from polylane.errors import UserError
from polylane.model import Claim, Description, Recipe, Task
from polylane.outcome import BAD, Outcome, TaskResult
from polylane.remember import tables
from polylane.result import RunResult, to_json
from polylane.run.signals import ENDING
from tests.integrations.repository import TASKS, Repository

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md"]

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    page: str
    line: int
    kind: str
    #: The comment in the line above.
    mark: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for the name of a test."""
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        lines = [each.removeprefix(found["indent"]) for each in found["text"].splitlines()]
        yield Block(page.name, line, found["kind"], found["mark"] or "", "\n".join(lines) + "\n")


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next one of the same level."""
    level = heading.partition(" ")[0]
    text = (DOCS / page).read_text(encoding="utf-8")
    assert f"\n{heading}\n" in text, f"{page} has no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", text.split(f"\n{heading}\n")[1], flags=re.MULTILINE)[
        0
    ]


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows, headings and rules left out."""
    lines = [line.strip("|") for line in text.splitlines() if line.startswith("|")]
    rules = [i for i, line in enumerate(lines) if set(line) <= set("-|")]
    heads = {i - 1 for i in rules}
    return [line.split(" | ") for i, line in enumerate(lines) if i not in {*rules, *heads}]


def named(text: str) -> set[str]:
    """What stands between backticks in the first cells of the tables."""
    return {name for cells in rows(text) for name in re.findall(r"`([^`]+)`", cells[0])}


class TestConfiguration:
    """docs/configuration.md against the schema."""

    @pytest.mark.parametrize(
        ("heading", "table"),
        [
            ("## Keys of `[tool.polylane]`", ""),
            ("## Keys of `[tool.polylane.verbs.VERB]`", "[verbs.test]"),
            ("## Keys of `[tool.polylane.projects.NAME]`", "[projects.api]"),
            ('## Keys of `[tool.polylane.tasks."ID"]`', '[tasks."lint:api:ruff"]'),
        ],
    )
    def test_every_key_is_documented_and_no_other(
        self, heading: str, table: str, tmp_path: Path
    ) -> None:
        """The headings of a table's section are the keys that the schema knows."""
        (tmp_path / "polylane.toml").write_text(f"{table}\nzzzzzzzz = 1\n", encoding="utf-8")
        with pytest.raises(UserError) as error:
            config.load(tmp_path, {})
        known = str(error.value).partition("known keys: ")[2].split(", ")
        documented = re.findall(r"^### `(.+)`$", section("configuration.md", heading), re.MULTILINE)
        assert sorted(documented) == sorted(known)

    @pytest.mark.parametrize(
        "block",
        [block for block in BLOCKS if block.kind == "toml"],
        ids=lambda block: block.place,
    )
    def test_every_toml_block_is_accepted(self, block: Block, tmp_path: Path) -> None:
        """What the pages show as configuration can be copied."""
        tomllib.loads(block.text)
        if "tool.polylane" in block.text:
            (tmp_path / "pyproject.toml").write_text(block.text, encoding="utf-8")
            assert config.load(tmp_path, {}).file == "pyproject.toml"

    def test_the_defaults_are_those_that_hold(self, tmp_path: Path) -> None:
        """Where a key's text names a default, an empty configuration has it."""
        empty = config.load(tmp_path, {})
        text = section("configuration.md", "## Keys of `[tool.polylane]`")
        said = dict(
            re.findall(r"^### `(\w+)`$.*?Default: ([^,.;]+)", text, re.MULTILINE | re.DOTALL)
        )
        assert {k: said[k] for k in ("jobs", "timeout", "grace", "max_load", "keep_runs")} == {
            "jobs": f'`"{empty.jobs}"`',
            "timeout": f"{empty.timeout:g}",
            "grace": f"{empty.grace:g}",
            "max_load": f'`"{empty.max_load:.0%}"`',
            "keep_runs": str(empty.keep_runs),
        }
        qa = ", ".join(f'"{verb}"' for verb in empty.pipelines["qa"])
        assert f"qa = [{qa}]" in text


class TestResults:
    """docs/results.md against the code."""

    def test_every_exit_code_is_documented(self) -> None:
        """The table has the four codes of ours, those of ending signals, and no other."""
        documented = {int(cells[0]) for cells in rows(section("results.md", "## Exit codes"))}
        ours = {errors.PASSED, errors.FAILED, errors.USAGE, errors.DEFECT}
        assert documented == ours | {errors.SIGNAL_BASE + number for number in ENDING}

    def test_every_outcome_is_documented(self) -> None:
        """The table has every outcome, and says which make the run fail."""
        table = rows(section("results.md", "## Outcomes"))
        documented = {cells[0].strip(" `"): cells[-1].strip() for cells in table}
        assert documented == {
            outcome.value: str(errors.FAILED) if outcome in BAD else "" for outcome in Outcome
        }

    def test_every_key_of_the_result_is_documented(self) -> None:
        """The two tables have the keys of ``result.json``, and no other."""
        task = Task("lint:api:x", "lint", "api", "python", "x", ("x",), ".", Claim())
        result = TaskResult(task.id, Outcome.PASSED)
        run = RunResult("r", "parallel", ("lint",), 1, "", 0.0, 0.0, 0.0, 0, (result,))
        data = to_json(run, {task.id: task})
        of_run, of_tasks = section("results.md", "## `result.json`").split("Each of `tasks` has")
        assert named(of_run) == set(data)
        assert named(of_tasks) == set(data["tasks"][0])

    def test_every_table_of_the_history_is_documented(self) -> None:
        """With every column, and no other."""
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript("".join(tables.STEPS))
            known = {
                name: [column for _, column, *_ in database.execute(f"PRAGMA table_info({name})")]
                for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
            }
        _, *parts = section("results.md", "## History").split("\nThe table `")
        documented = {part.partition("`")[0]: named(part) for part in parts}
        assert documented == {name: set(columns) for name, columns in known.items()}


class TestInvoke:
    """docs/invoke.md against what Invoke is offered."""

    def test_every_flag_is_documented(self, repository: Repository) -> None:
        """The table has the flags that ``inv --help`` shows, and no other."""
        helps = [repository.inv("--help", name).out for name in ("lint", "lanes.plan")]
        flags = {
            flag for text in helps for flag in re.findall(r"^ +(--[a-z-]+)", text, re.MULTILINE)
        }
        assert len(flags) > 1
        assert named(section("invoke.md", "## Flags")) == flags

    def test_every_argument_of_the_decorator_is_documented(self) -> None:
        """The table has what ``@polylane.task`` takes, and no other."""
        documented = named(section("invoke.md", "## Tasks of your own"))
        assert documented == set(inspect.signature(polylane.task).parameters) - {"function"}

    @pytest.mark.parametrize(
        "block",
        [block for block in BLOCKS if block.mark == "runs"],
        ids=lambda block: block.place,
    )
    def test_every_block_that_is_marked_runs(self, block: Block, repository: Repository) -> None:
        """Each command of a block works in a repository that the pages could speak of."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        for command in block.text.splitlines():
            done = repository.run("/bin/sh", "-c", command, PATH=path)
            assert done.code == 0, f"{command}: {done.all}"

    def test_blocks_are_marked(self) -> None:
        """The pages that teach show what runs."""
        marked = {block.page for block in BLOCKS if block.mark == "runs"}
        assert {"index.md", "invoke.md", "results.md"} <= marked


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A small workspace with a Python project and a Python body."""
    test = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self): ...\n"
    body = next(b.text for b in blocks_of(DOCS / "invoke.md") if "@polylane.task" in b.text)
    assert TASKS.split("\n")[0] in body
    return Repository(tmp_path / "repo").write(
        {
            "tasks.py": body,
            "sql/a.sql": "select 1;\n",
            "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n[tool.ruff]\n',
            "api/src/api/__init__.py": "",
            "api/tests/test_api.py": test,
        }
    )


class TestLanguages:
    """docs/languages.md: the example is a whole plug-in."""

    @pytest.fixture
    def plug_in(self, tmp_path: Path) -> Path:
        """A folder with the files that the page shows."""
        folder = tmp_path / "plug-in"
        folder.mkdir()
        for block in blocks_of(DOCS / "languages.md"):
            if block.mark.startswith("file: "):
                (folder / block.mark.removeprefix("file: ")).write_text(block.text, "utf-8")
        return folder

    def test_the_example_passes_its_test(self, plug_in: Path) -> None:
        """The page's own test of the page's plug-in passes: it keeps the contract."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."],
            cwd=plug_in,
            env={**os.environ, "PYTHONPATH": str(plug_in)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        assert "1 passed" in done.stdout

    def test_the_example_is_found_by_its_entry_point(self, plug_in: Path, tmp_path: Path) -> None:
        """Installed with the page's entry point, it gives tasks with claims and dependencies."""
        entry = next(b.text for b in blocks_of(DOCS / "languages.md") if b.kind == "toml")
        points = tomllib.loads(entry)["project"]["entry-points"]["polylane.languages"]
        info = plug_in / "polylane_go-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: polylane-go\nVersion: 1\n")
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        (info / "entry_points.txt").write_text(f"[polylane.languages]\n{lines}")
        shop = "module example.org/shop\n\nrequire (\n\texample.org/cart v1.0.0 // indirect\n)\n"
        repository = Repository(tmp_path / "repo").write(
            {"tasks.py": TASKS, "cart/go.mod": "module example.org/cart\n", "shop/go.mod": shop}
        )
        plan = repository.inv("lanes.plan", PYTHONPATH=str(plug_in)).out
        assert "lint:shop:vet\n    cd shop && go vet ./...\n" in plan
        assert "shop: shop (go), depends on cart\n" in plan
        assert re.findall(r"unknown claims \((.*?)\)", plan) == ["test:cart:go, test:shop:go"]

    @pytest.mark.parametrize("kind", [Description, Recipe])
    def test_every_field_is_documented(self, kind: type[Description | Recipe]) -> None:
        """The tables have the fields of what a language returns, and no other."""
        text = section("languages.md", "## The description")
        of_description, of_recipe = text.split("| field of `Recipe`")
        documented = named(of_description if kind is Description else of_recipe)
        assert documented - {"Description"} == set(kind._fields)


class TestSite:
    """The pages as a whole."""

    def test_the_navigation_has_every_page(self) -> None:
        """No page is left out of the site's navigation, and none in it is missing."""
        text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
        assert sorted(re.findall(r"[\w-]+\.md$", text, re.MULTILINE)) == sorted(
            page.name for page in DOCS.glob("*.md")
        )

    def test_every_link_leads_to_a_file(self) -> None:
        """Links between the pages, and from the README, have their target."""
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
                assert (page.parent / target).exists(), f"{page.name}: {target}"

    def test_the_site_is_built_strictly(self, tmp_path: Path) -> None:
        """MkDocs builds the site with no warning, links to headings included."""
        pytest.importorskip("mkdocs", reason="mkdocs is not installed")
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def test_the_layout_is_that_of_the_code(self) -> None:
        """The design's layout names every module below src/polylane, and no other.

        What lies deeper than two folders, and the programs in tools, stand as their folder.
        """
        block = section("design.md", "## 3. Layout").split("```")[1]
        inside = block.partition("src/polylane/\n")[2].partition("\ntests/")[0]
        documented, folder = set(), ""
        for line in inside.splitlines():
            name = line.split()[0]
            folder = "" if line.startswith("  ") and line[2] != " " else folder
            documented.add(folder + name)
            folder = name if not folder and name.endswith("/") else folder
        assert documented == set(_modules(ROOT / "src" / "polylane"))


def _modules(source: Path) -> Iterator[str]:
    yield "__init__.py"
    for path in source.rglob("*.py"):
        inside = path.relative_to(source)
        if inside.name != "__init__.py" and len(inside.parts) <= 2 and inside.parts[0] != "tools":
            yield str(inside)
        yield from (f"{each}/" for each in inside.parents[:-1] if len(each.parts) <= 2)
