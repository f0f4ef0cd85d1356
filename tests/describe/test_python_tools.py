"""Which checkers and formatters a Python project uses, how they are called, what they touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.languages.base import Folder
from polylane.describe.languages.python import LANGUAGE
from polylane.model import Description, Recipe

_WORKSPACE = '[tool.uv.workspace]\nmembers = ["libs/*"]\n'


def _describe(folder: Path, files: dict[str, str], path: str = ".") -> Description:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    found = LANGUAGE.describe(Folder(folder, path))
    assert found is not None
    return found


def _ids(description: Description) -> set[str]:
    verbs = ("format", "lint", "type-check", "security")
    return {f"{r.verb}:{r.tool}" for r in description.recipes if r.verb in verbs}


def _one(description: Description, name: str) -> Recipe:
    (found,) = [r for r in description.recipes if f"{r.verb}:{r.tool}" == name]
    return found


def _project(*tools: str, more: str = "") -> dict[str, str]:
    listed = ", ".join(f'"{tool}"' for tool in tools)
    return {"pyproject.toml": f'[project]\nname = "thing"\ndependencies = [{listed}]\n{more}'}


def test_a_project_that_names_no_tool_has_none(tmp_path: Path) -> None:
    """There is no fixed list."""
    assert _ids(_describe(tmp_path, _project("requests"))) == set()


@pytest.mark.parametrize(
    ("tool", "ids"),
    [
        ("ruff", {"lint:ruff", "format:ruff"}),
        ("black", {"lint:black", "format:black"}),
        ("isort", {"lint:isort", "format:isort"}),
        ("flake8", {"lint:flake8"}),
        ("flake8-bugbear", {"lint:flake8"}),
        ("pylint", {"lint:pylint"}),
        ("mypy", {"type-check:mypy"}),
        ("pyright", {"type-check:pyright"}),
        ("basedpyright", {"type-check:basedpyright"}),
        ("ty", {"type-check:ty"}),
        ("bandit", {"security:bandit"}),
        ("pip-audit", {"security:pip-audit"}),
    ],
)
def test_a_dependency_is_a_tool_in_use(tmp_path: Path, tool: str, ids: set[str]) -> None:
    """Whichever set it is in."""
    assert _ids(_describe(tmp_path, {"thing/__init__.py": ""} | _project(tool))) == ids


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("ruff.toml", "", "lint:ruff"),
        (".ruff.toml", "", "lint:ruff"),
        (".flake8", "[flake8]\n", "lint:flake8"),
        ("tox.ini", "[flake8]\n", "lint:flake8"),
        (".isort.cfg", "[settings]\n", "lint:isort"),
        (".pylintrc", "", "lint:pylint"),
        ("mypy.ini", "[mypy]\n", "type-check:mypy"),
        ("setup.cfg", "[mypy]\n", "type-check:mypy"),
        ("pyrightconfig.json", "{}", "type-check:pyright"),
        ("ty.toml", "", "type-check:ty"),
        (".bandit", "", "security:bandit"),
    ],
)
def test_a_configuration_file_is_a_tool_in_use(
    tmp_path: Path, path: str, text: str, found: str
) -> None:
    """Each tool's own, or a section of one that several share."""
    files = {path: text, "thing/__init__.py": ""} | _project()
    assert found in _ids(_describe(tmp_path, files))


@pytest.mark.parametrize(
    ("table", "above"),
    [
        ("ruff", True),
        ("mypy", True),
        ("isort", True),
        ("black", True),
        ("flake8", False),
        ("pylint", False),
    ],
)
def test_configuration_above_counts_where_the_tool_looks_there(
    tmp_path: Path, table: str, *, above: bool
) -> None:
    """flake8 and pylint look only in their own folder."""
    files = {
        "pyproject.toml": f"[tool.{table}]\n",
        "libs/a/pyproject.toml": _project()["pyproject.toml"],
    }
    files["libs/a/x.py"] = ""
    assert bool(_ids(_describe(tmp_path, files, "libs/a"))) is above


def test_tools_of_a_uv_workspace_are_its_members_too(tmp_path: Path) -> None:
    """They share one environment; a project outside does not."""
    root = _WORKSPACE + '[dependency-groups]\ndev = ["mypy"]\n'
    files = {"pyproject.toml": root}
    files |= {f"{place}/pyproject.toml": '[project]\nname = "p"\n' for place in ("libs/a", "other")}
    member = _describe(tmp_path, files, "libs/a")
    assert _ids(member) == {"type-check:mypy"}
    assert "/.venv" in (_one(member, "type-check:mypy").reads or ())
    assert _ids(_describe(tmp_path, {}, "other")) == set()


