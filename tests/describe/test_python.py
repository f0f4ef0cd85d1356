"""What Python finds in a folder: projects, their builds, tests, docs, set-up and clean-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.languages.base import Folder, Language
from polylane.describe.languages.python import LANGUAGE
from polylane.model import Description, Recipe

_PROJECT = '[project]\nname = "thing"\n'
_HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
_SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
_UV = "[tool.uv]\n"


def _write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def _maybe(folder: Path, files: dict[str, str], path: str = ".") -> Description | None:
    _write(folder, files)
    return LANGUAGE.describe(Folder(folder, path))


def _describe(folder: Path, files: dict[str, str], path: str = ".") -> Description:
    found = _maybe(folder, files, path)
    assert found is not None
    return found


def _recipe(description: Description, verb: str, tool: str = "") -> Recipe | None:
    found = [r for r in description.recipes if r.verb == verb and tool in ("", r.tool)]
    assert len(found) <= 1
    return found[0] if found else None


def _argv(folder: Path, files: dict[str, str], verb: str, path: str = ".") -> str | None:
    recipe = _recipe(_describe(folder, files, path), verb)
    return None if recipe is None else " ".join(recipe.argv)


def test_it_is_a_language() -> None:
    """The object behind the entry point satisfies the protocol."""
    language: Language = LANGUAGE
    assert isinstance(language, Language)
    assert language.name == "python"


# ---------------------------------------------------------------- what is a project


@pytest.mark.parametrize(
    "text",
    [_PROJECT, _HATCH, '[tool.poetry]\nname = "x"\n', "[tool.ruff]\n", "[dependency-groups]\n"],
)
def test_a_pyproject_that_speaks_of_python_is_a_project(tmp_path: Path, text: str) -> None:
    """A project, a builder, or a Python tool's table."""
    assert _maybe(tmp_path, {"pyproject.toml": text}) is not None


def test_a_pyproject_that_configures_something_else_is_none(tmp_path: Path) -> None:
    """A file that only holds polylane's own table makes no Python project."""
    assert _maybe(tmp_path, {"pyproject.toml": "[tool.polylane]\njobs = 2\n"}) is None


def test_a_module_called_setup_is_no_project(tmp_path: Path) -> None:
    """Only a setup.py that builds something makes a project."""
    assert LANGUAGE.describe(Folder(tmp_path, ".")) is None
    (tmp_path / "setup.py").write_text('"""Sets up the game board."""\ndef setup():\n    pass\n')
    assert LANGUAGE.describe(Folder(tmp_path, ".")) is None


def test_a_setup_py_is_a_project(tmp_path: Path) -> None:
    """Whatever it says."""
    assert _describe(tmp_path, {"setup.py": "from setuptools import setup\nsetup(name='a-b')\n"})


def test_a_setup_cfg_of_setuptools_is_a_project(tmp_path: Path) -> None:
    """With its metadata."""
    found = _describe(tmp_path, {"setup.cfg": "[metadata]\nname = Old\n"})
    assert found.provides == ("old",)


def test_a_linters_setup_cfg_needs_python_beside_it(tmp_path: Path) -> None:
    """In a folder of other things it only shares a file's name."""
    assert _maybe(tmp_path, {"setup.cfg": "[flake8]\n", "index.js": ""}) is None
    assert _maybe(tmp_path, {"app/__init__.py": ""}) is not None


def test_names_are_normalised_and_its_own_is_no_requirement(tmp_path: Path) -> None:
    """Extras that refer to the project itself make no cycle."""
    text = '[project]\nname = "My_Thing"\ndependencies = ["Core.Lib>1"]\n'
    text += '[project.optional-dependencies]\nall = ["my-thing[a]", "pytest"]\n'
    found = _describe(tmp_path, {"pyproject.toml": text})
    assert found.provides == ("my-thing",)
    assert found.requires == ("core-lib", "pytest")


def test_verb_and_tool_are_unique(tmp_path: Path) -> None:
    """Ids would meet otherwise, even where everything is in use."""
    names = "ruff black isort flake8 pylint mypy pyright basedpyright ty bandit pip-audit pdoc"
    tools = ["pytest", *names.split()]
    files = {
        "pyproject.toml": f"{_PROJECT}dependencies = {tools}\n{_HATCH}[tool.ruff.format]\n",
        "src/thing/__init__.py": "",
        "docs/conf.py": "",
        "docs/source/conf.py": "",
        "mkdocs.yml": "",
        "tests/unit/test_a.py": "",
    }
    ids = [(recipe.verb, recipe.tool) for recipe in _describe(tmp_path, files).recipes]
    assert len(ids) == len(set(ids))
    assert {verb for verb, _ in ids} >= {"setup", "format", "lint", "test-unit", "docs", "clean"}


