"""Package managers: which one, how it installs, who belongs to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from polylane.describe.languages.base import Folder
from polylane.describe.languages.node.manager import (
    BUN,
    NPM,
    PNPM,
    YARN,
    YARN_1,
    YARN_PNP,
    Manager,
    home,
    installs,
    is_root,
    manager_of,
    member_patterns,
)  # fmt: skip
from tests.describe.node_project import describe, write

if TYPE_CHECKING:
    from pathlib import Path

BERRY = "__metadata:\n  version: 8\n"


@pytest.mark.parametrize(
    ("files", "manager"),
    [
        ({}, NPM),
        ({"package-lock.json": {}}, NPM),
        ({"npm-shrinkwrap.json": {}}, NPM),
        ({"pnpm-lock.yaml": ""}, PNPM),
        ({"bun.lock": ""}, BUN),
        ({"bun.lockb": ""}, BUN),
        ({"package-lock.json": {}, "bun.lock": ""}, BUN),
        ({"yarn.lock": "# yarn lockfile v1\n"}, YARN_1),
        ({"yarn.lock": BERRY}, YARN_PNP),
        ({"yarn.lock": BERRY, ".yarnrc.yml": "nodeLinker: node-modules\n"}, YARN),
        ({"yarn.lock": BERRY, ".yarnrc.yml": "nodeLinker: pnp\n"}, YARN_PNP),
        ({"package.json": {"packageManager": "yarn@1.22.22"}, ".yarnrc.yml": ""}, YARN_1),
        ({"package.json": {"packageManager": "yarn@4.1.0+sha224.ab"}}, YARN_PNP),
        ({"package.json": {"packageManager": "pnpm@9"}, "package-lock.json": {}}, PNPM),
        ({"package.json": {"packageManager": "cargo@1"}, "pnpm-lock.yaml": ""}, PNPM),
        ({"package.json": {"devEngines": {"packageManager": {"name": "bun"}}}}, BUN),
        ({"package.json": {"devEngines": {"packageManager": []}}}, NPM),
    ],
)
def test_the_manager_is_told_by_field_then_lockfile(
    tmp_path: Path, files: dict[str, Any], manager: Manager
) -> None:
    """``packageManager`` first, then the lockfile, then npm."""
    assert manager_of(Folder(write(tmp_path, files), ".")) is manager


def test_the_field_above_counts_for_a_member_with_a_stray_lockfile(tmp_path: Path) -> None:
    """A member of a workspace is installed by the workspace."""
    write(
        tmp_path,
        {
            "package.json": {"packageManager": "bun@1.3.4", "workspaces": ["packages/*"]},
            "packages/a/package.json": {"name": "a"},
            "packages/a/package-lock.json": {},
        },
    )
    assert manager_of(Folder(tmp_path, "packages/a")) is BUN


def test_a_folder_with_a_lockfile_of_its_own_uses_its_manager(tmp_path: Path) -> None:
    """Where it is no member of what lies above."""
    write(tmp_path, {"package.json": {"packageManager": "pnpm@9"}, "web/yarn.lock": "# v1"})
    assert manager_of(Folder(tmp_path, "web")) is YARN_1


def test_a_lockfile_above_counts(tmp_path: Path) -> None:
    """For a folder that says nothing itself."""
    write(tmp_path, {"pnpm-lock.yaml": "", "web/package.json": {"name": "w"}})
    assert manager_of(Folder(tmp_path, "web")) is PNPM


def test_locked_installs_need_a_lockfile(tmp_path: Path) -> None:
    """Without one, the plain install makes it."""
    assert installs(Folder(tmp_path, "."), NPM) == ("npm", "install")
    write(tmp_path, {"package-lock.json": {}})
    assert installs(Folder(tmp_path, "."), NPM) == ("npm", "ci")


@pytest.mark.parametrize(
    ("files", "patterns"),
    [
        ({"package.json": {"workspaces": ["a", "b/*"]}}, ("a", "b/*")),
        ({"package.json": {"workspaces": {"packages": ["a"]}}}, ("a",)),
        ({"package.json": {"workspaces": "a"}}, ()),
        ({"lerna.json": {"packages": ["libs/*"]}}, ("libs/*",)),
        (
            {
                "pnpm-workspace.yaml": "packages:\n  # ours\n  - 'a/*'\n\n  - \"b\"\n"
                "- c # d\ncatalog:\n  - no\n"
            },
            ("a/*", "b", "c"),
        ),
        ({"pnpm-workspace.yaml": "packages: [a, 'b/**']\nx: [c]\n"}, ("a", "b/**")),
        ({"pnpm-workspace.yaml": "onlyBuiltDependencies:\n  - esbuild\n"}, ()),
    ],
)
def test_the_folders_of_members_are_found(
    tmp_path: Path, files: dict[str, Any], patterns: tuple[str, ...]
) -> None:
    """In package.json, lerna.json and pnpm-workspace.yaml."""
    assert member_patterns(Folder(write(tmp_path, files), ".")) == patterns


@pytest.mark.parametrize(
    ("patterns", "path", "member"),
    [
        (["packages/*"], "packages/a", True),
        (["./packages/*/"], "packages/a", True),
        (["packages/*"], "packages/a/b", False),
        (["packages/**"], "packages/a/b", True),
        (["packages/**"], "packages", True),
        (["packages/*", "!packages/a"], "packages/a", False),
        (["web"], "web", True),
        (["web/x"], "web", False),
    ],
)
def test_a_member_is_installed_by_its_root(
    tmp_path: Path,
    patterns: list[str],
    path: str,
    member: bool,  # noqa: FBT001
) -> None:
    """Patterns of members match whole paths, and ``!`` takes away."""
    write(tmp_path, {"package.json": {"workspaces": patterns}})
    assert (home(Folder(tmp_path, path)).path == ".") is member


def test_a_workspace_may_lie_below_the_repository(tmp_path: Path) -> None:
    """Its members' paths are relative to it."""
    write(tmp_path, {"js/package.json": {"workspaces": ["apps/*"]}})
    assert home(Folder(tmp_path, "js/apps/web")).path == "js"


