"""Arguments of our Invoke tasks are made for the task that a command line names, and right."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.tasks import Task

from polylane.integrations.invoke_contexts import LateContext, contexts
from polylane.integrations.invoke_flags import invoke_task


def _greet(c: Any, name: str = "", loud: bool = False, to: Any = None) -> None:  # noqa: FBT001, FBT002
    """Greet."""


@pytest.fixture
def collection() -> Collection:
    """Two of our tasks, one of them with another name."""
    return Collection(
        greet=invoke_task(_greet, "greet", ["to"], ["hello"]), part=invoke_task(_greet, "part", [])
    )


def test_a_context_is_what_invoke_would_have_made(collection: Collection) -> None:
    """Names, other names, flags and their help."""
    for late, plain in zip(contexts(collection), collection.to_contexts(), strict=True):
        assert (late.name, list(late.aliases)) == (plain.name, list(plain.aliases))
        assert late.help_tuples() == plain.help_tuples()
        assert late.flag_names() == plain.flag_names()
        assert late.inverse_flags == plain.inverse_flags
        assert repr(late) == repr(plain)


def test_only_the_named_task_makes_its_arguments(collection: Collection) -> None:
    """Not when all are copied and described, which Invoke does for each command line."""
    made = contexts(collection)
    parser = Parser(contexts=made)

    (result,) = parser.parse_argv(["hello", "--name", "you"])

    assert result.args["name"].value == "you"
    assert ["args" in vars(each) for each in made] == [False, False]


def test_two_uses_of_a_task_have_values_of_their_own(collection: Collection) -> None:
    """What is said of one is not said of the other, nor of a later command line."""
    parser = Parser(contexts=contexts(collection))

    words = ["greet", "--name", "a", "--to", "x", "greet", "--loud", "--to", "y"]
    first, second = parser.parse_argv(words)
    (later,) = parser.parse_argv(["greet"])

    assert first.as_kwargs == {"name": "a", "loud": False, "to": ["x"]}
    assert second.as_kwargs == {"name": "", "loud": True, "to": ["y"]}
    assert later.as_kwargs == {"name": "", "loud": False, "to": []}


def test_a_copy_keeps_values(collection: Collection) -> None:
    """A context that was filled is copied as Invoke's own are: values, and nothing shared."""
    late = contexts(collection)[0]
    late.args["name"].value = "a"

    other = copy.deepcopy(late)
    other.args["name"].value = "b"

    assert (late.args["name"].value, other.args["name"].value) == ("a", "b")
    assert other.flags["--name"] is other.args["name"]


def test_a_task_of_the_users_own_is_checked_for_each_command_line() -> None:
    """Invoke refuses help for a flag that there is not, whatever was asked for."""
    wrong: Callable[[], Task[Any]] = lambda: Task(_greet, help={"nam": "who"})  # noqa: E731

    with pytest.raises(ValueError, match="nam"):
        contexts(Collection(greet=wrong()))
    (context,) = contexts(Collection(greet=wrong()), ignore_unknown_help=True)
    assert type(context) is ParserContext


def test_help_is_the_same_the_second_time(collection: Collection) -> None:
    """Invoke takes the texts out of a task as it makes arguments; those of ours stay."""
    first, second = contexts(collection)[0], contexts(collection)[0]

    assert isinstance(first, LateContext)
    assert first.help_tuples() == second.help_tuples()


def test_an_unknown_attribute_is_an_attribute_error(collection: Collection) -> None:
    """As of any object: a late argument is not looked for."""
    with pytest.raises(AttributeError, match="nothing"):
        _ = contexts(collection)[0].nothing  # type: ignore[attr-defined]
    assert "args" not in vars(contexts(collection)[0])
