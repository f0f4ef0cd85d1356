"""Who has the machine's slots, in words."""

from __future__ import annotations

from polylane.report.slots_text import text
from polylane.run.slot_survey import Held, InLine, Survey, Who

ONE = Who(12, "/w/one", "run-1", "qa")
TWO = Who(34, "/w/two", "run-2", "lint test")


def test_tasks_and_who_waits() -> None:
    """A table of each."""
    held = (Held(0, ONE, "lint:api:ruff", 4.2), Held(1, ONE, "test:api:pytest", 700.0))
    line = (InLine(TWO, 0, 1, 3.0),)
    assert text(Survey("/slots", 2, held, line)) == (
        "2 of 2 slots taken\n"
        "slot    task             for     run    asked for    workspace    pid\n"
        "------  ---------------  ------  -----  -----------  -----------  -----\n"
        "0       lint:api:ruff    4 s     run-1  qa           /w/one       12\n"
        "1       test:api:pytest  12 min  run-1  qa           /w/one       12\n"
        "\n"
        "1 run waiting, in this order\n"
        "has    wants    for    run    asked for    workspace    pid\n"
        "-----  -------  -----  -----  -----------  -----------  -----\n"
        "0      1        3 s    run-2  lint test    /w/two       34"
    )


def test_no_run() -> None:
    """Where that was looked for."""
    assert text(Survey("/slots", None)) == "no run is on this machine (looked in /slots)"


def test_a_run_without_a_task() -> None:
    """It is between two of them."""
    assert text(Survey("/slots", 1)) == "0 of 1 slot taken"


def test_names_cannot_steer_the_terminal() -> None:
    """Other users write them, where the folder is theirs too."""
    held = (Held(0, Who(1, "/w\x1b[2J", "r", ""), "a\x1b[2J", 20_000.0),)
    shown = text(Survey("/slots", 1, held))
    assert "\x1b" not in shown
    assert "6 h" in shown
