"""Which environment a Python project's tasks get."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from polylane.describe.languages.python import LANGUAGE
from polylane.describe.languages.python.env import environment, poetry_cache, poetry_name


def _env(place: Path) -> Path:
    (place / "bin").mkdir(parents=True)
    (place / "pyvenv.cfg").write_text("")
    return place


def test_the_projects_own_environment_comes_first(tmp_path: Path) -> None:
    """Its programs lead, those of the workspace's environment follow."""
    own, above = _env(tmp_path / "libs/a/.venv"), _env(tmp_path / ".venv")
    found = environment(tmp_path, "libs/a")
    assert found.path_dirs == (f"{own}/bin", f"{above}/bin")
    assert found.variables == (("VIRTUAL_ENV", str(own)),)


def test_a_member_takes_the_environment_of_its_workspace(tmp_path: Path) -> None:
    """The nearest environment up to the workspace, and none above that."""
    _env(tmp_path / ".venv")
    root = _env(tmp_path / "ws/venv")
    (tmp_path / "ws/libs/a").mkdir(parents=True)
    assert environment(tmp_path / "ws", "libs/a").path_dirs == (f"{root}/bin",)


def test_a_folder_that_is_no_environment_is_passed_over(tmp_path: Path) -> None:
    """A folder called venv may hold anything; without pyvenv.cfg it is none."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    assert environment(tmp_path, ".").path_dirs == (str(Path(sys.executable).parent),)


def test_poetrys_environment_is_found_where_poetry_keeps_it(tmp_path: Path) -> None:
    """The newest Python's, by the name that Poetry computes; the workspace's follows."""
    work, home = tmp_path / "w", tmp_path / "home"
    (work / "api").mkdir(parents=True)
    (work / "api/pyproject.toml").write_text('[tool.poetry]\nname = "My Api"\n')
    stem = poetry_name("my api", str(work / "api"))
    for version in ("3.9", "3.11"):
        _env(home / poetry_cache() / "virtualenvs" / f"{stem}-py{version}")
    above = _env(work / ".venv")
    found = environment(work, "api", home)
    assert found.path_dirs[0].endswith(f"{stem}-py3.11/bin")
    assert found.path_dirs[1:] == (f"{above}/bin",)


def test_a_project_of_poetrys_without_an_environment_gets_the_next_best(tmp_path: Path) -> None:
    """Before ``setup`` there is none."""
    (tmp_path / "poetry.lock").write_text("")
    assert environment(tmp_path, ".", tmp_path / "home").path_dirs == (
        str(Path(sys.executable).parent),
    )


def test_the_name_is_the_one_that_poetry_gives() -> None:
    """Written down from Poetry 2.5's EnvManager.generate_env_name."""
    assert poetry_name("My App", "/nowhere/app") == "my_app-1sIgRbjW"


@pytest.mark.parametrize(
    ("platform", "start"), [("linux", ".cache"), ("darwin", "Library"), ("win32", "AppData")]
)
def test_each_platform_has_its_cache(platform: str, start: str) -> None:
    """Poetry asks platformdirs; these are its answers."""
    assert poetry_cache(platform).parts[0] == start


@pytest.mark.parametrize(("prefix", "inside"), [("/elsewhere", True), (sys.base_prefix, False)])
def test_without_any_the_environment_of_polylane_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, *, inside: bool
) -> None:
    """VIRTUAL_ENV is said only where polylane itself runs in one."""
    monkeypatch.setattr(sys, "prefix", prefix)
    found = LANGUAGE.environment(tmp_path, ".")
    assert found.path_dirs == (str(Path(sys.executable).parent),)
    assert found.variables == ((("VIRTUAL_ENV", prefix),) if inside else ())
