"""What ``polylane init`` writes is what its readers take, and what the rest of polylane says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from polylane import __version__
from polylane.integrations import init_files
from polylane.integrations.init_survey import Survey
from polylane.model import Project

ROOT = Path(__file__).parents[2]
WORKSPACE = Path("/w")

BOTH = Survey(
    WORKSPACE,
    WORKSPACE,
    projects=(Project("api", "api", ("python",)), Project("web", "web", ("node",))),
    languages=frozenset({"python", "node"}),
    has_setup=True,
    python_files=("pyproject.toml",),
    node_files=("package-lock.json",),
)
SURVEYS = {
    "nothing": Survey(WORKSPACE, WORKSPACE),
    "both": BOTH,
    "programs": BOTH._replace(programs=("bun", "pnpm", "poetry", "uv", "yarn"), node_files=()),
    "inside": BOTH._replace(top=Path("/"), workspace=Path('/1/a "b" ü')),
    "version": BOTH._replace(node_version=".nvmrc"),
}
EVERY = pytest.mark.parametrize("survey", SURVEYS.values(), ids=SURVEYS)


def checked(schema: str, text: str, folder: Path) -> Any:
    """The data of a text that a schema allows."""
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    file = folder / "file.yml"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return yaml.safe_load(text)


@EVERY
def test_the_workflow_is_one_of_github(survey: Survey, tmp_path: Path) -> None:
    """By GitHub's schema; its commands end with the checks."""
    data = checked("vendor.github-workflows", init_files.github(survey), tmp_path)
    job = data["jobs"]["qa"]
    assert job["steps"][-1] == {"run": "inv qa-parallel"}
    assert job.get("defaults", {"run": {"working-directory": ""}}) == {
        "run": {"working-directory": survey.inside}
    }


@EVERY
def test_the_job_is_one_of_gitlab(survey: Survey, tmp_path: Path) -> None:
    """By GitLab's schema; in the workspace's folder, whatever its name."""
    data = checked("vendor.gitlab-ci", init_files.gitlab(survey), tmp_path)
    script = data["qa"]["script"]
    assert script[-1] == "inv qa-parallel"
    assert not survey.inside or script[0] == f"cd '{survey.inside}'"


def test_a_schema_refuses_what_is_wrong(tmp_path: Path) -> None:
    """So that the two tests above can fail."""
    wrong = init_files.github(BOTH).replace("runs-on", "runs-where")
    with pytest.raises(AssertionError, match="runs-where"):
        checked("vendor.github-workflows", wrong, tmp_path)


def uses(survey: Survey) -> list[str]:
    """The actions and commands of a workflow, in order."""
    steps = yaml.safe_load(init_files.github_steps(survey))
    return [step.get("uses", "").partition("@")[0] or step["run"] for step in steps]


def test_node_and_setup_stand_where_they_are_needed() -> None:
    """And nowhere else."""
    start = ["actions/checkout", "actions/setup-python"]
    install = ["pip install polylane"]
    assert uses(SURVEYS["nothing"]) == [*start, *install, "inv qa-parallel"]
    assert uses(BOTH) == [
        *start,
        "actions/setup-node",
        *install,
        "inv setup-parallel",
        "inv qa-parallel",
    ]


def test_programs_that_setups_start_are_installed() -> None:
    """By pip, or by npm, once Node is there."""
    assert uses(SURVEYS["programs"])[2:-2] == [
        "actions/setup-node",
        "pip install polylane poetry uv",
        "npm install --global bun",
        "npm install --global pnpm",
        "npm install --global corepack && corepack enable",
    ]


def test_a_cache_stands_where_a_file_says_what_is_in_it() -> None:
    """The actions fail without such a file."""
    steps = yaml.safe_load(init_files.github_steps(SURVEYS["programs"]))
    assert steps[1]["with"]["cache"] == "pip"
    assert steps[1]["with"]["cache-dependency-path"] == "**/pyproject.toml\n"
    assert steps[2]["with"] == {"node-version": "lts/*"}
    assert SURVEYS["version"].node_version == ".nvmrc"
    steps = yaml.safe_load(init_files.github_steps(SURVEYS["version"]))
    assert steps[2]["with"]["node-version-file"] == ".nvmrc"
    assert steps[2]["with"]["cache"] == "npm"


@EVERY
def test_the_hooks_are_those_of_the_manifest(survey: Survey, tmp_path: Path) -> None:
    """What pre-commit reads of them is what it would read of polylane's own repository."""
    clientlib = pytest.importorskip("pre_commit.clientlib", reason="pre-commit is not installed")
    file = tmp_path / ".pre-commit-config.yaml"
    file.write_text(init_files.hook(survey), encoding="utf-8")
    [repository] = clientlib.load_config(str(file))["repos"]
    manifest = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    flags = ["--workspace", survey.inside] if survey.inside else []
    hooks = []
    for hook in manifest:
        del hook["description"], hook["minimum_pre_commit_version"]
        version = [f"polylane=={__version__}"]
        hooks.append({**hook, "args": [*flags, "--"], "additional_dependencies": version})
    written = yaml.safe_load(init_files.hook(survey))["repos"][0]["hooks"]
    assert written == hooks
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in hooks]


def test_the_page_shows_the_workflow() -> None:
    """docs/init.md, but for the version of Python that runs this."""
    page = (ROOT / "docs" / "init.md").read_text(encoding="utf-8")
    text = init_files.github(BOTH).replace(f'"{init_files._python()}"', '"3.12"')
    assert f"```yaml\n{text}```\n" in page
