"""How wide tasks are, by what people said, what their tools do, and what was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.plan.durations import Span
from polylane.plan.width import WHOLE, Width, client, narrow, share, told, width, widths
from tests.plan.examples import task


def of(command: str, inside: str = "", **fields: object) -> Width:
    return width(task("a", argv=tuple(command.split()), inside=inside, **fields), {})


@pytest.mark.parametrize(
    ("command", "slots"),
    [
        ("pytest -n 4", 4),
        ("pytest -n4 -q", 4),
        ("python -m pytest --numprocesses=3", 3),
        ("/opt/env/bin/pytest -n auto --maxprocesses=2", 2),
        ("pytest -n 0", 1),
        ("pytest -p no:cacheprovider", 1),
        ("mypy -n 2 src", 2),
        ("mypy src", 1),
        ("black -W 3 .", 3),
        ("black --workers=2 .", 2),
        ("pylint -j 2 src", 2),
        ("pylint -j 0 src", WHOLE),
        ("flake8 -j8", 8),
        ("eslint --concurrency=2 .", 2),
        ("eslint --concurrency off .", 1),
        ("eslint --concurrency auto .", WHOLE),
        ("eslint .", 1),
        ("vitest run --maxWorkers=2", 2),
        ("npx vitest run --no-file-parallelism", 1),
        ("jest --runInBand", 1),
        ("jest -w 2", 2),
        ("mocha --parallel -j 3", 3),
        ("mocha", 1),
        ("make -j4 all", 4),
        ("make", 1),
        ("ninja -j 2", 2),
        ("cargo build --jobs=3", 3),
        ("cargo +nightly test -- --test-threads=2", 2),
        ("cargo fmt", 1),
        ("go test -p 2 ./...", 2),
        ("uv run --frozen pytest -n 2", 2),
        ("poetry run pytest -n 2", 2),
        ("env A=b nice pytest -n 2", 2),
        ("prettier --check .", 1),
        ("tsc -p .", 1),
        ("./own-script -j 4", 1),
    ],
)
def test_what_people_said_is_counted(command: str, slots: int) -> None:
    """Each tool's own option; and one slot where a tool is narrow, or nobody knows it."""
    assert (of(command).least, of(command).elastic) == (slots, False)


@pytest.mark.parametrize(
    "command",
    [
        "pytest -n auto",
        "pytest -nlogical",
        "black .",
        "ruff check .",
        "ty check",
        "flake8 .",
        "vitest run",
        "jest",
        "mocha --parallel",
        "biome check",
        "cargo test",
        "go test ./...",
    ],
)
def test_a_tool_that_takes_every_core_and_can_be_told_is_elastic(command: str) -> None:
    """It takes one slot at least, and a share of them all."""
    assert (of(command).least, of(command).elastic) == (1, True)


@pytest.mark.parametrize("command", ["make -j", "ninja", "cargo build", "cargo clippy --all"])
def test_a_client_of_a_job_server_takes_one_slot(command: str) -> None:
    """It is lent what is free; one that may have no place there must be told instead."""
    assert of(command) == Width(1, elastic=False, work=30.0)
    deaf = width(task("a", argv=tuple(command.split())), {}, deaf=True)
    assert deaf.elastic


def test_a_script_is_read_as_a_shell_would() -> None:
    """All of its commands count: the widest one, and whether one is elastic."""
    npm = "npm run -s test --"
    assert of(npm, "eslint . && vitest run").elastic
    assert of(npm, "FORCE=1 vitest run --maxWorkers=2 ; pylint -j3 x").least == 3
    assert of(npm, "jest 'a && b' -w 4").least == 4
    assert of(npm, "jest 'unclosed").least == 1
    assert of("pytest -n 2 | tee x", shell=True) == Width(1)  # two words, no shell's text
    shell = width(task("a", argv=("cd x && pytest -n 2 | tee log",), shell=True), {})
    assert shell.least == 2


def test_words_after_a_script_count() -> None:
    """They come to its only command."""
    assert of("npm run -s test -- --maxWorkers=3", "vitest run").least == 3
    assert of("pytest -n 3", "pytest -n auto").least == 3  # words after --, and addopts


def test_a_tool_that_cannot_be_told_takes_the_whole_run() -> None:
    """An argument would not come to jest: two commands, a shell, a script with no words."""
    assert of("npm run -s test", "tsc && eslint . && jest", takes_arguments=False).least == WHOLE
    assert width(task("a", argv=("jest | tee log",), shell=True), {}).least == WHOLE
    assert of("npm run -s test --", "jest").elastic