# ---------------------------------------------------------------- build


def test_a_standalone_package_is_built_by_build(tmp_path: Path) -> None:
    """In the project's environment; hatchling writes dist and nothing else."""
    recipe = _recipe(_describe(tmp_path, {"pyproject.toml": _PROJECT + _HATCH}), "build")
    assert recipe is not None
    assert recipe.argv == ("python", "-m", "build")
    assert recipe.writes == ("dist",)
    assert recipe.reads == ("**",)


def test_setuptools_leaves_more_than_dist(tmp_path: Path) -> None:
    """Its egg-info lies in the sources."""
    recipe = _recipe(_describe(tmp_path, {"pyproject.toml": _PROJECT + _SETUPTOOLS}), "build")
    assert recipe is not None
    assert recipe.writes == ("dist", "build", "*.egg-info", "src/*.egg-info")


@pytest.mark.parametrize(
    "more",
    [
        {"pyproject.toml": _PROJECT + _HATCH + '[tool.hatch.build.hooks.custom]\npath = "x.py"\n'},
        {"pyproject.toml": _PROJECT + _SETUPTOOLS + '[tool.setuptools_scm]\nversion_file = "v"\n'},
        {"pyproject.toml": _PROJECT + _SETUPTOOLS, "setup.py": "from setuptools import setup\n"},
        {"pyproject.toml": _PROJECT + '[build-system]\nbuild-backend = "maturin"\n'},
    ],
)
def test_a_build_that_runs_the_projects_code_has_unknown_claims(
    tmp_path: Path, more: dict[str, str]
) -> None:
    """Hooks, setup.py and compilers may write anywhere in the project."""
    recipe = _recipe(_describe(tmp_path, more), "build")
    assert recipe is not None
    assert recipe.reads is None
    assert recipe.writes is None


@pytest.mark.parametrize(
    "text",
    [
        _PROJECT,
        _PROJECT + _HATCH + "[tool.uv]\npackage = false\n",
        _HATCH + "[tool.poetry]\npackage-mode = false\n",
    ],
)
def test_what_is_no_package_is_not_built(tmp_path: Path, text: str) -> None:
    """No builder, or one that is told not to."""
    assert _argv(tmp_path, {"pyproject.toml": text}, "build") is None


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"uv.lock": ""}, "uv build"),
        ({"poetry.lock": ""}, "poetry build"),
        ({"poetry.lock": "", "uv.lock": ""}, "uv build"),
    ],
)
def test_the_front_end_is_the_one_that_the_project_uses(
    tmp_path: Path, files: dict[str, str], command: str
) -> None:
    """As its lock file says."""
    assert _argv(tmp_path, files | {"pyproject.toml": _PROJECT + _HATCH}, "build") == command


def test_a_lock_above_means_uv(tmp_path: Path) -> None:
    """A project in a repository that uv manages."""
    files = {"uv.lock": "", "libs/a/pyproject.toml": _PROJECT + _HATCH}
    assert _argv(tmp_path, files, "build", "libs/a") == "uv build"


_WORKSPACE = (
    '[project]\nname = "all"\n[tool.uv.workspace]\nmembers = ["libs/*"]\nexclude = ["libs/no"]\n'
)


def test_a_member_of_a_uv_workspace_builds_into_its_roots_dist(tmp_path: Path) -> None:
    """Only files of its own name, so that members are built side by side."""
    files = {
        "pyproject.toml": _WORKSPACE,
        "libs/a/pyproject.toml": '[project]\nname="A.b"\n' + _HATCH,
    }
    recipe = _recipe(_describe(tmp_path, files, "libs/a"), "build")
    assert recipe is not None
    assert recipe.argv == ("uv", "build")
    assert recipe.writes == ("/dist/a_b-*",)
    assert "/dist/.gitignore" in recipe.caches
    assert recipe.reads == ("**", "/.venv")


