"""``polylane init``: shows the files that adopt polylane here, asks, and writes those that are new.

What exists is never written to: its additions are shown, to be made by hand.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from polylane.errors import UserError, did_you_mean
from polylane.integrations import init_files, new_files
from polylane.integrations.init_survey import (
    GITLAB_FILE,
    WORKFLOWS,
    Source,
    Survey,
    calls,
    read,
    survey,
    tasks_source,
    workflows_text,
)
from polylane.records import NamedTuple

CI_HOSTS = ("github", "gitlab", "none")

#: What ours leave in a file of hooks or of CI.
_HOOK_MARKS = ("polylane-hook", "polylane-fix", "polylane-check", "polylane-push")
_CI_MARKS = ("polylane", "qa-parallel")


class Part(NamedTuple):
    """One file of init's."""

    path: Path
    #: What it would say.
    text: str
    #: What lies there; None where the name is free.
    source: Source | None = None
    #: What is added by hand to a file that exists.
    lines: str = ""
    #: Where these go.
    place: str = ""
    #: Whether it works with polylane already.
    has_it: bool = False

    @property
    def is_new(self) -> bool:
        """Whether it is to be written."""
        return self.source is None and not self.has_it


def init(start: Path, *, yes: bool, ci: str, dry: bool = False) -> None:
    """Show, ask, write. ``yes``: do not ask; ``dry``: only show. A `UserError` wrote nothing."""
    if ci and ci not in CI_HOSTS:
        hint = did_you_mean(ci, CI_HOSTS)
        raise UserError(f"--ci = {ci!r}: must be one of {', '.join(CI_HOSTS)}{hint}")
    found = survey(start)
    parts = list(_parts(found, ci or found.host))
    new = [part for part in parts if part.is_new]
    _check_places(found, new)
    print(_preview(found, parts, ci), end="")
    if not new:
        print("nothing to write")
    elif dry:
        print("nothing was written (--dry)")
    elif yes or _agreed(len(new)):
        _write(found, new)
    else:
        print("nothing was written")


def _parts(found: Survey, ci: str) -> Iterator[Part]:
    tasks = tasks_source(found.workspace)
    yield Part(
        tasks.path if tasks else found.workspace / "tasks.py",
        init_files.TASKS,
        tasks,
        init_files.TASKS_LINES,
        "beside its Invoke tasks",
        tasks is not None and calls(tasks.text, "namespace"),
    )
    yield _part(
        found.workspace / "noxfile.py",
        init_files.NOXFILE,
        init_files.NOX_LINES,
        "below its sessions",
        lambda text: calls(text, "nox_sessions"),
    )
    yield _part(
        found.top / ".pre-commit-config.yaml",
        init_files.hook(found),
        init_files.hook_lines(found),
        "below repos",
        lambda text: _has(text, _HOOK_MARKS),
    )
    if found.projects and ci == "github":
        yield _github(found)
    elif found.projects and ci == "gitlab":
        yield _gitlab(found)


def _part(path: Path, text: str, lines: str, place: str, has_it: Callable[[str], bool]) -> Part:
    """Of a file that has its name only; ``has_it`` is asked about what it says."""
    source = read(path)
    return Part(path, text, source, lines, place, source is not None and has_it(source.text))


def _has(text: str, marks: Iterable[str]) -> bool:
    return any(mark in text for mark in marks)


def _github(found: Survey) -> Part:
    path = found.top / WORKFLOWS / "qa.yml"
    has_it = _has(workflows_text(found.top), _CI_MARKS)  # in any of them
    steps = init_files.github_steps(found)
    return Part(path, init_files.github(found), read(path), steps, "as steps of a job", has_it)


def _gitlab(found: Survey) -> Part:
    path, job = found.top / GITLAB_FILE, init_files.gitlab(found)
    return _part(path, job, job, "as a job", lambda text: _has(text, _CI_MARKS))


