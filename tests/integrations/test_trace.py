"""``inv lanes.trace``, as people type it: what real tasks touch, and the file of claims."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.repository import TASKS, Repository
from tests.run.tracing.traces import TRACED
from tests.support import LIMIT_S, wait_for

FILE = "polylane.claims.toml"

#: Binds a port that nobody else has, and says its number in a file.
BINDS = (
    "import socket, pathlib; s = socket.socket(); p = pathlib.Path('port');"
    " s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
    " t = socket.socket(); t.bind(('127.0.0.1', 0)); n = t.getsockname()[1]; t.close();"
    " s.bind(('127.0.0.1', n)); p.write_text(str(n))"
)


def workspace(folder: Path, **tasks: Any) -> Repository:
    """Projects ``api`` and ``web``, and tasks of the verb ``all`` of a project by ``PROJECT_TOOL``.

    A text is a command for the shell, in the project's folder.
    """
    text = ""
    for name, said in tasks.items():
        project, _, tool = name.partition("_")
        table = {"command": said} if isinstance(said, str) else said
        keys = {"shell": True, **table}
        text += f'[tasks."all:{project}:{tool}"]\n'
        text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    manifest = '[project]\nname = "x"\nversion = "1"\n'
    return Repository(folder).write(
        {
            "tasks.py": TASKS,
            "polylane.toml": text,
            "api/pyproject.toml": manifest,
            "api/src/a.py": "a = 1\n",
            "web/pyproject.toml": manifest,
            "web/src/w.py": "",
        }
    )


def traced(repository: Repository, *words: str, code: int = 0, **environ: str) -> str:
    """The report of a trace of all tasks."""
    done = repository.inv("lanes.trace", "--select", "all", *words, **environ)
    assert done.code == code, done.all
    return done.out.partition("touched, one at a time under the tracer:")[2]


def data(repository: Repository) -> dict[str, Any]:
    """The newest ``trace.json``, its tasks by the last part of their ids."""
    path = repository.folder / ".polylane" / "last" / "trace.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {**found, "tasks": {task["id"].split(":")[2]: task for task in found["tasks"]}}


def claims(repository: Repository) -> dict[str, Any]:
    """The claims that were written."""
    text = (repository.folder / FILE).read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["tasks"]
    return found


@TRACED
def test_it_reports_what_each_task_touched(tmp_path: Path) -> None:
    """Read, listed, written in the workspace and in the home, bound; and the whole as JSON."""
    home = tmp_path / "home"
    home.mkdir()
    repository = workspace(
        tmp_path / "w",
        api_reads="cat src/a.py; ls src",
        api_writes="mkdir -p out && echo > out/x && echo > ~/.dot",
        web_binds={"command": [sys.executable, "-c", BINDS], "shell": False},
    )
    text = traced(repository, HOME=str(home))
    number = (repository.folder / "web" / "port").read_text(encoding="utf-8")
    assert "all:api:reads, claim: unknown, taken to be its whole project" in text
    assert "    reads   src; names in 1 folder\n    writes  nothing\n" in text
    assert "    writes  out (2)\n    outside ~/.dot\n" in text
    assert f"    binds   tcp 127.0.0.1:{number}\n" in text
    found = data(repository)["tasks"]
    assert found["reads"]["reads"] == ["api/src/a.py"]
    assert found["reads"]["listed"] == ["api/src"]
    assert found["writes"]["writes"] == ["api/out", "api/out/x"]
    assert found["writes"]["written_outside"] == [str(home / ".dot")]
    assert found["binds"]["ports"] == [f"tcp 127.0.0.1:{number}"]


@TRACED
def test_it_reports_what_claims_lack_and_have_too_much(tmp_path: Path) -> None:
    """With the key to mend, which --write leaves to whoever said it."""
    said = {"reads": ["api/gone"], "writes": ["api/out"]}
    repository = workspace(tmp_path, api_x={"command": "cat src/a.py > made", **said})
    text = traced(repository, "--write")
    assert "  ! writes what it does not claim:\n        api/made\n" in text
    assert "  ! reads what it does not claim:\n        api/src/a.py\n" in text
    assert "    claims and never touched: api/gone, api/out\n" in text
    assert 'polylane.toml:4: tasks."all:api:x".reads lacks "api/src/a.py"\n' in text
    assert 'polylane.toml:5: tasks."all:api:x".writes lacks "api/made"\n' in text
    assert not (repository.folder / FILE).exists()


@TRACED
def test_it_reports_who_collides_the_unordered_first(tmp_path: Path) -> None:
    """On which paths; also outside of the workspace."""
    outside = tmp_path / "outside"
    none: dict[str, Any] = {"reads": [], "writes": []}
    repository = workspace(
        tmp_path / "w",
        api_a={"command": f"echo > ../web/met; echo > {outside}", **none, "sandbox": "off"},
        web_b={"command": f"cat met; echo > {outside}", **none},
        api_c="echo > made",
        api_d="cat made",
    )
    text = traced(repository, HOME="/nowhere")
    assert text.index("1 pair of tasks met and nothing orders them") < text.index("1 pair met in")
    assert "  ! all:api:a and all:web:b: web/met\n" in text
    assert "    all:api:c then all:api:d: api/made\n" in text
    assert f"  ! all:api:a and all:web:b: {outside}\n" in text
    (free, kept) = data(repository)["collisions"]
    assert (free["ordered"], free["ordered_after_write"]) == (False, False)
    assert (kept["ordered"], kept["paths"]) == (True, ["api/made"])


@TRACED
def test_observed_claims_let_tasks_run_side_by_side(tmp_path: Path) -> None:
    """The plan uses them from then on, and a second trace finds nothing that they lack."""
    repository = workspace(
        tmp_path,
        root_whole="cat api/src/a.py; ls web/src; echo > notes",
        api_makes="mkdir -p out && cat src/a.py > out/x && mkdir -p .mypy_cache",
        api_uses="cat out/x; ls out; test -e absent; echo > log.16789012.txt",
        web_alone="cat src/w.py",
    )
    text = traced(repository, "--write")
    assert "4 of 4 tasks ran under safe defaults" in text
    assert "the longest chain has 3 tasks" in text
    assert "with the claims that were observed it has 2 tasks" in text
    assert "wrote the claims of 4 tasks (all:api:makes, all:api:uses" in text
    assert claims(repository) == {
        "all:api:makes": {
            "reads": ["api/src/a.py"],
            "writes": ["api/out/**"],
            "caches": ["api/.mypy_cache"],
        },
        "all:api:uses": {"reads": ["api/out/**"], "writes": ["api/log.*.txt"]},
        "all:root:whole": {"reads": ["api/src/a.py", "web/src/*"], "writes": ["notes"]},
        "all:web:alone": {"reads": ["web/src/w.py"], "writes": []},
    }
    plan = repository.inv("lanes.plan", "--select", "all").out
    after = [line.strip() for line in plan.splitlines() if "after" in line]
    assert after == ["after all:api:makes"]
    assert "unknown" not in plan
    again = traced(repository, "--write")
    assert "what it does not claim" not in again
    assert "0 of 4 tasks ran under safe defaults" in again
    assert len(claims(repository)) == 4


@TRACED
def test_the_configuration_wins_over_observed_claims(tmp_path: Path) -> None:
    """Key by key."""
    repository = workspace(tmp_path, api_a="cat src/a.py", api_b="echo > made")
    traced(repository, "--write")
    assert "after" not in repository.inv("lanes.plan", "--select", "all").out
    text = (repository.folder / "polylane.toml").read_text(encoding="utf-8")
    text = text.replace('b"]\n', 'b"]\nwrites = ["api/src"]\n')
    repository.write({"polylane.toml": text})
    plan = repository.inv("lanes.plan", "--select", "all").out
    assert "all:api:b\n    cd api && echo > made\n    after all:api:a\n" in plan


@TRACED
def test_claims_of_a_task_that_is_gone_are_named_and_dropped(tmp_path: Path) -> None:
    """They disturb nothing until then."""
    repository = workspace(tmp_path, api_a="cat src/a.py", api_b="echo > made")
    traced(repository, "--write")
    text = (repository.folder / "polylane.toml").read_text(encoding="utf-8")
    repository.write({"polylane.toml": text.replace("api:b", "api:new")})
    plan = repository.inv("lanes.plan", "--select", "all").out
    assert f"{FILE} speaks of tasks that are not there: all:api:b; inv lanes.trace --write" in plan
    text = traced(repository, "--write")
    assert "less those of tasks that are not there: all:api:b\n" in text
    assert list(claims(repository)) == ["all:api:a", "all:api:new"]


@TRACED
def test_a_failed_task_is_reported_and_not_written(tmp_path: Path) -> None:
    """The exit code is the run's; what needs it was not seen."""
    repository = workspace(
        tmp_path,
        api_fails="cat src/a.py; exit 3",
        api_needs={"command": "true", "needs": ["all:api:fails"]},
        web_passes="cat src/w.py",
    )
    text = traced(repository, "--write", code=1)
    assert "all:api:fails failed with exit code 3" in text
    assert "    reads   src; " not in text
    assert "nothing was seen of it" in text
    assert "not written: all:api:fails: it failed\n" in text
    assert "not written: all:api:needs: it was skipped\n" in text
    assert list(claims(repository)) == ["all:web:passes"]


