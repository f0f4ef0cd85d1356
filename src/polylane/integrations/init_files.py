"""What the files say that ``polylane init`` writes, and what is added by hand where one exists.

Pure text: knows nothing of the disk. The hooks are those of ``.pre-commit-hooks.yaml``.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence

from polylane import __version__
from polylane.integrations.init_survey import Survey

TASKS_LINES = "from polylane import namespace\n\nns = namespace()\n"
NOX_LINES = "from polylane import nox_sessions\n\nnox_sessions()\n"

TASKS = '''\
"""The Invoke tasks of this repository: `inv --list` shows them."""

from polylane import namespace

ns = namespace()
'''
NOXFILE = '''\
"""The nox sessions of this repository: `nox -l` shows them."""

from polylane import nox_sessions

nox_sessions()
'''

#: How programs come that Python and Node do not bring; the other ones come by pip.
_BY_NPM = {
    "pnpm": "npm install --global pnpm",
    "yarn": "npm install --global corepack && corepack enable",
    "bun": "npm install --global bun",
}


def hook(survey: Survey) -> str:
    """``.pre-commit-config.yaml``."""
    return (
        "# `pre-commit install` makes git run these hooks.\n"
        "default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]\n"
        f"repos:\n{hook_lines(survey)}"
    )


def hook_lines(survey: Survey) -> str:
    """The item of ``repos``."""
    flags = ["--workspace", _quoted(survey.inside)] if survey.inside else []
    args = ", ".join([*flags, '"--"'])
    lines = ["  - repo: local", "    hooks:"]
    for name, does, stages in (
        ("fix", "mends what linters can mend, then formats", _COMMIT),
        ("check", "lints, and checks formats; writes nothing", _COMMIT),
        ("push", "at git push: types and unit tests", "[pre-push, manual]"),
    ):
        lines += [
            f"      - id: polylane-{name} # {does}",
            f"        name: polylane {name}",
            f"        entry: polylane-hook {name}",
            f"        args: [{args}]",
            "        language: python",
            f"        additional_dependencies: [polylane=={__version__}]",
            "        require_serial: true",
            "        always_run: true",
            f"        stages: {stages}",
        ]
    return "\n".join(lines) + "\n"


_COMMIT = "[pre-commit, pre-merge-commit, manual]"


def github(survey: Survey) -> str:
    """A workflow for GitHub."""
    where = (
        f"    defaults:\n      run:\n        working-directory: {_quoted(survey.inside)}\n"
        if survey.inside
        else ""
    )
    return (
        "name: qa\n"
        "on:\n"
        "  push:\n"
        "    branches: [main, master]\n"
        "  pull_request:\n"
        "permissions:\n"
        "  contents: read\n"
        "jobs:\n"
        "  qa:\n"
        "    runs-on: ubuntu-latest\n"
        "    timeout-minutes: 30\n"
        f"{where}"
        f"    steps:\n{github_steps(survey)}"
    )


def github_steps(survey: Survey) -> str:
    """The steps of a job."""
    lines = ["- uses: actions/checkout@v6", *_setup_python(survey)]
    if "node" in survey.languages:
        lines += _setup_node(survey)
    lines += [f"- run: {command}" for command in _commands(survey)]
    return "".join(f"      {line}\n" for line in lines)


def _setup_python(survey: Survey) -> Iterator[str]:
    yield "- uses: actions/setup-python@v6"
    yield "  with:"
    yield f'    python-version: "{_python()}"'
    yield from _cache("pip", survey, survey.python_files)


def _setup_node(survey: Survey) -> Iterator[str]:
    yield "- uses: actions/setup-node@v6"
    yield "  with:"
    if survey.node_version:
        yield f"    node-version-file: {_quoted(survey.node_version)}"
    else:
        yield "    node-version: lts/*"
    yield from _cache("npm", survey, survey.node_files)


def _cache(manager: str, survey: Survey, files: Sequence[str]) -> Iterator[str]:
    """A cache, by files that exist: the action fails where none of them does."""
    if files:
        prefix = f"{survey.inside}/" if survey.inside else ""
        yield f"    cache: {manager}"
        yield "    cache-dependency-path: |"
        yield from (f"      {prefix}**/{file}" for file in files)


def gitlab(survey: Survey) -> str:
    """A job for GitLab: the whole file, or the lines to add to one."""
    return "".join(f"{line}\n" for line in _gitlab(survey))


def _gitlab(survey: Survey) -> Iterator[str]:
    yield "qa:"
    yield f'  image: "python:{_python()}"'
    yield "  timeout: 30 minutes"
    yield "  cache:"
    yield "    key: pip"
    yield "    paths: [.cache/pip]"
    yield "  before_script:"
    yield "    # In the home's cache, where tasks may write; GitLab keeps what is in the project."
    yield "    - mkdir -p .cache/pip ~/.cache && cp -a .cache/pip ~/.cache/"
    if "node" in survey.languages:
        yield "    - apt-get update -qq && apt-get install -qq -y nodejs npm"
    install, *others = _commands(survey)
    yield f"    - {install}"
    yield "  script:"
    if survey.inside:
        yield f"    - {_quoted(f'cd {shlex.quote(survey.inside)}')}"
    yield from (f"    - {command}" for command in others)
    yield "  after_script:"
    yield "    - cp -a ~/.cache/pip .cache/"


def _commands(survey: Survey) -> Iterator[str]:
    by_pip = [name for name in survey.programs if name not in _BY_NPM]
    yield " ".join(["pip install polylane", *by_pip])
    yield from (_BY_NPM[name] for name in survey.programs if name in _BY_NPM)
    if survey.has_setup:
        yield "inv setup-parallel"
    yield "inv qa-parallel"


def _python() -> str:
    """The version that polylane runs on here, so that it runs there."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _quoted(text: str) -> str:
    """A scalar of YAML's, which takes JSON's strings."""
    import json

    return json.dumps(text)
