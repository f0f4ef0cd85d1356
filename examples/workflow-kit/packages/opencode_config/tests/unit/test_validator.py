"""What is valid, and how a problem is told."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from opencode_config import Problem, load_schema, validate

ONE_OF_THE_LEVELS = 'one of "ask", "allow", "deny"'


def test_the_schema_is_itself_valid() -> None:
    """A mistake in the schema would make every verdict worthless."""
    Draft202012Validator.check_schema(load_schema())


def test_a_document_may_use_everything() -> None:
    """One value for each thing that can be configured."""
    document = {
        "$schema": "https://opencode.ai/config.json",
        "model": "anthropic/claude-sonnet-4",
        "small_model": "openrouter/meta/llama-3",
        "theme": "nord",
        "autoupdate": "notify",
        "share": "manual",
        "instructions": ["AGENTS.md", "docs/*.md"],
        "disabled_providers": ["openai"],
        "permission": {"edit": "ask", "webfetch": "deny", "bash": {"git *": "allow"}},
        "agent": {
            "review": {
                "description": "Reviews a change",
                "mode": "subagent",
                "model": "anthropic/claude-sonnet-4",
                "prompt": "Be brief.",
                "temperature": 0.1,
                "tools": {"write": False},
                "permission": {"bash": "deny"},
                "disable": False,
            }
        },
        "command": {"fix": {"template": "Fix $ARGUMENTS", "agent": "review", "subtask": True}},
        "formatter": {"ruff": {"command": ["ruff", "format", "$FILE"], "extensions": [".py"]}},
        "mcp": {
            "files": {"type": "local", "command": ["mcp-files"], "environment": {"ROOT": "."}},
            "search": {"type": "remote", "url": "https://example.com/mcp", "timeout": 5000},
        },
    }

    assert validate(document) == []


def test_an_empty_document_is_valid() -> None:
    """Everything is optional."""
    assert validate({}) == []


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], Problem("", "[]", "an object")),
        ({"theme": 4}, Problem("/theme", "4", "a string")),
        ({"theme": ""}, Problem("/theme", '""', "at least 1 character(s)")),
        (
            {"share": "always"},
            Problem("/share", '"always"', 'one of "manual", "auto", "disabled"'),
        ),
        (
            {"model": "sonnet"},
            Problem(
                "/model",
                '"sonnet"',
                r'text that matches ^[^/\s]+/\S+$, such as "anthropic/claude-sonnet-4"',
            ),
        ),
        (
            {"instructions": ["a.md", "a.md"]},
            Problem("/instructions", '["a.md", "a.md"]', "no item twice"),
        ),
        (
            {"agent": {"a": {"temperature": 2.5}}},
            Problem("/agent/a/temperature", "2.5", "at most 2"),
        ),
        (
            {"agent": {"a": {"temperature": -1}}},
            Problem("/agent/a/temperature", "-1", "at least 0"),
        ),
        ({"mcp": {"s": {}}}, Problem("/mcp/s", "{}", 'the key "type"')),
        (
            {"mcp": {"s": {"type": "local", "command": []}}},
            Problem("/mcp/s/command", "[]", "at least 1 item(s)"),
        ),
        (
            {"mcp": {"s": {"type": "remote"}}},
            Problem("/mcp/s", '{"type": "remote"}', 'the key "url"'),
        ),
    ],
)
def test_each_rule_says_what_it_expects(document: Any, problem: Problem) -> None:  # noqa: ANN401
    """A broken rule gives one problem: where, what is there, what should be."""
    assert validate(document) == [problem]


def test_a_misspelt_key_gets_a_suggestion() -> None:
    """The pointer names the key itself, so that an editor can jump to it."""
    assert validate({"comand": {}}) == [
        Problem("/comand", "{}", 'a known key (did you mean "command"?)')
    ]


def test_a_key_like_no_other_gets_the_list() -> None:
    """Where no key is close, all of them are named."""
    (problem,) = validate({"permission": {"zzz": "ask"}})

    assert problem.expectation == 'a known key (one of "bash", "edit", "webfetch")'


def test_a_bad_name_is_the_problem_and_not_its_value() -> None:
    """Names of agents are keys, which jsonschema reports without a path."""
    (problem,) = validate({"agent": {"My Agent": {}}})

    assert (problem.pointer, problem.value) == ("/agent/My Agent", '"My Agent"')


@pytest.mark.parametrize(
    ("bash", "problem"),
    [
        ("alow", Problem("/permission/bash", '"alow"', ONE_OF_THE_LEVELS)),
        ({"git *": 1}, Problem("/permission/bash/git *", "1", ONE_OF_THE_LEVELS)),
        (7, Problem("/permission/bash", "7", "a string or an object")),
    ],
)
def test_of_two_alternatives_the_meant_one_explains(bash: object, problem: Problem) -> None:
    """The type of the value tells which alternative was meant; if it fits none, both are named."""
    assert validate({"permission": {"bash": bash}}) == [problem]


def test_a_pointer_escapes_what_rfc_6901_reserves() -> None:
    """`~` and `/` inside a key become `~0` and `~1`."""
    (problem,) = validate({"permission": {"bash": {"ls ~/src": "never"}}})

    assert problem.pointer == "/permission/bash/ls ~0~1src"


def test_a_long_value_is_shortened() -> None:
    """One line stays one line on a terminal."""
    (problem,) = validate({"share": "x" * 200})

    assert problem.value == '"' + "x" * 56 + "..."


def test_problems_come_in_order_of_their_pointers() -> None:
    """The same document gives the same lines, whatever the order of its keys."""
    document = {"theme": 1, "agent": {"b": 1, "a": 1}}

    assert [problem.pointer for problem in validate(document)] == ["/agent/a", "/agent/b", "/theme"]


def test_a_problem_reads_as_one_line() -> None:
    """The document itself has the empty pointer, which would read as a gap."""
    assert str(Problem("/theme", "4", "a string")) == "/theme: got 4, expected a string"
    assert str(Problem("", "[]", "an object")) == "(document): got [], expected an object"


def test_what_no_terminal_can_show_is_escaped() -> None:
    """A line break in a key would make two lines of one, and half a character cannot be printed."""
    (problem,) = validate({"permission": {"bash": {"a\nb": "\ud800"}}})

    assert str(problem) == (f'/permission/bash/a\\nb: got "\\ud800", expected {ONE_OF_THE_LEVELS}')
