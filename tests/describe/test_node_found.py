"""Tools that a package uses without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.describe.node_project import describe, recipes, write

if TYPE_CHECKING:
    from pathlib import Path


def found(workspace: Path, *depends: str, **files: Any) -> list[str]:
    manifest = {"devDependencies": dict.fromkeys(depends, "^9")}
    return [
        f"{key} {' '.join(recipe.argv)}"
        for key, recipe in recipes(workspace, manifest, **files).items()
        if recipe.verb not in {"setup", "clean"}
    ]


@pytest.mark.parametrize(
    ("depends", "files", "tasks"),
    [
        (["eslint"], {"eslint__config__js": ""}, ["lint:eslint eslint ."]),
        (["eslint"], {"__eslintrc__json": {}}, ["lint:eslint eslint ."]),
        (["eslint"], {}, []),
        ([], {"eslint__config__js": ""}, []),
        (
            ["prettier"],
            {"__prettierrc": "{}"},
            ["lint:prettier prettier --check .", "format:prettier prettier --write ."],
        ),
        (
            ["@biomejs/biome"],
            {"biome__json": {}},
            [
                "lint:biome biome check --no-errors-on-unmatched .",
                "format:biome biome format --write --no-errors-on-unmatched .",
            ],
        ),
        (["typescript"], {"tsconfig__json": {}}, ["type-check:tsc tsc --noEmit"]),
        (["typescript"], {}, []),
        (
            ["vue-tsc", "typescript"],
            {"tsconfig__json": {}},
            ["type-check:vue-tsc vue-tsc --noEmit"],
        ),
        (["vitest"], {}, ["test:vitest vitest run"]),
        (["jest", "mocha"], {}, ["test:jest jest"]),
        (["mocha"], {}, ["test:mocha mocha"]),
        (["typedoc"], {"typedoc__json": {}}, ["docs:typedoc typedoc"]),
        (["typedoc"], {}, []),
        ([], {"a__test__js": ""}, ["test:node node --test"]),
        (["tap-runner"], {"test/b__test__mjs": ""}, ["test:node node --test"]),
        ([], {"test/helper.js": ""}, []),
    ],
)
def test_what_is_depended_on_and_configured_is_used(
    tmp_path: Path, depends: list[str], files: dict[str, Any], tasks: list[str]
) -> None:
    """Test runners need no configuration; the others do."""
    assert found(tmp_path, *depends, **files) == tasks


def test_a_script_of_the_verb_speaks_for_it(tmp_path: Path) -> None:
    """Nothing is added to what the project says itself."""
    manifest = {
        "scripts": {"lint": "eslint .", "test": "echo none", "type-check": "node t.js"},
        "devDependencies": {"eslint": "9", "vitest": "3", "prettier": "3", "typescript": "5"},
    }
    keys = recipes(tmp_path, manifest, __prettierrc="{}", tsconfig__json={}).keys()
    assert [key for key in keys if key.startswith(("lint", "test", "type"))] == [
        "lint:eslint", "type-check:npm",
    ]  # fmt: skip


def test_a_format_check_by_script_is_not_added_again(tmp_path: Path) -> None:
    """But another lint tool is."""
    manifest = {
        "scripts": {"format:check": "prettier --check src"},
        "devDependencies": {"prettier": "3", "eslint": "9"},
    }
    files = {"__prettierrc": "{}", "eslint__config__js": ""}
    keys = recipes(tmp_path, manifest, **files).keys()
    assert [key for key in keys if "lint" in key] == ["lint:prettier", "lint:eslint"]


@pytest.mark.parametrize(
    ("body", "argv"),
    [
        ("prettier --write src", ("prettier", "--check", "src")),
        ("prettier --write src/*.ts", None),
        ("node format.js", None),
    ],
)
def test_the_check_checks_what_the_script_formats(
    tmp_path: Path, body: str, argv: tuple[str, ...] | None
) -> None:
    """Checking more would fail on files that nobody formats."""
    manifest = {"scripts": {"format": body}, "devDependencies": {"prettier": "3"}}
    task = recipes(tmp_path, manifest, __prettierrc="{}").get("lint:prettier")
    assert (task.argv if task else None) == argv


def test_tools_of_the_folder_above_count(tmp_path: Path) -> None:
    """A workspace's packages use what its root depends on."""
    files = {
        "package.json": {
            "name": "r",
            "devDependencies": {"typescript": "^5.5"},
            "workspaces": ["a"],
        },
        "a/package.json": {"name": "a"},
        "a/tsconfig.json": {"compilerOptions": {"outDir": "dist"}},
    }
    assert [recipe.tool for recipe in describe(tmp_path, files, "a").recipes] == ["tsc", "node"]


