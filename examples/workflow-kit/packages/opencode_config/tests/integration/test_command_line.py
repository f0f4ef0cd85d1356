"""The installed command, run as its users run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder and wait for it."""
    return subprocess.run(
        [sys.executable, "-m", "opencode_config", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_valid_file_gives_0(tmp_path: Path) -> None:
    """Each file is named with its verdict."""
    (tmp_path / "opencode.json").write_text('{"theme": "nord"}')

    result = run("validate", "opencode.json", cwd=tmp_path)

    assert (result.returncode, result.stdout, result.stderr) == (0, "opencode.json: valid\n", "")


def test_an_invalid_file_gives_1_and_a_line_a_problem(tmp_path: Path) -> None:
    """File, pointer, value and expectation are in the line."""
    (tmp_path / "opencode.json").write_text('{"theme": 4, "share": "always"}')

    result = run("validate", "opencode.json", cwd=tmp_path)

    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        'opencode.json: /share: got "always", expected one of "manual", "auto", "disabled"',
        "opencode.json: /theme: got 4, expected a string",
    ]


def test_text_that_is_no_json_gives_1(tmp_path: Path) -> None:
    """It is the file that is wrong, not the call."""
    (tmp_path / "opencode.json").write_text("{,}")

    result = run("validate", "opencode.json", cwd=tmp_path)

    assert result.returncode == 1
    assert result.stdout.startswith("opencode.json: line 1, column 2: not JSON: ")


def test_a_file_that_cannot_be_read_gives_2_after_the_others(tmp_path: Path) -> None:
    """The worst file decides the code, and no file goes unchecked."""
    (tmp_path / "bad.json").write_text('{"theme": 4}')
    (tmp_path / "latin.json").write_bytes(b'{"theme": "\xe9"}')

    result = run("validate", "absent.json", "latin.json", "bad.json", cwd=tmp_path)

    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "absent.json: cannot be read: No such file or directory",
        "latin.json: cannot be read: not UTF-8 at byte 11",
    ]
    assert result.stdout == "bad.json: /theme: got 4, expected a string\n"


@pytest.mark.parametrize("words", [(), ("validate",), ("check", "opencode.json")])
def test_bad_usage_gives_2(words: tuple[str, ...], tmp_path: Path) -> None:
    """What is missing or unknown is told on stderr."""
    result = run(*words, cwd=tmp_path)

    assert result.returncode == 2
    assert result.stderr.startswith("usage: opencode-config")


def test_the_schema_is_printed_as_json(tmp_path: Path) -> None:
    """Package data is found from any folder."""
    result = run("schema", cwd=tmp_path)

    assert result.returncode == 0
    assert json.loads(result.stdout)["title"] == "opencode configuration"
