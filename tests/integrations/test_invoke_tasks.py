"""What people type at Invoke, in real repositories with the real `inv`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integrations.repository import TASKS, Repository

TRUE = "true"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


class TestNames:
    """Which Invoke tasks there are."""

    def test_a_verb_has_its_three_names(self, repository: Repository) -> None:
        """A verb, its parallel form, and one for each language, with the dotted alias."""
        repository.write(
            {
                "tasks.py": TASKS,
                "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n[tool.ruff]\n',
            }
        )
        listed = json.loads(repository.inv("--list", "--list-format=json").out)
        names = {task["name"]: task for task in listed["tasks"]}
        assert {"lint", "lint-parallel", "lint-python", "qa", "qa-parallel"} <= set(names)
        assert names["lint-python"]["aliases"] == ["python.lint"]
        assert all(task["help"] for task in names.values())

    def test_own_tasks_remain_wherever_they_stand(self, repository: Repository) -> None:
        """Tasks before and after our two lines are all there, and win where names meet."""
        repository.tasks(one=TRUE).write(
            {
                "tasks.py": "from invoke import task\n@task\ndef before(c):\n    print('mine')\n"
                + TASKS
                + "@task(name='all')\ndef all_(c):\n    print('my all')\n"
                "@task\ndef after(c):\n    print('mine too')\n"
            }
        )
        done = repository.inv("before", "after", "all")
        assert done.out.split("\n") == ["mine", "mine too", "my all", ""]
        assert repository.inv("all-parallel").code == 0

    def test_tasks_may_be_a_package(self, repository: Repository) -> None:
        """The workspace is the folder that the package lies in, for `inv` and for `polylane`."""
        repository.tasks(one=TRUE).write(
            {
                "tasks/__init__.py": f"from .more import *\n{TASKS}",
                "tasks/more.py": "from invoke import task\n"
                "@task\ndef mine(c):\n    print('mine')\n",
            }
        )
        (repository.folder / "tasks.py").unlink()
        assert repository.inv("mine", "all").code == 0
        assert repository.outcomes() == {"one": "passed"}
        program = str(Path(sys.executable).parent / "polylane")
        assert repository.run(program, "mine").out == "mine\n"

    def test_an_existing_collection_is_kept(self, repository: Repository) -> None:
        """A ``ns`` that stands above our lines keeps its tasks, its collections and its default."""
        own = (
            "from invoke import Collection, task\n"
            "@task\ndef deploy(c):\n    print('deployed', c.config.where)\n"
            "ns = Collection()\n"
            "ns.add_task(deploy, name='ship', default=True)\n"
            "ns.add_collection(Collection('site', deploy))\n"
            "ns.configure({'where': 'there'})\n"
        )
        repository.tasks(one=TRUE).write({"tasks.py": own + TASKS})
        for words in (["ship"], ["site.deploy"], []):
            assert repository.inv(*words).out == "deployed there\n"
        assert repository.inv("all").code == 0

    def test_every_name_is_unique(self, repository: Repository) -> None:
        """Two languages of one verb both run when both are named (Invoke drops equal tasks)."""
        repository.write(
            {
                "tasks.py": TASKS,
                "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
                "web/package.json": '{"name": "web"}',
                "polylane.toml": '[tasks."hello:api:a"]\ncommand = "true"\nverb = "hello"\n'
                '[tasks."hello:web:b"]\ncommand = "true"\nverb = "hello"\n',
            }
        )
        done = repository.inv("hello-python", "hello-node")
        assert done.code == 0, done.all
        assert done.out.count("1 passed") == 2

    def test_completion_names_our_tasks(self, repository: Repository) -> None:
        """Invoke's completion offers our names."""
        repository.tasks(one=TRUE)
        done = repository.inv("--complete", "--", "inv", "al")
        assert {"all", "all-parallel"} <= set(done.out.split())

    def test_help_explains_each_flag(self, repository: Repository) -> None:
        """``inv --help all`` says what each of our flags does."""
        repository.tasks(one=TRUE)
        done = repository.inv("--help", "all")
        for flag in ("--jobs", "--sequential", "--fail-fast", "--project", "--output", "--timeout"):
            line = next(line for line in done.out.split("\n") if flag in line)
            assert len(line.split(flag)[1].split()) > 2, line

    def test_the_program_needs_no_tasks_file(self, repository: Repository) -> None:
        """``polylane`` offers the same where there is no ``tasks.py``, from a folder below too."""
        import sys

        repository.tasks(one=TRUE)
        (repository.folder / "tasks.py").unlink()
        (repository.folder / "below").mkdir()
        main = "import os, sys; os.chdir('below'); from polylane.cli import main; main()"
        done = repository.run(sys.executable, "-c", main, "all-parallel")
        assert done.code == 0, done.all
        assert repository.outcomes() == {"one": "passed"}


