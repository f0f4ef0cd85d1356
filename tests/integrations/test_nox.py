"""What people type at nox, in small real repositories with the real `nox`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polylane.errors import UserError
from polylane.integrations.offers import Offer
from polylane.integrations.posargs import Said, split
from tests.integrations.nox_repository import NOXFILE, NoxRepository, python

LINT = Offer("lint", "", ("lint",))
SHOW = 'import sys; print("words", sys.argv[1:])'


@pytest.fixture
def repository(tmp_path: Path) -> NoxRepository:
    return NoxRepository(tmp_path / "repo")


def with_two_languages(repository: NoxRepository) -> NoxRepository:
    """An api in Python and a web in Node whose tasks print what they were given."""
    repository.write(
        {
            "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
            "web/package.json": '{"name": "web"}',
        }
    )
    return repository.configure(
        {"lint:api:a": python("-c", SHOW), "lint:web:b": python("-c", SHOW)}
    )


def sessions(repository: NoxRepository, *words: str) -> dict[str, dict[str, Any]]:
    """The sessions that nox would run, by name."""
    listed = json.loads(repository.nox("-l", "--json", *words).out)
    return {each["name"]: each for each in listed}


class TestSessions:
    """Which sessions there are."""

    def test_a_session_for_each_verb_language_and_pipeline(self, repository: NoxRepository) -> None:
        """Verbs, verbs of one language, pipelines, and the parallel form of the first and last."""
        names = ["lint", "lint-python", "lint-node", "lint-parallel", "qa", "qa-parallel"]
        found = sessions(with_two_languages(repository), "-s", *names)
        assert sorted(found) == sorted(names)
        assert found["lint"]["description"] == "Lint, and check the format of the sources"

    def test_they_stand_in_the_order_of_a_pipeline(self, repository: NoxRepository) -> None:
        """The list shows verbs as a run takes them, not by their letters."""
        repository.configure({f"{verb}:root:x": python("-c", "") for verb in ("docs", "lint")})
        listed = repository.nox("-l").out
        assert listed.index("- lint ") < listed.index("- docs ") < listed.index("- qa ")

    def test_a_tag_selects_work_once(self, repository: NoxRepository) -> None:
        """The verb's tag is on the verb, a language's on what is for it: none does a task twice."""
        with_two_languages(repository)
        assert list(sessions(repository, "-t", "lint")) == ["lint"]
        assert list(sessions(repository, "-t", "python")) == ["lint-python"]
        assert list(sessions(repository, "-t", "qa")) == ["qa"]

    def test_nox_alone_runs_none(self, repository: NoxRepository) -> None:
        """None is among the sessions that run when nothing is selected."""
        done = with_two_languages(repository).nox()
        assert "words" not in done.out
        assert "- lint " in done.out

    def test_sessions_of_the_noxfile_win(self, repository: NoxRepository) -> None:
        """A session that stands above our line keeps its name, without a warning."""
        own = "import nox\n@nox.session(venv_backend='none')\ndef lint(session): print('mine')\n"
        with_two_languages(repository).write({"noxfile.py": own + NOXFILE})
        done = repository.nox("-s", "lint")
        assert done.out == "mine\n"
        assert "already been registered" not in done.err

    def test_bad_configuration_is_one_line(self, repository: NoxRepository) -> None:
        """A configuration that cannot be right ends nox with one line and exit code 2."""
        repository.write({"polylane.toml": "job = 2\n"})
        done = repository.nox("-l")
        assert (done.code, done.out) == (2, "")
        assert done.err.count("\n") == 1
        assert "did you mean 'jobs'" in done.err


class TestEnds:
    """How a session ends."""

    def test_a_failed_run_is_a_failed_session(self, repository: NoxRepository) -> None:
        """The session is `failed` and nox exits by 1; our output is above, and no traceback."""
        repository.configure({"lint:root:x": python("-c", "raise SystemExit('broken')")})
        done = repository.nox("-s", "lint", "--report", "report.json")
        assert done.code == 1
        report = json.loads((repository.folder / "report.json").read_text())
        assert report["sessions"][0]["result"] == "failed"
        assert "broken" in done.out
        assert "Traceback" not in done.all

    def test_a_passed_run_is_a_successful_session(self, repository: NoxRepository) -> None:
        """The run is one of ours: its logs and its result are there."""
        done = repository.configure({"lint:root:x": python("-c", "")}).nox("-s", "lint-parallel")
        assert done.code == 0
        assert repository.result()["mode"] == "parallel"

    def test_bad_usage_is_one_line(self, repository: NoxRepository) -> None:
        """What cannot be right is nox's aborted session, with the line that says what."""
        done = with_two_languages(repository).nox("-s", "lint", "--", "--project", "wep")
        assert done.code == 1
        assert "lint aborted: there is no project 'wep'" in done.err
        assert "did you mean 'web'" in done.err
        assert done.err.count("\n") == 2

    @pytest.mark.parametrize(("name", "code"), [("find", 3), ("run", 1)])
    def test_a_defect_of_ours_is_one_line(
        self, repository: NoxRepository, tmp_path: Path, name: str, code: int
    ) -> None:
        """Its traceback is in a file, be it while sessions are looked for or while one runs."""
        spoil = f"from polylane.integrations import offers\noffers.{name} = lambda *_: 1 / 0\n"
        with_two_languages(repository).write({"noxfile.py": spoil + NOXFILE})
        done = repository.nox("-s", "lint", TMPDIR=str(tmp_path))
        assert done.code == code
        assert "polylane: BUG: ZeroDivisionError" in done.err
        assert "Traceback" not in done.all
        assert len(list(tmp_path.glob("polylane-defect-*"))) == 1

    @pytest.mark.parametrize("words", [("-s", "lint"), ("-j", "2", "-s", "lint", "lint-node")])
    def test_files_of_the_workspace_are_not_imported(
        self, repository: NoxRepository, words: tuple[str, ...]
    ) -> None:
        """A module of the workspace with the name of one that we use is not taken for it."""
        with_two_languages(repository).write({"tabulate.py": "1 / 0", "sqlite3.py": "1 / 0"})
        done = repository.nox(*words)
        assert done.code == 0, done.all


