"""Whole stories with nox: a fresh clone, two at once, several Python versions, signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integrations.nox_repository import NoxRepository, end, python
from tests.integrations.repository import LIMIT_S
from tests.support import is_alive, wait_for

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
needs_locks = pytest.mark.skipif(
    not Path("/proc/locks").exists(), reason="needs the kernel's list of locks"
)

TEST_PY = """
import os, unittest
class Test(unittest.TestCase):
    def test_it(self):
        self.assertIn(os.path.join("api", ".venv"), os.environ["VIRTUAL_ENV"])
"""
TEST_JS = """
const test = require("node:test");
test("it", () => require("node:fs").statSync("node_modules"));
"""


@pytest.fixture
def repository(tmp_path: Path) -> NoxRepository:
    return NoxRepository(tmp_path / "repo")


def two_languages(repository: NoxRepository) -> NoxRepository:
    """A Python project and a Node project whose setup needs no network."""
    repository.write(
        {
            "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
            "api/tests/test_it.py": TEST_PY,
            "web/package.json": '{"name": "web", "dependencies": {"left": "1"},'
            ' "scripts": {"test": "node --test"}}',
            "web/it.test.js": TEST_JS,
            ".gitignore": ".venv\nnode_modules\n__pycache__\n",
        }
    )
    return repository.configure(
        {
            "setup:api:own": {
                **python("-m", "venv", "--without-pip", ".venv"),
                "creates": ["api/.venv"],
            },
            "setup:web:npm": {"command": "mkdir node_modules", "creates": ["web/node_modules"]},
        }
    )


class TestFreshClone:
    """Nothing is set up yet."""

    @needs_node
    def test_what_is_missing_is_set_up_once(self, repository: NoxRepository) -> None:
        """The first run sets up what its projects lack and passes; the next one sets up nothing."""
        two_languages(repository)
        first = repository.nox("-s", "test")
        assert first.code == 0, first.all
        assert "sets up first: setup:api:own, setup:web:npm" in first.err
        second = repository.nox("-s", "test-parallel")
        assert second.code == 0, second.all
        assert "setup" not in second.all

    @needs_node
    def test_only_what_is_used_is_set_up(self, repository: NoxRepository) -> None:
        """A session for one language leaves the others' environments alone."""
        done = two_languages(repository).nox("-s", "test-node")
        assert done.code == 0, done.all
        assert not (repository.folder / "api" / ".venv").exists()

    def test_a_failed_setup_is_the_sessions_failure(self, repository: NoxRepository) -> None:
        """What needs the environment does not run without it."""
        repository.configure(
            {
                "setup:root:x": {**python("-c", "raise SystemExit(7)"), "creates": ["made"]},
                "lint:root:x": python("-c", "print('linted')"),
            }
        )
        done = repository.nox("-s", "lint")
        assert done.code == 1
        assert "setup:root:x failed with exit code 7" in done.out
        assert "linted" not in done.out

    def test_flags_for_the_tools_are_not_for_the_setup(self, repository: NoxRepository) -> None:
        """Neither the words nor the time-out of a session reach its setup."""
        repository.configure(
            {
                "setup:root:x": {
                    **python("-c", "import os, sys; os.mkdir('made'); sys.exit(len(sys.argv) - 1)"),
                    "creates": ["made"],
                },
                "lint:root:x": python("-c", "import sys; sys.exit(sys.argv[1:] != ['word'])"),
            }
        )
        done = repository.nox("-s", "lint", "--", "--timeout", "60", "word")
        assert done.code == 0, done.all