def _check_places(found: Survey, new: Sequence[Part]) -> None:
    """No file is made outside of the repository, where a link may lead, nor where none can be."""
    top = found.top.resolve()
    for part in new:
        folder = part.path.parent.resolve()
        if not folder.is_relative_to(top):
            raise UserError(
                f"{part.path}: lies in {folder}, outside of {top}, by a symbolic link; nothing was"
                " written: remove the link, or leave CI out with --ci none"
            )
    new_files.check([part.path for part in new])


def _preview(found: Survey, parts: Sequence[Part], ci: str) -> str:
    lines = [f"workspace: {found.workspace}", *_what_was_found(found)]
    lines += _of_ci(found, ci)
    for part in parts:
        lines += ["", *_of_part(found, part)]
    return "\n".join([*lines, "", ""])


def _what_was_found(found: Survey) -> Iterator[str]:
    if found.inside:
        yield f"repository: {found.top}"
    if not found.has_git:
        yield "projects: unknown, since this is no git repository; polylane needs one (git init)"
    elif not found.projects:
        yield "projects: none yet: no pyproject.toml and no package.json that git does not ignore"
    else:
        yield f"projects: {len(found.projects)}"
    for project in found.projects:
        languages = ", ".join(project.languages)
        name = project.name if project.name == project.path else f"{project.name} {project.path}"
        yield f"    {name} ({languages})"


def _of_ci(found: Survey, ci: str) -> Iterator[str]:
    if ci == "none":
        return
    if not found.projects:
        yield "CI: a job depends on the projects; run polylane init again when there are some"
    elif not ci and found.host:
        yield f"CI: {found.host} ({found.host_by})"
    elif not ci:
        yield "CI: nothing here says which; --ci github or --ci gitlab writes a job"


def _of_part(found: Survey, part: Part) -> Iterator[str]:
    name = _name(found, part)
    if part.has_it:
        where = f"a file in {Path(name).parent}" if part.source is None else name
        yield f"{where}: has it already"
        return
    if part.source is None:
        yield f"{name}: new"
        text = part.text
    else:
        yield f"{name}: exists, and is left as it is; add {part.place}:"
        text = part.lines
    yield from (f"    {line}".rstrip() for line in text.splitlines())


def _name(found: Survey, part: Part) -> str:
    return part.path.relative_to(found.top).as_posix()


def _agreed(count: int) -> bool:
    """Ask on a terminal; without one, and without ``--yes``, nobody agrees."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(
            "polylane init asks before it writes, and here is no terminal; nothing was written:"
            " add --yes to write what is shown"
        )
    try:
        return input(f"write {_files(count)}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False
    except KeyboardInterrupt:
        print("\nnothing was written")
        raise


def _files(count: int) -> str:
    return "this file" if count == 1 else f"these {count} files"


def _write(found: Survey, new: Sequence[Part]) -> None:
    met = new_files.make({part.path: part.text for part in new})
    if written := [_name(found, part) for part in new if part.path not in met]:
        print(f"wrote {', '.join(written)}")
        print("\n".join(["", "next:", *(f"    {line}" for line in _next(found, written))]))
    if met:
        names = ", ".join(path.relative_to(found.top).as_posix() for path in met)
        raise UserError(
            f"{names}: appeared meanwhile, and was left as it is; run polylane init again to see"
            " what to add"
        )


def _next(found: Survey, written: Sequence[str]) -> Iterator[str]:
    steps = []
    if not found.has_git:
        steps.append(("git init", "polylane asks git what is ignored"))
    steps.append(("inv --list", "what there is to run, by name"))
    if found.has_setup:
        steps.append(("inv setup-parallel", "sets up the projects' environments"))
    steps.append(("inv qa-parallel", "builds, lints, tests and more, side by side"))
    if ".pre-commit-config.yaml" in written:
        install = "" if shutil.which("pre-commit") else "pip install pre-commit && "
        steps.append((f"{install}pre-commit install", "runs the hooks at commit and push"))
    width = max(len(command) for command, _ in steps)
    return (f"{command:{width}}  {why}".rstrip() for command, why in steps)