def test_a_setuptools_member_may_write_any_name_there(tmp_path: Path) -> None:
    """Old ones spell the archive's name as the project does; a nested root has its own dist."""
    files = {"ws/pyproject.toml": _WORKSPACE, "ws/libs/a/pyproject.toml": _PROJECT + _SETUPTOOLS}
    recipe = _recipe(_describe(tmp_path, files, "ws/libs/a"), "build")
    assert recipe is not None
    assert recipe.writes is not None
    assert recipe.writes[0] == "/ws/dist"


# ---------------------------------------------------------------- tests


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": _PROJECT + "[tool.pytest.ini_options]\n"},
        {"pyproject.toml": _PROJECT + 'dependencies = ["pytest-cov"]\n'},
        {"pyproject.toml": _PROJECT, "pytest.ini": "[pytest]\n"},
        {"pyproject.toml": _PROJECT, "tox.ini": "[pytest]\n"},
        {"pyproject.toml": _PROJECT, "tests/test_a.py": "import pytest\n"},
        {"pyproject.toml": _PROJECT, "test_a.py": "def test_a():\n    pass\n"},
    ],
)
def test_pytest_is_seen_by_configuration_dependency_or_tests(
    tmp_path: Path, files: dict[str, str]
) -> None:
    """Its claims are unknown: tests write where they like. No tests is no failure."""
    recipe = _recipe(_describe(tmp_path, files), "test")
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
    assert _argv(tmp_path, files | {"pyproject.toml": _PROJECT}, "test") == command


def test_folders_tell_unit_from_integration(tmp_path: Path) -> None:
    """Each kind is pytest on its folder."""
    found = _describe(
        tmp_path,
        {
            "pyproject.toml": _PROJECT + "[tool.pytest]\n",
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
        {"pyproject.toml": _PROJECT, "pytest.ini": "[pytest]\nmarkers =\n    integration: slow\n"},
    ],
)
def test_a_marker_tells_unit_from_integration(tmp_path: Path, files: dict[str, str]) -> None:
    """What is not marked as integration is a unit test."""
    found = _describe(tmp_path, files)
    commands = {r.verb: r.argv[1:] for r in found.recipes if r.verb.startswith("test-")}
    assert commands == {
        "test-unit": ("-m", "not integration"),
        "test-integration": ("-m", "integration"),
    }


def test_a_marker_for_unit_tests_is_taken(tmp_path: Path) -> None:
    """Rather than everything else."""
    text = '[tool.pytest]\nmarkers = ["unit"]\n'
    assert _argv(tmp_path, {"pyproject.toml": text}, "test-unit") == "pytest -m unit"


def test_tests_inside_the_package_are_seen(tmp_path: Path) -> None:
    """As some projects ship them."""
    files = {"pyproject.toml": _PROJECT, "src/thing/tests/test_a.py": "import pytest"}
    assert _argv(tmp_path, files, "test") == "pytest"


def test_tests_in_folders_below_are_seen(tmp_path: Path) -> None:
    """A folder of tests may hold only folders."""
    text = '[dependency-groups]\ndev = ["pytest"]\n'
    files = {"pyproject.toml": _WORKSPACE + text, "libs/a/pyproject.toml": _PROJECT}
    assert _argv(tmp_path, files, "test", "libs/a") is None
    assert _argv(tmp_path, {"libs/a/tests/deep/test_a.py": ""}, "test", "libs/a") == "pytest"


def test_a_workspace_that_configures_pytest_for_members_does_not_run_it(tmp_path: Path) -> None:
    """The members run their tests; the root would run them again."""
    files = {
        "pyproject.toml": _WORKSPACE + "[tool.pytest.ini_options]\naddopts = '-q'\n",
        "libs/a/pyproject.toml": _PROJECT,
        "libs/a/tests/test_a.py": "",
    }
    assert _argv(tmp_path, files, "test") is None
    recipe = _recipe(_describe(tmp_path, {}, "libs/a"), "test")
    assert recipe is not None
    assert recipe.caches[:2] == (".pytest_cache", "/.pytest_cache")
    assert _argv(tmp_path, {"tests/test_all.py": ""}, "test") == "pytest"


@pytest.mark.parametrize("paths", ['["libs/*/tests"]', '"libs other"', '["libs/a/tests/x"]'])
def test_members_whose_tests_run_from_above_do_not_run_them_again(
    tmp_path: Path, paths: str
) -> None:
    """``testpaths`` above that reach into the project; the reason is kept."""
    files = {
        "pyproject.toml": f"{_WORKSPACE}[tool.pytest.ini_options]\ntestpaths = {paths}\n",
        "libs/a/pyproject.toml": _PROJECT,
        "libs/a/tests/test_a.py": "",
    }
    assert _argv(tmp_path, files, "test") == "pytest"
    member = _describe(tmp_path, {}, "libs/a")
    assert _recipe(member, "test") is None
    assert ("test", "pytest in '.' runs these tests") in member.left_out


