"""Loads the schema that ships inside the package."""

import json
from importlib import resources
from typing import Any


def schema_text() -> str:
    """The schema as it ships, byte for byte."""
    return resources.files(__package__).joinpath("opencode.schema.json").read_text("utf-8")


def load_schema() -> dict[str, Any]:
    """The schema (JSON Schema, draft 2020-12), a new copy on every call."""
    schema: dict[str, Any] = json.loads(schema_text())
    return schema