class TestModes:
    """Parallel or not, the strongest first."""

    @pytest.mark.parametrize(
        ("words", "environ", "mode"),
        [
            (["all"], {}, "sequential"),
            (["all-parallel"], {}, "parallel"),
            (["all"], {"USE_PARALLEL": "true"}, "parallel"),
            (["all"], {"USE_PARALLEL": "Yes"}, "parallel"),
            (["all-parallel"], {"USE_PARALLEL": "false"}, "sequential"),
            (["all-parallel"], {"USE_PARALLEL": "0"}, "sequential"),
            (["all-parallel", "--sequential"], {"USE_PARALLEL": "1"}, "sequential"),
            (["all", "--jobs", "3"], {}, "parallel"),
            (["all", "--jobs", "1"], {}, "sequential"),
        ],
    )
    def test_the_strongest_word_wins(
        self, repository: Repository, words: list[str], environ: dict[str, str], mode: str
    ) -> None:
        """Flag, then environment, then name or jobs, then configuration."""
        repository.tasks(one=TRUE)
        done = repository.inv(*words, **environ)
        assert done.code == 0, done.all
        assert repository.result()["mode"] == mode

    def test_a_rolled_out_verb_is_parallel_and_the_others_run_alone(
        self, repository: Repository
    ) -> None:
        """``parallel = [...]`` in the configuration: the other verbs' tasks overlap with none."""
        task = '[tasks."{0}:root:{1}"]\ncommand = "sleep 0.05"\nreads = []\nwrites = []\n'
        tables = [task.format(verb, name) for verb in ("one", "two") for name in "abc"]
        repository.write(
            {
                "tasks.py": TASKS,
                "polylane.toml": 'parallel = ["one"]\njobs = 3\n'
                '[pipelines]\nboth = ["one", "two"]\n' + "".join(tables),
            }
        )
        done = repository.inv("both")
        assert done.code == 0, done.all
        result = repository.result()
        assert result["mode"] == "parallel"
        spans = {t["id"]: (t["started_s"], t["started_s"] + t["wall_s"]) for t in result["tasks"]}
        for name in "abc":
            start, end = spans[f"two:root:{name}"]
            others = [s for task, s in spans.items() if task != f"two:root:{name}"]
            assert all(e <= start or s >= end for s, e in others)

    def test_sequential_follows_the_reference_order(self, repository: Repository) -> None:
        """One task at a time, in the order of the plan, with the needs first."""
        repository.tasks(a={"command": TRUE, "needs": ["all:root:c"]}, b=TRUE, c=TRUE)
        repository.inv("all")
        tasks = sorted(repository.result()["tasks"], key=lambda task: task["started_s"])
        assert [task["tool"] for task in tasks] == ["b", "c", "a"]


