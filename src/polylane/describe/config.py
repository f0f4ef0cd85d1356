"""What the user said: ``[tool.polylane]``, ``polylane.toml`` and the environment, as frozen data.

The only module that reads the environment. Knows nothing of what the repository holds.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polylane.describe import schema
from polylane.errors import UserError
from polylane.model import VERBS

#: ``qa`` where the configuration does not say otherwise.
PIPELINES = {"qa": ("build", "lint", "test", "security")}

#: Variables by which git tells a hook's children which repository and index they are in: a task
#: which runs git must not touch the user's. The list is ``git rev-parse --local-env-vars``.
GIT_VARIABLES = frozenset(
    f"GIT_{name}"
    for name in (
        "ALTERNATE_OBJECT_DIRECTORIES CEILING_DIRECTORIES COMMON_DIR CONFIG CONFIG_COUNT "
        "CONFIG_PARAMETERS DIR EXEC_PATH GRAFT_FILE IMPLICIT_WORK_TREE INDEX_FILE INDEX_VERSION "
        "INTERNAL_SUPER_PREFIX NAMESPACE NO_REPLACE_OBJECTS OBJECT_DIRECTORY PREFIX QUARANTINE_PATH "
        "REFLOG_ACTION REPLACE_REF_BASE SHALLOW_FILE WORK_TREE"
    ).split()
)

#: Set in every task: the folder of the run that it belongs to.
RUN_VARIABLE = "POLYLANE_RUN"


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """``[tool.polylane.projects.NAME]``; None where nothing was said."""

    path: str | None = None
    language: str | None = None
    depends: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TaskConfig:
    """``[tool.polylane.tasks."ID"]``; None where nothing was said."""

    verb: str | None = None
    command: tuple[str, ...] | str | None = None
    shell: bool | None = None
    cwd: str | None = None
    needs: tuple[str, ...] | None = None
    reads: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    caches: tuple[str, ...] | None = None
    locks: tuple[str, ...] | None = None
    env: Mapping[str, str] | None = None
    slots: int | None = None
    timeout: float | None = None
    retries: int | None = None
    ok_codes: tuple[int, ...] | None = None
    leave: bool | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """All that the user said, with the defaults filled in."""

    folder: Path
    #: The file that the configuration came from, relative to ``folder``; empty where there is none.
    file: str = ""
    jobs: int | str = "auto"
    parallel: tuple[str, ...] = ()
    timeout: float = 1800.0
    grace: float = 2.0
    max_load: float = 0.8
    keep_runs: int = 20
    audit: bool = False
    exclude: tuple[str, ...] = ()
    pipelines: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(PIPELINES))
    verb_needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    projects: Mapping[str, ProjectConfig] = field(default_factory=dict)
    tasks: Mapping[str, TaskConfig] = field(default_factory=dict)
    #: ``USE_PARALLEL``, where it is set.
    use_parallel: bool | None = None
    #: The run that this process is a task of, if it is one.
    parent_run: str = ""

    def where(self, *keys: str) -> str:
        """Name a key for a message: ``pyproject.toml: tool.polylane.jobs``."""
        prefix = ("tool", "polylane") if self.file == "pyproject.toml" else ()
        return f"{self.file}: {schema.dotted((*prefix, *keys))}"

    def verb_order(self) -> tuple[str, ...]:
        """Every verb that has a known place, those of the configuration's tasks behind ``VERBS``."""
        own = sorted({name.partition(":")[0] for name in self.tasks} - {*VERBS})
        return (*VERBS, *own)


