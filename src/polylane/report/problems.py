"""Finds files and lines in what tools print: ruff, mypy, eslint, tsc and pytest.

Their formats differ enough that one look at the text tells them apart, so nobody needs to know
which tool a script ran. Pure: text in, problems out. Knows nothing of where a file lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from polylane.records import NamedTuple
from polylane.report.board_text import ESCAPES, plain

#: So many of one task are enough for people, and more than hosts show.
MOST = 50


class Problem(NamedTuple):
    """What a tool says of a line; the path as the tool wrote it."""

    path: str
    line: int
    column: int | None
    message: str
    #: The tool's name for it; empty where it has none.
    rule: str = ""
    warning: bool = False


#: ruff, its own format: a line with the rule, and one with the place.
_RUFF_HEAD = re.compile(
    r"(?P<rule>[A-Z]+\d+|[a-z]+(?:-[a-z]+)+|unformatted)(?::| )(?: ?\[\*\])? ?(?P<message>.+)"
)
_RUFF_PLACE = re.compile(r" *--> (?P<path>.+?):(?P<line>\d+):(?P<column>\d+)")
#: ruff, ``--output-format concise``, also what flake8 and others print.
_CONCISE = re.compile(
    r"(?P<path>[^\s:][^:]*):(?P<line>\d+):(?P<column>\d+): "
    r"(?P<rule>[A-Z]+\d+|[a-z]+(?:-[a-z]+)+:?) (?:\[\*\] )?(?P<message>.+)"
)
_WOULD_REFORMAT = re.compile(r"[Ww]ould reformat:? (?P<path>\S.*)")
_MYPY = re.compile(
    r"(?P<path>[^\s:][^:]*):(?P<line>\d+):(?:(?P<column>\d+):)? "
    r"error: (?P<message>.+?)(?: +\[(?P<rule>[a-z-]+)\])?\s*"
)
_TSC = re.compile(
    r"(?P<path>[^\s(][^(]*)\((?P<line>\d+),(?P<column>\d+)\): "
    r"error (?P<rule>TS\d+): (?P<message>.+)"
)
_TSC_PRETTY = re.compile(
    r"(?P<path>[^\s:][^:]*):(?P<line>\d+):(?P<column>\d+) - error (?P<rule>TS\d+): (?P<message>.+)"
)
_ONE_LINE = (_CONCISE, _MYPY, _TSC, _TSC_PRETTY)
#: eslint's ``stylish``: a file, and below it its problems.
_ESLINT_FILE = re.compile(r"(?P<path>(?:/|[A-Za-z]:\\|\.{0,2}\w).*\.\w+)")
_ESLINT = re.compile(
    r"  +(?P<line>\d+):(?P<column>\d+)  +(?P<level>error|warning)  +"
    r"(?P<message>.+?)(?:  +(?P<rule>\S+))?\s*"
)
#: pytest: sections of failures, in them places, and lines with the error.
_PYTEST_BEGIN = re.compile(r"=+ (?:FAILURES|ERRORS) =+")
_PYTEST_END = re.compile(r"=+ .* =+")
_PYTEST_TEST = re.compile(r"_{3,} (?P<name>.+?) _{3,}")
_PYTEST_PLACE = re.compile(r"(?P<path>[^\s:][^:]*):(?P<line>\d+): ?(?P<rest>.*)")
_PYTEST_ERROR = re.compile(r"E   +(?P<message>\S.*)")
_FOREIGN = re.compile(r"(?:^|[/\\])(?:\.\.|site-packages|lib[/\\]python[\d.]+)(?:[/\\]|$)")


def problems(text: str) -> list[Problem]:
    """What the text says, in its order, each once; `MOST` at most."""
    lines = ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")
    found = dict.fromkeys([*_of_linters(lines), *_of_pytest(lines)])
    return list(found)[:MOST]


def _of_linters(lines: list[str]) -> Iterator[Problem]:
    file = ""
    for i, line in enumerate(lines):
        if match := next(filter(None, (each.fullmatch(line) for each in _ONE_LINE)), None):
            yield _problem(match)
        elif match := _RUFF_PLACE.fullmatch(line):
            if head := _RUFF_HEAD.fullmatch(lines[i - 1] if i else ""):
                yield _problem(match, head)
        elif match := _WOULD_REFORMAT.fullmatch(line):
            yield Problem(match["path"], 1, None, "would be reformatted", "format")
        elif file and (match := _ESLINT.fullmatch(line)):
            yield _problem(match)._replace(path=file, warning=match["level"] == "warning")
        elif match := _ESLINT_FILE.fullmatch(line):
            file = match["path"]
        elif line and not line.startswith(" "):
            file = ""


def _problem(match: re.Match[str], head: re.Match[str] | None = None) -> Problem:
    said = {**match.groupdict(), **(head.groupdict() if head else {})}
    column = int(said["column"]) if said["column"] else None
    rule = (said["rule"] or "").rstrip(":")
    return Problem(said.get("path") or "", int(said["line"]), column, plain(said["message"]), rule)


class _Test:
    """A failed test, while its section is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.place: tuple[str, int] | None = None
        self.message = ""

    def read(self, line: str) -> None:
        if match := _PYTEST_ERROR.fullmatch(line):
            self.message = self.message or match["message"]
        elif (match := _PYTEST_PLACE.fullmatch(line)) and not _FOREIGN.search(match["path"]):
            self.place = (match["path"], int(match["line"]))

    def problems(self) -> Iterator[Problem]:
        if self.place is not None:
            message = f"{self.name}: {self.message}" if self.message else self.name
            yield Problem(*self.place, None, plain(message), "pytest")


def _of_pytest(lines: list[str]) -> Iterator[Problem]:
    test: _Test | None = None
    inside = False
    for line in lines:
        if _PYTEST_BEGIN.fullmatch(line):
            inside = True
        elif _PYTEST_END.fullmatch(line):
            inside = False
        match = _PYTEST_TEST.fullmatch(line) if inside else None
        if (match or not inside) and test is not None:
            yield from test.problems()
            test = None
        if match:
            test = _Test(match["name"])
        elif inside and test is not None:
            test.read(line)
        elif inside and (place := _PYTEST_PLACE.fullmatch(line)) and place["rest"]:
            yield Problem(place["path"], int(place["line"]), None, plain(place["rest"]), "pytest")
    if test is not None:
        yield from test.problems()