@needs_locks
class TestTwoAtOnce:
    """Two sessions of one workspace at the same time."""

    def holding(self, repository: NoxRepository) -> NoxRepository:
        """A setup and two verbs which fail where another of their kind is at work."""
        return repository.configure(
            {
                "setup:root:x": {
                    **python("hold.py", "setup", "made"),
                    "reads": ["**"],
                    "writes": ["made"],
                    "creates": ["made"],
                },
                "lint:root:x": {**python("hold.py", "busy"), "writes": ["busy"]},
                "test:root:x": {**python("hold.py", "busy"), "writes": ["busy"]},
            }
        )

    def test_two_terminals_take_turns(self, repository: NoxRepository) -> None:
        """One sets up and the other finds it done; then one works while the other waits."""
        self.holding(repository)
        both = [repository.start("-s", "lint"), repository.start("-s", "test")]
        ends = [end(process) for process in both]
        assert [code for code, _ in ends] == [0, 0], ends
        assert repository.lines("setup.log") == 1
        assert repository.lines("busy.log") == 2

    def test_nox_in_parallel_takes_turns(self, repository: NoxRepository) -> None:
        """The same for two sessions of one `nox -j 2`."""
        done = self.holding(repository).nox("-j", "2", "-s", "lint", "test")
        assert done.code == 0, done.all
        assert repository.lines("setup.log") == 1
        assert repository.lines("busy.log") == 2


