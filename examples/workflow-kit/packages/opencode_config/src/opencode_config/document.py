"""Parses JSON more strictly than `json` does; knows nothing of schemas.

`json` accepts two things that would hide a mistake: of a key that is given twice it keeps the
last value, and it reads `NaN` and `Infinity`, which are not JSON. And it accepts values so deep
that whoever walks them next runs out of stack.
"""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

_MAX_DEPTH = 100  # far above any configuration, far below Python's recursion limit of 1000
_TOO_DEEP = f"nested more than {_MAX_DEPTH} deep; flatten it"


class MalformedDocumentError(ValueError):
    """The text is not JSON; the message says in one line what is wrong, and where if known."""


def parse(text: str) -> Any:  # noqa: ANN401 (JSON is any of six types)
    """Parse JSON.

    :raises MalformedDocumentError: the text is no JSON, an object repeats a key, or values are
        nested more than 100 deep
    """
    try:
        document = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        message = f"{where}: not JSON: {error.msg}"
        raise MalformedDocumentError(message) from error
    except RecursionError as error:
        raise MalformedDocumentError(_TOO_DEEP) from error
    if _is_deeper(document, _MAX_DEPTH):
        raise MalformedDocumentError(_TOO_DEEP)
    return document


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            message = f"key {json.dumps(key)} is given twice in one object; keep one"
            raise MalformedDocumentError(message)
        result[key] = value
    return result


def _reject_constant(name: str) -> NoReturn:
    message = f"not JSON: {name} is no number that JSON knows"
    raise MalformedDocumentError(message)


def _is_deeper(document: object, depth: int) -> bool:
    """Whether values are nested deeper; by levels, as recursion is what has to be avoided."""
    level = [document]
    for _ in range(depth):
        level = [child for value in level for child in _children(value)]
    return bool(level)


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
