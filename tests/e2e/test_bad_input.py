"""Bad input to the real program: one line each, exit code 2, and nothing half done."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.integrations.repository import TASKS, Done, Repository

GOOD = '[tasks."all:root:ok"]\ncommand = ["true"]\nreads = []\nwrites = []\n'


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A git repository with our two lines, and one task."""
    return Repository(tmp_path / "repo").write({"tasks.py": TASKS, "polylane.toml": GOOD})


def _line(done: Done) -> str:
    """The only line of a program that refused its input."""
    assert done.code == 2, done.all
    assert done.out == ""
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err
    return lines[0]


def _refused(repository: Repository, *words: str, **environ: str) -> str:
    """The line by which ``inv`` refuses; nothing may be left behind but what is remembered."""
    before = _files(repository.folder)
    line = _line(repository.inv(*words, **environ))
    assert _files(repository.folder) == before
    assert not (repository.folder / ".polylane" / "runs").is_dir()
    return line


def _files(folder: Path) -> set[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return {path for path in found if not re.match(r"\.polylane(/|$)|.*__pycache__", path)}


TASK = '[tasks."all:root:bad"]\n'
AT = 'polylane.toml:1: tasks."all:root:bad"'
AT_2 = 'polylane.toml:2: tasks."all:root:bad"'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "jobs = = 3",
            "polylane.toml: is not valid TOML: Invalid value (at line 1, column 8); mend the file",
        ),
        ("job = 3", "polylane.toml:1: job: unknown key; did you mean 'jobs'?"),
        (
            f"{TASK}comand = 'x'",
            f"{AT_2}.comand: unknown key; did you mean 'command'?",
        ),
        (
            "parallel = ['lnit']",
            "polylane.toml:1: parallel: there is no verb 'lnit'; did you mean 'lint'?",
        ),
        (
            "[verbs.tset]",
            "polylane.toml:1: verbs.tset: there is no verb 'tset'; did you mean 'test'?",
        ),
        (
            "[pipelines]\nmine = ['lnit']",
            "polylane.toml:2: pipelines.mine: there is no verb 'lnit'; did you mean 'lint'?",
        ),
        (
            "[projects.api]\ndepends = []",
            "polylane.toml:1: projects.api: no project 'api' was found; give its path to add it",
        ),
        (
            '[tasks."all:api:bad"]\ncommand = ["x"]',
            (
                "polylane.toml:1: tasks.\"all:api:bad\": there is no project 'api';"
                " there are no projects"
            ),
        ),
        (
            '[tasks."all:root:okk"]\ntimeout = 3',
            (
                'polylane.toml:1: tasks."all:root:okk": no such task was found;'
                " to add a task, give its command"
            ),
        ),
        (
            f"{TASK}command = ['x']\nneeds = ['all:root:okk']",
            (
                "polylane.toml:3: tasks.\"all:root:bad\".needs: there is no task 'all:root:okk';"
                " did you mean 'all:root:ok'?"
            ),
        ),
        (
            (
                f"{TASK}command = ['x']\nneeds = ['all:root:b']\n"
                "[tasks.'all:root:b']\ncommand = ['x']\nneeds = ['all:root:bad']"
            ),
            (
                "tasks need each other in a cycle: all:root:bad -> all:root:b -> all:root:bad;"
                " remove one of these needs"
            ),
        ),
        (
            f"{TASK}command = ['x']\nneeds = ['all:root:bad']",
            (
                "tasks need each other in a cycle: all:root:bad -> all:root:bad;"
                " remove one of these needs"
            ),
        ),
        (
            f"{TASK}command = ['x']\ntimeout = -1",
            (
                'polylane.toml:3: tasks."all:root:bad".timeout = -1: must be a number of seconds'
                " above 0"
            ),
        ),
        (
            f"{TASK}command = ['x']\ncwd = '../..'",
            (
                "polylane.toml:3: tasks.\"all:root:bad\".cwd = '../..': must be a path inside the"
                " workspace"
            ),
        ),
        (
            f"{TASK}command = ['x']\ncwd = 'nowhere'",
            (
                "polylane.toml:3: tasks.\"all:root:bad\".cwd = 'nowhere': is no folder of the"
                " workspace; paths are relative to the workspace"
            ),
        ),
        (
            f"{TASK}command = []",
            (
                f"{AT_2}.command = []: must be a command: a list of words, such as"
                ' ["pytest", "-q"], or a text'
            ),
        ),
        (
            f"{TASK}command = ''",
            (
                f"{AT_2}.command = '': must be a command: a list of words, such as"
                ' ["pytest", "-q"], or a text'
            ),
        ),
        (
            "jobs = 0",
            (
                'polylane.toml:1: jobs = 0: must be a number above 0, "auto", or a percentage'
                ' such as "50%"'
            ),
        ),
    ],
)
def test_bad_configuration_is_one_line(repository: Repository, text: str, line: str) -> None:
    """It names what, which value, where, and how to mend it."""
    repository.write({"polylane.toml": f"{text}\n{GOOD}"})
    assert _refused(repository, "all") == line


