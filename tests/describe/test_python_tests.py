"""How Python finds tests, and tells unit from integration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.describe.python_project import PROJECT, WORKSPACE, argv, describe, recipe_of


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": PROJECT + "[tool.pytest.ini_options]\n"},
        {"pyproject.toml": PROJECT + 'dependencies = ["pytest-cov"]\n'},
        {"pyproject.toml": PROJECT, "pytest.ini": "[pytest]\n"},
        {"pyproject.toml": PROJECT, "tox.ini": "[pytest]\n"},
        {"pyproject.toml": PROJECT, "tests/test_a.py": "import pytest\n"},
        {"pyproject.toml": PROJECT, "test_a.py": "def test_a():\n    pass\n"},
    ],
)
def test_pytest_is_seen_by_configuration_dependency_or_tests(
    tmp_path: Path, files: dict[str, str]
) -> None:
    """Its claims are unknown: tests write where they like. No tests is no failure."""
    recipe = recipe_of(describe(tmp_path, files), "test")
    assert recipe is not None
    assert recipe.argv == ("pytest",)
    assert recipe.reads is None
    assert recipe.writes is None
    assert recipe.caches == (".pytest_cache", "**/__pycache__")
    assert recipe.after == ("build", "^build")
    assert recipe.needs == ()
    assert recipe.skip_codes == ((5, "no tests"),)


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"tests/test_a.py": "import unittest\n"}, "python -m unittest discover -s tests"),
        ({"test/test_a.py": "", "test/__init__.py": ""}, "python -m unittest discover"),
        ({"test_a.py": "import unittest\n"}, "python -m unittest discover"),
        ({"a.py": ""}, None),
        ({"tests/data/readme.txt": "", "tests/data.d/test_x.py": ""}, None),
    ],
)
def test_unittest_runs_what_pytest_does_not(
    tmp_path: Path, files: dict[str, str], command: str | None
) -> None:
    """Where there are test files and nothing says pytest."""
    assert argv(tmp_path, files | {"pyproject.toml": PROJECT}, "test") == command


def test_folders_tell_unit_from_integration(tmp_path: Path) -> None:
    """Each kind is pytest on its folder."""
    found = describe(
        tmp_path,
        {
            "pyproject.toml": PROJECT + "[tool.pytest]\n",
            "tests/unit/test_a.py": "",
            "tests/integration_tests/test_b.py": "",
        },
    )
    commands = {r.verb: r.argv for r in found.recipes if r.verb.startswith("test")}
    assert commands == {
        "test": ("pytest",),
        "test-unit": ("pytest", "tests/unit"),
        "test-integration": ("pytest", "tests/integration_tests"),
    }


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": '[tool.pytest]\nmarkers = ["integration: slow", "x(a): y"]\n'},
        {"pyproject.toml": PROJECT, "pytest.ini": "[pytest]\nmarkers =\n    integration: slow\n"},
    ],
)
def test_a_marker_tells_unit_from_integration(tmp_path: Path, files: dict[str, str]) -> None:
    """What is not marked as integration is a unit test."""
    found = describe(tmp_path, files)
    commands = {r.verb: r.argv[1:] for r in found.recipes if r.verb.startswith("test-")}
    assert commands == {
        "test-unit": ("-m", "not integration"),
        "test-integration": ("-m", "integration"),
    }


def test_a_marker_for_unit_tests_is_taken(tmp_path: Path) -> None:
    """Rather than everything else."""
    text = '[tool.pytest]\nmarkers = ["unit"]\n'
    assert argv(tmp_path, {"pyproject.toml": text}, "test-unit") == "pytest -m unit"


def test_tests_inside_the_package_are_seen(tmp_path: Path) -> None:
    """As some projects ship them."""
    files = {"pyproject.toml": PROJECT, "src/thing/tests/test_a.py": "import pytest"}
    assert argv(tmp_path, files, "test") == "pytest"


def test_tests_in_folders_below_are_seen(tmp_path: Path) -> None:
    """A folder of tests may hold only folders."""
    text = '[dependency-groups]\ndev = ["pytest"]\n'
    files = {"pyproject.toml": WORKSPACE + text, "libs/a/pyproject.toml": PROJECT}
    assert argv(tmp_path, files, "test", "libs/a") is None
    assert argv(tmp_path, {"libs/a/tests/deep/test_a.py": ""}, "test", "libs/a") == "pytest"


def test_a_workspace_that_configures_pytest_for_members_does_not_run_it(tmp_path: Path) -> None:
    """The members run their tests; the root would run them again."""
    files = {
        "pyproject.toml": WORKSPACE + "[tool.pytest.ini_options]\naddopts = '-q'\n",
        "libs/a/pyproject.toml": PROJECT,
        "libs/a/tests/test_a.py": "",
    }
    assert argv(tmp_path, files, "test") is None
    recipe = recipe_of(describe(tmp_path, {}, "libs/a"), "test")
    assert recipe is not None
    assert recipe.caches[:2] == (".pytest_cache", "/.pytest_cache")
    assert argv(tmp_path, {"tests/test_all.py": ""}, "test") == "pytest"


@pytest.mark.parametrize("paths", ['["libs/*/tests"]', '"libs other"', '["libs/a/tests/x"]'])
def test_members_whose_tests_run_from_above_do_not_run_them_again(
    tmp_path: Path, paths: str
) -> None:
    """``testpaths`` above that reach into the project; the reason is kept."""
    files = {
        "pyproject.toml": f"{WORKSPACE}[tool.pytest.ini_options]\ntestpaths = {paths}\n",
        "libs/a/pyproject.toml": PROJECT,
        "libs/a/tests/test_a.py": "",
    }
    assert argv(tmp_path, files, "test") == "pytest"
    member = describe(tmp_path, {}, "libs/a")
    assert recipe_of(member, "test") is None
    assert ("test", "pytest in '.' runs these tests") in member.left_out


def test_testpaths_above_that_lie_elsewhere_leave_a_member_its_tests(tmp_path: Path) -> None:
    """The root's own tests are the root's."""
    files = {
        "sub/pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n',
        "sub/libs/a/pyproject.toml": PROJECT,
        "sub/libs/a/tests/test_a.py": "",
    }
    assert argv(tmp_path, files, "test", "sub/libs/a") == "pytest"
