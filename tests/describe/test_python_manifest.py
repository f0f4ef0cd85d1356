"""What Python manifests declare, in all the ways in which they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.languages.base import Folder
from polylane.describe.languages.python.manifest import Manifest, ini, normalise, read_manifest


def _manifest(folder: Path, **files: str) -> Manifest:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".", 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_manifest(Folder(folder, "."))


def test_pep_621_and_pep_735_are_read(tmp_path: Path) -> None:
    """Name, dependencies, extras and groups come out normalised; included groups are no names."""
    manifest = _manifest(
        tmp_path,
        pyproject_toml="""
        [project]
        name = "My.Project"
        dependencies = ["Foo_Bar>=1; python_version > '3'", "baz[extra] @ https://x.example/b.whl"]
        [project.optional-dependencies]
        dev = ["pytest"]
        [dependency-groups]
        lint = ["ruff", {include-group = "types"}]
        types = ["mypy"]
        """,
    )
    assert manifest.name == "my-project"
    assert manifest.runtime == {"foo-bar", "baz"}
    assert manifest.extras == {"dev": {"pytest"}}
    assert manifest.groups == {"lint": {"ruff"}, "types": {"mypy"}}
    assert manifest.dependencies == {"foo-bar", "baz", "pytest", "ruff", "mypy"}


def test_poetrys_tables_are_read(tmp_path: Path) -> None:
    """The interpreter is no dependency; old and new groups for development are joined."""
    manifest = _manifest(
        tmp_path,
        pyproject_toml="""
        [tool.poetry]
        name = "api"
        [tool.poetry.dependencies]
        python = "^3.11"
        core = {path = "../core", develop = true}
        [tool.poetry.dev-dependencies]
        black = "*"
        [tool.poetry.group.dev.dependencies]
        pytest = "*"
        """,
    )
    assert manifest.name == "api"
    assert manifest.runtime == {"core"}
    assert manifest.groups == {"dev": {"black", "pytest"}}


def test_uvs_old_dev_dependencies_are_a_group(tmp_path: Path) -> None:
    """``tool.uv.dev-dependencies`` is what the group dev came to be."""
    text = '[tool.uv]\ndev-dependencies = ["ruff>=0.7", "pytest"]\n'
    assert _manifest(tmp_path, pyproject_toml=text).groups == {"dev": {"ruff", "pytest"}}


def test_setup_cfg_is_read(tmp_path: Path) -> None:
    """Name, requirements and extras of declarative setuptools."""
    manifest = _manifest(
        tmp_path,
        setup_cfg="""
[metadata]
name = Old_One
[options]
install_requires =
    requests>=2
    core
[options.extras_require]
test = pytest
    flake8
""",
    )
    assert manifest.name == "old-one"
    assert manifest.runtime == {"requests", "core"}
    assert manifest.extras == {"test": {"pytest", "flake8"}}


def test_setup_py_is_parsed_and_never_run(tmp_path: Path) -> None:
    """Literal keywords count; computed ones are unknown; nothing of it is executed."""
    manifest = _manifest(
        tmp_path,
        setup_py="""
import setuptools
open("ran", "w")
setuptools.setup(
    name="old", version=compute(), install_requires=["a"], extras_require={"dev": ["pytest"]}, **{}
)
""",
    )
    assert manifest.name == "old"
    assert manifest.runtime == {"a"}
    assert manifest.extras == {"dev": {"pytest"}}
    assert not Path("ran").exists()


def test_a_setup_py_that_cannot_be_parsed_says_nothing(tmp_path: Path) -> None:
    """Python 2 is still a manifest, without a name."""
    manifest = _manifest(tmp_path, setup_py="import setuptools\nprint 'hello'\n")
    assert manifest.name == ""
    assert manifest.setup_py is not None


def test_requirements_files_and_those_that_they_name_are_read(tmp_path: Path) -> None:
    """Each kind of line gives its name; options, comments and addresses give none."""
    for path, text in {
        "requirements-dev.txt": "-r requirements/base.txt\nPytest==8  # why\n--hash=x\n\n",
        "requirements/base.txt": "-r ../dev-requirements.txt\nflask ; python_version>'3'\n",
        "dev-requirements.txt": "git+https://h.example/r#egg=Tool\nhttps://h.example/a.whl\n",
        "requirements/constraints.txt": "never==1\n",
        "requirements-x.txt": "-r ../outside.txt\n",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    manifest = read_manifest(Folder(tmp_path, "."))
    assert manifest.required == {"pytest", "flask", "tool"}
    assert manifest.requirements == (
        "dev-requirements.txt",
        "requirements-dev.txt",
        "requirements-x.txt",
        "requirements/base.txt",
    )


def test_a_folder_in_requirements_is_named_by_its_own_manifest(tmp_path: Path) -> None:
    """``-e ../core`` is a dependency on what that folder provides, and its manifest was read."""
    for path, text in {
        "libs/core/pyproject.toml": '[project]\nname = "the-core"\n',
        "libs/bare/readme": "",
        "api/requirements.txt": "-e ../libs/core[x]\n-e .\n../libs/bare\nfile:../../out\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    folder = Folder(tmp_path, "api")
    assert read_manifest(folder).required == {"the-core"}
    assert "libs/core/pyproject.toml" in folder.read


def test_a_file_that_is_no_ini_file_has_no_sections(tmp_path: Path) -> None:
    """Broken setup.cfg files are the tools' matter."""
    (tmp_path / "setup.cfg").write_text("no section\n")
    assert ini(Folder(tmp_path, "."), "setup.cfg") is None


def test_values_of_another_shape_are_left_out(tmp_path: Path) -> None:
    """A manifest that a builder would refuse does not stop us."""
    text = '[project]\nname = 3\ndependencies = "x"\noptional-dependencies = []\n'
    manifest = _manifest(tmp_path, pyproject_toml=text + "[tool]\npoetry = 1\n")
    assert (manifest.name, manifest.extras) == ("", {})


@pytest.mark.parametrize("name", ["A.b_c", "a-b-c", "a__B--c"])
def test_all_spellings_of_a_name_are_one(name: str) -> None:
    """PEP 503."""
    assert normalise(name) == "a-b-c"