def test_testpaths_above_that_lie_elsewhere_leave_a_member_its_tests(tmp_path: Path) -> None:
    """The root's own tests are the root's."""
    files = {
        "sub/pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n',
        "sub/libs/a/pyproject.toml": _PROJECT,
        "sub/libs/a/tests/test_a.py": "",
    }
    assert _argv(tmp_path, files, "test", "sub/libs/a") == "pytest"


# ---------------------------------------------------------------- docs


@pytest.mark.parametrize(
    ("source", "output"),
    [("docs", "docs/_build/html"), ("doc/source", "doc/build/html")],
)
def test_sphinx_is_seen_by_its_conf(tmp_path: Path, source: str, output: str) -> None:
    """Its page goes where sphinx-quickstart puts it, and is cleaned with all beside it."""
    files = {"pyproject.toml": _PROJECT, f"{source}/conf.py": "project = 'x'\n"}
    found = _describe(tmp_path, files)
    recipe, clean = _recipe(found, "docs"), _recipe(found, "clean")
    assert recipe is not None
    assert clean is not None
    assert recipe.argv == ("sphinx-build", "-b", "html", source, output)
    assert recipe.writes == (output,)
    assert output.removesuffix("/html") in clean.argv


@pytest.mark.parametrize(
    "conf", ["import subprocess\n", "extensions = ['sphinx.ext.autosummary']\n"]
)
def test_a_conf_that_does_more_than_configure_has_unknown_claims(tmp_path: Path, conf: str) -> None:
    """One started yarn; others write into the sources of the docs."""
    recipe = _recipe(
        _describe(tmp_path, {"pyproject.toml": _PROJECT, "docs/conf.py": conf}), "docs"
    )
    assert recipe is not None
    assert recipe.reads is None
    assert recipe.writes is None


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("site_name: x\n", ("site",)),
        ("site_dir: 'public/docs'\n", ("public/docs",)),
        ("plugins:\n  - gen-files\n", None),
        ("hooks:\n  - my.py\n", None),
    ],
)
def test_mkdocs_writes_its_site(tmp_path: Path, text: str, writes: tuple[str, ...] | None) -> None:
    """Where its file says; with hooks, who knows."""
    found = _describe(tmp_path, {"pyproject.toml": _PROJECT, "mkdocs.yml": text})
    recipe, clean = _recipe(found, "docs"), _recipe(found, "clean")
    assert recipe is not None
    assert clean is not None
    assert recipe.writes == writes
    assert (writes or ("site",))[0] in clean.argv


def test_pdoc_documents_the_packages(tmp_path: Path) -> None:
    """Those below src, or those that lie in the project's folder."""
    text = _PROJECT + 'dependencies = ["pdoc"]\n'
    files = {"pyproject.toml": text, "thing/__init__.py": ""}
    assert _argv(tmp_path, files, "docs") == "pdoc -o site thing"
    assert (
        _argv(tmp_path, {"src/a/__init__.py": "", "src/b.txt": ""}, "docs") == "pdoc -o site src/a"
    )


# ---------------------------------------------------------------- clean


def test_clean_comes_last_and_takes_no_arguments(tmp_path: Path) -> None:
    """It removes caches, which make no edge, and is told which manifests bound it."""
    recipe = _recipe(_describe(tmp_path, {"pyproject.toml": _PROJECT}), "clean")
    assert recipe is not None
    assert recipe.argv[:3] == ("{python}", "-m", "polylane.tools.clean")
    assert recipe.argv[3] == "--manifests=pyproject.toml,setup.cfg,setup.py"
    assert recipe.writes == recipe.argv[4:]
    assert {"lint", "type-check", "test", "docs"} <= set(recipe.after)
    assert not recipe.takes_arguments


# ---------------------------------------------------------------- setup