def test_configuration_above_is_read_and_its_cache_lies_there(tmp_path: Path) -> None:
    """Ruff's cache lies beside the file that configures it."""
    files = {"ws/pyproject.toml": "[tool.ruff]\n", "ws/a/pyproject.toml": '[project]\nname = "p"\n'}
    recipe = _one(_describe(tmp_path, files, "ws/a"), "lint:ruff")
    assert "/ws/pyproject.toml" in (recipe.reads or ())
    assert recipe.caches[:2] == (".ruff_cache", "/ws/.ruff_cache")


# ---------------------------------------------------------------- formatters


def test_a_linter_is_no_formatter(tmp_path: Path) -> None:
    """Ruff is there, and nothing says that it formats: no check that would fail for ever."""
    found = _describe(tmp_path, _project("ruff"))
    assert _ids(found) == {"lint:ruff", "format:ruff"}
    assert "lint:ruff-format" in dict(found.left_out)


@pytest.mark.parametrize(
    "files",
    [
        _project("ruff", more="[tool.ruff.format]\n"),
        _project("ruff") | {"ruff.toml": "[format]\n"},
        _project("ruff") | {".pre-commit-config.yaml": "      - id: ruff-format\n"},
        _project("ruff") | {".github/workflows/ci.yml": "run: uv run ruff format --check .\n"},
        _project("ruff") | {"noxfile.py": 'session.run("ruff", "format", "--check")\n'},
        _project("ruff") | {"Makefile": "fmt:\n\truff format .\n"},
    ],
)
def test_ruff_formats_where_the_repository_says_so(tmp_path: Path, files: dict[str, str]) -> None:
    """By its table, or by what is run in hooks, make, nox and CI."""
    found = _describe(tmp_path, files)
    assert _one(found, "lint:ruff-format").argv == (
        "ruff",
        "format",
        "--force-exclude",
        "--check",
        ".",
    )
    assert _one(found, "lint:ruff-format").fix_argv == _one(found, "format:ruff").argv


def test_black_formats_where_both_are_there(tmp_path: Path) -> None:
    """Two formatters would undo each other's work."""
    found = _describe(tmp_path, _project("ruff", "black"))
    assert _ids(found) == {"lint:ruff", "lint:black", "format:black"}
    assert ("format:ruff", "black formats this code") in found.left_out


def test_imports_are_sorted_before_lines_are_broken(tmp_path: Path) -> None:
    """The reference order of the formatters is that of the recipes."""
    found = _describe(tmp_path, _project("black", "isort"))
    assert [r.tool for r in found.recipes if r.verb == "format"] == ["isort", "black"]


def test_formatters_write_what_they_do_not_skip(tmp_path: Path) -> None:
    """Sources anywhere but in outputs."""
    recipe = _one(_describe(tmp_path, _project("isort")), "format:isort")
    assert recipe.writes is not None
    assert recipe.writes[:3] == ("**/*.py", "**/*.pyi", "!**/build")


def test_a_formatter_told_to_take_other_files_has_unknown_writes(tmp_path: Path) -> None:
    """``extend-include`` may name anything."""
    more = '[tool.ruff]\nextend-include = ["*.txt"]\n[tool.ruff.format]\n'
    found = _describe(tmp_path, _project("ruff", more=more))
    assert _one(found, "format:ruff").writes is None


# ---------------------------------------------------------------- files of a commit


@pytest.mark.parametrize("name", ["ruff", "ruff-format", "black", "isort", "flake8"])
def test_the_target_is_the_last_word_of_checks_that_take_files(tmp_path: Path, name: str) -> None:
    """The hook puts the changed files in its place, in the fix as well."""
    tools = _project("ruff", "black", "isort", "flake8", more="[tool.ruff.format]\n")
    recipe = _one(_describe(tmp_path, tools), f"lint:{name}")
    assert recipe.argv[-1] == "."
    assert recipe.fix_argv[-1:] in ((".",), ())
    assert ".py" in recipe.file_endings
    assert bool(recipe.fix_argv) is (name != "flake8")


