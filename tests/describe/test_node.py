"""The Node language as a whole, on the shapes of real repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from polylane.describe.languages.base import Folder, Language
from polylane.describe.languages.node import LANGUAGE
from polylane.errors import UserError
from tests.describe.node_project import describe, recipes, write

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_a_language() -> None:
    """With the four names of the protocol."""
    assert isinstance(LANGUAGE, Language)
    assert (LANGUAGE.name, LANGUAGE.manifests) == ("node", ("package.json",))
    assert "node_modules" in LANGUAGE.skip


@pytest.mark.parametrize("manifest", [{}, {"type": "module"}])
def test_a_manifest_that_only_marks_modules_is_no_project(
    tmp_path: Path, manifest: dict[str, Any]
) -> None:
    """Such files lie in built folders."""
    write(tmp_path, {"package.json": manifest})
    assert LANGUAGE.describe(Folder(tmp_path, ".")) is None


def test_a_broken_manifest_is_said(tmp_path: Path) -> None:
    """In one line, with the file."""
    write(tmp_path, {"package.json": "{"})
    with pytest.raises(UserError, match=r"package\.json: .*mend the file"):
        LANGUAGE.describe(Folder(tmp_path, "."))


def test_packages_depend_on_each_other_by_name(tmp_path: Path) -> None:
    """Whatever the kind of dependency."""
    found = describe(
        tmp_path,
        {
            "package.json": {
                "name": "@acme/web",
                "dependencies": {"@acme/core": "workspace:*"},
                "devDependencies": {"eslint": "9"},
                "peerDependencies": {"react": "19"},
                "optionalDependencies": {"fsevents": "2"},
            }
        },
    )
    assert found.provides == ("@acme/web",)
    assert found.requires == ("@acme/core", "eslint", "react", "fsevents")


def test_a_package_without_a_name_provides_nothing(tmp_path: Path) -> None:
    """It is a project all the same."""
    assert describe(tmp_path, {"package.json": {"scripts": {}}}).provides == ()


def test_tests_need_builds(tmp_path: Path) -> None:
    """Their project's and those of what it depends on; checks only come after the latter."""
    found = recipes(
        tmp_path,
        {
            "scripts": {
                name: f"node {name}.js" for name in ("build", "lint", "type-check", "test", "docs")
            }
        },
    )
    order = {recipe.verb: (recipe.needs, recipe.after) for recipe in found.values()}
    assert order == {
        "build": (("^build",), ()),
        "lint": ((), ("^build",)),
        "type-check": ((), ("^build",)),
        "test": (("build", "^build"), ()),
        "docs": ((), ("^build",)),
        "clean": ((), ()),
    }


def test_clean_removes_what_tools_leave(tmp_path: Path) -> None:
    """And the output folder of tsconfig.json; a script called clean comes first."""
    found = recipes(tmp_path, {}, tsconfig__json={"compilerOptions": {"outDir": "lib"}})
    argv = found["clean:node"].argv
    assert argv[:3] == ("{python}", "-m", "polylane.tools.clean")
    assert {"dist", "coverage", "lib"} <= set(argv[3:])
    assert list(recipes(tmp_path, {"scripts": {"clean": "rm -rf lib"}})) == ["clean:npm"]


def test_the_environment_leads_with_the_nearest_programs(tmp_path: Path) -> None:
    """Up to the workspace, as npm has it."""
    found = LANGUAGE.environment(tmp_path, "packages/web")
    assert found.path_dirs == tuple(
        str(tmp_path / folder / "node_modules" / ".bin")
        for folder in ("packages/web", "packages", ".")
    )
    assert found.variables == ()
    assert len(LANGUAGE.environment(tmp_path, ".").path_dirs) == 1


def test_what_was_looked_at_is_known(tmp_path: Path) -> None:
    """The files of the folder and those above, missing ones too; nothing in node_modules."""
    write(
        tmp_path,
        {"package.json": {"name": "r", "workspaces": ["a"]}, "a/package.json": {"name": "a"}},
    )
    folder = Folder(tmp_path, "a")
    LANGUAGE.describe(folder)
    assert {"package.json", "a/package.json", "pnpm-workspace.yaml"} <= folder.read
    assert not any("node_modules" in name for name in folder.read)