def test_a_runner_of_the_root_is_no_test_of_the_root(tmp_path: Path) -> None:
    """It is there for the packages."""
    manifest = {"workspaces": ["a"], "devDependencies": {"vitest": "3"}}
    assert "test:vitest" not in recipes(tmp_path / "a", manifest)
    assert "test:vitest" in recipes(tmp_path / "b", manifest, vitest__config__ts="")


def test_the_base_of_a_workspaces_tsconfigs_is_no_type_check(tmp_path: Path) -> None:
    """Its packages extend it; the plan says so, once."""
    manifest = {
        "name": "r",
        "workspaces": ["a"],
        "devDependencies": {"typescript": "5.9", "vue-tsc": "3"},
    }
    files = {"package.json": manifest, "tsconfig.json": {"include": ["src"]}}
    found = describe(tmp_path, files)
    assert [recipe.verb for recipe in found.recipes] == ["setup", "clean"]
    assert found.left_out == (
        ("tsconfig.json of a workspace of packages", "its packages extend it"),
    )


@pytest.mark.parametrize(
    ("version", "argv"),
    [("~5.7.2", ("tsc", "-b", "--noEmit")), ("latest", ("tsc", "-b", "--noEmit")), ("^5.5", None)],
)
def test_a_tsconfig_of_references_is_checked_by_build_mode(
    tmp_path: Path, version: str, argv: tuple[str, ...] | None
) -> None:
    """``tsc --noEmit`` would check nothing; TypeScript before 5.6 would build."""
    write(tmp_path, {"tsconfig.app.json": {"compilerOptions": {"noEmit": True}}})
    config = {"files": [], "references": [{"path": "./tsconfig.app.json"}]}
    manifest = {"devDependencies": {"typescript": version}}
    task = recipes(tmp_path, manifest, tsconfig__json=config).get("type-check:tsc")
    assert (task.argv if task else None) == argv
    assert task is None or task.writes == ("tsconfig.app.tsbuildinfo",)


def test_without_node_modules_the_manager_starts_tools(tmp_path: Path) -> None:
    """Yarn's Plug'n'Play has no folder of programs."""
    manifest = {"devDependencies": {"eslint": "9"}, "packageManager": "yarn@4.1.0"}
    task = recipes(tmp_path, manifest, eslint__config__js="")["lint:eslint"]
    assert task.argv == ("yarn", "run", "eslint", ".")
    assert task.fix_argv == ("yarn", "run", "eslint", "--fix", ".")


@pytest.mark.parametrize(
    ("lock", "command"),
    [
        ("package-lock.json", "npm audit"),
        ("pnpm-lock.yaml", "pnpm audit"),
        ("bun.lock", "bun audit"),
        ("yarn.lock", "yarn audit"),
    ],
)
def test_an_audit_is_offered_where_the_lockfile_lies(
    tmp_path: Path, lock: str, command: str
) -> None:
    """It asks a service, so that it waits for `audit = true`; a member has no lockfile."""
    root = {"name": "root", "workspaces": ["a"]}
    files = {"package.json": root, lock: "", "a/package.json": {"name": "a"}}
    (audit,) = [recipe for recipe in describe(tmp_path, files).recipes if recipe.audit]
    assert " ".join(audit.argv) == command
    assert not [recipe for recipe in describe(tmp_path, files, "a").recipes if recipe.audit]