@pytest.mark.parametrize("name", ["lint:pylint", "type-check:mypy", "security:bandit"])
def test_checks_of_the_whole_take_no_files(tmp_path: Path, name: str) -> None:
    """What they say of one file depends on the others."""
    files = _project("pylint", "mypy", "bandit") | {"thing/__init__.py": ""}
    assert _one(_describe(tmp_path, files), name).file_endings == ()


# ---------------------------------------------------------------- what is read


def test_names_that_a_tool_skips_are_not_read(tmp_path: Path) -> None:
    """So that a build does not hold the linter up."""
    recipe = _one(_describe(tmp_path, _project("ruff")), "lint:ruff")
    assert recipe.reads is not None
    assert recipe.reads[0] == "**"
    assert "!**/dist" in recipe.reads
    assert "^**" not in recipe.reads
    assert recipe.writes == ()


def test_a_project_that_sets_the_skipped_names_has_those_read(tmp_path: Path) -> None:
    """``exclude`` takes the place of the defaults."""
    more = '[tool.ruff]\nexclude = ["x"]\n'
    recipe = _one(_describe(tmp_path, _project("ruff", more=more)), "lint:ruff")
    assert recipe.reads == ("**",)


def test_type_checkers_read_what_the_code_imports(tmp_path: Path) -> None:
    """Projects that this one depends on."""
    recipe = _one(_describe(tmp_path, _project("mypy")), "type-check:mypy")
    assert recipe.reads == ("**", "^**")


def test_outputs_that_git_ignores_are_skipped_by_tools_that_ask_git(tmp_path: Path) -> None:
    """From the folder's own file and those above it; other names matter to nobody."""
    (tmp_path / ".git").mkdir()
    files = {
        ".gitignore": "lib\n!src/lib\nbuild/\n/site\n**/htmlcov/\n*.secret\n/a/out/*\n",
        "a/.gitignore": "docs/_build\n",
        "a/pyproject.toml": _project("ruff", "isort")["pyproject.toml"],
    }
    found = _describe(tmp_path, files, "a")
    reads = _one(found, "lint:ruff").reads or ()
    assert {"!**/build/**", "!**/htmlcov/**", "!docs/_build"} < set(reads)
    assert not {"!**/lib", "!site", "!**/*.secret"} & set(reads)
    assert "!**/htmlcov/**" not in (_one(found, "lint:isort").reads or ())


def test_outside_a_repository_nothing_is_ignored(tmp_path: Path) -> None:
    """Ruff looks at .gitignore only in a repository."""
    files = _project("ruff") | {".gitignore": "build/\n"}
    assert "!**/build/**" not in (_one(_describe(tmp_path, files), "lint:ruff").reads or ())


def test_a_tool_told_not_to_ask_git_reads_all(tmp_path: Path) -> None:
    """``respect-gitignore = false``."""
    (tmp_path / ".git").mkdir()
    files = _project("ruff", more="[tool.ruff]\nrespect-gitignore = false\n")
    files[".gitignore"] = "build/\n"
    assert "!**/build/**" not in (_one(_describe(tmp_path, files), "lint:ruff").reads or ())


def test_a_line_taken_back_is_no_rule(tmp_path: Path) -> None:
    """``!**/x`` may bring anything back."""
    (tmp_path / ".git").mkdir()
    files = _project("ruff") | {".gitignore": "build/\n!**/x\n"}
    assert "!**/build/**" not in (_one(_describe(tmp_path, files), "lint:ruff").reads or ())


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, ".venv,venv,node_modules,site-packages"),
        (
            {".flake8": "[flake8]\nextend-exclude =\n    gen,\n    venv\n"},
            "gen,venv,.venv,node_modules,site-packages",
        ),
        (
            {"pyproject.toml": '[project]\n[tool.flake8]\nextend-exclude = ["gen"]\n'},
            "gen,.venv,venv,node_modules,site-packages",
        ),
    ],
)
def test_flake8_is_kept_out_of_environments(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    """It walks into them by default; what the project leaves out stays left out."""
    recipe = _one(
        _describe(tmp_path, _project("flake8") | {".flake8": "[flake8]\n"} | files), "lint:flake8"
    )
    assert recipe.argv == ("flake8", f"--extend-exclude={said}", ".")


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({"src/thing/__init__.py": ""}, "src"),
        (
            {"thing/__init__.py": "", "other/__init__.py": "", "tests/__init__.py": ""},
            "other thing",
        ),
        ({"thing/sub.py": ""}, "thing"),
        (
            {"packages/thing/__init__.py": "", "docs/thing/x": "", ".x/thing/y": ""},
            "packages/thing",
        ),
        ({"one.py": "", "setup.py": "", "conftest.py": ""}, "one.py"),
        ({}, "."),
    ],
)
def test_targets_are_the_folders_that_the_project_ships(
    tmp_path: Path, files: dict[str, str], target: str
) -> None:
    """Where mypy is not told any."""
    found = _describe(tmp_path, _project("mypy") | files)
    assert " ".join(_one(found, "type-check:mypy").argv) == f"mypy {target}"


