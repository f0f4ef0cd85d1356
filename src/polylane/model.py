"""The nouns: verb, project, claim, recipe, task. Frozen data, no behaviour beyond naming.

Named tuples: making the class of a frozen dataclass costs every start a millisecond.

Knows nothing of files, tools, plans or processes.
"""

from polylane.records import NamedTuple

#: The verbs in the order of a whole pipeline. Others, which the user adds, come after ``docs``.
VERBS = (
    "setup",
    "format",
    "build",
    "lint",
    "type-check",
    "test",
    "test-unit",
    "test-integration",
    "security",
    "docs",
    "clean",
)

#: The project at the workspace's own folder: its folder's name differs from clone to clone.
ROOT_PROJECT = "root"


#: How far a task's writes are confined. ``projects``: to its own project, its claims, and what lies
#: outside the workspace. ``strict``: what it writes in the workspace is kept where it claims it.
SANDBOXES = ("projects", "strict", "off")


class Claim(NamedTuple):
    """What a task reads, writes, caches and locks.

    Paths are patterns relative to the workspace, with ``/``: a path without a wildcard means the
    file, or the folder with all below it; ``*`` and ``?`` stay within a name; ``**`` is any number
    of folders. A pattern with a leading ``!`` takes paths away from the ones before it in the same
    tuple, for names that a tool provably ignores.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    #: False: nobody said what this task touches, so that its claim is the safe default.
    known: bool = True


class Project(NamedTuple):
    """A folder with a manifest."""

    name: str
    #: Relative to the workspace, with ``/``; ``"."`` for the workspace's own folder.
    path: str
    languages: tuple[str, ...] = ()
    #: Names of the projects that this one depends on directly.
    depends: tuple[str, ...] = ()


class Recipe(NamedTuple):
    """A task as a language describes it.

    Its patterns are those of `Claim`, but relative to the project's folder; a leading ``/`` makes
    one relative to the workspace, a leading ``^`` to each project that this one depends on
    (``^dist``), and ``!`` stands before either. ``reads`` or ``writes`` being ``None`` means
    unknown: the planner then takes the safe default (reads and writes the project, reads what it
    depends on).

    ``"{python}"`` as the first word of ``argv`` is the interpreter that runs polylane.
    """

    verb: str
    tool: str
    argv: tuple[str, ...]
    reads: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    caches: tuple[str, ...] = ()
    #: Verbs or ``^verb`` (of the projects that this one depends on) which must have passed before,
    #: and which a selection of this task pulls in.
    needs: tuple[str, ...] = ()
    #: The same, but only where they are selected anyway.
    after: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    ok_codes: tuple[int, ...] = (0,)
    #: Exit codes that mean there was nothing to do, with the reason that is shown.
    skip_codes: tuple[tuple[int, str], ...] = ()
    #: Takes words after ``--`` (a tool does, a script of several commands does not).
    takes_arguments: bool = True
    #: The command with the changed files appended is the same check of those files only:
    #: the endings of the files that it takes. Empty: it always works on the whole project.
    file_endings: tuple[str, ...] = ()
    #: For a check that can also mend what it finds (``ruff check --fix``): the command that does.
    fix_argv: tuple[str, ...] = ()
    #: For ``setup``: the paths which exist when it was done (``.venv``, ``node_modules``).
    creates: tuple[str, ...] = ()
    #: It asks a service that nobody in the project asked for: it runs with ``audit = true`` only.
    audit: bool = False
    #: What ``argv`` comes to, as a shell would read it: a script's text, or the command with the
    #: options that the tool's configuration adds. Says how wide it is. Empty: it is ``argv``.
    inside: str = ""


class Description(NamedTuple):
    """What one language found in one folder: plain data, remembered between runs."""

    #: Names by which other projects of the same language may depend on this one.
    provides: tuple[str, ...] = ()
    #: Names of what this project depends on; those that no project provides are ignored.
    requires: tuple[str, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    #: ``(what, why)`` for what was seen and left out on purpose; the plan shows them.
    left_out: tuple[tuple[str, str], ...] = ()


class Task(NamedTuple):
    """One command of one verb for one project: one process tree, one log, one outcome."""

    id: str
    verb: str
    project: str
    language: str
    tool: str
    #: Empty where the task is a Python body (``@polylane.task``), which lanes look up by id.
    argv: tuple[str, ...]
    #: Relative to the workspace.
    cwd: str
    claim: Claim
    #: Ids of tasks that must have passed before.
    needs: tuple[str, ...] = ()
    #: Ids of tasks that come first where they are selected.
    after: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    shell: bool = False
    #: 0: as many as its command says.
    slots: int = 0
    #: Bytes that it needs at its peak; None: what it took before says it.
    memory: int | None = None
    timeout: float = 1800.0
    retries: int = 0
    ok_codes: tuple[int, ...] = (0,)
    skip_codes: tuple[tuple[int, str], ...] = ()
    leave: bool = False
    #: How far its writes are confined: one of `SANDBOXES`.
    sandbox: str = "projects"
    takes_arguments: bool = True
    file_endings: tuple[str, ...] = ()
    fix_argv: tuple[str, ...] = ()
    #: Relative to the workspace.
    creates: tuple[str, ...] = ()
    #: As in `Recipe`.
    inside: str = ""
    #: Where the task was said: ``found``, a configuration key, or ``file:line`` of a Python body.
    source: str = "found"


def task_id(verb: str, project: str, tool: str) -> str:
    """Return the id ``verb:project:tool``."""
    return f"{verb}:{project}:{tool}"
