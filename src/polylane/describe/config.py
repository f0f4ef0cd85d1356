"""What the user said: ``[tool.polylane]``, ``polylane.toml`` and the environment, as frozen data.

The only module that reads the environment. Knows nothing of what the repository holds.
"""

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from polylane.describe import schema, toml_text
from polylane.describe.place import Place
from polylane.errors import UserError
from polylane.model import SANDBOXES, VERBS
from polylane.records import NamedTuple

if TYPE_CHECKING:
    from polylane.describe.claims_file import SaidClaim

#: ``qa`` where the configuration does not say otherwise.
PIPELINES = {"qa": ("build", "lint", "test", "security")}

#: Variables by which git tells a hook's children which repository and index they are in: a task
#: which runs git must not touch the user's. The list is ``git rev-parse --local-env-vars``.
GIT_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_EXEC_PATH",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INDEX_VERSION",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REFLOG_ACTION",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)

_CLAIMS_FILE = "polylane.claims.toml"

#: Set in every task: the folder of the run that it belongs to.
RUN_VARIABLE = "POLYLANE_RUN"


class ProjectConfig(NamedTuple):
    """``[tool.polylane.projects.NAME]``; None where nothing was said."""

    path: str | None = None
    language: str | None = None
    depends: tuple[str, ...] | None = None


class TaskConfig(NamedTuple):
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
    memory: int | None = None
    timeout: float | None = None
    retries: int | None = None
    ok_codes: tuple[int, ...] | None = None
    leave: bool | None = None
    sandbox: str | None = None
    creates: tuple[str, ...] | None = None
    enabled: bool | None = None


class Config(NamedTuple):
    """All that the user said, with the defaults filled in."""

    folder: Path
    #: The file that the configuration came from, relative to ``folder``; empty where there is none.
    file: str = ""
    #: Its text, for the lines in messages.
    text: str = ""
    jobs: int | str = "auto"
    #: The slots of the whole machine: as ``jobs``, or ``"off"``.
    machine_jobs: int | str = "auto"
    parallel: tuple[str, ...] = ()
    timeout: float = 1800.0
    grace: float = 2.0
    max_load: float = 0.8
    #: Bytes, ``"auto"``, or a percentage of the machine's memory.
    memory: int | str = "auto"
    keep_runs: int = 20
    sandbox: str = "projects"
    audit: bool = False
    exclude: tuple[str, ...] = ()
    pipelines: Mapping[str, tuple[str, ...]] = MappingProxyType(PIPELINES)
    verb_needs: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    projects: Mapping[str, ProjectConfig] = MappingProxyType({})
    tasks: Mapping[str, TaskConfig] = MappingProxyType({})
    #: What ``polylane.claims.toml`` says, which the above wins over.
    claims: "Mapping[str, SaidClaim]" = MappingProxyType({})
    #: ``USE_PARALLEL``, where it is set.
    use_parallel: bool | None = None
    #: The run that this process is a task of, if it is one.
    parent_run: str = ""
    #: Where runs meet to share the machine; empty: where those of this user do.
    slots_folder: str = ""

    @property
    def table(self) -> str:
        """What leads to our tables in the file: ``tool.polylane.``, or nothing in our own."""
        return "" if self.file == "polylane.toml" else "tool.polylane."

    def where(self, *keys: str) -> str:
        """Name a key for a message: ``pyproject.toml:3: tool.polylane.jobs``."""
        return _place(self.file, self.text)(keys)

    def check_folder(self, said: str, *keys: str) -> None:
        """Refuse a normalised path that is no folder, or that a link leads out of the workspace."""
        path = self.folder / said
        if not path.is_dir():
            raise UserError(
                f"{self.where(*keys)} = {said!r}: is no folder of the workspace;"
                " paths are relative to the workspace"
            )
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise UserError(
                f"{self.where(*keys)} = {said!r}: leads out of the workspace, to {path.resolve()};"
                " name a folder inside"
            )

    def verb_order(self) -> tuple[str, ...]:
        """Every verb that has a known place, those of configured tasks behind ``VERBS``."""
        own = sorted({name.partition(":")[0] for name in self.tasks} - {*VERBS})
        return (*VERBS, *own)


class CIHost(NamedTuple):
    """A host of continuous integration."""

    #: ``github``, ``gitlab``, or empty: none that we know.
    name: str
    #: The folder that it checked out; paths are relative to it.
    folder: str = ""
    #: The file that takes a summary in Markdown.
    summary: str = ""


