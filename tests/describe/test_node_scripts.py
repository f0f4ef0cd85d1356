"""Which scripts become which verbs, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.describe.node_project import describe, recipes, scripts

if TYPE_CHECKING:
    from pathlib import Path


def left_out(workspace: Path, bodies: dict[str, str], **more: Any) -> dict[str, str]:
    found = describe(workspace, {"package.json": {"name": "p", "scripts": bodies, **more}})
    return {what.removesuffix(" script of package.json"): why for what, why in found.left_out}


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("lint", "lint"),
        ("fmt", "format"),
        ("typecheck", "type-check"),
        ("check-types", "type-check"),
        ("build", "build"),
        ("test", "test"),
        ("test:unit", "test-unit"),
        ("test-integration", "test-integration"),
        ("audit", "security"),
        ("build:docs", "docs"),
        ("clean", "clean"),
    ],
)
def test_usual_names_are_verbs(tmp_path: Path, name: str, verb: str) -> None:
    """Whatever the script does."""
    found = scripts(tmp_path, {name: "make it | tee log"})
    assert found[f"{verb}:npm"].argv == ("npm", "run", "--silent", name)


def test_the_first_usual_name_is_taken(tmp_path: Path) -> None:
    """One script a verb."""
    found = scripts(tmp_path, {"typecheck": "a", "type-check": "b", "compile": "c", "build": "d"})
    assert {recipe.argv[3] for key, recipe in found.items() if "clean" not in key} == {
        "type-check", "build",
    }  # fmt: skip


def test_a_known_program_is_called_directly(tmp_path: Path) -> None:
    """With its words and its variables: the manager costs 150-360 ms."""
    found = scripts(tmp_path, {"test": "NODE_ENV=test jest --ci"}, "jest")["test:jest"]
    assert (found.argv, found.env) == (("jest", "--ci"), (("NODE_ENV", "test"),))
    assert found.takes_arguments


def test_an_unknown_program_goes_through_the_manager(tmp_path: Path) -> None:
    """It may read what the manager sets; words reach it behind npm's ``--``."""
    found = scripts(tmp_path, {"build": "node build.js"})["build:npm"]
    assert found.argv == ("npm", "run", "--silent", "build", "--")
    assert (found.reads, found.writes, found.takes_arguments) == (None, None, True)


def test_a_program_that_is_no_dependency_goes_through_the_manager(tmp_path: Path) -> None:
    """Where it comes from is then unknown."""
    assert scripts(tmp_path, {"lint": "eslint ."})["lint:npm"].argv[0] == "npm"


def test_a_script_with_a_script_before_or_after_it_goes_through_the_manager(tmp_path: Path) -> None:
    """Which runs both; what they do together is unknown."""
    found = scripts(tmp_path, {"lint": "eslint .", "prelint": "npm run gen"}, "eslint")["lint:npm"]
    assert (found.argv, found.reads) == (("npm", "run", "lint", "--"), None)


def test_a_configuration_that_reads_the_managers_variables_needs_it(tmp_path: Path) -> None:
    """Such as the version in a Vite configuration."""
    found = recipes(
        tmp_path,
        {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}},
        vite__config__ts="define: { v: process.env.npm_package_version }",
    )
    assert found["build:npm"].argv == ("npm", "run", "--silent", "build", "--")


def test_globs_that_a_shell_expands_go_through_the_manager(tmp_path: Path) -> None:
    """But what the program reads is known all the same."""
    found = scripts(tmp_path, {"lint": "eslint src/**/*.ts"}, "eslint")["lint:npm"]
    assert found.argv == ("npm", "run", "--silent", "lint", "--")
    assert found.writes == ()


def test_a_chain_takes_no_words(tmp_path: Path) -> None:
    """They would reach its last command only."""
    found = scripts(tmp_path, {"build": "tsc && node fix.js"}, "typescript")["build:npm"]
    assert (found.argv, found.takes_arguments) == (("npm", "run", "--silent", "build"), False)


def test_managers_inside_a_script_are_not_silenced(tmp_path: Path) -> None:
    """A silent npm makes the npm below it silent about why it failed."""
    found = scripts(tmp_path, {"build": "npm run a && npm run b"})["build:npm"]
    assert found.argv == ("npm", "run", "build")


def test_what_only_a_shell_understands_goes_through_the_manager(tmp_path: Path) -> None:
    """It may call managers, so that nothing is silenced, and takes no words."""
    found = scripts(tmp_path, {"build": "node build.js 'it"})["build:npm"]
    assert (found.argv, found.takes_arguments) == (("npm", "run", "build"), False)


def test_work_in_folders_outside_is_a_barrier(tmp_path: Path) -> None:
    """A script that goes up touches other projects."""
    found = scripts(tmp_path, {"test": "cd ../.. && uv run pytest a/"})["test:npm"]
    assert (found.reads, found.writes) == (("/**",), ("/**",))


def test_npms_placeholder_is_no_test(tmp_path: Path) -> None:
    """It says so itself."""
    body = 'echo "Error: no test specified" && exit 1'
    assert "test:npm" not in scripts(tmp_path, {"test": body})


