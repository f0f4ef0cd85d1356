"""docs/configuration.md against the schema, and every TOML block of the pages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from polylane.describe import config
from polylane.errors import UserError
from tests.docs.pages import BLOCKS, Block, section


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
