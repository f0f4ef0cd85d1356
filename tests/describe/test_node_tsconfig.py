"""What tsc writes, by its tsconfig.json: every place was seen with TypeScript 5.9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from polylane.describe.languages.base import Folder
from polylane.describe.languages.node.tsconfig import emits, jsonc, parse_jsonc, written_by
from tests.describe.node_project import write

if TYPE_CHECKING:
    from pathlib import Path


def written(
    workspace: Path, options: dict[str, Any], args: str = "", **more: Any
) -> tuple[str, ...] | None:
    config = {"compilerOptions": options, **more}
    return written_by(Folder(write(workspace, {"tsconfig.json": config}), "."), tuple(args.split()))


def test_comments_and_trailing_commas_are_read() -> None:
    """But not inside strings."""
    text = '{ // a\n "x": ["//no", "/* no */", ",}",], /* b */ "y": 1, }'
    assert parse_jsonc(text) == {"x": ["//no", "/* no */", ",}"], "y": 1}


def test_a_file_that_is_no_object_reads_as_missing(tmp_path: Path) -> None:
    """What it says is then unknown."""
    write(tmp_path, {"a.json": "{", "b.json": "[]", "d.json": "[" * 100_000})
    folder = Folder(tmp_path, ".")
    assert [jsonc(folder, f"{name}.json") for name in "abcd"] == [None] * 4


@pytest.mark.parametrize(
    ("options", "args", "places"),
    [
        ({"outDir": "dist"}, "", ("dist",)),
        ({"outDir": "./dist/"}, "", ("dist",)),
        ({"outDir": "dist"}, "--noEmit", ()),
        ({"outDir": "dist", "noEmit": True}, "", ()),
        ({"noEmit": True}, "--noEmit false --outDir out --pretty", ("out",)),
        ({"outDir": "dist", "declarationDir": "types"}, "", ("dist", "types")),
        (
            {"outDir": "dist", "incremental": True},
            "--noEmit",
            ("tsconfig.tsbuildinfo", "dist/tsconfig.tsbuildinfo"),
        ),
        (
            {"outDir": "dist", "rootDir": "src", "composite": True},
            "",
            ("dist", "tsconfig.tsbuildinfo", "dist/tsconfig.tsbuildinfo"),
        ),
        ({"noEmit": True, "incremental": True}, "", ("tsconfig.tsbuildinfo",)),
        (
            {"noEmit": True, "incremental": True, "tsBuildInfoFile": ".cache/a"},
            "",
            (".cache/a",),
        ),
        ({"noEmit": True}, "-b", ("tsconfig.tsbuildinfo",)),
        ({}, "", None),
        ({"outFile": "a.js", "outDir": "dist"}, "", None),
        ({"outDir": "${configDir}/dist"}, "", None),
        ({"outDir": "/tmp/dist"}, "", None),
        ({"outDir": "../../dist"}, "", None),
        ({"outDir": "dist"}, "src/a.ts", None),
        ({"outDir": "dist"}, "--unheardOf", None),
        ({"outDir": "."}, "", ("**",)),
    ],
)
def test_options_say_where_tsc_writes(
    tmp_path: Path, options: dict[str, Any], args: str, places: tuple[str, ...] | None
) -> None:
    """Output, types and build info; ``None`` where it cannot be told."""
    assert written(tmp_path, options, args) == places


def test_a_missing_config_is_unknown(tmp_path: Path) -> None:
    """Nothing says where tsc writes."""
    assert written_by(Folder(tmp_path, "."), ()) is None


def test_the_project_may_be_named(tmp_path: Path) -> None:
    """By its file, or by its folder."""
    config = {"compilerOptions": {"outDir": "dist"}}
    write(tmp_path, {"tsconfig.build.json": config, "sub/tsconfig.json": config})
    folder = Folder(tmp_path, ".")
    assert written_by(folder, ("-p", "tsconfig.build.json")) == ("dist",)
    assert written_by(folder, ("-p", "sub")) == ("sub/dist",)


def test_bases_are_followed(tmp_path: Path) -> None:
    """Relative to the file that says a path; the file's own options win."""
    base = {"compilerOptions": {"outDir": "out", "incremental": True}}
    leaf = {"extends": ["../base", "./near.json"], "compilerOptions": {"incremental": False}}
    write(tmp_path, {"base.json": base, "p/near.json": {}, "p/tsconfig.json": leaf})
    assert written_by(Folder(tmp_path, "p"), ()) == ("/out",)


def test_outputs_outside_the_project_start_at_the_workspace(tmp_path: Path) -> None:
    """Whole folders that hold the project too."""
    for out, claim in (("../dist", "/web/dist"), ("../..", "/**"), ("../app", "**")):
        write(tmp_path, {"web/app/tsconfig.json": {"compilerOptions": {"outDir": out}}})
        assert written_by(Folder(tmp_path, "web/app"), ()) == (claim,)


def test_build_info_follows_the_root_of_sources(tmp_path: Path) -> None:
    """Wherever polylane itself runs."""
    options = {"outDir": "dist", "rootDir": "..", "incremental": True, "noEmit": True}
    write(tmp_path, {"web/app/tsconfig.json": {"compilerOptions": options}})
    assert written_by(Folder(tmp_path, "web/app"), ()) == (
        "tsconfig.tsbuildinfo", "dist/tsconfig.tsbuildinfo", "dist/app/tsconfig.tsbuildinfo",
    )  # fmt: skip


def test_a_base_in_a_package_may_ask_for_build_info(tmp_path: Path) -> None:
    """It cannot be read, so that the file is claimed to be safe."""
    found = written(tmp_path, {"noEmit": True}, extends="@tsconfig/next/tsconfig.json")
    assert found == ("tsconfig.tsbuildinfo",)


def test_a_base_in_a_package_hides_where_output_goes(tmp_path: Path) -> None:
    """Unless the file itself says it."""
    assert written(tmp_path, {}, extends="@acme/tsconfig") is None


def test_a_circle_of_bases_is_unknown(tmp_path: Path) -> None:
    """Tsc refuses it."""
    assert written(tmp_path, {}, extends="./tsconfig.json") is None


def test_build_mode_follows_references(tmp_path: Path) -> None:
    """Each once, and those of other projects at their place in the workspace."""
    core = {
        "compilerOptions": {"outDir": "dist"},
        "references": [{"path": "../web/tsconfig.app.json"}],
    }
    files = {
        "web/tsconfig.json": {
            "files": [],
            "references": [{"path": "../core"}, {"path": "./tsconfig.app.json"}],
        },
        "web/tsconfig.app.json": {"compilerOptions": {"noEmit": True, "tsBuildInfoFile": "app"}},
        "core/tsconfig.json": core,
    }
    folder = Folder(write(tmp_path, files), "web")
    assert written_by(folder, ("-b",)) == (
        "/core/dist", "/core/tsconfig.tsbuildinfo", "/core/dist/tsconfig.tsbuildinfo", "app",
    )  # fmt: skip
    assert written_by(folder, ("-b", "../core", "--noEmit")) == (
        "/core/tsconfig.tsbuildinfo", "/core/dist/tsconfig.tsbuildinfo", "app",
    )  # fmt: skip
    assert written_by(folder, ()) == ()


def test_build_info_alone_is_no_output(tmp_path: Path) -> None:
    """A type check may write it."""
    write(tmp_path, {"tsconfig.json": {"compilerOptions": {"incremental": True, "outDir": "d"}}})
    folder = Folder(tmp_path, ".")
    assert not emits(folder, ("--noEmit",))
    assert emits(folder, ())
    assert emits(folder, ("--unheardOf",))
