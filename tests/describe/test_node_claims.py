"""What the known programs are claimed to read, write and cache, and which files they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.describe.node_project import describe, recipes

if TYPE_CHECKING:
    from pathlib import Path

    from polylane.model import Recipe

MODULES = "!**/node_modules/**"


def lint(workspace: Path, body: str, package: str, version: str = "9", **files: Any) -> Recipe:
    manifest = {"scripts": {"lint": body}, "devDependencies": {package: version}}
    return next(
        recipe
        for key, recipe in recipes(workspace, manifest, **files).items()
        if key.startswith("lint:")
    )


def test_eslint_reads_all_but_node_modules(tmp_path: Path) -> None:
    """And the types of what the project depends on; its cache is no output."""
    found = lint(tmp_path, "eslint .", "eslint")
    assert (found.reads, found.writes) == (("**", MODULES, "^**"), ())
    assert found.caches == ("node_modules/.cache",)


@pytest.mark.parametrize(
    ("words", "cache"),
    [("--cache", ".eslintcache"), ("--cache --cache-location=.c/e", ".c/e")],
)
def test_eslints_cache_lies_where_it_says(tmp_path: Path, words: str, cache: str) -> None:
    """By default in the project."""
    assert lint(tmp_path, f"eslint {words} .", "eslint").caches[-1] == cache


def test_eslint_that_mends_writes_what_it_reads(tmp_path: Path) -> None:
    """A lint script may do that."""
    found = lint(tmp_path, "eslint --fix .", "eslint")
    assert (found.writes, found.fix_argv) == (("**", MODULES), ())


@pytest.mark.parametrize(
    ("version", "words", "files", "ignores"),
    [
        ("^8.57", "", {}, True),
        ("^9.0", "", {}, False),
        ("latest", "", {}, False),
        ("^8.57", "--no-ignore", {}, False),
        ("^8.57", "--ignore-path .x", {}, False),
        ("^8.57", "", {"eslint__config__js": ""}, False),
    ],
)
def test_only_old_eslint_obeys_its_ignore_file(
    tmp_path: Path,
    version: str,
    words: str,
    files: dict[str, str],
    ignores: bool,  # noqa: FBT001
) -> None:
    """Version 9 and flat configurations don't."""
    found = lint(tmp_path, f"eslint {words} .", "eslint", version, __eslintignore="gen/\n", **files)
    assert ("!**/gen/**" in (found.reads or ())) is ignores


def test_a_flat_configuration_above_counts(tmp_path: Path) -> None:
    """Eslint looks for it there, and reads it."""
    manifest = {"name": "a", "scripts": {"lint": "eslint ."}, "devDependencies": {"eslint": "8"}}
    files = {"eslint.config.mjs": "", "a/package.json": manifest, "a/.eslintignore": "gen/"}
    (found,) = (r for r in describe(tmp_path, files, "a").recipes if r.verb == "lint")
    assert found.reads == ("**", MODULES, "/eslint.config.mjs", "^**")


@pytest.mark.parametrize(
    ("version", "words", "away"),
    [
        ("^3.7.4", "", ["!**/node_modules/**", "!**/dist/**", "!**/coverage/**"]),
        ("^2.8.8", "", ["!**/node_modules/**", "!**/dist/**"]),
        ("latest", "", ["!**/node_modules/**", "!**/dist/**"]),
        ("^3", "--with-node-modules", ["!**/dist/**", "!**/coverage/**"]),
        ("^3", "--ignore-path .x", ["!**/node_modules/**"]),
    ],
)
def test_prettier_obeys_the_ignore_files_of_its_version(
    tmp_path: Path, version: str, words: str, away: list[str]
) -> None:
    """Version 3 began to obey .gitignore: before, it reads a ``coverage`` folder there."""
    found = lint(
        tmp_path, f"prettier {words} --check .", "prettier", version,
        __prettierignore="dist/\n", __gitignore="coverage/\n",
    )  # fmt: skip
    assert list(found.reads or ())[1:] == away
    assert found.writes == ()


