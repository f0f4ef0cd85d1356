"""How wide tools are: how many cores each takes, what says so, and how it is told. One row a tool.

Checked by running pytest-xdist 3.8, black 26, ruff 0.17, vitest 2 to 4, jest 30, make 4.3, ninja
1.11 and 1.13, and cargo 1.95. Of the others it is what their documentation or their source says.
Knows nothing of slots and of who runs beside.
"""

from polylane.records import NamedTuple


class Row(NamedTuple):
    """One tool."""

    #: Options with which people say a number: ``-n 4``, ``-n4``, ``-n=4``.
    options: tuple[str, ...] = ()
    #: Words that say: one at a time; with ``zero_is_one`` the number 0 says it, which else is all.
    ones: tuple[str, ...] = ()
    zero_is_one: bool = False
    #: Takes every core unless it is told otherwise.
    wide: bool = False
    #: Words that make it do so; an option of above without a number (``-n auto``) does too.
    wide_words: tuple[str, ...] = ()
    #: Only these subcommands are wide; empty: whatever is said.
    commands: tuple[str, ...] = ()
    #: Variables that tell it, with ``{}`` for the number.
    variables: tuple[tuple[str, str], ...] = ()
    #: Only this tool reads these variables, so that a task of which we don't know what it starts
    #: may have them; a program under test might obey the others.
    quiet: bool = True
    #: Variables by which only people say a number: we leave this tool narrow.
    heard: tuple[str, ...] = ()
    #: An argument that tells it, where no variable does.
    flag: str = ""
    #: The form in which it takes a place at a job server: ``pipes`` or ``fifo``.
    jobserver: str = ""
    #: The first version that does; empty: all.
    since: tuple[int, ...] = ()
    #: What a run of it takes on one core, in seconds, where nothing is known.
    work: float = 1.0


def _all(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, "{}") for name in names)


#: Test suites that are made to use every core have a reason to.
_TESTS_S = 30.0
_BUILD_S = 30.0

_RAYON = Row(wide=True, variables=_all("RAYON_NUM_THREADS"), quiet=False)
_PYRIGHT = Row(("--threads",))
_CARGO_BUILDS = ("build", "b", "check", "c", "clippy", "doc", "d", "rustc", "install", "fix")

ROWS: dict[str, Row] = {
    "pytest": Row(
        ("-n", "--numprocesses", "--maxprocesses"),
        zero_is_one=True,
        variables=_all("PYTEST_XDIST_AUTO_NUM_WORKERS"),
        work=_TESTS_S,
    ),
    "mypy": Row(("-n", "--num-workers"), zero_is_one=True, heard=("MYPY_NUM_WORKERS",)),
    "black": Row(("-W", "--workers"), wide=True, variables=_all("BLACK_NUM_WORKERS")),
    "ruff": _RAYON,
    "ty": Row(wide=True, variables=_all("TY_MAX_PARALLELISM")),
    "pylint": Row(("-j", "--jobs")),
    "flake8": Row(("-j", "--jobs"), wide=True, flag="--jobs={}"),
    "isort": Row(("-j", "--jobs")),
    "pyright": _PYRIGHT,
    "basedpyright": _PYRIGHT,
    "sphinx-build": Row(("-j", "--jobs")),
    "eslint": Row(("--concurrency",), ones=("--concurrency=off",)),
    "biome": Row(("--threads",), wide=True, variables=_all("BIOME_THREADS")),
    "oxlint": _RAYON._replace(options=("--threads",)),
    "vitest": Row(
        (
            "--maxWorkers",
            "--max-workers",
            "--poolOptions.forks.maxForks",
            "--poolOptions.threads.maxThreads",
        ),
        ones=(
            "--no-file-parallelism",
            "--fileParallelism=false",
            "--poolOptions.forks.singleFork",
            "--poolOptions.threads.singleThread",
        ),
        wide=True,
        variables=(
            *_all("VITEST_MAX_WORKERS", "VITEST_MAX_FORKS", "VITEST_MAX_THREADS"),
            # Up to version 3 the least may not be above the most.
            ("VITEST_MIN_FORKS", "1"),
            ("VITEST_MIN_THREADS", "1"),
        ),
        work=_TESTS_S,
    ),
    "jest": Row(
        ("--maxWorkers", "--max-workers", "-w"),
        ones=("-i", "--runInBand"),
        wide=True,
        flag="--maxWorkers={}",
        work=_TESTS_S,
    ),
    "mocha": Row(
        ("-j", "--jobs"), wide_words=("-p", "--parallel"), flag="--jobs={}", work=_TESTS_S
    ),
    "ava": Row(
        ("-c", "--concurrency"),
        ones=("-s", "--serial"),
        wide=True,
        flag="--concurrency={}",
        work=_TESTS_S,
    ),
    "playwright": Row(("-j", "--workers")),
    "make": Row(("-j", "--jobs"), flag="-j{}", jobserver="pipes", since=(4, 2), work=_BUILD_S),
    "ninja": Row(("-j",), wide=True, flag="-j{}", jobserver="fifo", since=(1, 13), work=_BUILD_S),
    "cargo": Row(
        ("-j", "--jobs"),
        wide=True,
        commands=_CARGO_BUILDS,
        variables=_all("CARGO_BUILD_JOBS"),
        jobserver="pipes",
        work=_BUILD_S,
    ),
    "cargo test": Row(
        ("-j", "--jobs", "--test-threads"),
        wide=True,
        commands=("test", "t", "bench", "nextest"),
        variables=_all("CARGO_BUILD_JOBS", "RUST_TEST_THREADS", "NEXTEST_TEST_THREADS"),
        work=_TESTS_S,
    ),
    "go": Row(
        ("-p",),
        wide=True,
        commands=("build", "test", "vet", "install"),
        variables=(("GOFLAGS", "-p={}"),),
        work=_BUILD_S,
    ),
    "golangci-lint": Row(
        ("-j", "--concurrency"), wide=True, variables=_all("GOMAXPROCS"), quiet=False
    ),
    "staticcheck": Row(wide=True, variables=_all("GOMAXPROCS"), quiet=False),
    "nx": Row(("--parallel",), wide=True, variables=_all("NX_PARALLEL"), work=_BUILD_S),
}

#: Tools that are told by a variable below another tool: what builds a wheel, or installs one.
_MORE = ("UV_CONCURRENT_BUILDS", "UV_CONCURRENT_INSTALLS", "CMAKE_BUILD_PARALLEL_LEVEL")

#: What every task is told, whatever it starts, with ``{}`` for the number.
QUIET: tuple[tuple[str, str], ...] = tuple(
    dict.fromkeys(
        (
            *(each for row in ROWS.values() if row.quiet for each in row.variables),
            *_all(*_MORE),
        )
    )
)

#: Programs that take a command of a project's environment, and their own words before it.
RUNNERS = frozenset(
    {
        ("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("hatch", "run"), ("pipenv", "run"),
        ("rye", "run"), ("pnpm", "exec"), ("yarn", "exec"), ("npm", "exec"), ("bun", "x"),
        ("npx",), ("bunx",), ("yarn",), ("pnpm",), ("time",), ("nice",), ("env",), ("exec",),
        ("coverage", "run"),
    }
)  # fmt: skip
