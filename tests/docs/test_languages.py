"""docs/languages.md: the example is a whole plug-in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from polylane.model import Description, Recipe
from tests.docs.pages import DOCS, blocks_of, named, section
from tests.integrations.repository import TASKS, Repository


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