def test_what_the_configuration_says_wins() -> None:
    """Over the words, and over what was measured."""
    said = task("a", argv=("pytest", "-n", "auto"), slots=2)
    assert width(said, {}, cores=3.9) == Width(2, elastic=False, work=30.0)


def test_a_variable_that_people_set_counts() -> None:
    """In their environment or the task's; one that is no number keeps us from telling another."""
    pytest_auto = task("a", argv=("pytest", "-n", "auto"))
    name = "PYTEST_XDIST_AUTO_NUM_WORKERS"
    assert width(pytest_auto, {name: "3"}).least == 3
    assert width(pytest_auto._replace(env=((name, "2"),)), {name: "3"}).least == 2
    assert width(pytest_auto, {name: "many"}) == Width(WHOLE, elastic=False, work=30.0)
    assert width(task("a", argv=("go", "build")), {"GOFLAGS": "-mod=mod"}).least == WHOLE
    assert width(task("a", argv=("mypy", ".")), {"MYPY_NUM_WORKERS": "4"}).least == 4
    assert width(task("a", argv=("go", "build")), {"GOFLAGS": "-p=2"}).least == 2
    assert width(task("a", argv=("pytest",)), {name: "3"}).least == 1


@pytest.mark.parametrize(
    ("cores", "slots"), [(0.0, 1), (0.9, 1), (1.7, 1), (1.75, 2), (3.6, 3), (3.8, 4)]
)
def test_a_tool_that_nobody_can_tell_takes_what_it_used(cores: float, slots: int) -> None:
    """To the nearest slot."""
    assert width(task("a", argv=("./own",)), {}, cores).least == slots
    assert width(task("a", argv=("eslint", ".")), {}, cores).least == slots


@pytest.mark.parametrize("command", ["cargo build", "make -j", "pytest -n 1", "ruff check"])
def test_what_a_tool_used_says_nothing_where_it_can_be_told(command: str) -> None:
    """It used what it was given, or what was free; or people have said a number."""
    assert width(task("a", argv=tuple(command.split())), {}, 3.9).least == 1


def test_a_tool_that_may_leave_processes_has_no_place_at_a_job_server() -> None:
    """They would keep its tokens; it is told a number instead."""
    assert width(task("a", argv=("ninja",), leave=True), {}).elastic


def test_work_is_what_the_history_says_if_it_says_anything() -> None:
    """Else a guess by the tool: who runs tests on every core has many."""
    tasks = [task("a", argv=("pytest", "-n", "auto")), task("b", argv=("ruff", "check"))]
    nothing, known = Span(0.0, 1.0, 30.0, 0), Span(4.0, 5.0, 6.0, 3)
    assert [each.work for each in widths(tasks, [nothing, nothing], {}, {})] == [30.0, 1.0]
    assert [each.work for each in widths(tasks, [known, nothing], {}, {})] == [5.0, 1.0]


