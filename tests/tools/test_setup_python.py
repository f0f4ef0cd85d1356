"""The setup tool with real environments; nothing is fetched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from polylane.tools.setup_python import ENVIRONMENT, MARKER, main

# A build backend of a dozen lines, so that pip needs no index.
_BACKEND = """
import zipfile

NAME = "@"


def get_requires_for_build_editable(config_settings=None):
    return []


get_requires_for_build_wheel = get_requires_for_build_editable


def build_editable(folder, config_settings=None, metadata_directory=None):
    file = f"{NAME}-1-py3-none-any.whl"
    info = f"{NAME}-1.dist-info"
    with zipfile.ZipFile(f"{folder}/{file}", "w") as wheel:
        wheel.writestr(f"{NAME}_mark.py", "")
        meta = f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: 1\\nProvides-Extra: dev\\n"
        wheel.writestr(f"{info}/METADATA", meta)
        tags = "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")
    return file


build_wheel = build_editable
"""


def _project(folder: Path, name: str, more: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "backend.py").write_text(_BACKEND.replace("@", name))
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "1"\n{more}\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )


def _start(folder: Path, *words: str) -> subprocess.Popen[str]:
    env = os.environ | {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    argv = [sys.executable, "-m", "polylane.tools.setup_python", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, cwd=folder, env=env, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder which is the working one, without an index."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path


def _made(folder: Path) -> set[str]:
    return {path.name for path in folder.glob(f"{ENVIRONMENT}/lib/*/site-packages/*_mark.py")}


def test_two_at_once_set_one_environment_up_once(here: Path) -> None:
    """One installs the project, its group and its requirements; the other waits, and is done."""
    _project(here, "mine", "[project.optional-dependencies]\ndev = []\n[dependency-groups]\nt = []")
    _project(here / "lib", "lib")
    (here / "requirements.txt").write_text("-r more.txt\n")
    (here / "more.txt").write_text("./lib\n")
    words = ("--editable", "--extra", "dev", "--group", "t", "--requirement", "requirements.txt")
    both = [_start(here, *words) for _ in range(2)]
    texts = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], texts
    assert sorted("up to date" in text for text in texts) == [False, True]
    assert sum("waiting for another" in text for text in texts) <= 1
    assert _made(here) == {"mine_mark.py", "lib_mark.py"}
    # A changed input makes it install again, and no lock file stays in the project.
    assert main([*words]) == 0
    (here / "more.txt").write_text("./lib\n# changed\n")
    before = (here / ENVIRONMENT / MARKER).read_text()
    assert main([*words]) == 0
    assert (here / ENVIRONMENT / MARKER).read_text() != before
    assert sorted(path.name for path in here.iterdir() if path.name.startswith(".")) == [
        ENVIRONMENT
    ]


def _environment_without_pip(folder: Path) -> None:
    argv = [sys.executable, "-m", "venv", "--without-pip", ENVIRONMENT]
    subprocess.run(argv, cwd=folder, check=True)


def test_a_second_call_does_nothing(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With the same inputs neither venv nor pip is started."""
    _environment_without_pip(here)
    assert main([]) == 0
    assert main([]) == 0
    assert capfd.readouterr().out == ".venv is up to date\n"


def test_a_failed_install_leaves_no_new_environment(here: Path) -> None:
    """What pip could not fill must not look done; pip's exit code is ours."""
    assert main(["--also", "no-such-distribution-at-all"]) == 1
    assert not (here / ENVIRONMENT).exists()


def test_a_failed_install_keeps_an_environment_that_was_there(here: Path) -> None:
    """Somebody's own environment stays, and is not marked as done."""
    _environment_without_pip(here)
    (here / ENVIRONMENT / "mine").write_text("")
    assert main([]) == 0
    assert main(["--also", "no-such-distribution-at-all"]) == 1
    assert (here / ENVIRONMENT / "mine").exists()
    assert not (here / ENVIRONMENT / MARKER).exists()


def test_a_stopped_install_leaves_no_new_environment(here: Path) -> None:
    """SIGTERM in the midst of it removes what is half done."""
    process = _start(here)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("+ "):
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert not (here / ENVIRONMENT).exists()


def test_what_a_killed_call_left_is_made_anew(here: Path) -> None:
    """An environment that we began and did not finish is removed first."""
    (here / ENVIRONMENT).mkdir()
    (here / ENVIRONMENT / MARKER).write_text("unfinished")
    (here / ENVIRONMENT / "half").write_text("")
    assert main([]) == 0
    assert not (here / ENVIRONMENT / "half").exists()
    assert (here / ENVIRONMENT / "bin/python").exists()


def _said(folder: Path, *words: str) -> list[str]:
    from polylane.tools.setup_python import _parser, _words

    return _words(folder, _parser().parse_args(words))


def test_groups_include_groups_and_names_are_normalised(here: Path) -> None:
    """PEP 735: an included group's requirements come in its place."""
    (here / "pyproject.toml").write_text(
        '[dependency-groups]\nTest_Base = ["a"]\ndev = ["b", {include-group = "test-base"}]\n'
    )
    assert _said(here, "--group", "dev") == ["b", "a"]


def test_dependencies_without_a_package_are_installed_as_said(here: Path) -> None:
    """A project that is no package has its dependencies and extras installed by name."""
    (here / "pyproject.toml").write_text(
        '[project]\ndependencies = ["a>1"]\n[project.optional-dependencies]\ndev = ["b"]\n'
    )
    assert _said(here, "--dependencies", "--extra", "dev", "--also", "c") == ["a>1", "b", "c"]
    assert _said(here, "--extra", "dev") == ["b"]


def test_a_package_is_installed_with_its_extras(here: Path) -> None:
    """One word for pip, whatever the number of extras."""
    assert _said(here, "--editable", "--extra", "x", "--extra", "y") == ["-e", ".[x,y]"]
    assert _said(here, "--editable") == ["-e", "."]


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("", ["--group", "gone"], "has no group or extra 'gone'"),
        ("", ["--extra", "gone"], "has no group or extra 'gone'"),
        (
            '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]\n',
            ["--group", "a"],
            "a -> b -> a",
        ),
        ("= broken", [], "pyproject.toml: "),
    ],
)
def test_bad_input_is_said_in_one_line(
    here: Path, text: str, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, which names the value; an environment that was there is not touched."""
    (here / ENVIRONMENT).mkdir()
    (here / "pyproject.toml").write_text(text)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_requirements_that_name_each_other_end(here: Path) -> None:
    """A cycle of requirements files is read once."""
    from polylane.tools.setup_python import _requirements

    (here / "a.txt").write_text("-r sub/b.txt\n-c limits.txt\n")
    (here / "sub").mkdir()
    (here / "sub/b.txt").write_text("-r ../a.txt\n")
    assert _requirements(here, ["a.txt"]) == ["a.txt", "sub/b.txt", "limits.txt"]