_EXCLUSIVE = """
[tool.uv]
conflicts = []
[project.optional-dependencies]
test = ["a"]
cuda = ["x"]
[dependency-groups]
b = ["c"]
"""


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (_UV, "uv sync"),
        (_UV + '[dependency-groups]\ndev = ["ruff"]\n', "uv sync"),
        (_UV + '[dependency-groups]\ndev = ["ruff"]\ndocs = ["sphinx"]\n', "uv sync --all-groups"),
        (_UV + '[project.optional-dependencies]\ndev = ["ruff"]\n', "uv sync --all-extras"),
        (_UV + '[project.optional-dependencies]\ncuda = ["x"]\n', "uv sync"),
        (_WORKSPACE, "uv sync --all-packages"),
        (_EXCLUSIVE, "uv sync --extra test"),
    ],
)
def test_uv_syncs_what_developers_need(tmp_path: Path, text: str, command: str) -> None:
    """All groups and extras, unless the project says that some exclude each other."""
    recipe = _recipe(_describe(tmp_path, {"pyproject.toml": text}), "setup")
    assert recipe is not None
    assert " ".join(recipe.argv) == command
    assert recipe.creates == (".venv",)
    assert "uv.lock" in (recipe.writes or ())


def test_members_are_set_up_by_their_workspace(tmp_path: Path) -> None:
    """They have no recipe, and the reason is kept; a folder that is excluded sets itself up."""
    files = {"pyproject.toml": _WORKSPACE, "uv.lock": ""}
    files |= {f"libs/{name}/pyproject.toml": _PROJECT for name in ("a", "no")}
    member = _describe(tmp_path, files, "libs/a")
    assert _recipe(member, "setup") is None
    assert ("setup", "the uv workspace in '.' sets it up") in member.left_out
    assert _argv(tmp_path, {}, "setup", "libs/no") == "uv sync"


@pytest.mark.parametrize(("path", "member"), [("a/b", True), ("a/b/c", True), ("x/a/b", False)])
def test_members_may_be_said_by_two_stars(tmp_path: Path, path: str, *, member: bool) -> None:
    """``a/**`` is everything below a."""
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["a/**"]\n',
        f"{path}/pyproject.toml": _PROJECT,
    }
    assert (_argv(tmp_path, files, "setup", path) is None) is member or not member


def test_poetry_installs_with_its_optional_groups(tmp_path: Path) -> None:
    """Its environment lies in the project only where it is told so."""
    text = '[tool.poetry]\nname = "x"\n[tool.poetry.group.docs]\noptional = true\n'
    text += '[tool.poetry.group.docs.dependencies]\nsphinx = "*"\n'
    files = {"pyproject.toml": text, "poetry.lock": ""}
    recipe = _recipe(_describe(tmp_path, files), "setup")
    assert recipe is not None
    assert recipe.argv == ("poetry", "install", "--with", "docs")
    assert recipe.creates == ()
    inside = {"poetry.toml": "[virtualenvs]\nin-project = true\n"}
    text += '[project.optional-dependencies]\ntest = ["pytest"]\n'
    recipe = _recipe(_describe(tmp_path, inside | {"pyproject.toml": text}), "setup")
    assert recipe is not None
    assert recipe.argv[2] == "--all-extras"
    assert recipe.creates == (".venv",)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pyproject.toml": _PROJECT + _HATCH}, "--editable --also build"),
        (
            {
                "pyproject.toml": _PROJECT
                + _HATCH
                + '[project.optional-dependencies]\ndev = ["build"]\ncli = ["click"]\n'
                + '[dependency-groups]\nlint = ["ruff"]\n',
                "requirements-dev.txt": "pytest\n",
            },
            "--editable --extra dev --group lint --requirement requirements-dev.txt",
        ),
        ({"pyproject.toml": _PROJECT + 'dependencies = ["a"]\n'}, "--dependencies"),
        ({"setup.py": "setup()"}, "--editable --also build"),
    ],
)
def test_without_a_manager_our_own_tool_makes_the_environment(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    """With what those who work on the project need, as the project names it."""
    recipe = _recipe(_describe(tmp_path, files), "setup")
    assert recipe is not None
    assert recipe.argv[:3] == ("{python}", "-m", "polylane.tools.setup_python")
    assert " ".join(recipe.argv[3:]) == words
    assert recipe.creates == (".venv",)


def test_where_there_is_nothing_to_install_there_is_no_setup(tmp_path: Path) -> None:
    """A file of tools' tables alone asks for no environment."""
    assert _argv(tmp_path, {"pyproject.toml": "[tool.ruff]\n"}, "setup") is None
