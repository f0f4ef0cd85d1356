"""``inv lanes.doctor``: what it says of real repositories, and of machines that refuse."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from polylane.run import sandbox
from polylane.tools.setup_python import MARKER, UNFINISHED
from tests.docs.pages import DOCS, blocks_of, rows, section
from tests.integrations.repository import TASKS, Done, Repository
from tests.support import FORKS, forbid, in_fork

pytestmark = FORKS
CONFINES = pytest.mark.skipif(bool(sandbox.why_not()), reason=sandbox.why_not() or "-")
MANIFEST = '[project]\nname = "{}"\nversion = "1"\n'
LOST, MEND = "        lost: ", "        to mend it: "


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


def of_two(repository: Repository, config: str = "", tasks: str = TASKS) -> Repository:
    """Two Python projects, api and web."""
    files = {f"{name}/pyproject.toml": MANIFEST.format(name) for name in ("api", "web")}
    return repository.write({"tasks.py": tasks, "polylane.toml": config, **files})


def sections(done: Done) -> dict[str, list[str]]:
    """The lines by the title above them; those below a fact belong to it."""
    found: dict[str, list[str]] = {}
    for block in done.out.split("\n\n")[:-1]:
        title, *lines = block.split("\n")
        found[title] = lines
    return found


def below(done: Done, start: str) -> list[str]:
    """The line that starts so, and those of what is lost and how to mend it."""
    lines = done.out.split("\n")
    [place] = [i for i, line in enumerate(lines) if line.startswith(f"    {start}")]
    more = [line for line in lines[place + 1 : place + 3] if line.startswith((LOST, MEND))]
    return [lines[place], *more]


def refused(
    repository: Repository, *words: str, call: str, error: int, second: int | None = None
) -> Done:
    """Run ``inv`` where the kernel answers a system call with an error."""

    def child() -> tuple[int, str, str]:
        forbid(call, error, second=second)
        done = repository.inv(*words)
        return done.code, done.out, done.err

    return Done(*in_fork(child))


class TestFound:
    """What there is."""

    def test_it_says_what_was_found(self, repository: Repository) -> None:
        """Folder, configuration, projects, languages, the tasks of each verb; and versions."""
        config = '[tasks."lint:api:x"]\ncommand = "true"\n[tasks."own:api:y"]\ncommand = "true"\n'
        done = of_two(repository, config).inv("lanes.doctor")
        found = sections(done)
        assert done.code == 0, done.all
        assert list(found) == ["protection", "found", "missing", "versions"]
        assert found["found"][:4] == [
            f"    workspace: {repository.folder}",
            "    configuration: polylane.toml",
            "    projects: 2: api, web",
            "    languages: python 2",
        ]
        assert "lint 1" in found["found"][4]
        assert found["found"][4].endswith(", own 1")
        assert found["missing"] == ["    nothing"]
        assert f"    Python: {platform.python_version()}" in found["versions"]
        assert f"    invoke: {version('invoke')}" in found["versions"]
        assert f"    kernel: Linux {platform.release()}" in found["versions"]

    def test_what_was_left_out_is_named(self, repository: Repository) -> None:
        """Shortly; the plan says why."""
        scripts = '{"scripts": {"lint": "exit 0"}}'
        repository.write({"tasks.py": TASKS, "web/package.json": scripts})
        [line, *_] = below(repository.inv("lanes.doctor"), "left out: ")
        assert "web: " in line
        assert line.endswith("; inv lanes.plan says why")

    def test_it_changes_nothing(self, repository: Repository) -> None:
        """No cache is made, no temporary folder, nothing in the home, no run."""
        of_two(repository, '[tasks."all:api:x"]\ncommand = "true"\ncaches = ["web/cache/**"]\n')
        home = repository.folder.parent
        done = repository.inv("lanes.doctor", HOME=str(home), TMPDIR=str(home))
        assert done.code == 0, done.all
        assert [path.name for path in home.iterdir()] == ["repo"]
        assert not (repository.folder / "web" / "cache").exists()
        names = {path.name for path in (repository.folder / ".polylane").iterdir()}
        assert names <= {".gitignore", "locks", "workspace.cache", "config.cache"}


class TestMissing:
    """What tasks need and what is not there: the exit code is 1."""

    def test_a_program_is_missing(self, repository: Repository) -> None:
        """On the task's PATH, or at the path that it names; scripts of a shell are not read."""
        repository.tasks(
            a="no-such-program --flag",
            b="./own.sh",
            c="./none.sh",
            d={"command": "no-such-other", "shell": True},
            e=["true"],
        ).write({"own.sh": "#!/bin/sh\n"})
        (repository.folder / "own.sh").chmod(0o755)
        done = repository.inv("lanes.doctor")
        assert done.code == 1
        assert below(done, "no-such-program: is not on PATH") == [
            "    no-such-program: is not on PATH",
            f"{LOST}cannot start: all:root:a",
            f"{MEND}add no-such-program to what root installs for development, then inv setup",
        ]
        assert below(done, "./none.sh: ")[1] == f"{LOST}cannot start: all:root:c"
        assert len(sections(done)["missing"]) == 6
        assert "missing, and needed by tasks: 2" in done.out.split("\n")[-2]

    def test_the_environment_of_a_project_counts(self, repository: Repository) -> None:
        """What one project has, another one has not; a variable of the task is stronger."""
        lines = [f'[tasks."all:{name}:x"]\ncommand = "own-tool"' for name in ("api", "web")]
        path = repository.folder / "api/.venv/bin"
        lines += ['[tasks."all:web:y"]\ncommand = "own-tool"', f"env = {{ PATH = '{path}' }}"]
        of_two(repository, "\n".join(lines))
        repository.write({"api/.venv/pyvenv.cfg": "", "api/.venv/bin/own-tool": "#!/bin/sh\n"})
        (repository.folder / "api/.venv/bin/own-tool").chmod(0o755)
        done = repository.inv("lanes.doctor")
        assert done.code == 1
        assert below(done, "own-tool: ")[1] == f"{LOST}cannot start: all:web:x"

    def test_an_environment_is_missing(self, repository: Repository, tmp_path: Path) -> None:
        """It says how to make it, and so for the programs that it would bring."""
        manifest = '{"devDependencies": {"eslint": "9"}, "scripts": {"lint": "eslint ."}}'
        repository.write({"tasks.py": TASKS, "package.json": manifest, "bin/npm": "#!/bin/sh\n"})
        (repository.folder / "bin/npm").chmod(0o755)
        path = os.pathsep.join([str(repository.folder / "bin"), os.environ["PATH"]])
        done = repository.inv("lanes.doctor", PATH=path)
        assert done.code == 1
        assert below(done, "node_modules: ") == [
            "    node_modules: was not set up",
            f"{LOST}what setup:root:npm makes",
            f"{MEND}inv setup --project root",
        ]
        assert below(done, "eslint: ")[2] == f"{MEND}inv setup"
        (repository.folder / "node_modules/.bin").mkdir(parents=True)
        (repository.folder / "node_modules/.bin/eslint").touch(mode=0o755)
        done = repository.inv("lanes.doctor", PATH=path)
        assert sections(done)["missing"] == ["    nothing"]
        assert done.code == 0

    def test_another_environment_may_do(self, repository: Repository) -> None:
        """Python tools come from that which runs polylane: the exit code is 0."""
        manifest = MANIFEST.format("api") + 'dependencies = ["x"]\n[build-system]\nrequires = []\n'
        repository.write({"tasks.py": TASKS, "pyproject.toml": manifest})
        done = repository.inv("lanes.doctor")
        assert below(done, ".venv: ") == [
            "    .venv: was not set up",
            f"{LOST}its tasks use what {Path(sys.executable).parent} has",
            f"{MEND}inv setup --project root",
        ]
        assert "weaker than it could be: 2" in done.out
        assert done.code == (1 if "is not on PATH" in done.out else 0)

    def test_half_an_environment_is_none(self, repository: Repository) -> None:
        """A setup that was killed leaves its mark."""
        manifest = MANIFEST.format("api") + 'dependencies = ["x"]\n'
        repository.write({"tasks.py": TASKS, "pyproject.toml": manifest})
        (repository.folder / ".venv").mkdir()
        (repository.folder / ".venv" / MARKER).write_bytes(UNFINISHED)
        [line, *_] = below(repository.inv("lanes.doctor"), ".venv: ")
        assert line == "    .venv: was set up in part"

    def test_a_program_that_no_project_brings_has_its_own_words(
        self, repository: Repository
    ) -> None:
        """No setup helps where the package manager itself is missing."""
        repository.tasks(a="bun --version").write({"bin/.gitignore": ""})
        (repository.folder / "bin" / "git").symlink_to(shutil.which("git") or "")
        done = repository.inv("lanes.doctor", PATH=str(repository.folder / "bin"))
        assert below(done, "bun: ")[2] == f"{MEND}install bun (npm install --global bun)"

    def test_git_is_missing(self, repository: Repository) -> None:
        """It is said where what is ignored is known from before; else nothing works at all."""
        repository.tasks(a=["/bin/true"])
        repository.inv("lanes.doctor")
        done = repository.inv("lanes.doctor", PATH="/nowhere")
        assert done.code == 1
        assert below(done, "git: ")[2] == f"{MEND}install git"
        shutil.rmtree(repository.folder / ".polylane")
        done = repository.inv("lanes.doctor", PATH="/nowhere")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "git is not installed, or not on PATH" in done.err