class TestFlags:
    """What flags do."""

    def test_words_reach_the_tool_as_they_were_typed(self, repository: Repository) -> None:
        """Words after ``--`` keep their spaces and quotes."""
        repository.tasks(one=["printf", "<%s>"])
        done = repository.inv("all", "--", "-k", "a or b", "it's")
        assert "<-k><a or b><it's>" in done.out

    def test_words_reach_a_shell_command(self, repository: Repository) -> None:
        """A command for a shell gets them quoted."""
        repository.tasks(one={"command": "printf '<%s>'", "shell": True})
        assert "<$HOME b>" in repository.inv("all", "--", "$HOME b").out

    def test_dry_prints_every_command_and_starts_nothing(self, repository: Repository) -> None:
        """``inv --dry``."""
        repository.tasks(one="touch ran", two="sh -c 'touch ran too'")
        done = repository.inv("--dry", "all")
        assert done.out.split("\n")[:2] == [
            "all:root:one: touch ran",
            "all:root:two: sh -c 'touch ran too'",
        ]
        assert not (repository.folder / "ran").exists()

    def test_fail_fast_cancels_the_rest(self, repository: Repository) -> None:
        """The running are ended, the waiting never start, and each says why."""
        repository.tasks(
            bad="false", long="sleep 60", later={"command": TRUE, "needs": ["all:root:long"]}
        )
        done = repository.inv("all-parallel", "--fail-fast", "--jobs", "2")
        assert done.code == 1
        assert repository.outcomes() == {"bad": "failed", "long": "cancelled", "later": "cancelled"}
        reasons = {task["tool"]: task["reason"] for task in repository.result()["tasks"]}
        assert "--fail-fast" in reasons["long"]
        assert "all:root:bad" in reasons["later"]

    def test_a_time_out_ends_a_task(self, repository: Repository) -> None:
        """``--timeout`` is for each task."""
        repository.tasks(slow="sleep 60", quick=TRUE)
        done = repository.inv("all-parallel", "--timeout", "0.2")
        assert done.code == 1
        assert repository.outcomes() == {"slow": "timed-out", "quick": "passed"}

    def test_a_project_is_picked_by_its_name(self, repository: Repository) -> None:
        """``--project`` may be repeated."""
        task = '[tasks."all:{0}:t"]\nverb = "all"\ncommand = "true"\n'
        projects = {f"{n}/package.json": f'{{"name": "{n}"}}' for n in "abc"}
        repository.write(
            {"tasks.py": TASKS, "polylane.toml": "".join(map(task.format, "abc")), **projects}
        )
        assert repository.inv("all", "--project", "a", "--project", "c").code == 0
        assert [t["project"] for t in repository.result()["tasks"]] == ["a", "c"]


class TestEnds:
    """How a run ends."""

    def test_every_failure_is_named_at_the_end(self, repository: Repository) -> None:
        """With its exit code, its log's tail and path, behind the table."""
        repository.tasks(a="sh -c 'echo first; exit 3'", b=TRUE, c="sh -c 'echo second; exit 4'")
        done = repository.inv("all-parallel")
        assert done.code == 1
        end = done.out.split("wall ")[-1]
        for text in ("exit code 3", "first", "exit code 4", "second", "all%3Aroot%3Aa.log"):
            assert text in end
        log = next(line.split("log: ")[1] for line in end.split("\n") if "Aa.log" in line)
        assert (repository.folder / log).read_bytes() == b"first\n"

    def test_what_needs_a_failure_is_skipped_and_says_so(self, repository: Repository) -> None:
        """The others run on."""
        repository.tasks(
            a="false",
            b={"command": TRUE, "needs": ["all:root:a"]},
            c={"command": TRUE, "needs": ["all:root:b"]},
            d=TRUE,
        )
        assert repository.inv("all-parallel").code == 1
        assert repository.outcomes() == {
            "a": "failed",
            "b": "skipped",
            "c": "skipped",
            "d": "passed",
        }
        reasons = {task["tool"]: task["reason"] for task in repository.result()["tasks"]}
        assert reasons["b"] == reasons["c"] == "needs all:root:a, which failed"

    def test_a_defect_of_ours_is_one_line_and_a_file(self, repository: Repository) -> None:
        """Exit code 3, and the traceback in the file that is named."""
        broken = "import polylane.planning\npolylane.planning.make_plan = None\n"
        repository.tasks(one=TRUE).write({"tasks.py": broken + TASKS})
        done = repository.inv("all")
        assert done.code == 3
        assert done.err.count("\n") == 1
        path = Path(done.err.split("traceback is in ")[1].strip())
        assert "Traceback" in path.read_text(encoding="utf-8")
        path.unlink()

    def test_saved_time_is_measured_once_a_sequential_run_was(self, repository: Repository) -> None:
        """Before that it is called an estimate."""
        repository.tasks(a="sleep 0.1", b="sleep 0.1")
        assert "an estimate" in repository.inv("all-parallel").out
        repository.inv("all")
        assert "measured against" in repository.inv("all-parallel").out

    def test_git_sees_nothing_of_ours(self, repository: Repository) -> None:
        """``.polylane`` ignores itself."""
        repository.tasks(a=TRUE)
        repository.inv("all")
        status = subprocess.run(
            ["git", "status", "--porcelain"], cwd=repository.folder, capture_output=True, check=True
        )
        assert b"polylane/" not in status.stdout