BACKEND = """
import zipfile
def get_requires_for_build_editable(settings=None): return []
def build_editable(folder, settings=None, metadata=None):
    name = "api-1-py3-none-any.whl"
    info = "api-1.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("api_installed.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: api\\nVersion: 1\\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""


class TestVersions:
    """``nox_sessions(python=[...])``."""

    def versioned(self, repository: NoxRepository) -> NoxRepository:
        """A Python project with a build backend of its own, and a Node project."""
        noxfile = f"from polylane import nox_sessions\nnox_sessions(python=[{VERSION!r}])\n"
        two_languages(repository).write(
            {
                "noxfile.py": noxfile,
                "api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n[build-system]\n'
                'requires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
                "api/backend.py": BACKEND,
                "api/tests/test_it.py": TEST_PY.replace(
                    'os.path.join("api", ".venv")', f'".nox/test-python-{VERSION[0]}"'
                )
                + "        import api_installed\n",
            }
        )
        setup = ["python", "-m", "polylane.tools.setup_python", "--editable"]
        return repository.configure(
            {
                "setup:api:pip": {"command": setup},
                "setup:web:npm": {"command": "mkdir node_modules", "creates": ["web/node_modules"]},
            }
        )

    def test_the_project_runs_in_an_environment_of_noxs(self, repository: NoxRepository) -> None:
        """The project is installed there, its tasks run there, and it gets no other environment."""
        done = self.versioned(repository).nox("-s", f"test-python-{VERSION}")
        assert done.code == 0, done.all
        assert repository.outcomes() == {"unittest": "passed"}
        assert not (repository.folder / "api" / ".venv").exists()

    @pytest.mark.parametrize(
        ("setup", "expected"),
        [
            ("uv sync --all-extras", "sync --inexact --python=ENV --all-extras, ENV ENV"),
            ("poetry install", "install, ENV ENV"),
        ],
    )
    def test_other_installers_are_told_the_environment(
        self, repository: NoxRepository, setup: str, expected: str
    ) -> None:
        """They install into it what they would install elsewhere, and take nothing away from it."""
        self.versioned(repository).configure({"setup:api:pip": {"command": setup}})
        installer = repository.folder / "bin" / setup.partition(" ")[0]
        repository.write(
            {
                f"bin/{installer.name}": "#!/bin/sh\n"
                'test "$PWD" = "$(dirname "$0" | sed s,bin$,api,)" || exit 9\n'
                'echo "$*, $UV_PROJECT_ENVIRONMENT $VIRTUAL_ENV" > ../said\n'
                'cd "$VIRTUAL_ENV"/lib/python*/site-packages && touch api_installed.py\n'
            }
        )
        installer.chmod(0o755)
        path = f"{installer.parent}{os.pathsep}{os.environ['PATH']}"
        done = repository.nox("-s", f"test-python-{VERSION}", PATH=path)
        assert done.code == 0, done.all
        place = str(repository.folder / ".nox" / f"test-python-{VERSION.replace('.', '-')}")
        said = (repository.folder / "said").read_text()
        assert said == f"{expected}\n".replace("ENV", place)

    def test_without_environments_of_noxs_their_own_are_used(
        self, repository: NoxRepository
    ) -> None:
        """``--no-venv`` means what it says: nothing is installed."""
        self.versioned(repository).write({"api/tests/test_it.py": "import unittest\n"})
        done = repository.nox("--no-venv", "-s", "test-python")
        assert done.code == 0, done.all
        assert "pip install" not in done.all

    def test_sessions_without_python_have_no_version(self, repository: NoxRepository) -> None:
        """Verbs of other languages, `setup` and `clean` are there once."""
        self.versioned(repository)
        names = ["test", "test-python", "qa", "test-node", "setup", "clean-python"]
        listed = json.loads(repository.nox("-l", "--json", "-s", *names).out)
        found = {each["session"]: each["name"] for each in listed}
        versioned = [f"qa-{VERSION}", f"test-{VERSION}", f"test-python-{VERSION}"]
        assert sorted(found) == sorted(["test-node", "setup", "clean-python", *versioned])


class TestSignals:
    """How nox ends while our tasks run."""

    def paused(self, repository: NoxRepository) -> NoxRepository:
        return repository.configure(
            {f"{verb}:root:x": python("pause.py", verb) for verb in ("lint", "test")}
        )

    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGHUP, -1)]
    )
    def test_a_signal_ends_task_and_nox(
        self, repository: NoxRepository, number: int, code: int
    ) -> None:
        """The task is gone, no further session starts, and nox ends as the signal ends it."""
        process = self.paused(repository).start("-s", "lint", "test")
        task = repository.pid("lint")
        process.send_signal(number)
        ended, out = end(process)
        assert ended == code, out
        assert not is_alive(task)
        assert not (repository.folder / "test.pid").exists()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
    def test_nothing_survives_a_parallel_nox(self, repository: NoxRepository, number: int) -> None:
        """It leaves its children running when it is ended: ours end themselves and their tasks."""
        process, tasks = self.parallel(repository)
        process.send_signal(number)
        try:
            wait_for(lambda: not any(map(is_alive, tasks)), "end of the tasks", LIMIT_S)
        finally:
            self.kill(process, tasks)

    def test_ctrl_c_ends_a_parallel_nox(self, repository: NoxRepository) -> None:
        """Its children end their tasks, and nox says that it was interrupted."""
        process, tasks = self.parallel(repository)
        process.send_signal(signal.SIGINT)
        try:
            ended, out = end(process)
            assert ended == 130, out
            wait_for(lambda: not any(map(is_alive, tasks)), "end of the tasks", LIMIT_S)
        finally:
            self.kill(process, tasks)

    def parallel(self, repository: NoxRepository) -> tuple[subprocess.Popen[str], list[int]]:
        """Start two sessions at once; returns nox and the pids of the two tasks."""
        process = self.paused(repository).start("-j", "2", "-s", "lint", "test")
        return process, [repository.pid(name) for name in ("lint", "test")]

    def kill(self, process: subprocess.Popen[str], tasks: list[int]) -> None:
        """Leave nothing behind, where a test failed."""
        process.kill()
        for pid in filter(is_alive, tasks):
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def test_a_run_inside_a_task_waits_for_nobody(repository: NoxRepository) -> None:
    """Its parent has the locks: our own tests run in a session of ours."""
    repository.configure(
        {
            "test:root:x": {**python("-m", "nox", "-s", "lint"), "writes": ["**"]},
            "lint:root:x": {**python("-c", "print('linted')"), "writes": ["**"]},
        }
    )
    done = repository.nox("-s", "test")
    assert done.code == 0, done.all
    assert "linted" in done.out