def test_a_folder_that_the_builder_names_is_the_target(tmp_path: Path) -> None:
    """Hatchling's packages come before any guess."""
    more = '[tool.hatch.build.targets.wheel]\npackages = ["lib/thing", "gone"]\n'
    files = _project("mypy", more=more) | {"lib/thing/__init__.py": "", "src/x.py": ""}
    assert _one(_describe(tmp_path, files), "type-check:mypy").argv == ("mypy", "lib/thing")


def test_a_project_without_a_name_has_no_folder_of_that_name(tmp_path: Path) -> None:
    """Nothing is guessed from an empty name."""
    files = {"pyproject.toml": "[tool.mypy]\n", "data/x.txt": ""}
    assert _one(_describe(tmp_path, files), "type-check:mypy").argv == ("mypy", ".")


def test_mypys_own_targets_are_kept(tmp_path: Path) -> None:
    """Those of a file above are not this project's."""
    text = '[project]\nname = "p"\n[tool.mypy]\nfiles = "src"\n'
    files = {"pyproject.toml": text, "a/pyproject.toml": '[project]\nname = "a"\n', "a/m.py": ""}
    assert _one(_describe(tmp_path, files), "type-check:mypy").argv == ("mypy",)
    assert _one(_describe(tmp_path, {}, "a"), "type-check:mypy").argv == ("mypy", "m.py")


@pytest.mark.parametrize(
    ("more", "files", "command"),
    [
        ("", {}, "bandit -r thing"),
        ('[tool.bandit]\nskips = ["B101"]\n', {}, "bandit -c pyproject.toml -r thing"),
        ("", {".bandit": "[bandit]\n"}, "bandit --ini .bandit -r thing"),
    ],
)
def test_bandit_looks_at_the_sources_with_its_settings(
    tmp_path: Path, more: str, files: dict[str, str], command: str
) -> None:
    """It finds neither its table nor its file by itself, and would enter environments."""
    found = _describe(tmp_path, _project("bandit", more=more) | files | {"thing/__init__.py": ""})
    recipe = _one(found, "security:bandit")
    assert " ".join(recipe.argv) == command
    assert recipe.reads == ("thing", "pyproject.toml", ".bandit", ".venv")


def test_without_sources_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    """Bandit and pylint are left out, with the reason."""
    found = _describe(tmp_path, _project("bandit", "pylint"))
    assert _ids(found) == set()
    reasons = dict(found.left_out)
    assert reasons["security:bandit"] == reasons["lint:pylint"]


def test_one_of_two_pyrights_checks(tmp_path: Path) -> None:
    """Basedpyright reads pyright's settings; both run where both are dependencies."""
    more = "[tool.pyright]\n"
    found = _describe(tmp_path, _project("basedpyright", more=more))
    assert _ids(found) == {"type-check:basedpyright"}
    assert _ids(_describe(tmp_path, _project("basedpyright", "pyright"))) == {
        "type-check:basedpyright",
        "type-check:pyright",
    }


def test_tools_that_are_not_run_are_named(tmp_path: Path) -> None:
    """With the reason, so that nobody believes that they ran."""
    assert dict(_describe(tmp_path, _project("safety", "tox")).left_out).keys() == {"safety", "tox"}


def test_black_takes_no_single_files_where_it_excludes_some(tmp_path: Path) -> None:
    """It formats a file that is named, also one that its configuration excludes."""
    assert _one(_describe(tmp_path / "a", _project("black")), "lint:black").file_endings
    files = _project("black", more='[tool.black]\nextend-exclude = "legacy"\n')
    assert not _one(_describe(tmp_path / "b", files), "lint:black").file_endings