@CONFINES
class TestUnconfined:
    """Tasks that run free though the kernel could confine them."""

    def test_by_a_key_of_the_configuration(self, repository: Repository) -> None:
        """The task's own before that of all, with its line."""
        config = '{}[tasks."all:api:x"]\ncommand = "true"\nsandbox = "off"\n'
        config += '[tasks."all:web:y"]\ncommand = "true"\n'
        done = of_two(repository, config.format("")).inv("lanes.doctor")
        assert below(done, "not confined: all:api:x, ") == [
            '    not confined: all:api:x, by polylane.toml:3: tasks."all:api:x".sandbox',
            f"{LOST}they can write anywhere",
            f'{MEND}remove that key, or say "projects"',
        ]
        assert done.code == 0
        assert "all:web:y" not in done.out
        done = of_two(repository, config.format('sandbox = "off"\n')).inv("lanes.doctor")
        assert "all:web:y, by polylane.toml:1: sandbox" in done.out
        assert 'all:api:x, by polylane.toml:4: tasks."all:api:x".sandbox' in done.out

    def test_by_a_decorator(self, repository: Repository) -> None:
        """With its file and line."""
        body = "@polylane.task(verb='all', project='api', sandbox='off')\ndef own(c):\n    pass\n"
        done = of_two(repository, tasks=f"import polylane\n{TASKS}{body}").inv("lanes.doctor")
        assert "    not confined: all:api:own, by tasks.py:4\n" in done.out

    def test_by_its_place(self, repository: Repository) -> None:
        """A task of the whole workspace reaches git's data there, and other projects."""
        repository.tasks(a="true")
        done = repository.inv("lanes.doctor")
        free = "may write all of it: Landlock cannot leave out a folder"
        assert below(done, "whole workspace: ") == [
            f"    whole workspace: all:root:a {free}",
            f"{LOST}they can write .git",
            f'{MEND}sandbox = "strict" for it',
        ]
        of_two(repository, '[tasks."all:root:x"]\ncommand = "true"\n')
        assert f"{LOST}they can write .git and other projects" in repository.inv("lanes.doctor").out
        repository.tasks(a="true")
        inner = repository.folder / "inner"
        repository.write({"inner/tasks.py": TASKS, "inner/polylane.toml": ""})
        (repository.folder / "pyproject.toml").rename(inner / "pyproject.toml")
        text = (inner / "pyproject.toml").read_text(encoding="utf-8").replace("tool.polylane.", "")
        (inner / "polylane.toml").write_text(text, encoding="utf-8")
        done = repository.run(sys.executable, "-m", "invoke", "-r", str(inner), "lanes.doctor")
        assert f"    git's folder: {repository.folder}/.git\n" in done.out
        assert below(done, "whole workspace: ") == [f"    whole workspace: all:root:a {free}"]