def test_two_tables_for_one_id_are_refused(repository: Repository) -> None:
    """TOML itself has no two."""
    repository.write({"polylane.toml": GOOD + GOOD})
    assert _refused(repository, "all").startswith(
        "polylane.toml: is not valid TOML: Cannot declare"
    )


def test_a_body_with_a_taken_id_is_refused(repository: Repository) -> None:
    """Two functions of one name for one verb, in one file."""
    body = '@polylane.task(verb="all", name="x")\ndef {}(c): ...\n'
    repository.write({"tasks.py": f"import polylane\n{TASKS}{body.format('a')}{body.format('b')}"})
    assert _refused(repository, "all") == (
        "tasks.py:6: the id all:root:x is taken by tasks.py:4; give one of them another name"
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("all", "--jobs", "0"),
            '--jobs = \'0\': must be a number above 0, "auto", or a percentage such as "50%"',
        ),
        (
            ("all", "--jobs", "many"),
            '--jobs = \'many\': must be a number above 0, "auto", or a percentage such as "50%"',
        ),
        (("all", "--timeout", "-3"), "--timeout = -3.0: must be a number of seconds above 0"),
        (("all", "--timeout", "soon"), "--timeout = 'soon': must be a number of seconds above 0"),
        (("all", "--timeout", "nan"), "--timeout = nan: must be a number of seconds above 0"),
        (
            ("all", "--output", "steam"),
            (
                "--output = 'steam': must be one of auto, live, grouped, stream, errors;"
                " did you mean 'stream'?"
            ),
        ),
        (
            ("all", "--project", "rot"),
            "there is no project 'rot' with a task; did you mean 'root'?",
        ),
        (
            ("lanes.plan", "--select", "al"),
            "--select al: there is no verb or pipeline 'al'; did you mean 'all'?",
        ),
    ],
)
def test_a_bad_flag_is_one_line(repository: Repository, words: tuple[str, ...], line: str) -> None:
    """As it was typed."""
    assert _refused(repository, *words) == line


def test_a_language_that_no_task_has_is_refused(repository: Repository) -> None:
    """No task of this workspace is of a language."""
    assert _refused(repository, "all", "--language", "python") == (
        "there is no language 'python' with a task"
    )


def test_use_parallel_must_be_true_or_false(repository: Repository) -> None:
    """It could mean either."""
    assert _refused(repository, "all", USE_PARALLEL="maybe") == (
        "USE_PARALLEL=maybe: must be true, 1, yes, false, 0 or no"
    )


def test_a_broken_manifest_is_one_line(repository: Repository) -> None:
    """Of whatever language; it names the file."""
    repository.write({"packages/a/package.json": "{", "packages/b/package.json": "{}"})
    line = _refused(repository, "all")
    assert line.startswith(f"{repository.folder}/packages/a/package.json: ")
    assert line.endswith("; mend the file")


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    """Git says what is ignored."""
    (tmp_path / "tasks.py").write_text(TASKS)
    repository = Repository.__new__(Repository)
    repository.folder = tmp_path
    assert _line(repository.inv("lint", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))) == (
        f"{tmp_path}: is no git repository, which polylane needs to know what is ignored;"
        " run git init there, or start in a repository"
    )
    assert not (tmp_path / ".polylane").exists()