def test_scripts_that_only_print_are_left_out(tmp_path: Path) -> None:
    """They pass without doing anything."""
    assert left_out(tmp_path, {"build": "echo 'no build step'", "lint": "exit 0"}) == {
        "build": "only prints a line",
        "lint": "only prints a line",
    }


def test_scripts_that_are_no_text_are_ignored(tmp_path: Path) -> None:
    """package.json is written by hand."""
    assert list(recipes(tmp_path, {"scripts": {"build": 1}})) == ["clean:node"]


# Format checks


@pytest.mark.parametrize(
    ("body", "package"),
    [
        ("prettier --check .", "prettier"),
        ("prettier -l .", "prettier"),
        ("biome check --no-errors-on-unmatched .", "@biomejs/biome"),
    ],
)
@pytest.mark.parametrize("name", ["format:check", "check-format", "prettier:check", "format"])
def test_a_format_check_is_lint(tmp_path: Path, name: str, body: str, package: str) -> None:
    """Even where its script is called ``format``."""
    found = scripts(tmp_path, {name: body}, package)
    verbs = [key.partition(":")[0] for key in found]
    assert (verbs.count("lint"), verbs.count("format")) == (1, 0)


def test_a_format_script_that_writes_is_format(tmp_path: Path) -> None:
    """And the check beside it is lint, under the program's name."""
    found = scripts(
        tmp_path,
        {"prettier:fix": "prettier --write .", "prettier:check": "prettier --check ."},
        "prettier",
    )
    assert found["format:prettier"].argv == ("prettier", "--write", ".")
    assert found["lint:prettier"].fix_argv == ("prettier", "--write", ".")


def test_a_check_that_writes_is_none(tmp_path: Path) -> None:
    """Whatever it is called."""
    assert "lint:prettier" not in scripts(tmp_path, {"style": "prettier --write ."}, "prettier")


def test_a_check_that_lint_runs_is_not_run_twice(tmp_path: Path) -> None:
    """Lint's own scripts are followed, through others too."""
    bodies = {
        "lint": "npm run lint:all && node more.js",
        "lint:all": "run-s format:check lint:all",
        "format:check": "prettier --check .",
    }
    assert [key for key in scripts(tmp_path, bodies, "prettier") if "lint" in key] == ["lint:npm"]


def test_a_delegated_check_is_left_out(tmp_path: Path) -> None:
    """The packages below have their own."""
    found = left_out(tmp_path, {"format:check": "turbo run format:check"}, workspaces=["a"])
    assert found == {"format:check": "delegates to the workspaces"}


def test_tools_of_one_verb_have_unique_names(tmp_path: Path) -> None:
    """The second gets its script's name."""
    found = scripts(tmp_path, {"lint": "a | b", "format:check": "c | d"})
    assert [key for key in found if "lint" in key] == ["lint:npm", "lint:npm-format-check"]


# Lint made of other scripts


@pytest.mark.parametrize(
    "lint",
    ["npm run lint:a && npm run lint:b", "run-p lint:*", "npm-run-all -p lint:a lint:b"],
)
def test_a_lint_of_other_scripts_is_taken_apart(tmp_path: Path, lint: str) -> None:
    """So that its parts run side by side, with what is known of each."""
    bodies = {"lint": lint, "lint:a": "eslint .", "lint:b": "node check.js", "lint:b:fix": "x"}
    found = scripts(tmp_path, bodies, "eslint")
    assert [key for key in found if "lint" in key] == ["lint:eslint", "lint:npm"]


@pytest.mark.parametrize("part", ["eslint --fix .", "eslint 'open", "nodemon", "echo hi"])
def test_a_lint_with_a_part_that_is_no_check_stays_whole(tmp_path: Path, part: str) -> None:
    """Its order may matter."""
    found = scripts(tmp_path, {"lint": "npm run lint:a", "lint:a": part}, "eslint")
    assert found["lint:npm"].argv == ("npm", "run", "lint", "--")


def test_several_patterns_must_all_name_scripts(tmp_path: Path) -> None:
    """Else npm-run-all fails, and so does the task."""
    found = scripts(tmp_path, {"lint": "run-s lint:a nope", "lint:a": "eslint ."}, "eslint")
    assert found["lint:npm"].argv == ("npm", "run", "--silent", "lint", "--")


# Type checks


def test_a_script_called_tsc_is_a_type_check_only_where_it_emits_nothing(tmp_path: Path) -> None:
    """Else it is a build under another name."""
    emitting = scripts(tmp_path / "a", {"tsc": "tsc -p ."}, "typescript")
    checking = recipes(
        tmp_path / "b",
        {"scripts": {"types": "tsc --noEmit"}, "devDependencies": {"typescript": "5"}},
        tsconfig__json={},
    )
    unclear = scripts(tmp_path / "c", {"types": "node gen-types.js"})
    assert "type-check:tsc" not in emitting
    assert checking["type-check:tsc"].argv == ("tsc", "--noEmit")
    assert not any("type-check" in key for key in unclear)


# Watch modes


