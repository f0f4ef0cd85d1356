"""Makes the workspaces that are measured, and the same work as the peers' own files.

Knows nothing of how they are measured.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

TRUE = "/bin/true"

_OURS = "from polylane import namespace\nns = namespace()\n"

_NONE: Mapping[str, Sequence[str]] = MappingProxyType({})

#: Each project needs a few of the others, as packages of a monorepo do.
_NEEDED = 3


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _git(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)


def commit(folder: Path) -> None:
    """Make a repository of a folder, with all that lies in it and is not ignored."""
    _git(folder)
    somebody = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", "-C", folder, "add", "-A"], check=True)
    subprocess.run(["git", "-C", folder, *somebody, "commit", "-qm", "All"], check=True)


def of_true(folder: Path, count: int) -> Path:
    """``count`` tasks of the verb ``all`` which do nothing and touch nothing, for polylane."""
    return of_tasks(folder, {f"t{i}": [TRUE] for i in range(count)})


def of_tasks(
    folder: Path, commands: Mapping[str, Sequence[str]], needs: Mapping[str, Sequence[str]] = _NONE
) -> Path:
    """Tasks of the verb ``all`` by name, which claim to touch nothing, for polylane."""
    _new(folder)
    (folder / "tasks.py").write_text(_OURS)
    # Each sample prunes a run, as every run does that has 20 before it.
    lines = ["[tool.polylane]", "keep_runs = 2"]
    for name, argv in commands.items():
        lines += [
            f'[tool.polylane.tasks."all:root:{name}"]',
            f"command = {json.dumps(list(argv))}",
            "reads = []",
            "writes = []",
        ]
        if needed := needs.get(name):
            lines.append(f"needs = {json.dumps([f'all:root:{each}' for each in needed])}")
    (folder / "pyproject.toml").write_text("\n".join(lines) + "\n")
    _git(folder)
    return folder


def of_true_in_projects(folder: Path, count: int, projects: int) -> Path:
    """The same in ``projects`` projects ``p0``, ``p1``, ..., one after the other."""
    of_true(folder, 0)
    lines = []
    for i in range(projects):
        _new(folder / f"p{i}")
        (folder / f"p{i}" / "pyproject.toml").write_text(f'[project]\nname = "p{i}"\n')
    for i in range(count):
        lines.append(f'[tool.polylane.tasks."all:p{i % projects}:t{i}"]')
        lines += [f'command = ["{TRUE}"]', "reads = []", "writes = []"]
    with (folder / "pyproject.toml").open("a") as file:
        file.write("\n".join(lines) + "\n")
    return folder


def of_true_for_ninja(folder: Path, count: int) -> Path:
    """The same for ninja: nothing is made, so that every command runs each time."""
    _new(folder)
    names = [f"t{i}" for i in range(count)]
    lines = ["rule r", f"  command = {TRUE}", *(f"build {name}: r" for name in names)]
    (folder / "build.ninja").write_text(
        "\n".join([*lines, f"build all: phony {' '.join(names)}\n"])
    )
    return folder


def hand_written(folder: Path, names: Iterable[str]) -> Path:
    """A ``tasks.py`` of plain Invoke tasks: each does nothing."""
    _new(folder)
    lines = ["from invoke import task"]
    for name in names:
        function = name.replace("-", "_").replace(".", "_")
        lines += ["", "", f"@task(name={name!r})", f"def {function}(c):"]
        lines += [f'    """Do the work of {name}."""']
    (folder / "tasks.py").write_text("\n".join(lines) + "\n")
    return folder


def copy_of(source: Path, folder: Path) -> Path:
    """A copy of a workspace's sources in a repository of its own; nothing is installed in it."""
    left_out = shutil.ignore_patterns(
        "node_modules", ".venv", ".git", ".polylane", ".*_cache", "dist"
    )
    shutil.copytree(source, folder, ignore=left_out)
    _git(folder)
    return folder


def of_projects(folder: Path, count: int) -> Path:
    """``count`` projects, Python and Node in turn, ten to a folder, each needing some others."""
    _new(folder)
    (folder / "tasks.py").write_text(_OURS)
    (folder / "polylane.toml").write_text("")
    members = []
    for i in range(count):
        path = f"group{i // 10}/project{i}"
        members.append(path)
        needed = [f"project{j}" for j in range(i % 2, i, 2)][-_NEEDED:]
        project = _new(folder / path)
        (_node if i % 2 else _python)(project, f"project{i}", needed)
    (folder / "package.json").write_text(
        json.dumps({"name": "all", "private": True, "workspaces": members[1::2]})
    )
    (folder / "package-lock.json").write_text('{"lockfileVersion": 3}\n')
    _git(folder)
    return folder


def _python(folder: Path, name: str, needed: list[str]) -> None:
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "{name}"\nversion = "1"\ndependencies = {json.dumps(needed)}\n'
        '[project.optional-dependencies]\ndev = ["ruff", "mypy", "pytest"]\n'
        "[tool.ruff]\nline-length = 100\n[tool.mypy]\nstrict = true\n"
    )
    _new(folder / "src" / name)
    (folder / "src" / name / "__init__.py").write_text("")
    _new(folder / "tests")
    (folder / "tests" / "test_it.py").write_text("def test_it(): pass\n")


def _node(folder: Path, name: str, needed: list[str]) -> None:
    scripts = {"build": "tsc -p .", "lint": "eslint .", "test": "vitest run"}
    dev = {"typescript": "5", "eslint": "9", "vitest": "3", "prettier": "3"}
    manifest = {
        "name": name,
        "version": "1.0.0",
        "scripts": scripts,
        "dependencies": dict.fromkeys(needed, "1.0.0"),
        "devDependencies": dev,
    }
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "tsconfig.json").write_text('{"compilerOptions": {"outDir": "dist"}}')
    _new(folder / "src")
    (folder / "src" / "index.ts").write_text("export {}\n")