def test_prettier_that_formats_writes_what_it_reads(tmp_path: Path) -> None:
    """All that it does not ignore."""
    found = recipes(
        tmp_path, {"scripts": {"format": "prettier -w ."}, "devDependencies": {"prettier": "3"}}
    )["format:prettier"]
    assert found.reads == found.writes == ("**", MODULES)


def test_prettier_obeys_no_ignore_file_above(tmp_path: Path) -> None:
    """But reads configurations there."""
    manifest = {
        "name": "a",
        "scripts": {"style": "prettier -c ."},
        "devDependencies": {"prettier": "3"},
    }
    files = {
        ".gitignore": "dist",
        ".prettierrc": "{}",
        ".editorconfig": "",
        "x/a/package.json": manifest,
    }
    (found,) = (r for r in describe(tmp_path, files, "x/a").recipes if r.verb == "lint")
    assert found.reads == ("**", MODULES, "/.editorconfig", "/.prettierrc")


@pytest.mark.parametrize(
    ("config", "ignores"),
    [
        ('{ // c\n "vcs": {"enabled": true, "useIgnoreFile": true}}', True),
        ('{"vcs": {"enabled": false, "useIgnoreFile": true}}', False),
        ("{}", False),
    ],
)
def test_biome_obeys_gitignore_only_where_told(
    tmp_path: Path,
    config: str,
    ignores: bool,  # noqa: FBT001
) -> None:
    """By its configuration."""
    found = lint(
        tmp_path, "biome check .", "@biomejs/biome", biome__jsonc=config, __gitignore="dist/"
    )
    assert ("!**/dist/**" in (found.reads or ())) is ignores


@pytest.mark.parametrize(
    ("config", "writes"),
    [({"compilerOptions": {"outDir": "lib"}}, ("lib",)), ({"compilerOptions": {}}, None)],
)
def test_a_build_by_tsc_writes_its_output(
    tmp_path: Path, config: dict[str, Any], writes: tuple[str, ...] | None
) -> None:
    """Or is unknown where tsconfig.json does not say it."""
    manifest = {"scripts": {"build": "tsc"}, "devDependencies": {"typescript": "5"}}
    found = recipes(tmp_path, manifest, tsconfig__json=config)["build:tsc"]
    assert found.writes == writes
    assert found.reads == (None if writes is None else ("**", MODULES, "^**"))


@pytest.mark.parametrize(
    ("body", "files", "more", "writes"),
    [
        ("typedoc", {}, {}, ("docs",)),
        ("typedoc --out ./api", {}, {}, ("api",)),
        ("typedoc --out ../api", {}, {}, None),
        ("typedoc --json a.json", {}, {}, None),
        ("typedoc", {"typedoc__json": {"out": "site"}}, {}, ("site",)),
        ("typedoc", {"typedoc__json": {"outputs": []}}, {}, None),
        ("typedoc", {"typedoc__config__js": ""}, {}, None),
        ("typedoc", {}, {"typedocOptions": {"out": "here"}}, ("here",)),
    ],
)
def test_typedoc_writes_its_out_folder(
    tmp_path: Path,
    body: str,
    files: dict[str, Any],
    more: dict[str, Any],
    writes: tuple[str, ...] | None,
) -> None:
    """As its words or its configuration say, where that is data."""
    manifest = {"scripts": {"docs": body}, "devDependencies": {"typedoc": "0.28"}, **more}
    assert recipes(tmp_path, manifest, **files)["docs:typedoc"].writes == writes


def test_tests_have_the_safe_default(tmp_path: Path) -> None:
    """They may write anywhere in their project."""
    manifest = {"scripts": {"test": "vitest run"}, "devDependencies": {"vitest": "3"}}
    found = recipes(tmp_path, manifest)["test:vitest"]
    assert (found.reads, found.writes) == (None, None)