def load(folder: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration of the workspace at ``folder``.

    A value that cannot be right is a `UserError` that says which, where, and what would be.
    """
    file, text = _find(folder)
    table = _table(folder / file, text) if text else {}
    values = schema.check(_SCHEMA, table, _Place(file, text))
    pipelines = {**PIPELINES, **values.pop("pipelines", {})}
    verbs = values.pop("verbs", {})
    return Config(
        folder=folder,
        file=file,
        pipelines=pipelines,
        verb_needs={verb: said.get("needs", ()) for verb, said in verbs.items()},
        projects={k: ProjectConfig(**v) for k, v in values.pop("projects", {}).items()},
        tasks={k: TaskConfig(**v) for k, v in values.pop("tasks", {}).items()},
        use_parallel=_use_parallel(environ),
        parent_run=environ.get(RUN_VARIABLE, ""),
        **values,
    )


def task_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment that tasks start from: ours, less git's own variables and a shell's leftovers.

    Make's job server is not passed on: its descriptors are not.
    """
    dropped = {*GIT_VARIABLES, "MAKEFLAGS", "MFLAGS", "PYTHONHOME", "__PYVENV_LAUNCHER__"}
    return {k: v for k, v in environ.items() if k not in dropped}


def wants_colour(environ: Mapping[str, str] = os.environ, *, terminal: bool) -> bool:
    """Whether tools are asked for colour, by NO_COLOR, FORCE_COLOR and the terminal.

    https://no-color.org and https://force-color.org
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and environ.get("TERM", "dumb") != "dumb"


def _use_parallel(environ: Mapping[str, str]) -> bool | None:
    said = environ.get("USE_PARALLEL", "").strip()
    if not said:
        return None
    value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
        said.lower()
    )
    if value is None:
        raise UserError(
            f"USE_PARALLEL={said}: is neither true nor false; set it to true, 1, yes, false, 0 or no"
        )
    return value


def _find(folder: Path) -> tuple[str, str]:
    """Return the name and text of the file that has our table; ``polylane.toml`` wins."""
    for name in ("polylane.toml", "pyproject.toml"):
        try:
            text = (folder / name).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{folder / name}: cannot be read: {error}") from None
        if name == "polylane.toml" or "tool.polylane" in text or "[tool]" in text:
            return name, text
    return "", ""


def _table(path: Path, text: str) -> Mapping[str, Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path.name}: is not valid TOML: {error}") from None
    if path.name == "polylane.toml":
        return data
    tool = data.get("tool", {})
    table = tool.get("polylane", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UserError(f"{path.name}: tool.polylane must be a table")
    return table


@dataclass(frozen=True, slots=True)
class _Place:
    """Says where a key stands, with its line where the text shows it."""

    file: str
    text: str

    def __call__(self, keys: tuple[str, ...]) -> str:
        prefix = ("tool", "polylane") if self.file == "pyproject.toml" else ()
        name = schema.dotted((*prefix, *keys))
        line = self._line(keys)
        return f"{self.file}:{line}: {name}" if line else f"{self.file}: {name}"

    def _line(self, keys: tuple[str, ...]) -> int | None:
        """The line of the last key behind the lines of the ones before it: a hint, not a parse."""
        position = 0
        for key in keys:
            match = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])").search(self.text, position)
            if match is None:
                return None
            position = match.start()
        return self.text.count("\n", 0, position) + 1


_SCHEMA: Mapping[str, schema.Check] = {
    "jobs": schema.jobs,
    "parallel": schema.strings,
    "timeout": schema.seconds,
    "grace": schema.seconds_or_zero,
    "max_load": schema.percentage,
    "keep_runs": schema.count,
    "audit": schema.boolean,
    "exclude": schema.paths,
    "pipelines": schema.table_of(schema.strings),
    "verbs": schema.table_of(schema.record({"needs": schema.strings})),
    "projects": schema.table_of(
        schema.record({"path": schema.path, "language": schema.string, "depends": schema.strings})
    ),
    "tasks": schema.table_of(
        schema.record(
            {
                "verb": schema.verb,
                "command": schema.command,
                "shell": schema.boolean,
                "cwd": schema.path,
                "needs": schema.strings,
                "reads": schema.paths,
                "writes": schema.paths,
                "caches": schema.paths,
                "locks": schema.strings,
                "env": schema.table_of(schema.string),
                "slots": schema.count,
                "timeout": schema.seconds,
                "retries": schema.count_or_zero,
                "ok_codes": schema.exit_codes,
                "leave": schema.boolean,
                "enabled": schema.boolean,
            }
        ),
        key=schema.task_key,
    ),
}


def interpreter() -> str:
    """The interpreter that runs us: what ``{python}`` stands for in a recipe."""
    return sys.executable