@TRACED
def test_an_interrupted_trace_reports_what_it_saw_and_writes_nothing(tmp_path: Path) -> None:
    """And ends as an interrupted run does."""
    repository = workspace(tmp_path, api_a="cat src/a.py", api_b="touch begun; sleep 300")
    inv = subprocess.Popen(
        [sys.executable, "-m", "invoke", "lanes.trace", "--select", "all", "--write"],
        cwd=repository.folder,
        env={k: v for k, v in os.environ.items() if k != "POLYLANE_RUN"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for((repository.folder / "api" / "begun").exists, "second task")
    inv.send_signal(signal.SIGINT)
    out, _ = inv.communicate(timeout=LIMIT_S)
    assert inv.returncode == 130
    assert "    reads   src; " not in out
    assert "\nall:api:a, claim: " in out
    assert f"interrupted: {FILE} stays as it was\n" in out
    assert not (repository.folder / FILE).exists()


def test_where_nothing_can_be_traced_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with exit code 2, before anything runs."""
    repository = workspace(tmp_path, api_a="touch ran")
    told = (
        "import sys\nfrom polylane.integrations import trace\n"
        "trace.available = lambda: 'tracing needs another kernel'\n"
        "from invoke.main import program\nsys.argv[:] = ['inv', 'lanes.trace', '--select', 'all']\n"
        "program.run()\n"
    )
    done = repository.run(sys.executable, "-c", told)
    assert (done.code, done.err) == (2, "lanes.trace: tracing needs another kernel\n")
    assert not (repository.folder / "api" / "ran").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--merge",), "--merge: says how --write writes; give both\n"),
        (("--write", "--", "-k", "x"), "--write: a run with words after -- "),
        (("--select", "nothing"), "--select nothing: there is no verb or pipeline 'nothing'"),
    ],
)
def test_flags_that_make_no_sense_are_one_line(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """With exit code 2."""
    done = workspace(tmp_path, api_a="true").inv("lanes.trace", *words)
    assert (done.code, done.err[: len(message)]) == (2, message)
    assert done.err.count("\n") == 1


@TRACED
def test_tasks_run_one_at_a_time_in_the_workspace_itself(tmp_path: Path) -> None:
    """Whatever else asks for a parallel run; a strict task's writes are those of any other."""
    strict = {"command": "echo > made", "sandbox": "strict", "reads": [], "writes": []}
    repository = workspace(tmp_path, api_a=strict)
    traced(repository, USE_PARALLEL="true")
    assert repository.result()["mode"] == "sequential"
    assert (repository.folder / "api" / "made").exists()
    assert data(repository)["tasks"]["a"]["writes"] == ["api/made"]


@TRACED
def test_every_attempt_counts(tmp_path: Path) -> None:
    """One that failed touched what it touched."""
    script = "test -e tried && exec cat pyproject.toml; touch tried; cat src/a.py; exit 1"
    repository = workspace(tmp_path, api_a={"command": script, "retries": 1})
    traced(repository)
    reads = data(repository)["tasks"]["a"]["reads"]
    assert reads == ["api/pyproject.toml", "api/src/a.py", "api/tried"]


@TRACED
def test_a_python_body_is_traced_like_a_command(tmp_path: Path) -> None:
    """A claim that its decorator says is left to it."""
    body = (
        'import polylane\n\n@polylane.task(verb="all", reads=["gone"], writes=[])\n'
        "def own(c):\n    c.run('cat api/src/a.py')\n    open('made', 'w').close()\n"
    )
    repository = workspace(tmp_path, api_a="true").write({"tasks.py": TASKS + body})
    text = traced(repository, "--write")
    task = data(repository)["tasks"]["own"]
    assert ("api/src/a.py" in task["reads"], "made" in task["writes"]) == (True, True)
    assert "all:root:own, claim: tasks.py:5\n" in text
    assert 'tasks.py:5 lacks "made"\n' in text
    assert list(claims(repository)) == ["all:api:a"]


@TRACED
def test_both_observations_are_kept_where_that_was_asked_for(tmp_path: Path) -> None:
    """Without ``--merge`` the newest one alone counts."""
    repository = workspace(tmp_path, api_a="cat $(cat which)")
    for name, words, reads in (
        ("src/a.py", (), ["api/src/a.py", "api/which"]),
        ("pyproject.toml", ("--merge",), ["api/src/a.py", "api/pyproject.toml", "api/which"]),
        ("pyproject.toml", (), ["api/pyproject.toml", "api/which"]),
    ):
        repository.write({"api/which": name})
        traced(repository, "--write", *words)
        assert claims(repository)["all:api:a"]["reads"] == reads


def test_a_body_has_the_configuration_of_invoke(tmp_path: Path) -> None:
    """As in any run; its context is Invoke's own."""
    repository = workspace(tmp_path / "repo")
    body = (
        "import polylane\n"
        "@polylane.task(verb='all', reads=[], writes=['said'])\n"
        "def say(c):\n"
        "    open('said', 'w').write(c.config.flavour)\n"
    )
    repository.write({"tasks.py": body + TASKS, "invoke.yaml": "flavour: vanilla\n"})
    traced(repository)
    assert (repository.folder / "said").read_text(encoding="utf-8") == "vanilla"


def test_a_dry_trace_starts_nothing(tmp_path: Path) -> None:
    """``inv --dry`` prints the commands, here too."""
    repository = workspace(tmp_path / "repo", api_touch="touch made")
    done = repository.inv("--dry", "lanes.trace", "--select", "all")
    assert done.code == 0, done.all
    assert "touch made" in done.out
    assert not (repository.folder / "api" / "made").exists()
