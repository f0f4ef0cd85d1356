"""Explains schema violations in one line each; knows nothing of files.

jsonschema reports per keyword, in the schema's terms ("is not valid under any of the given
schemas"). Here each report becomes the places in the document that a person has to change.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import ValidationError

_MAX_VALUE = 60  # characters of a value that one line shows


@dataclass(frozen=True, order=True)
class Problem:
    """One place of a document that breaks the schema."""

    pointer: str
    """JSON pointer (RFC 6901); empty for the document itself."""
    value: str
    """The offending value as JSON, shortened to 60 characters."""
    expectation: str
    """What belongs there instead, such as ``a string``."""

    def __str__(self) -> str:
        """``POINTER: got VALUE, expected EXPECTATION``, in one line that any terminal can show."""
        line = f"{self.pointer or '(document)'}: got {self.value}, expected {self.expectation}"
        return "".join(char if char.isprintable() else _escape(char) for char in line)


def explain(error: ValidationError) -> Iterator[Problem]:
    """Every place to change because of one violation; at least one."""
    path = tuple(error.absolute_path)
    # The stubs say that these may be unset; in an error that a validator reports they never are.
    value: Any = error.instance
    schema: Any = error.schema
    match error.validator:
        case "anyOf":
            yield from _explain_alternatives(error)
        case "additionalProperties":
            known = schema["properties"]
            for key in value.keys() - known.keys():
                yield _problem((*path, key), value[key], _known_key(key, known))
        case "required":
            missing = [key for key in schema["required"] if key not in value]
            yield _problem(path, value, "the key " + " and the key ".join(map(json.dumps, missing)))
        case "pattern" if "propertyNames" in error.schema_path:
            yield _problem((*path, value), value, _expectation(error))
        case _:
            yield _problem(path, value, _expectation(error))


def _explain_alternatives(error: ValidationError) -> Iterator[Problem]:
    """Explain by the one alternative that was meant: the one that takes this type of value."""
    branches: dict[Any, list[ValidationError]] = {}
    for cause in error.context:
        branches.setdefault(cause.relative_schema_path[0], []).append(cause)
    meant = [causes for causes in branches.values() if not any(map(_rejects_type, causes))]
    if len(meant) == 1:
        for cause in meant[0]:
            yield from explain(cause)
    else:
        expectations = (_expectation(causes[0]) for causes in branches.values())
        yield _problem(error.absolute_path, error.instance, " or ".join(expectations))


def _rejects_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _problem(path: Iterable[str | int], value: object, expectation: str) -> Problem:
    return Problem(pointer(path), _shorten(json.dumps(value, ensure_ascii=False)), expectation)


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and indexes."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 3] + "..."


def _known_key(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f"a known key (did you mean {json.dumps(close[0])}?)"
    return f"a known key ({_one_of(sorted(known))})"


def _one_of(values: Iterable[object]) -> str:
    return "one of " + ", ".join(json.dumps(value) for value in values)


_TYPES: Mapping[str, str] = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

_EXPECTATIONS: Mapping[object, Callable[[Any], str]] = {
    "enum": _one_of,
    "maximum": "at most {}".format,
    "minimum": "at least {}".format,
    "minItems": "at least {} item(s)".format,
    "minLength": "at least {} character(s)".format,
    "pattern": "text that matches {}".format,
    "type": _TYPES.__getitem__,
    "uniqueItems": lambda _: "no item twice",
}


def _expectation(error: ValidationError) -> str:
    describe = _EXPECTATIONS.get(error.validator)
    if describe is None:
        return f"otherwise: {error.message}"
    schema: Any = error.schema
    examples = schema.get("examples", [])
    hint = f", such as {json.dumps(examples[0])}" if examples else ""
    return describe(error.validator_value) + hint