class TestWords:
    """What stands after ``--``."""

    def test_flags_of_ours_are_obeyed(self, repository: NoxRepository) -> None:
        """``--project`` narrows, and ``--jobs`` above 1 makes the run parallel."""
        done = with_two_languages(repository).nox(
            "-s", "lint", "--", "--project", "web", "--jobs=2"
        )
        assert done.code == 0, done.all
        assert repository.result()["jobs"] == 2
        assert repository.outcomes() == {"b": "passed"}

    @pytest.mark.parametrize("parallel", [(), ("-j", "2")])
    def test_other_words_reach_the_tools(
        self, repository: NoxRepository, parallel: tuple[str, ...]
    ) -> None:
        """Words that are not ours go to the tools as they were typed, also by way of children."""
        done = with_two_languages(repository).nox(
            *parallel, "-s", "lint-python", "lint-node", "--", "-k", "a  b"
        )
        assert done.out.count("words ['-k', 'a  b']") == 2

    def test_a_second_separator_ends_ours(self, repository: NoxRepository) -> None:
        """Behind it stand words for tools whose flags are spelled like ours."""
        with_two_languages(repository)
        done = repository.nox("-s", "lint-node", "--", "--", "--timeout", "no")
        assert "words ['--timeout', 'no']" in done.out

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["--sequential", "--fail-fast"], ({"--sequential", "--fail-fast"}, {}, ())),
            (["--jobs", "2", "-k", "x"], (set(), {"--jobs": ["2"]}, ("-k", "x"))),
            (["-k", "x", "--jobs", "2"], (set(), {}, ("-k", "x", "--jobs", "2"))),
            (["--jobs=2", "--", "--jobs=3"], (set(), {"--jobs": ["2"]}, ("--jobs=3",))),
            (["x", "--", "y"], (set(), {}, ("x", "--", "y"))),
            (["--project", "a", "--project=b"], (set(), {"--project": ["a", "b"]}, ())),
            (["--sequential=1"], (set(), {}, ("--sequential=1",))),
        ],
    )
    def test_ours_come_first(self, words: list[str], expected: tuple[Any, ...]) -> None:
        """The first word that is none of ours, and all behind it, is for the tools."""
        said = split(words, LINT)
        assert (said.switches, said.values, said.words) == expected

    @pytest.mark.parametrize("words", [["--jobs"], ["--jobs", "--", "x"]])
    def test_a_flag_without_its_value_is_said(self, words: list[str]) -> None:
        """A value that is missing is named with its flag."""
        with pytest.raises(UserError, match="--jobs: has no value"):
            split(words, LINT)

    def test_a_language_is_not_said_twice(self) -> None:
        """``--language`` with a session for one language is a contradiction or a repetition."""
        with pytest.raises(UserError, match="lint-python is for python already"):
            split(["--language", "node"], Offer("lint-python", "", ("lint",), ("python",)))

    def test_names_may_have_commas_between(self) -> None:
        """Repeated or with commas, names come out as one list."""
        said = Said(values={"--project": ["a, b", "c"]})
        assert said.names("--project") == ("a", "b", "c")


BODY = """
import polylane
@polylane.task(verb="lint", language="sql", reads=[], writes=[])
def lint_sql(c):
    import beside
    print("the body ran", beside.WORD, c.remainder)
"""


class TestBodies:
    """``@polylane.task`` functions of ``tasks.py``."""

    @pytest.mark.parametrize("words", [("-s", "lint"), ("-j", "2", "-s", "lint", "lint-sql")])
    def test_bodies_take_part(self, repository: NoxRepository, words: tuple[str, ...]) -> None:
        """A body runs in its verb's session, and may import late what lies beside ``tasks.py``."""
        repository.write({"tasks.py": BODY, "beside.py": "WORD = 'with this'\n"})
        done = repository.nox(*words, "--", "-x")
        assert done.code == 0, done.all
        assert "the body ran with this -x" in done.out

    def test_a_defect_of_the_file_fails_our_sessions_alone(self, repository: NoxRepository) -> None:
        """Without its bodies a run would pass what nobody checked; other sessions go on."""
        own = "import nox\n@nox.session(venv_backend='none')\ndef mine(session): print('mine')\n"
        repository.configure({"lint:root:x": python("-c", "")}).write(
            {"tasks.py": "import polylane, no_such_module\n", "noxfile.py": own + NOXFILE}
        )
        assert repository.nox("-s", "mine").out == "mine\n"
        done = repository.nox("-s", "lint")
        assert done.code == 1
        assert "lint aborted: tasks.py imports no_such_module" in done.err
        assert "Traceback" not in done.err

    def test_a_file_that_knows_nothing_of_us_is_not_imported(
        self, repository: NoxRepository
    ) -> None:
        """Somebody's own ``tasks.py`` is none of our business."""
        repository.configure({"lint:root:x": python("-c", "")}).write({"tasks.py": "1 / 0\n"})
        assert repository.nox("-s", "lint").code == 0
