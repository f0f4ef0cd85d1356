"""How Python finds docs, cleans up and sets up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.describe.python_project import (
    HATCH,
    PROJECT,
    UV,
    WORKSPACE,
    argv,
    describe,
    recipe_of,
)

# ---------------------------------------------------------------- docs


@pytest.mark.parametrize(
    ("source", "output"),
    [("docs", "docs/_build/html"), ("doc/source", "doc/build/html")],
)
def test_sphinx_is_seen_by_its_conf(tmp_path: Path, source: str, output: str) -> None:
    """Its page goes where sphinx-quickstart puts it, and is cleaned with all beside it."""
    files = {"pyproject.toml": PROJECT, f"{source}/conf.py": "project = 'x'\n"}
    found = describe(tmp_path, files)
    recipe, clean = recipe_of(found, "docs"), recipe_of(found, "clean")
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
    recipe = recipe_of(
        describe(tmp_path, {"pyproject.toml": PROJECT, "docs/conf.py": conf}), "docs"
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
    found = describe(tmp_path, {"pyproject.toml": PROJECT, "mkdocs.yml": text})
    recipe, clean = recipe_of(found, "docs"), recipe_of(found, "clean")
    assert recipe is not None
    assert clean is not None
    assert recipe.writes == writes
    assert (writes or ("site",))[0] in clean.argv


def test_pdoc_documents_the_packages(tmp_path: Path) -> None:
    """Those below src, or those that lie in the project's folder."""
    text = PROJECT + 'dependencies = ["pdoc"]\n'
    files = {"pyproject.toml": text, "thing/__init__.py": ""}
    assert argv(tmp_path, files, "docs") == "pdoc -o site thing"
    assert (
        argv(tmp_path, {"src/a/__init__.py": "", "src/b.txt": ""}, "docs") == "pdoc -o site src/a"
    )


# ---------------------------------------------------------------- clean


def test_clean_comes_last_and_takes_no_arguments(tmp_path: Path) -> None:
    """It removes caches, which make no edge, and is told which manifests bound it."""
    recipe = recipe_of(describe(tmp_path, {"pyproject.toml": PROJECT}), "clean")
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
        (UV, "uv sync"),
        (UV + '[dependency-groups]\ndev = ["ruff"]\n', "uv sync"),
        (UV + '[dependency-groups]\ndev = ["ruff"]\ndocs = ["sphinx"]\n', "uv sync --all-groups"),
        (UV + '[project.optional-dependencies]\ndev = ["ruff"]\n', "uv sync --all-extras"),
        (UV + '[project.optional-dependencies]\ncuda = ["x"]\n', "uv sync"),
        (WORKSPACE, "uv sync --all-packages"),
        (_EXCLUSIVE, "uv sync --extra test"),
    ],
)
def test_uv_syncs_what_developers_need(tmp_path: Path, text: str, command: str) -> None:
    """All groups and extras, unless the project says that some exclude each other."""
    recipe = recipe_of(describe(tmp_path, {"pyproject.toml": text}), "setup")
    assert recipe is not None
    assert " ".join(recipe.argv) == command
    assert recipe.creates == (".venv",)
    assert "uv.lock" in (recipe.writes or ())


def test_members_are_set_up_by_their_workspace(tmp_path: Path) -> None:
    """They have no recipe, and the reason is kept; a folder that is excluded sets itself up."""
    files = {"pyproject.toml": WORKSPACE, "uv.lock": ""}
    files |= {f"libs/{name}/pyproject.toml": PROJECT for name in ("a", "no")}
    member = describe(tmp_path, files, "libs/a")
    assert recipe_of(member, "setup") is None
    assert ("setup", "the uv workspace in '.' sets it up") in member.left_out
    assert argv(tmp_path, {}, "setup", "libs/no") == "uv sync"


@pytest.mark.parametrize(("path", "member"), [("a/b", True), ("a/b/c", True), ("x/a/b", False)])
def test_members_may_be_said_by_two_stars(tmp_path: Path, path: str, *, member: bool) -> None:
    """``a/**`` is everything below a."""
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["a/**"]\n',
        f"{path}/pyproject.toml": PROJECT,
    }
    assert (argv(tmp_path, files, "setup", path) is None) is member or not member


def test_poetry_installs_with_its_optional_groups(tmp_path: Path) -> None:
    """Its environment lies in the project only where it is told so."""
    text = '[tool.poetry]\nname = "x"\n[tool.poetry.group.docs]\noptional = true\n'
    text += '[tool.poetry.group.docs.dependencies]\nsphinx = "*"\n'
    files = {"pyproject.toml": text, "poetry.lock": ""}
    recipe = recipe_of(describe(tmp_path, files), "setup")
    assert recipe is not None
    assert recipe.argv == ("poetry", "install", "--with", "docs")
    assert recipe.creates == ()
    inside = {"poetry.toml": "[virtualenvs]\nin-project = true\n"}
    text += '[project.optional-dependencies]\ntest = ["pytest"]\n'
    recipe = recipe_of(describe(tmp_path, inside | {"pyproject.toml": text}), "setup")
    assert recipe is not None
    assert recipe.argv[2] == "--all-extras"
    assert recipe.creates == (".venv",)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pyproject.toml": PROJECT + HATCH}, "--editable --also build"),
        (
            {
                "pyproject.toml": PROJECT
                + HATCH
                + '[project.optional-dependencies]\ndev = ["build"]\ncli = ["click"]\n'
                + '[dependency-groups]\nlint = ["ruff"]\n',
                "requirements-dev.txt": "pytest\n",
            },
            "--editable --extra dev --group lint --requirement requirements-dev.txt",
        ),
        ({"pyproject.toml": PROJECT + 'dependencies = ["a"]\n'}, "--dependencies"),
        ({"setup.py": "setup()"}, "--editable --also build"),
    ],
)
def test_without_a_manager_our_own_tool_makes_the_environment(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    """With what those who work on the project need, as the project names it."""
    recipe = recipe_of(describe(tmp_path, files), "setup")
    assert recipe is not None
    assert recipe.argv[:3] == ("{python}", "-m", "polylane.tools.setup_python")
    assert " ".join(recipe.argv[3:]) == words
    assert recipe.creates == (".venv",)


def test_where_there_is_nothing_to_install_there_is_no_setup(tmp_path: Path) -> None:
    """A file of tools' tables alone asks for no environment."""
    assert argv(tmp_path, {"pyproject.toml": "[tool.ruff]\n"}, "setup") is None
