"""Where a key stands in a TOML text."""

from __future__ import annotations

import pytest

from polylane.describe.place import Place, dotted

TEXT = """\
# [jobs]
timeout = 1

[ projects . "my api" ] # ours
path = "a=b"
'quoted key' = 1
[tasks]
"a:b:c" = { timeout = 3 }
"d:e:f".timeout = 3
[[lists]]
timeout = 5
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("timeout",), 2),
        (("projects",), None),
        (("projects", "my api"), 4),
        (("projects", "my api", "path"), 5),
        (("projects", "my api", "quoted key"), 6),
        (("projects", "my api", "other"), 4),
        (("tasks",), 7),
        (("tasks", "a:b:c"), 8),
        (("tasks", "a:b:c", "timeout"), 8),
        (("tasks", "d:e:f", "timeout"), 9),
        (("jobs",), None),
    ],
)
def test_a_key_stands_at_its_line_or_that_of_what_holds_it(
    keys: tuple[str, ...], line: int | None
) -> None:
    """Comments, spaces, quotes and inline tables don't mislead; what is not there has no line."""
    where = f"x.toml:{line}" if line else "x.toml"
    assert Place("x.toml", TEXT)(keys) == f"{where}: {dotted(keys)}"


def test_our_table_may_lie_below_others() -> None:
    """The same key of another table is not ours."""
    text = "[tool.other]\njobs = 1\n[tool.ours]\njobs = 2\n"
    assert Place("x.toml", text, ("tool", "ours"))(("jobs",)) == "x.toml:4: tool.ours.jobs"
    assert Place("x.toml", text)(()) == "x.toml"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("a", "b-c", "d_1"), "a.b-c.d_1"),
        (("a:b:c", "x y"), '"a:b:c"."x y"'),
        (("", "größe"), '""."größe"'),
        (('q"\\',), '"q\\"\\\\"'),
        (("a\nb\x1b",), '"a\\u000Ab\\u001B"'),
    ],
)
def test_a_key_is_written_as_toml_does(keys: tuple[str, ...], text: str) -> None:
    """Quoted where it must be, and always on one line."""
    assert dotted(keys) == text