class TestRefused:
    """Machines that refuse something: it is weaker, and the exit code is 0."""

    @pytest.mark.parametrize(
        ("error", "why", "mend"),
        [
            (errno.EOPNOTSUPP, "is not in the list of security modules (lsm=)", "add landlock to"),
            (errno.ENOSYS, "this kernel has no Landlock", "Linux 5.19 or newer"),
            (errno.EPERM, "a filter, as some containers have it", "seccomp profile"),
        ],
    )
    def test_landlock(self, repository: Repository, error: int, why: str, mend: str) -> None:
        """Why there is none, what that means, and what to do; runs point to it."""
        repository.tasks(a="true")
        call = "landlock_create_ruleset"
        done = refused(repository, "lanes.doctor", call=call, error=error)
        assert done.code == 0, done.all
        [line, lost, how] = below(done, "confinement: none: ")
        assert why in line
        assert lost == f"{LOST}tasks can write anywhere"
        assert mend in how
        assert "not confined" not in done.out
        assert done.out.endswith("\nweaker than it could be: 1\n")
        run = refused(repository, "all", call=call, error=error)
        [said] = [line for line in run.out.split("\n") if line.startswith("not protected: ")]
        assert why in said
        assert said.endswith("; inv lanes.doctor says more")

    def test_private_views(self, repository: Repository) -> None:
        """A container's filter that lets nobody unshare."""
        repository.tasks(a="true")
        done = refused(repository, "lanes.doctor", call="unshare", error=errno.EPERM)
        [line, lost, how] = below(done, "private views: none: ")
        assert "a seccomp filter, as containers have it, or the kernel" in line
        assert lost == (
            f'{LOST}strict tasks run as with sandbox = "projects", and lanes.validate in copies'
        )
        assert "user namespaces" in how
        assert done.code == 0

    def test_the_tracer(self, repository: Repository) -> None:
        """A filter that forbids further ones."""
        repository.tasks(a="true")
        done = refused(repository, "lanes.doctor", call="seccomp", error=errno.EPERM)
        [line, lost, _] = below(done, "tracer: none: ")
        assert "the kernel has no seccomp notification" in line
        assert "lanes.trace is refused" in lost
        assert done.code == 0

    def test_supervision(self, repository: Repository) -> None:
        """An old kernel without pidfds."""
        repository.tasks(a="true")
        done = refused(repository, "lanes.doctor", call="pidfd_open", error=errno.ENOSYS)
        assert below(done, "supervision: ") == [
            "    supervision: this system has no pidfds",
            f"{LOST}what a task leaves behind may live on",
            f"{MEND}Linux 5.3 or newer, with /proc mounted",
        ]

    def test_locks(self, repository: Repository) -> None:
        """A file system without any; runs say so, and run."""
        repository.tasks(a={"command": "true", "reads": ["x"]})
        setlk = 6
        done = refused(repository, "lanes.doctor", call="fcntl", error=errno.ENOLCK, second=setlk)
        [line, lost, _] = below(done, "locks between runs: ")
        assert line.endswith(": none: No locks available")
        assert lost == f"{LOST}two runs at once can spoil each other's files"
        run = refused(repository, "all", call="fcntl", error=errno.ENOLCK, second=setlk)
        assert run.code == 0
        why = "no locks here: No locks available"
        assert f"polylane: another run at the same time is not kept out: {why}\n" in run.err