def test_a_lone_task_gets_every_slot() -> None:
    """Whatever it may take."""
    for slots in (1, 2, 4, 16, 64):
        assert share(0.01, 0.01, 0.0, slots, slots) == ((slots + 1) // 2, slots)


@pytest.mark.parametrize("slots", [2, 4, 16, 64])
def test_alike_tasks_share_alike(slots: int) -> None:
    """Four of them get as many slots each, or one each where there are not so many."""
    free, waiting, got = slots, 4 * 30.0, []
    for running in range(4):
        low, most = share(30.0, waiting, running * 30.0, slots, free)
        if low > free:
            break
        got.append(most)
        free, waiting = free - most, waiting - 30.0
    assert got == ([slots // 4] * 4 if slots >= 4 else [1, 1])


def test_work_decides_who_gets_more() -> None:
    """A long task and ten short ones: the shorts get the slot that they need."""
    assert share(30.0, 40.0, 0.0, 4, 4) == (2, 3)
    assert share(1.0, 40.0, 0.0, 4, 4) == (1, 1)


def test_below_half_of_its_share_a_task_waits() -> None:
    """One slot of four is too few where little else is to be done."""
    low, _ = share(30.0, 30.0, 1.0, 4, 1)
    assert low == 2


amounts = st.floats(0.001, 10_000.0)


@given(amounts, amounts, amounts, st.integers(1, 128), st.data())
def test_a_share_fits(
    work: float, more: float, running: float, slots: int, data: st.DataObject
) -> None:
    """At least one slot, at most what is free; and it can start where all are free."""
    free = data.draw(st.integers(1, slots))
    low, now = share(work, work + more, running, slots, free)
    assert 1 <= low <= slots
    assert 1 <= now <= free
    assert share(work, work + more, running, slots, slots)[0] <= slots


def test_tools_are_told_by_variables() -> None:
    """A task of one slot gets only those that not all tasks have anyway."""
    tests = task("a", argv=("pytest", "-n", "auto"))
    assert ("PYTEST_XDIST_AUTO_NUM_WORKERS", "3") in told(tests, 3, {})[1]
    assert narrow({})["PYTEST_XDIST_AUTO_NUM_WORKERS"] == "1"
    ruff = task("a", argv=("ruff", "check"))
    assert told(ruff, 1, {})[1] == (("RAYON_NUM_THREADS", "1"),)
    assert told(task("a", argv=("true",)), 1, {}) == (("true",), ())


def test_programs_under_test_see_no_variable_that_is_not_their_runners() -> None:
    """Libraries read RAYON_NUM_THREADS and GOMAXPROCS too."""
    for argv in (("pytest", "-n", "auto"), ("cargo", "test"), ("own",)):
        names = {name for name, _ in told(task("a", argv=argv), 4, {})[1]} | narrow({}).keys()
        assert names.isdisjoint({"RAYON_NUM_THREADS", "GOMAXPROCS", "MAKEFLAGS"})


def test_vitest_may_run_fewer_than_it_may_at_most() -> None:
    """Versions 2 and 3 refuse a least above the most."""
    env = dict(told(task("a", argv=("vitest", "run")), 4, {})[1])
    assert {n: v for n, v in env.items() if n.startswith("VITEST")} == {
        "VITEST_MAX_WORKERS": "4",
        "VITEST_MAX_FORKS": "4",
        "VITEST_MAX_THREADS": "4",
        "VITEST_MIN_FORKS": "1",
        "VITEST_MIN_THREADS": "1",
    }


def test_a_number_that_people_said_is_told_to_tools_whose_variable_is_stronger() -> None:
    """Vitest obeys its variable before its option."""
    env = dict(told(task("a", argv=("vitest", "run", "--maxWorkers=3")), 2, {})[1])
    assert env["VITEST_MAX_WORKERS"] == "3"


def test_a_variable_that_people_set_stays() -> None:
    """In their environment, and the task's own."""
    name = "PYTEST_XDIST_AUTO_NUM_WORKERS"
    tests = task("a", argv=("pytest", "-n", "auto"))
    assert name not in dict(told(tests, 3, {name: "9"})[1])
    assert name not in dict(told(tests._replace(env=((name, "9"),)), 3, {})[1])
    assert name not in narrow({name: "9"})
    assert name in narrow({name: ""})  # as if it were not set
    assert name in dict(told(tests, 3, {name: ""})[1])


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("jest --ci", "jest --ci --maxWorkers=3"),
        ("jest --maxWorkers=50%", "jest --maxWorkers=3"),
        ("jest --maxWorkers 100% --ci", "jest --ci --maxWorkers=3"),
        ("jest -w 2", "jest -w 2"),
        ("flake8 -j auto .", "flake8 . --jobs=3"),
        ("mocha --parallel", "mocha --parallel --jobs=3"),
        ("mocha", "mocha"),
        ("make -j all", "make all -j3"),
        ("make all", "make all"),
        ("ninja", "ninja -j3"),
    ],
)
def test_tools_without_a_variable_are_told_by_an_argument(command: str, argv: str) -> None:
    """In place of the words that say all, and never beside a number."""
    assert " ".join(told(task("a", argv=tuple(command.split())), 3, {})[0]) == argv


def test_a_client_of_a_job_server_gets_no_argument() -> None:
    """It would leave the job server; the words that say all go."""
    make = task("a", argv=("make", "-j", "all"))
    assert told(make, 1, {}, jobserver=True)[0] == ("make", "all")
    ninja = task("a", argv=("ninja",))
    assert told(ninja, 1, {}, jobserver=True)[0] == ("ninja",)


def test_a_place_is_offered_only_to_what_would_run_several_jobs_anyway() -> None:
    """A plain make runs one job at a time, and its makefile may count on that."""

    def row(*argv: str, **fields: object) -> bool:
        return client(task("a", argv=argv, **fields), {}) is not None

    assert row("make", "-j")
    assert row("make", slots=3)
    assert row("ninja")
    assert row("cargo", "build")
    assert not row("make")
    assert not row("make", "-j4")
    assert not row("ninja", "-j", "2")
    assert not row("cargo", "test")
    assert not row("pytest", "-n", "auto")
    assert not row("make -j && true", shell=True)
    assert not row("make", "-j", leave=True)
    assert client(task("a", argv=("cargo", "build")), {"CARGO_BUILD_JOBS": "2"}) is None