class TestBodies:
    """``@polylane.task``."""

    BODY = (
        "import polylane\n"
        "@polylane.task(verb='lint', language='sql', reads=['sql/**'], writes=[])\n"
        "def lint_sql(c):\n"
        "    'Lint the migrations.'\n"
        "    print('words:', c.remainder)\n"
        "    c.run('echo from run; test -f sql/good')\n"
    )

    def test_a_body_belongs_to_its_verb(self, repository: Repository) -> None:
        """It runs in a lane with a log, for its verb, its language and its pipelines."""
        repository.write({"tasks.py": self.BODY + TASKS, "sql/good": ""})
        for name in ("lint", "lint-parallel", "lint-sql", "sql.lint", "qa", "qa-parallel"):
            done = repository.inv(name)
            assert done.code == 0, done.all
            assert repository.outcomes() == {"lint-sql": "passed"}
            assert "from run" in done.out

    def test_a_body_below_our_lines_belongs_too(self, repository: Repository) -> None:
        """The two lines may stand above it."""
        repository.write({"tasks.py": TASKS + self.BODY, "sql/good": ""})
        assert repository.inv("lint-sql", "--", "some", "words").code == 0
        log = repository.folder / ".polylane/last/lint%3Aroot%3Alint-sql.log"
        assert "words: some words" in log.read_text(encoding="utf-8")

    def test_a_failing_command_in_a_body_is_its_exit_code(self, repository: Repository) -> None:
        """``c.run`` fails as it does in Invoke."""
        repository.write({"tasks.py": self.BODY + TASKS, "sql/bad": ""})
        assert repository.inv("lint").code == 1
        assert repository.result()["tasks"][0]["exit_code"] == 1

    def test_an_exception_is_a_failure_with_its_traceback_in_the_log(
        self, repository: Repository
    ) -> None:
        """Whatever a body raises is its own."""
        own = "@polylane.task(verb='lint')\ndef own(c):\n    raise RuntimeError('x')\n"
        text = f"import polylane\n{own}"
        repository.write({"tasks.py": text + TASKS})
        done = repository.inv("lint")
        assert done.code == 1
        assert "RuntimeError: x" in done.out

    def test_two_bodies_with_one_id_are_refused(self, repository: Repository) -> None:
        """One line says which two."""
        text = "import polylane\n" + "".join(
            f"@polylane.task(verb='lint', name='same')\ndef {name}(c):\n    pass\n" for name in "ab"
        )
        repository.write({"tasks.py": text + TASKS})
        done = repository.inv("lint")
        assert done.code == 2
        assert "lint:root:same" in done.err
        assert done.err.count("\n") == 1


class TestPlan:
    """``lanes.plan``."""

    def test_it_shows_tasks_commands_needs_and_what_unknown_claims_cost(
        self, repository: Repository
    ) -> None:
        """Everything that decides what may run beside what."""
        repository.tasks(a=TRUE, b={"command": TRUE, "needs": ["all:root:a"]})
        text = (repository.folder / "pyproject.toml").read_text(encoding="utf-8")
        more = '[tool.polylane.tasks."all:root:c"]\nverb = "all"\ncommand = "make all"\n'
        repository.write({"pyproject.toml": text + more})
        out = repository.inv("lanes.plan", "--select", "all").out
        assert "all:root:b\n    true\n    needs all:root:a" in out
        assert "all:root:c\n    make all" in out
        assert "unknown" in out
        assert "longest chain" in out
