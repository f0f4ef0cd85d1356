"""What protects a run on this machine and in this workspace, and what does not, as plain data.

Looks, and leaves nothing behind. Knows nothing of how it is shown, or of one run.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from polylane.describe import git
from polylane.describe.config import Config
from polylane.describe.home import home
from polylane.describe.workspace import Workspace
from polylane.model import Task
from polylane.records import NamedTuple
from polylane.run import landlock, locks, sandbox, slots, tree
from polylane.run.confinements import exposed
from polylane.run.slot_file import SlotFile, default_folder
from polylane.run.writable import granted


class Fact(NamedTuple):
    """One thing that was looked at, for people."""

    what: str
    #: What is so: a few words.
    state: str
    #: What is lost by that; empty where nothing is.
    lost: str = ""
    #: How to mend it.
    mend: str = ""
    #: Tasks cannot do without it.
    needed: bool = False


def facts(config: Config, workspace: Workspace, tasks: Iterable[Task]) -> Iterator[Fact]:
    """All of it; to be called before this process has threads, since some of it is tried."""
    yield supervision()
    yield confinement()
    if not sandbox.why_not():
        yield from unconfined(config, workspace, tasks)
    yield private_views(config.folder)
    yield tracer()
    yield locks_between_runs(config.folder)
    yield machine_slots(config)
    yield git_folder(config.folder)


def supervision() -> Fact:
    """Whether the ends of all processes of a task are seen."""
    lacks = list(_lacking())
    if not lacks:
        return Fact("supervision", "lanes are forked; subreapers and pidfds are there")
    return Fact(
        "supervision",
        f"this system has no {', no '.join(lacks)}",
        "what a task leaves behind may live on",
        "Linux 5.3 or newer, with /proc mounted",
    )


def _lacking() -> Iterator[str]:
    if sys.platform != "linux":
        yield from ("subreapers", "pidfds", "/proc")
        return
    before = tree.become_subreaper()
    if not tree.become_subreaper(on=before):
        yield "subreapers"
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        yield "pidfds"
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        yield "lists of children below /proc"


#: How to have Landlock, by the kernel's answer.
_LANDLOCK = {
    errno.EOPNOTSUPP: "add landlock to lsm= of the kernel's command line; the list that holds is"
    " in /sys/kernel/security/lsm",
    errno.EPERM: "allow the calls landlock_* in the container's seccomp profile",
}
_NEWER = "Linux 5.19 or newer, built with Landlock; in a container allow the calls landlock_*"

#: From which version of Landlock something is refused too, since which Linux, and what it is.
_SINCE = (
    (3, "6.2", "a file's truncation by its path"),
    (6, "6.12", "signals to processes of others"),
)


def confinement() -> Fact:
    """Whether tasks can be confined, and what is not refused even so."""
    if why := sandbox.why_not():
        mend = _LANDLOCK.get(landlock.refusal(), _NEWER)
        return Fact("confinement", f"none: {why}", "tasks can write anywhere", mend)
    version = landlock.abi()
    state = f"Landlock, version {version} of its interface"
    newer = [(linux, what) for since, linux, what in _SINCE if version < since]
    if not newer:
        return Fact("confinement", state)
    lost = " and ".join(what for _, what in newer)
    return Fact("confinement", state, f"not refused: {lost}", f"Linux {newer[-1][0]} or newer")


def unconfined(config: Config, workspace: Workspace, tasks: Iterable[Task]) -> Iterator[Fact]:
    """Which tasks run free, or nearly so, although this machine can confine, and why."""
    projects = {project.name: project.path for project in workspace.projects.values()}
    by_key: dict[str, list[str]] = {}
    whole: list[str] = []
    for task in tasks:
        path = projects.get(task.project, ".")
        if task.sandbox == "off":
            by_key.setdefault(_key(config, task), []).append(task.id)
        elif task.sandbox == "projects" and "." in granted(path, task.claim, projects.values()):
            whole.append(task.id)
    for key, ids in by_key.items():
        state = f"{named(ids)}, by {key}"
        mend = 'remove that key, or say "projects"'
        yield Fact("not confined", state, "they can write anywhere", mend)
    if whole:
        reached = exposed(config.folder, projects.values(), git.data_folders(config.folder))
        yield Fact(
            "whole workspace",
            f"{named(whole)} may write all of it: Landlock cannot leave out a folder",
            reached and f"they can write {reached}",
            reached and f'sandbox = "strict" for {"it" if len(whole) == 1 else "them"}',
        )


def _key(config: Config, task: Task) -> str:
    """Where it was said that a task runs free."""
    said = config.tasks.get(task.id)
    if said is not None and said.sandbox is not None:
        return config.where("tasks", task.id, "sandbox")
    return config.where("sandbox") if config.sandbox == "off" else task.source


def private_views(folder: Path) -> Fact:
    """Whether a task can have a view of the workspace for itself, and pids of its own in it."""
    if sys.platform != "linux":
        return _no_views(f"they need Linux, not {sys.platform}")
    from polylane.run.views import places  # few runs have a use for it

    inside = home(folder) / "views"
    place = places.choose(folder, inside)
    if place.none:
        return _no_views(place.refused[-1])
    whole = places.choose(folder, inside, pid=True)
    if whole.none:
        return Fact(
            "private views",
            f"overlays in {place.folder}, with no pids of their own: {whole.refused[-1]}",
            'strict tasks run as with sandbox = "projects"',
            "allow namespaces of pids",
        )
    return Fact("private views", f"overlays in {whole.folder}, with pids of their own")


def _no_views(why: str) -> Fact:
    return Fact(
        "private views",
        f"none: {why}",
        'strict tasks run as with sandbox = "projects", and lanes.validate in copies',
        "Linux 5.11 or newer that allows user namespaces, and a temporary folder on ext4, xfs,"
        " btrfs or tmpfs",
    )


def tracer() -> Fact:
    """Whether it can be seen what a task reads and writes."""
    from polylane.run.tracing import tracer as tracing

    if why := tracing.available():
        return Fact(
            "tracer",
            f"none: {why}",
            "lanes.trace is refused; what a task was refused to write is known by its log only",
            "what the reason says; in a container allow seccomp(2) and process_vm_readv(2), too",
        )
    return Fact("tracer", "seccomp notifications")


def locks_between_runs(folder: Path) -> Fact:
    """Whether the workspace's file system has locks."""
    if why := locks.why_not(home(folder)):
        return Fact(
            "locks between runs",
            f"none: {why}",
            "two runs at once can spoil each other's files",
            "a workspace on a file system with locks, or one run at a time",
        )
    return Fact("locks between runs", "byte ranges of .polylane/locks")


