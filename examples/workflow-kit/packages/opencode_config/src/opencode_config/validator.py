"""Checks a parsed document against the schema."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from opencode_config.problems import Problem, explain
from opencode_config.schema import load_schema


def validate(document: Any) -> list[Problem]:  # noqa: ANN401 (JSON is any of six types)
    """The problems of a document, ordered by pointer; none if it is valid."""
    errors = _validator().iter_errors(document)
    return sorted({problem for error in errors for problem in explain(error)})


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(load_schema())