@pytest.mark.parametrize(
    ("body", "argv"),
    [
        ("vitest", ("vitest", "run")),
        ("vitest --coverage", ("vitest", "run", "--coverage")),
        ("vitest --watch --coverage", ("vitest", "run", "--coverage")),
        ("vitest watch", ("vitest", "run")),
        ("vitest run", ("vitest", "run")),
        ("vitest --run", ("vitest", "--run")),
        ("jest --watch --ci", ("jest", "--ci")),
        ("jest --watchAll", ("jest",)),
        ("mocha -w", ("mocha",)),
    ],
)
def test_a_test_runner_runs_once(tmp_path: Path, body: str, argv: tuple[str, ...]) -> None:
    """Its watch mode is taken away."""
    found = scripts(tmp_path, {"test": body}, body.split(maxsplit=1)[0])
    assert found[f"test:{argv[0]}"].argv == argv


@pytest.mark.parametrize(
    ("body", "argv"),
    [
        ("tsc && vitest", ("npm", "run", "--silent", "test", "--", "--run")),
        ("react-scripts test", ("npm", "run", "--silent", "test", "--", "--watchAll=false")),
        ("ng test", ("npm", "run", "--silent", "test", "--", "--watch=false")),
        ("ng test --watch=false", ("npm", "run", "--silent", "test", "--")),
    ],
)
def test_a_manager_passes_the_words_that_end_a_watch_mode(
    tmp_path: Path, body: str, argv: tuple[str, ...]
) -> None:
    """To the last command of the script, where it belongs."""
    assert scripts(tmp_path, {"test": body})["test:npm"].argv == argv


@pytest.mark.parametrize(
    "body",
    [
        "tsc --watch",
        "tsc -w && node x.js",
        "vite",
        "vite dev",
        "nodemon src/x.js",
        "next dev",
        "vitest && node report.js",
        "jest --watch && node report.js",
        "jest --watch src/*",
        "node --watch x.js",
    ],
)
def test_what_never_ends_is_left_out(tmp_path: Path, body: str) -> None:
    """Where it cannot be made to run once."""
    found = left_out(tmp_path, {"build": body}, devDependencies={"jest": "30"})
    assert found == {"build": "starts a watch mode or a server"}


def test_a_build_of_a_server_ends(tmp_path: Path) -> None:
    """Whatever stands before the word."""
    found = scripts(tmp_path, {"build": "vite --mode test build"}, "vite")
    assert found["build:vite"].argv == ("vite", "--mode", "test", "build")


def test_the_next_name_is_tried_after_a_watch_mode(tmp_path: Path) -> None:
    """``docs`` is often a server, and ``docs:build`` is not."""
    found = scripts(tmp_path, {"test": "nodemon", "test:run": "node t.js"})
    assert found["test:npm"].argv[3] == "test:run"


def test_end_to_end_tests_are_left_out(tmp_path: Path) -> None:
    """They need what polylane cannot know."""
    assert "test:e2e" in left_out(tmp_path, {"test:e2e": "playwright test"})


# Delegation


@pytest.mark.parametrize(
    "body",
    [
        "npm run build --workspaces",
        "npm run build -ws --if-present",
        "npm run build --workspace=a && npm run build -w b",
        "pnpm -r build",
        "pnpm --filter ./packages/* run build",
        "yarn workspaces run build",
        "yarn workspaces foreach -A run build",
        "bun run --filter '*' build",
        "lerna run build",
        "turbo run build",
        "turbo build --filter=web",
        "npx turbo run build",
        "yarn nx run-many -t build",
        "nx run-many --target=build",
        "nx run app:build",
    ],
)
def test_a_root_script_that_only_delegates_is_left_out(tmp_path: Path, body: str) -> None:
    """The packages have their own tasks."""
    found = left_out(tmp_path, {"build": body}, workspaces=["packages/*"])
    assert found == {"build": "delegates to the workspaces"}


@pytest.mark.parametrize(
    "body",
    ["turbo run build && node x.js", "npm run ci -ws", "turbo run build || true", "npm run gen"],
)
def test_a_root_script_that_does_more_is_a_task(tmp_path: Path, body: str) -> None:
    """Nothing is lost: what is no verb of the packages, or a command of its own."""
    assert left_out(tmp_path, {"build": body}, workspaces=["packages/*"]) == {}


def test_a_package_that_uses_a_task_runner_for_itself_delegates_nothing(tmp_path: Path) -> None:
    """Only the root of a workspace can."""
    assert left_out(tmp_path, {"build": "turbo run build"}) == {}


@pytest.mark.parametrize(
    "body",
    ["npm --prefix web run build", "cd web && npm ci && npm run build", "cd web && yarn build"],
)
def test_work_in_a_project_below_is_that_projects(tmp_path: Path, body: str) -> None:
    """Where its folder has a package.json of its own."""
    files = {"package.json": {"name": "p", "scripts": {"build": body}}}
    assert describe(tmp_path, files).left_out == ()
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package.json").write_text("{}")
    wanted = (
        ()
        if "npm ci" in body
        else (("build script of package.json", "delegates to the workspaces"),)
    )
    assert describe(tmp_path, files).left_out == wanted