def machine_slots(config: Config) -> Fact:
    """Whether the runs on this machine share its slots, and how many there are."""
    count = slots.machine_slots(config.machine_jobs)
    if count is None:
        where = config.where("machine_jobs")
        return Fact("machine's slots", f"not shared with other runs, by {where}")
    try:
        folder = Path(config.slots_folder) if config.slots_folder else default_folder()
        SlotFile(folder).close()
    except OSError as error:
        return Fact(
            "machine's slots",
            f"other runs are not seen: {error.filename}: {error.strerror}",
            "runs at once can overload the machine",
            "POLYLANE_SLOTS_DIR names a folder that can be written, the same for all runs",
        )
    return Fact("machine's slots", f"{count}, shared by all runs of this user through {folder}")


def git_folder(folder: Path) -> Fact:
    """What of the repository's own data is kept from tasks."""
    found = ", ".join(str(path) for path in git.data_folders(folder))
    if found:
        return Fact("git's folder", found)
    return Fact("git's folder", "none was found", "nothing of git's is protected", "git init")


#: So many names stand in one line.
_LISTED = 5


def named(names: list[str]) -> str:
    """The first few of some names, and how many there are."""
    more = len(names) - _LISTED
    text = ", ".join(names[:_LISTED])
    return f"{text} and {more} more" if more > 0 else text
