"""Our named tuples do what those of the standard library do."""

import copy
import pickle
import sys
import typing
from typing import Any

import pytest

from polylane import records

ours_are_ours = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="from Python 3.14 on they are the standard library's"
)


class Ours(records.NamedTuple):
    """A point."""

    x: int
    #: Some name.
    name: str = "here"
    many: tuple[int, ...] = ()

    @property
    def double(self) -> int:
        """Twice ``x``."""
        return 2 * self.x

    @classmethod
    def zero(cls) -> "Ours":
        """One at nought."""
        return cls(0)


class Theirs(typing.NamedTuple):
    """A point."""

    x: int
    #: Some name.
    name: str = "here"
    many: tuple[int, ...] = ()

    @property
    def double(self) -> int:
        """Twice ``x``."""
        return 2 * self.x

    @classmethod
    def zero(cls) -> "Theirs":
        """One at nought."""
        return cls(0)


class OursChild(Ours):
    """A subclass whose constructor is its own."""

    __slots__ = ()

    def __new__(cls, x: int) -> typing.Self:
        """Take less than its parent."""
        return super().__new__(cls, x, "child")


Kind: typing.TypeAlias = type[Ours] | type[Theirs]


def said(function: typing.Callable[[Kind], Any], kind: Kind) -> Any:
    """What comes of it, or the type and the words of its error, without the class's name."""
    try:
        value = function(kind)
    except Exception as error:  # noqa: BLE001 - what it is, is compared
        value = (type(error), str(error))
    return repr(value).replace("Theirs", "Ours")


CASES: dict[str, typing.Callable[[Any], Any]] = {
    "by place": lambda kind: kind(1, "a", (2,)),
    "by name": lambda kind: kind(many=(1,), x=3),
    "defaults": lambda kind: kind(1),
    "too few": lambda kind: kind(),
    "too many": lambda kind: kind(1, "a", (), 4),
    "unknown name": lambda kind: kind(1, nam="a"),
    "given twice": lambda kind: kind(1, x=1),
    "no change": lambda kind: setattr(kind(1), "x", 2),
    "no new attribute": lambda kind: setattr(kind(1), "y", 2),
    "no dict": lambda kind: hasattr(kind(1), "__dict__"),
    "replaced": lambda kind: kind(1)._replace(name="b"),
    "replaced by an unknown name": lambda kind: kind(1)._replace(nam="b", y=2),
    "as dict": lambda kind: kind(1)._asdict(),
    "made": lambda kind: kind._make([1, "a", ()]),
    "made of too few": lambda kind: kind._make([1]),
    "fields": lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__),
    "doc": lambda kind: (kind.__doc__, kind.x.__doc__, kind.double.__doc__),
    "names": lambda kind: (kind.__name__, kind.__qualname__, kind.__module__, kind.__bases__),
    "hints": typing.get_type_hints,
    "property": lambda kind: kind(4).double,
    "class method": lambda kind: kind.zero(),
    "equal to a tuple": lambda kind: kind(1) == (1, "here", ()),
    "hash": lambda kind: hash(kind(1)) == hash((1, "here", ())),
    "order": lambda kind: sorted([kind(2), kind(1), kind(1, "a")]),
    "unpacked": lambda kind: [*kind(1)],
    "sliced": lambda kind: kind(1)[1:],
    "copied": lambda kind: (copy.copy(kind(1)), copy.deepcopy(kind(1, "a", (2,)))),
    "pickled": lambda kind: [pickle.loads(pickle.dumps(kind(1), n)) for n in range(6)],
    "constructor": lambda kind: (kind(1) and kind.__new__.__name__, kind(1).__new__(kind, 2)),
}


@pytest.mark.parametrize("case", CASES)
def test_they_do_what_those_of_the_standard_library_do(case: str) -> None:
    """The same value, or the same error."""
    assert said(CASES[case], Ours) == said(CASES[case], Theirs)


def test_a_pattern_matches_them() -> None:
    """By the order of their fields."""
    match Ours(1, "a"):
        case Ours(x, name):
            assert (x, name) == (1, "a")


def declare(statement: str, maker: Any) -> None:
    """Run a class statement that a type checker would refuse."""
    exec(statement, {"maker": maker, "__name__": "declared"})


@pytest.mark.parametrize("maker", [typing.NamedTuple, records.NamedTuple])
def test_a_field_without_a_default_must_come_first(maker: Any) -> None:
    """The class statement fails, as the original does."""
    with pytest.raises(TypeError, match="default"):
        declare("class Bad(maker):\n    x: int = 1\n    y: int", maker)


@ours_are_ours
def test_there_are_no_other_bases() -> None:
    """They would be lost without a word."""
    with pytest.raises(TypeError, match="no other bases"):
        declare("class Bad(maker, int):\n    x: int", records.NamedTuple)


def test_a_subclass_keeps_its_own_constructor() -> None:
    """Compiling that of its parent does not replace it."""
    assert [OursChild(1), OursChild(2), Ours(3)] == [
        (1, "child", ()),
        (2, "child", ()),
        (3, "here", ()),
    ]


@ours_are_ours
def test_the_constructor_is_compiled_once_and_only_when_it_is_needed() -> None:
    """The class statement makes none."""

    class Late(records.NamedTuple):
        x: int

    before = vars(Late)["__new__"]
    Late(1)
    first = vars(Late)["__new__"]
    Late(2)

    assert before is not first
    assert vars(Late)["__new__"] is first