def test_a_workspace_of_servers(tmp_path: Path) -> None:
    """Npm workspaces with TypeScript members, whose root only delegates."""
    server = {
        "name": "@acme/server-a",
        "scripts": {
            "build": "tsc && shx cp -r docs dist/ && shx chmod +x dist/*.js",
            "prepare": "npm run build",
            "watch": "tsc --watch",
            "prettier:fix": "prettier --write .",
            "prettier:check": "prettier --check .",
            "test": "vitest run --coverage",
        },
        "devDependencies": {"prettier": "^2.8.8", "shx": "1", "typescript": "^5.6", "vitest": "^4"},
    }
    files = {
        "package.json": {
            "name": "servers",
            "workspaces": ["src/*"],
            "scripts": {
                "build": "npm run build --workspaces",
                "watch": "npm run watch --workspaces",
            },
        },
        "package-lock.json": {},
        "tsconfig.json": {"compilerOptions": {"strict": True}},
        "src/a/package.json": server,
        "src/a/tsconfig.json": {
            "extends": "../../tsconfig.json",
            "compilerOptions": {"outDir": "./dist"},
        },
        "src/a/.prettierignore": "dist\n",
    }
    root, member = describe(tmp_path, files), describe(tmp_path, files, "src/a")
    assert [(r.verb, r.argv[0]) for r in root.recipes if not r.audit] == [
        ("setup", "npm"),
        ("clean", "{python}"),
    ]
    assert root.left_out == (("build script of package.json", "delegates to the workspaces"),)
    assert [(f"{r.verb}:{r.tool}", r.argv) for r in member.recipes[:-1]] == [
        ("format:prettier", ("prettier", "--write", ".")),
        ("build:npm", ("npm", "run", "--silent", "build")),
        ("test:vitest", ("vitest", "run", "--coverage")),
        ("lint:prettier", ("prettier", "--check", ".")),
        ("type-check:tsc", ("tsc", "--noEmit")),
    ]


def test_a_workspace_run_by_bun_and_turbo(tmp_path: Path) -> None:
    """Members with a pretest script, unquoted globs, a stray lockfile, and a Python package."""
    member = {
        "name": "@acme/coordinator",
        "scripts": {
            "build": "tsc",
            "dev": "tsc --watch",
            "pretest": "bun run lint && bun run format",
            "test": "vitest",
            "test:unit": "vitest run",
            "test:integration": "vitest run --config vitest.integration.config.ts",
            "test:security": "bun audit",
            "lint": "eslint src/**/*.ts",
            "format": "prettier --write src/**/*.ts",
            "type-check": "tsc --noEmit",
        },
        "devDependencies": {
            "eslint": "^9",
            "prettier": "^3.7",
            "typescript": "^5.9",
            "vitest": "^4",
        },
    }
    files = {
        "package.json": {
            "name": "kit",
            "packageManager": "bun@1.3.4",
            "workspaces": ["packages/*", "config/*"],
            "scripts": {
                "build": "turbo run build",
                "test": "turbo run test",
                "format": "turbo run format --",
            },
        },
        "bun.lock": "",
        "turbo.json": {},
        "packages/coordinator/package.json": member,
        "packages/coordinator/package-lock.json": {},
        "packages/coordinator/tsconfig.json": '{"compilerOptions": {"outDir": "dist",}} // x',
        "packages/config/package.json": {
            "name": "@acme/config",
            "scripts": {
                "build": "echo 'no build step required'",
                "test": "cd ../../ && uv run python -m pytest packages/config/",
            },
        },
    }
    root = describe(tmp_path, files)
    assert [recipe.argv for recipe in root.recipes[:1]] == [("bun", "install", "--frozen-lockfile")]
    assert len(root.left_out) == 3
    found = {
        f"{r.verb}:{r.tool}": r for r in describe(tmp_path, files, "packages/coordinator").recipes
    }
    assert {key: recipe.argv for key, recipe in found.items() if key != "clean:node"} == {
        "format:bun": ("bun", "run", "--silent", "format"),
        "build:tsc": ("tsc",),
        "lint:bun": ("bun", "run", "--silent", "lint"),
        "type-check:tsc": ("tsc", "--noEmit"),
        "test:bun": ("bun", "run", "test", "--run"),
        "test-unit:vitest": ("vitest", "run"),
        "test-integration:vitest": ("vitest", "run", "--config", "vitest.integration.config.ts"),
        "security:bun": ("bun", "run", "test:security"),
    }
    assert (found["build:tsc"].writes, found["type-check:tsc"].writes) == (("dist",), ())
    (python, _) = describe(tmp_path, files, "packages/config").recipes
    assert (python.verb, python.writes) == ("test", ("/**",))