def test_an_empty_repository_has_nothing_to_do(tmp_path: Path) -> None:
    """A pipeline that is there by itself finds no project."""
    repository = Repository(tmp_path / "repo").write({"tasks.py": TASKS})
    line = _refused(repository, "qa")
    assert line == (
        f"{repository.folder}: no project was found: polylane looks for pyproject.toml,"
        " setup.cfg, setup.py and package.json that git does not ignore"
    )


@pytest.mark.parametrize(
    ("in_the_way", "named"),
    [(".polylane", ".polylane"), (".polylane/runs", ".polylane/runs")],
)
def test_a_place_for_logs_that_cannot_be_written_is_one_line(
    repository: Repository, in_the_way: str, named: str
) -> None:
    """A file lies there; it stays as it is, and nothing runs."""
    repository.write(
        {in_the_way: "mine", "polylane.toml": GOOD.replace('"true"', '"touch", "ran"')}
    )
    line = _line(repository.inv("all"))
    assert line.startswith(f"{repository.folder}/{named}")
    assert "cannot be written: " in line
    assert line.endswith("polylane keeps its logs there")
    assert (repository.folder / in_the_way).read_text() == "mine"
    assert not (repository.folder / "ran").exists()


def test_a_lock_file_that_cannot_be_written_is_one_line(repository: Repository) -> None:
    """A folder lies there."""
    (repository.folder / ".polylane" / "locks").mkdir(parents=True)
    line = _line(repository.inv("all"))
    assert line.startswith(f"{repository.folder}/.polylane/locks: cannot be written: ")


PROJECT = "[project]\nname = 'x'\n"
LONG = "/".join(["a-long-name-of-thirty-letters-"] * 10)


@pytest.mark.parametrize(
    "path",
    [
        "services/my api/größe 日本",
        LONG,
        'per%cent/[id]/it\'s "quoted" $HOME',
        "star*/what?",
        ":colon/semi;colon",
    ],
)
def test_odd_names_of_folders_and_tools_work(repository: Repository, path: str) -> None:
    """Slashes, spaces, letters of any script, 300 characters: in ids, logs and results."""
    tool = f"the tool/{'x' * 240} ü"
    name = path.replace(":", "%3A")
    task = json.dumps(f"lint:{name}:{tool}", ensure_ascii=False)
    repository.write(
        {
            f"{path}/pyproject.toml": PROJECT,
            f"other/{path.rpartition('/')[2]}/pyproject.toml": PROJECT,
            "polylane.toml": f'[tasks.{task}]\ncommand = ["pwd"]\n',
        }
    )
    for words in (["lint"], ["lint-parallel"], ["lint", "--project", name]):
        done = repository.inv(*words)
        assert done.code == 0, done.all
        (ran,) = repository.result()["tasks"]
        assert (ran["id"], ran["cwd"]) == (f"lint:{name}:{tool}", path)
        assert _log(repository, ran["log"]) == f"{repository.folder}/{path}\n"


def _log(repository: Repository, name: str) -> str:
    return (repository.folder / ".polylane" / "last" / name).read_text()


def test_names_that_are_no_text_are_printable_everywhere(repository: Repository) -> None:
    """A newline, an escape, bytes that are not UTF-8: in the plan, the output and the result."""
    broken = os.fsdecode(b"bro\xffken\n\x1b[31m")
    (repository.folder / broken).mkdir()
    (repository.folder / broken / "pyproject.toml").write_text(PROJECT)
    name = "bro%FFken%0A%1B[31m"
    repository.write({"polylane.toml": f'[tasks."lint:{name}:x"]\ncommand = ["echo", "ok"]\n'})
    done = repository.inv("lint")
    assert done.code == 0, done.all
    (task,) = repository.result()["tasks"]
    assert (task["cwd"], task["project"]) == (broken, name)
    assert _log(repository, task["log"]) == "ok\n"
    planned = repository.inv("lanes.plan", "--select", "lint")
    dry = repository.inv("--dry", "lint")
    assert (planned.code, dry.code) == (0, 0), planned.all + dry.all
    assert name in planned.out
    assert "\x1b" not in done.all + planned.all + dry.all