def load(folder: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration of the workspace at ``folder``.

    A value that cannot be right is a `UserError` that says which, where, and what would be.
    """
    file, text = _find(folder)
    values = dict(_checked(folder, file, text))
    pipelines = {**PIPELINES, **values.pop("pipelines", {})}
    verbs = values.pop("verbs", {})
    return Config(
        folder=folder,
        file=file,
        text=text,
        pipelines=pipelines,
        verb_needs={verb: said.get("needs", ()) for verb, said in verbs.items()},
        projects={k: ProjectConfig(**v) for k, v in values.pop("projects", {}).items()},
        tasks=values.pop("tasks"),
        claims=_claims(folder),
        use_parallel=_use_parallel(environ),
        parent_run=environ.get(RUN_VARIABLE, ""),
        slots_folder=environ.get("POLYLANE_SLOTS_DIR", ""),
        **values,
    )


@lru_cache(maxsize=2)  # a host reads it to name its tasks, and the run again
def _checked(folder: Path, file: str, text: str) -> dict[str, Any]:
    table = _table(folder / file, text) if text else {}
    values: dict[str, Any] = schema.check(_SCHEMA, table, _place(file, text))
    values["tasks"] = {k: TaskConfig(**v) for k, v in values.get("tasks", {}).items()}
    return values


def task_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment that tasks start from: ours, less git's own variables and some leftovers.

    Make's job server is not passed on: its descriptors are not.
    """
    dropped = {*GIT_VARIABLES, "MAKEFLAGS", "MFLAGS", "PYTHONHOME", "__PYVENV_LAUNCHER__"}
    return {k: v for k, v in environ.items() if k not in dropped}


def hook_range(environ: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """The revisions that pre-commit compares (``--from-ref``, a push); None where there are none.

    https://pre-commit.com/#pre-commit-run
    """
    before, after = environ.get("PRE_COMMIT_FROM_REF"), environ.get("PRE_COMMIT_TO_REF")
    return (before, after) if before and after else None


def wants_colour(environ: Mapping[str, str] = os.environ, *, terminal: bool) -> bool:
    """Whether tools are asked for colour, by NO_COLOR, FORCE_COLOR and the terminal.

    https://no-color.org and https://force-color.org
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and environ.get("TERM", "dumb") != "dumb"


def can_be_painted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal does what it is told, and a person looks at it: neither dumb nor CI's."""
    return environ.get("TERM", "dumb") not in ("", "dumb") and not in_ci(environ)


def in_ci(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a host of continuous integration started us: nearly all of them set ``CI``."""
    return environ.get("CI", "").lower() not in ("", "0", "false")


def has_unicode(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal shows UTF-8, by the strongest of the variables of locale(7)."""
    said = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG", "")
    return said.lower().replace("-", "").endswith("utf8")


def is_completing(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether our script for a shell asks what may stand next on a command line."""
    return bool(environ.get("POLYLANE_COMPLETE"))


def ci_host(environ: Mapping[str, str] = os.environ) -> CIHost:
    """Which host of continuous integration started us, and what it offers."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return CIHost(
            "github", environ.get("GITHUB_WORKSPACE", ""), environ.get("GITHUB_STEP_SUMMARY", "")
        )
    if environ.get("GITLAB_CI") == "true":
        return CIHost("gitlab", environ.get("CI_PROJECT_DIR", ""))
    return CIHost("")


def _use_parallel(environ: Mapping[str, str]) -> bool | None:
    said = environ.get("USE_PARALLEL", "").strip()
    if not said:
        return None
    value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
        said.lower()
    )
    if value is None:
        raise UserError(f"USE_PARALLEL={said}: must be true, 1, yes, false, 0 or no")
    return value


def _find(folder: Path) -> tuple[str, str]:
    """Return the name and text of the file that has our table; ``polylane.toml`` wins."""
    for name in ("polylane.toml", "pyproject.toml"):
        text = _text(folder, name)
        if text is not None and (name == "polylane.toml" or "polylane" in text):
            return name, text
    return "", ""


def _text(folder: Path, name: str) -> str | None:
    """The text of a file; None where there is none."""
    try:
        return (folder / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise UserError(
            f"{name}: cannot be read: {error.strerror}; make it a file that you may read"
        ) from None


def _claims(folder: Path) -> "Mapping[str, SaidClaim]":
    text = _text(folder, _CLAIMS_FILE)
    if text is None:
        return MappingProxyType({})
    from polylane.describe import claims_file  # most workspaces have none

    return claims_file.parse(folder, text)


def _place(file: str, text: str) -> Place:
    return Place(file, text, ("tool", "polylane") if file == "pyproject.toml" else ())


def _table(path: Path, text: str) -> Mapping[str, Any]:
    try:
        data = toml_text.parse(path.parent, text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path.name}: is not valid TOML: {error}; mend the file") from None
    if path.name == "polylane.toml":
        return data
    tool = data.get("tool", {})
    table = tool.get("polylane", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise schema.fail(_place(path.name, text), (), table, "a table")
    return table


_SCHEMA: Mapping[str, schema.Check] = {
    "jobs": schema.jobs,
    "parallel": schema.strings,
    "timeout": schema.seconds,
    "grace": schema.seconds_or_zero,
    "machine_jobs": schema.jobs_or_off,
    "max_load": schema.percentage,
    "memory": schema.memory,
    "keep_runs": schema.count,
    "sandbox": schema.one_of(*SANDBOXES),
    "audit": schema.boolean,
    "exclude": schema.folders,
    "pipelines": schema.table_of(schema.verbs, key=schema.verb_key),
    "verbs": schema.table_of(schema.record({"needs": schema.strings}), key=schema.verb_key),
    "projects": schema.table_of(
        schema.record({"path": schema.path, "language": schema.string, "depends": schema.strings}),
        key=schema.project_key,
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
                "env": schema.table_of(schema.string, key=schema.variable_key),
                "slots": schema.count,
                "memory": schema.size,
                "timeout": schema.seconds,
                "retries": schema.count_or_zero,
                "ok_codes": schema.exit_codes,
                "leave": schema.boolean,
                "sandbox": schema.one_of(*SANDBOXES),
                "creates": schema.paths,
                "enabled": schema.boolean,
            }
        ),
        key=schema.task_key,
    ),
}


def interpreter() -> str:
    """The interpreter that runs us: what ``{python}`` stands for in a recipe."""
    return sys.executable
