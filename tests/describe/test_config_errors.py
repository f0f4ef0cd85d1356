"""Bad configuration: each value is one line with its place and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe import config
from polylane.errors import UserError


def _error(folder: Path, text: str, file: str = "polylane.toml") -> str:
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        config.load(folder, {})
    return str(caught.value)


COMMAND = 'must be a command: a list of words, such as ["pytest", "-q"], or a text'
SECONDS = "must be a number of seconds above 0"
COUNT = "must be a whole number above 0"
JOBS = 'must be a number above 0, "auto", or a percentage such as "50%"'
TEXTS = "must be a list of texts"
VERB = "must be a verb: letters, digits and dashes, such as type-check"
INSIDE = "must be a path inside the workspace"
RELATIVE = "must be a path relative to the workspace"
BOOLEAN = "must be true or false"
CODES = "must be a list of exit codes from 0 to 255"
TASK = '[tasks."a:b:c"]\n'
T = 'polylane.toml:2: tasks."a:b:c"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs = 0", f"polylane.toml:1: jobs = 0: {JOBS}"),
        ("jobs = -1", f"polylane.toml:1: jobs = -1: {JOBS}"),
        ("jobs = true", f"polylane.toml:1: jobs = true: {JOBS}"),
        ("jobs = 1.5", f"polylane.toml:1: jobs = 1.5: {JOBS}"),
        ('jobs = "many"', f"polylane.toml:1: jobs = 'many': {JOBS}"),
        ('jobs = "0%"', f"polylane.toml:1: jobs = '0%': {JOBS}"),
        ('parallel = "lint"', f"polylane.toml:1: parallel = 'lint': {TEXTS}"),
        ("parallel = [1]", f"polylane.toml:1: parallel = [1]: {TEXTS}"),
        ('parallel = [""]', f"polylane.toml:1: parallel = ['']: {TEXTS}"),
        ("timeout = 0", f"polylane.toml:1: timeout = 0: {SECONDS}"),
        ("timeout = -3", f"polylane.toml:1: timeout = -3: {SECONDS}"),
        ("timeout = inf", f"polylane.toml:1: timeout = inf: {SECONDS}"),
        ("timeout = nan", f"polylane.toml:1: timeout = nan: {SECONDS}"),
        ("timeout = true", f"polylane.toml:1: timeout = true: {SECONDS}"),
        ('timeout = "3"', f"polylane.toml:1: timeout = '3': {SECONDS}"),
        ("grace = -1", "polylane.toml:1: grace = -1: must be a number of seconds, 0 or more"),
        ("keep_runs = 0", f"polylane.toml:1: keep_runs = 0: {COUNT}"),
        ("keep_runs = false", f"polylane.toml:1: keep_runs = false: {COUNT}"),
        ("keep_runs = 1.0", f"polylane.toml:1: keep_runs = 1.0: {COUNT}"),
        (
            'max_load = "101%"',
            (
                "polylane.toml:1: max_load = '101%': must be a percentage from 1% to 100%,"
                ' such as "80%"'
            ),
        ),
        (
            "max_load = 80",
            'polylane.toml:1: max_load = 80: must be a percentage from 1% to 100%, such as "80%"',
        ),
        ("audit = 1", f"polylane.toml:1: audit = 1: {BOOLEAN}"),
        ('exclude = ["../x"]', f"polylane.toml:1: exclude = '../x': {INSIDE}"),
        (
            'exclude = ["x/*"]',
            "polylane.toml:1: exclude = ['x/*']: must be a list of folders, without * or ? or !",
        ),
        (
            'exclude = ["!x"]',
            "polylane.toml:1: exclude = ['!x']: must be a list of folders, without * or ? or !",
        ),
        ("pipelines = 3", "polylane.toml:1: pipelines = 3: must be a table"),
        (
            "[pipelines]\nqa = []",
            (
                "polylane.toml:2: pipelines.qa = []: must be a list of verbs,"
                ' such as ["build", "test"]'
            ),
        ),
        (
            '[pipelines]\nqa = ["a b"]',
            (
                "polylane.toml:2: pipelines.qa = ['a b']: must be a list of verbs,"
                ' such as ["build", "test"]'
            ),
        ),
        (
            '[pipelines]\n"my qa" = ["lint"]',
            f'polylane.toml:2: pipelines."my qa": a name {VERB}',
        ),
        ("[verbs]\ntest = 3", "polylane.toml:2: verbs.test = 3: must be a table"),
        ("[verbs.a_b]", f"polylane.toml:1: verbs.a_b: a name {VERB}"),
        ("[verbs.test]\nneeds = 3", f"polylane.toml:2: verbs.test.needs = 3: {TEXTS}"),
        (
            "[verbs.test]\nneds = []",
            "polylane.toml:2: verbs.test.neds: unknown key; did you mean 'needs'?",
        ),
        ("[projects.a]\npath = 3", "polylane.toml:2: projects.a.path = 3: must be a text"),
        ('[projects.a]\npath = "/a"', f"polylane.toml:2: projects.a.path = '/a': {RELATIVE}"),
        ('[projects.a]\npath = ""', f"polylane.toml:2: projects.a.path = '': {RELATIVE}"),
        (
            '[projects.a]\npath = "a/../.."',
            f"polylane.toml:2: projects.a.path = 'a/../..': {INSIDE}",
        ),
        (
            '[projects."a:b"]',
            'polylane.toml:1: projects."a:b": a project\'s name must not hold a colon',
        ),
        (
            '[projects."a\\nb"]',
            (
                'polylane.toml: projects."a\\u000Ab": a name must not be empty, nor hold control'
                " characters"
            ),
        ),
        (
            '[projects.""]',
            'polylane.toml:1: projects."": a name must not be empty, nor hold control characters',
        ),
        (
            '[tasks."a:b"]',
            (
                'polylane.toml:1: tasks."a:b": a task\'s id must be verb:project:tool,'
                " such as lint:api:ruff"
            ),
        ),
        (
            '[tasks."a::c"]',
            (
                'polylane.toml:1: tasks."a::c": a task\'s id must be verb:project:tool,'
                " such as lint:api:ruff"
            ),
        ),
        (
            '[tasks."a b:c:d"]',
            f"polylane.toml:1: tasks.\"a b:c:d\": the id's first part, 'a b', {VERB}",
        ),
        (TASK + "verb = 3", f"{T}.verb = 3: {VERB}"),
        (TASK + 'verb = "-x"', f"{T}.verb = '-x': {VERB}"),
        (TASK + 'verb = "a_b"', f"{T}.verb = 'a_b': {VERB}"),
        (TASK + "command = []", f"{T}.command = []: {COMMAND}"),
        (TASK + 'command = ""', f"{T}.command = '': {COMMAND}"),
        (TASK + 'command = "  "', f"{T}.command = '  ': {COMMAND}"),
        (TASK + 'command = [""]', f"{T}.command = ['']: {COMMAND}"),
        (TASK + "command = [1]", f"{T}.command = [1]: {COMMAND}"),
        (TASK + "command = 1", f"{T}.command = 1: {COMMAND}"),
        (
            TASK + 'command = "a \'b"',
            f'{T}.command = "a \'b": must be a command (No closing quotation)',
        ),
        (TASK + "shell = 1", f"{T}.shell = 1: {BOOLEAN}"),
        (TASK + 'cwd = "../x"', f"{T}.cwd = '../x': {INSIDE}"),
        (TASK + 'cwd = "/tmp"', f"{T}.cwd = '/tmp': {RELATIVE}"),
        (TASK + 'needs = "x"', f"{T}.needs = 'x': {TEXTS}"),
        (TASK + 'reads = ["/x"]', f"{T}.reads = '/x': {RELATIVE}"),
        (TASK + 'writes = ["!../x"]', f"{T}.writes = '../x': {INSIDE}"),
        (TASK + 'caches = [".."]', f"{T}.caches = '..': {INSIDE}"),
        (TASK + "creates = [3]", f"{T}.creates = [3]: {TEXTS}"),
        (TASK + "locks = [3]", f"{T}.locks = [3]: {TEXTS}"),
        (TASK + "env = { A = 1 }", f"{T}.env.A = 1: must be a text"),
        (
            TASK + 'env = { "A=B" = "1" }',
            (
                f'{T}.env."A=B": a variable\'s name must not be empty, nor hold = or control'
                " characters"
            ),
        ),
        (TASK + "slots = 0", f"{T}.slots = 0: {COUNT}"),
        (TASK + "retries = -1", f"{T}.retries = -1: must be a whole number, 0 or more"),
        (TASK + "retries = true", f"{T}.retries = true: must be a whole number, 0 or more"),
        (TASK + "ok_codes = []", f"{T}.ok_codes = []: {CODES}"),
        (TASK + "ok_codes = 3", f"{T}.ok_codes = 3: {CODES}"),
        (TASK + "ok_codes = [256]", f"{T}.ok_codes = [256]: {CODES}"),
        (TASK + "ok_codes = [-1]", f"{T}.ok_codes = [-1]: {CODES}"),
        (TASK + "ok_codes = [true]", f"{T}.ok_codes = [True]: {CODES}"),
        (TASK + 'leave = "no"', f"{T}.leave = 'no': {BOOLEAN}"),
        (TASK + 'enabled = "no"', f"{T}.enabled = 'no': {BOOLEAN}"),
        (TASK + "timout = 3", f"{T}.timout: unknown key; did you mean 'timeout'?"),
        ("job = 3", "polylane.toml:1: job: unknown key; did you mean 'jobs'?"),
    ],
)
def test_a_bad_value_is_one_line_with_place_value_and_what_would_be_right(
    tmp_path: Path, text: str, message: str
) -> None:
    """For every key."""
    assert _error(tmp_path, text) == message


def test_an_unknown_key_like_no_other_lists_the_known_ones(tmp_path: Path) -> None:
    """Nothing close is known."""
    assert _error(tmp_path, "zzz = 3") == (
        "polylane.toml:1: zzz: unknown key; known keys: jobs, parallel, timeout, grace,"
        " machine_jobs, max_load, memory, keep_runs, sandbox, audit, exclude, pipelines, verbs,"
        " projects, tasks"
    )


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    """A message stays a line that one can read."""
    assert _error(tmp_path, f'timeout = "{"x" * 300}"') == (
        f"polylane.toml:1: timeout = '{'x' * 75} ...: {SECONDS}"
    )


def test_a_value_of_several_lines_is_shown_on_one(tmp_path: Path) -> None:
    """Control characters never reach the terminal."""
    assert "\\n" in _error(tmp_path, 'timeout = """a\nb\u001b"""'.replace("\u001b", "\\u001b"))


def test_the_place_in_pyproject_toml_is_that_of_our_table(tmp_path: Path) -> None:
    """Not the first line with the same word."""
    text = "[tool.other]\ntimeout = -1\n\n[tool.polylane]\n\ntimeout = -1\n"
    assert _error(tmp_path, text, "pyproject.toml") == (
        f"pyproject.toml:6: tool.polylane.timeout = -1: {SECONDS}"
    )


def test_our_table_must_be_one(tmp_path: Path) -> None:
    """Nothing in it could be read."""
    assert _error(tmp_path, "[tool]\npolylane = 3", "pyproject.toml") == (
        "pyproject.toml:2: tool.polylane = 3: must be a table"
    )


@pytest.mark.parametrize(
    ("file", "text"), [("polylane.toml", "a ="), ("pyproject.toml", "[tool.polylane]\na =")]
)
def test_malformed_toml_is_one_line_with_its_place(tmp_path: Path, file: str, text: str) -> None:
    """The parser's own words say where."""
    line = text.count("\n") + 1
    message = _error(tmp_path, text, file)
    assert message.startswith(f"{file}: is not valid TOML: Invalid value (at ")
    assert message.endswith("; mend the file")
    assert f"line {line}" in message or "end of document" in message


def test_toml_that_is_nested_without_end_is_not_valid(tmp_path: Path) -> None:
    """The parser gives up, not we."""
    message = _error(tmp_path, "jobs = " + "[" * 9000)
    assert message.startswith("polylane.toml: is not valid TOML: ")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """The first bad byte is named."""
    (tmp_path / "polylane.toml").write_bytes(b'jobs = "\xff"')
    with pytest.raises(UserError) as caught:
        config.load(tmp_path, {})
    assert str(caught.value) == "polylane.toml: not UTF-8 (byte 8); save it as UTF-8"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Here it is a folder."""
    (tmp_path / "polylane.toml").mkdir()
    with pytest.raises(UserError) as caught:
        config.load(tmp_path, {})
    assert str(caught.value) == (
        "polylane.toml: cannot be read: Is a directory; make it a file that you may read"
    )
