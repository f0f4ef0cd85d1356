"""`NamedTuple` as in `typing`, whose classes are made in an eighth of the time.

`typing.NamedTuple` takes 0.1 ms for a class, most of it for compiling a constructor, and a run
needs some forty. Here a class compiles its constructor when its first instance is made. What a
class and its instances can do is the same (`collections.namedtuple`'s documentation says it);
``tests/test_records.py`` compares the two.

Knows nothing of what is in them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or sys.version_info >= (3, 14):  # where annotations are not in a class's body yet
    from typing import NamedTuple
else:
    from collections import _tuplegetter
    from collections.abc import Iterable, Mapping

    _UNKNOWN_FIELDS = TypeError if sys.version_info >= (3, 13) else ValueError

    class _Made(type):
        """Makes a class with `NamedTuple` among its bases a plain subclass of `tuple`."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if len(bases) > 1:
                raise TypeError(f"{name}: a named tuple has no other bases")
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one with a default")
            for index, field in enumerate(fields):
                body[field] = _tuplegetter(index, f"Alias for field number {index}")
            return type.__new__(
                type,
                name,
                (tuple,),
                {
                    **_METHODS,
                    **body,
                    "__slots__": (),
                    "__new__": _first,
                    "__match_args__": fields,
                    "_fields": fields,
                    "_field_defaults": defaults,
                },
            )

    def _first(cls: Any, /, *values: Any, **named: Any) -> Any:
        """Make the first instance, and compile the constructor for all later ones."""
        given = "".join(f"{field}, " for field in cls._fields)
        code = f"lambda _cls, {given}: _new(_cls, ({given}))"
        # As the original does: the names are those of a class's own fields.
        new = eval(code, {"_new": tuple.__new__, "__builtins__": {}})  # noqa: S307  # nosec B307
        new.__defaults__ = tuple(cls._field_defaults.values())
        new.__name__, new.__qualname__ = "__new__", f"{cls.__name__}.__new__"
        owner = next(each for each in cls.__mro__ if "_fields" in vars(each))
        owner.__new__ = staticmethod(new)
        return new(cls, *values, **named)

    def _make(cls: Any, values: Iterable[Any]) -> Any:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self: Any, /, **named: Any) -> Any:
        made = self._make(map(named.pop, self._fields, self))
        if named:
            raise _UNKNOWN_FIELDS(f"Got unexpected field names: {list(named)!r}")
        return made

    def _asdict(self: Any) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def _getnewargs(self: Any) -> tuple[Any, ...]:
        return tuple(self)

    def _repr(self: Any) -> str:
        said = ", ".join(f"{field}={value!r}" for field, value in self._asdict().items())
        return f"{type(self).__name__}({said})"

    _METHODS: Mapping[str, Any] = {
        "_make": classmethod(_make),
        "_replace": _replace,
        "__replace__": _replace,
        "_asdict": _asdict,
        "__repr__": _repr,
        "__getnewargs__": _getnewargs,
    }

    def NamedTuple() -> None:  # noqa: N802 - it stands for a class
        """Stand among the bases of a class, as `typing.NamedTuple` does."""

    NamedTuple.__mro_entries__ = lambda _: (_base,)  # type: ignore[attr-defined]
    _base = type.__new__(_Made, "NamedTuple", (), {})

__all__ = ["NamedTuple"]
