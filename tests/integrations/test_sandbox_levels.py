"""How far tasks are confined, in real repositories with the real `inv`."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.run import sandbox
from polylane.run.views import overlay
from tests.integrations.repository import TASKS, Repository

CONFINES = pytest.mark.skipif(bool(sandbox.why_not()), reason=sandbox.why_not() or "-")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


class TestSandbox:
    """How far tasks are confined."""

    def of(self, repository: Repository, sandbox: str = "", **table: str) -> Repository:
        """Two projects; a task of the one writes into the other."""
        manifest = '[project]\nname = "{}"\nversion = "1"\n'
        lines = [f'sandbox = "{sandbox}"'] if sandbox else []
        lines += ['[tasks."all:api:touch"]', 'command = "touch ../web/x"']
        lines += [f"{key} = {value}" for key, value in table.items()]
        return repository.write(
            {
                "tasks.py": TASKS,
                "api/pyproject.toml": manifest.format("api"),
                "web/pyproject.toml": manifest.format("web"),
                "polylane.toml": "\n".join(lines) + "\n",
            }
        )

    @CONFINES
    def test_another_project_is_out_of_reach(self, repository: Repository) -> None:
        """The refusal is explained where it happens, at the end and in the result."""
        done = self.of(repository).inv("all")
        said = "it was refused to write web/x, which is project web's"
        assert done.code == 1
        assert not (repository.folder / "web" / "x").exists()
        assert f"== all:api:touch: {said}" in done.out
        assert f"   {said}" in done.out
        assert repository.result()["tasks"][0]["refused"] == [
            said,
            'to allow it: [tasks."all:api:touch"] writes = ["api/**", "web/**"]',
        ]
        assert repository.result()["protection"] == {
            "supervision": "lanes",
            "sandbox": "projects",
            "not_confined": [],
            "why_not": "",
            "no_views": "",
            "whole_workspace": [],
            "exposed": "",
        }

    @CONFINES
    def test_what_is_claimed_is_in_reach(self, repository: Repository) -> None:
        """By the line that the refusal names."""
        assert self.of(repository, writes='["api/**", "web/**"]').inv("all").code == 0

    def test_it_can_be_switched_off(self, repository: Repository) -> None:
        """For a run, for all runs, and for a task; the flag is stronger."""
        assert self.of(repository).inv("all", "--sandbox", "off").code == 0
        assert self.of(repository, sandbox="off").inv("all").code == 0
        assert repository.result()["protection"]["sandbox"] == "off"
        assert self.of(repository, **{"sandbox ": '"off"'}).inv("all").code == 0
        assert repository.result()["protection"]["not_confined"] == ["all:api:touch"]

    @CONFINES
    def test_the_flag_is_stronger(self, repository: Repository) -> None:
        """Than the configuration."""
        assert self.of(repository, sandbox="off").inv("all", "--sandbox", "projects").code == 1

    @CONFINES
    def test_what_tasks_of_the_root_reach_is_said(self, repository: Repository) -> None:
        """Landlock cannot leave out a part of what it allows: the end names git's data, too."""
        table = '[tasks."all:root:own"]\ncommand = "true"\n'
        self.of(repository, writes='["api/**", "web/**"]').write(
            {"polylane.toml": (repository.folder / "polylane.toml").read_text() + table}
        )
        said = "not protected: .git and other projects, from 1 task that may write the whole"
        done = repository.inv("all")
        assert done.code == 0
        assert f"\n{said} workspace; inv lanes.doctor says more\n" in done.out
        protection = repository.result()["protection"]
        assert protection["whole_workspace"] == ["all:root:own"]
        assert protection["exposed"] == ".git and other projects"

    @CONFINES
    def test_strict_tasks_of_the_root_reach_nothing(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        """But what they claim; and there is nothing to say."""
        if why := overlay.available(tmp_path, tmp_path / "scratch", pid=True):
            pytest.skip(why)
        repository.tasks(own={"command": "true", "sandbox": "strict"}, other="true")
        done = repository.inv("all")
        assert "not protected: .git, from 1 task that may write the whole workspace" in done.out
        assert repository.result()["protection"]["whole_workspace"] == ["all:root:other"]
        repository.tasks(own={"command": "true", "sandbox": "strict"})
        assert "not protected" not in repository.inv("all").out
        assert repository.result()["protection"]["exposed"] == ""

    def test_an_unknown_level_is_refused(self, repository: Repository) -> None:
        """As a flag, in the configuration, and of a body."""
        done = self.of(repository).inv("all", "--sandbox", "of")
        known = '"projects", "strict", "off"'
        assert done.code == 2
        assert done.err == f"--sandbox = 'of': must be one of {known}; did you mean 'off'?\n"
        assert self.of(repository, sandbox="x").inv("all").code == 2
        self.of(repository).write(
            {
                "tasks.py": f"import polylane\n{TASKS}"
                "@polylane.task(verb='all', sandbox='none')\ndef own(c):\n    pass\n"
            }
        )
        assert "tasks.py:4: sandbox = 'none'" in repository.inv("all").err

    @CONFINES
    def test_a_body_is_confined(self, repository: Repository) -> None:
        """Like a command, and by its own argument."""
        for level, code in (("projects", 1), ("off", 0)):
            self.of(repository).write(
                {
                    "tasks.py": f"import polylane\n{TASKS}"
                    f"@polylane.task(verb='own', project='api', sandbox='{level}')\n"
                    "def own(c):\n    open('../web/y', 'w').close()\n"
                }
            )
            assert repository.inv("own").code == code