class TestMachineSlots:
    """Whether runs share the machine."""

    def test_where_they_meet(self, repository: Repository) -> None:
        """With their number; or that they are not shared, by which line."""
        repository.tasks(a="true")
        done = repository.inv("lanes.doctor", POLYLANE_SLOTS_DIR=str(repository.folder))
        (line,) = below(done, "machine's slots: ")
        assert line.endswith(f", shared by all runs of this user through {repository.folder}")
        repository.write({"polylane.toml": 'machine_jobs = "off"\n', "pyproject.toml": "x = 1\n"})
        (line,) = below(repository.inv("lanes.doctor"), "machine's slots: ")
        assert line.endswith("not shared with other runs, by polylane.toml:1: machine_jobs")

    def test_where_they_cannot(self, repository: Repository) -> None:
        """What is lost, and what to do; runs go on."""
        repository.tasks(a="true")
        nowhere = f"{repository.folder}/tasks.py"
        done = repository.inv("lanes.doctor", POLYLANE_SLOTS_DIR=nowhere)
        line, lost, mend = below(done, "machine's slots: ")
        assert line.endswith(f"other runs are not seen: {nowhere}/slots: Not a directory")
        assert lost == f"{LOST}runs at once can overload the machine"
        assert "POLYLANE_SLOTS_DIR" in mend
        assert done.code == 0


def test_the_page_has_every_line(repository: Repository) -> None:
    """docs/doctor.md explains what the first section may say, and shows the titles of all."""
    page = DOCS / "doctor.md"
    of_two(repository, '[tasks."all:api:x"]\ncommand = "true"\nsandbox = "off"\n')
    found = sections(repository.inv("lanes.doctor"))
    said = {line.split(": ")[0].strip() for line in found["protection"] if line[4] != " "}
    documented = {cells[0].strip() for cells in rows(section("doctor.md", "## Protection"))}
    assert documented - {""} == said | {"not confined", "whole workspace"}
    example = next(block.text for block in blocks_of(page) if block.kind == "text")
    titles = [line for line in example.split("\n") if line and line[0] != " "]
    assert titles[:-1] == list(found)