def test_runners_of_tasks_make_a_root_too(tmp_path: Path) -> None:
    """turbo.json lies where the packages of others are run from."""
    assert not is_root(Folder(tmp_path, "."))
    write(tmp_path, {"turbo.json": {}})
    assert is_root(Folder(tmp_path, "."))


@pytest.mark.parametrize(
    ("lock", "argv", "creates"),
    [
        ({"package-lock.json": {}}, ("npm", "ci"), "node_modules"),
        ({"pnpm-lock.yaml": ""}, ("pnpm", "install", "--frozen-lockfile"), "node_modules"),
        ({"yarn.lock": "# v1"}, ("yarn", "install", "--frozen-lockfile"), "node_modules"),
        ({"yarn.lock": BERRY}, ("yarn", "install", "--immutable"), ".pnp.cjs"),
        ({"bun.lock": ""}, ("bun", "install", "--frozen-lockfile"), "node_modules"),
    ],
)
def test_setup_installs_what_the_lockfile_says(
    tmp_path: Path, lock: dict[str, Any], argv: tuple[str, ...], creates: str
) -> None:
    """With each manager's own words for it."""
    found = describe(tmp_path, {"package.json": {"name": "p"}, **lock}).recipes[0]
    assert (found.verb, found.argv, found.creates) == ("setup", argv, (creates,))
    assert not found.takes_arguments


def test_setup_of_members_belongs_to_the_root(tmp_path: Path) -> None:
    """Only the folder with the lockfile installs."""
    files = {
        "package.json": {"name": "r", "workspaces": ["a"]},
        "a/package.json": {"name": "a", "dependencies": {"x": "1"}},
    }
    verbs = [recipe.verb for recipe in describe(tmp_path, files).recipes]
    below = [recipe.verb for recipe in describe(tmp_path, files, "a").recipes]
    assert ("setup" in verbs, "setup" in below) == (True, False)


def test_nothing_to_install_needs_no_setup(tmp_path: Path) -> None:
    """Neither a dependency nor a lockfile."""
    verbs = [recipe.verb for recipe in describe(tmp_path, {"package.json": {"name": "p"}}).recipes]
    assert verbs == ["clean"]
