"""A strategy of random workspaces: tasks with all kinds of claims, which do as they claim.

Knows nothing of how workspaces are run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hypothesis import strategies as st

from tests.e2e.random_task import Work
from tests.e2e.random_world import (
    FILES,
    FOLDERS,
    PROJECTS,
    VERBS,
    RandomTask,
    RandomWorkspace,
    held,
    held_paths,
    join,
    universe,
)

#: Patterns in a project: of one file or folder, and broad ones; and those of the whole workspace.
_NARROW = (*FILES, "out/deep", "src/*", "*")
_BROAD = ("", "src", "out", "out/*", "**/*.log", "*/a", "o*/b.log", "out/**")
_ANYWHERE = ("**", "*/a", "**/b.log", "p?/out", "libs", "**/deep/*", "**/src/a")

#: A name that no task uses: what holds it in a folder holds any name there.
_FRESH = "zz"

_few = st.sampled_from((False, False, False, True))


@st.composite
def workspaces(
    draw: st.DrawFn, *, min_size: int = 2, max_size: int = 40, programs: bool = True
) -> RandomWorkspace:
    """Workspaces of so many tasks in up to five projects."""
    names = [*PROJECTS][: draw(st.integers(1, len(PROJECTS)))]
    narrow = [join(PROJECTS[name], each) for name in names for each in _NARROW]
    broad = [join(PROJECTS[name], each) for name in names for each in _BROAD] + [*_ANYWHERE]
    few = draw(st.lists(st.sampled_from(broad), min_size=1, max_size=3))
    patterns = st.sampled_from(narrow)
    if draw(st.booleans()):
        patterns = st.integers(0, 7).flatmap(lambda n: st.sampled_from(narrow if n else few))
    tasks: list[RandomTask] = []
    for number in range(draw(st.integers(min_size, max_size))):
        tasks.append(draw(_task(number, names, patterns, tasks, programs=programs)))
    every = [join(PROJECTS[name], each) for name in names for each in FILES]
    files = draw(st.lists(st.sampled_from(every), unique=True))
    return RandomWorkspace(
        tuple(tasks), tuple(files), draw(st.sampled_from(("projects", "projects", "off")))
    )


@st.composite
def _task(
    draw: st.DrawFn,
    number: int,
    projects: Sequence[str],
    patterns: st.SearchStrategy[str],
    earlier: Sequence[RandomTask],
    *,
    programs: bool,
) -> RandomTask:
    project = draw(st.sampled_from(projects))
    own = join(PROJECTS[project], f"own/t{number:02}")
    known = draw(st.integers(0, 31)) != 31
    reads = draw(_claimed(patterns)) if known else (PROJECTS[project],)
    writes = (*draw(_claimed(patterns)), own) if known else (PROJECTS[project],)
    locks = [draw(st.sampled_from("xy"))] if draw(_few) else []
    codes, retries, ok_codes = draw(st.sampled_from(_ENDS))
    work = Work(
        name=f"t{number:02}",
        own=own,
        reads=sorted(p for p in held_paths(reads) | held_paths(writes) if _is_file(p)),
        lists=[(f, _names(reads, f)) for f in _folders() if _lists(reads, f)],
        steps=draw(_steps(writes)),
        locks=locks,
        pauses=draw(st.lists(st.sampled_from(_PAUSES_S), max_size=3)),
        codes=codes,
    )
    return RandomTask(
        id=f"{draw(st.sampled_from(VERBS))}:{project}:t{number:02}",
        reads=reads if known else None,
        writes=writes if known else None,
        locks=tuple(locks),
        needs=tuple(draw(_needs(earlier))),
        ok_codes=ok_codes,
        retries=retries,
        slots=draw(st.sampled_from((1, 1, 1, 2, 3))),
        program=programs and draw(st.integers(0, 15)) == 15,
        work=work,
    )


#: Exit codes of attempts, retries, codes that are good.
_ENDS = (
    *(([0], 0, (0,)),) * 6,
    ([3], 0, (0,)),
    ([3], 0, (0, 3)),
    ([1, 2, 0], 1, (0,)),
    ([1, 0], 2, (0,)),
    ([-1], 1, (0, 1)),
)
_PAUSES_S = (0.0, 0.001, 0.002, 0.005, 0.01)


def _claimed(patterns: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    marked = st.tuples(st.sampled_from(("", "", "", "", "!")), patterns)
    return st.lists(marked.map("".join), max_size=3).map(tuple)


def _needs(earlier: Sequence[RandomTask]) -> st.SearchStrategy[list[str]]:
    ids = [task.id for task in earlier]
    if not ids:
        return st.just([])
    return st.one_of(st.just([]), st.lists(st.sampled_from(ids), max_size=2, unique=True))


def _is_file(path: str) -> bool:
    return path.rpartition("/")[2] in ("a", "b.log", "digest")


@cache
def _folders() -> tuple[str, ...]:
    """All folders that may be listed, made or cleared."""
    return tuple(join(p, name) for p in PROJECTS.values() for name in ("", *FOLDERS))


def _lists(reads: Sequence[str], folder: str) -> bool:
    """Whether the names in a folder may be asked for; what is ignored is no hole in that."""
    return held([p for p in reads if not p.startswith("!")], join(folder, _FRESH))


def _names(reads: Sequence[str], folder: str) -> list[str]:
    """The names in a folder that are read, and not ignored."""
    children = (name for name in ("a", "b.log", "src", "out", "deep"))
    return [name for name in children if held(reads, join(folder, name))]


@st.composite
def _steps(draw: st.DrawFn, writes: tuple[str, ...]) -> list[tuple[str, str]]:
    files = [p for p in universe() if _is_file(p) and "/own/" not in f"/{p}" and held(writes, p)]
    folders = [folder for folder in _folders() if _owns(writes, folder)]
    kinds = st.sampled_from(("write", "write", "append", "append", "remove"))
    whole = st.tuples(st.sampled_from(("make", "clear")), st.sampled_from(folders or [""]))
    steps = st.tuples(kinds, st.sampled_from(files or [""]))
    some = st.lists(st.one_of(steps, steps, whole) if folders else steps, min_size=1, max_size=4)
    return draw(some) if files else []


def _owns(writes: tuple[str, ...], folder: str) -> bool:
    """Whether a folder may be made and cleared: it and all that could be in it is written."""
    if folder in PROJECTS.values():
        return False
    below = (join(folder, name) for name in (".", *FILES, _FRESH, f"{_FRESH}/{_FRESH}"))
    return all(held(writes, path) for path in below)