# Changed files in place of the last word


@pytest.mark.parametrize(
    ("body", "argv", "fix"),
    [
        ("eslint .", "eslint .", "eslint --fix ."),
        ("eslint . --ext .js,ts", "eslint --ext .js,ts .", "eslint --ext .js,ts --fix ."),
        ("eslint . --cache", "eslint --cache .", "eslint --cache --fix ."),
        ("prettier . --check", "prettier --check .", "prettier --write ."),
        ("prettier -l .", "prettier -l .", "prettier --write ."),
        (
            "biome ci --no-errors-on-unmatched .",
            "biome ci --no-errors-on-unmatched .",
            "biome check --no-errors-on-unmatched --write .",
        ),
    ],
)
def test_the_whole_folder_is_the_last_word(tmp_path: Path, body: str, argv: str, fix: str) -> None:
    """So that changed files can stand in its place, in the check and in what mends."""
    package = {"biome": "@biomejs/biome"}.get(body.split(maxsplit=1)[0], body.split(maxsplit=1)[0])
    found = lint(tmp_path, body, package)
    assert (found.argv, found.fix_argv) == (tuple(argv.split()), tuple(fix.split()))
    assert ".js" in found.file_endings


@pytest.mark.parametrize(
    "body",
    [
        "eslint src",
        "eslint . ../shared",
        "eslint",
        "eslint --max-warnings 0 .",
        "eslint --max-warnings=0 .",
        "eslint -c .",
        "biome check .",
    ],
)
def test_where_files_would_be_another_check_it_takes_none(tmp_path: Path, body: str) -> None:
    """Other targets, or tools that fail on files which they ignore."""
    package = {"biome": "@biomejs/biome"}.get(body.split(maxsplit=1)[0], body.split(maxsplit=1)[0])
    assert lint(tmp_path, body, package).file_endings == ()


@pytest.mark.parametrize(
    ("body", "version", "endings"),
    [
        ("eslint --ext .js,vue .", "^8", (".js", ".vue")),
        ("eslint .", "^8", (".js",)),
        ("eslint .", "^9", (".js", ".mjs", ".cjs", ".jsx")),
        ("eslint --max-warnings 0 --no-warn-ignored .", "^9", (".js", ".mjs", ".cjs", ".jsx")),
    ],
)
def test_eslint_takes_what_it_would_have_found(
    tmp_path: Path, body: str, version: str, endings: tuple[str, ...]
) -> None:
    """Version 8 checks files that are named, though it would not have found them."""
    assert lint(tmp_path, body, "eslint", version).file_endings == endings


def test_eslint_takes_typescript_where_it_is_used(tmp_path: Path) -> None:
    """By what the package depends on."""
    manifest = {
        "scripts": {"lint": "eslint ."},
        "devDependencies": {"eslint": "9", "typescript": "5"},
    }
    assert ".ts" in recipes(tmp_path, manifest)["lint:eslint"].file_endings


def test_mending_is_offered_for_checks_only(tmp_path: Path) -> None:
    """Oxlint mends too; svelte-check cannot."""
    found = lint(tmp_path / "a", "oxlint .", "oxlint")
    other = lint(tmp_path / "b", "svelte-check .", "svelte-check")
    assert (found.fix_argv, other.fix_argv) == (("oxlint", "--fix", "."), ())


def test_prettier_may_find_its_configuration_in_a_manifest_above(tmp_path: Path) -> None:
    """It looks for its key there, and reads the file whether or not it has one."""
    manifest = {
        "name": "a",
        "scripts": {"format:check": "prettier --check ."},
        "devDependencies": {"prettier": "2"},
    }
    files = {"package.json": {"name": "top"}, "a/package.json": manifest}
    (found,) = (r for r in describe(tmp_path, files, "a").recipes if r.verb == "lint")
    assert found.reads == ("**", MODULES, "/package.json")
