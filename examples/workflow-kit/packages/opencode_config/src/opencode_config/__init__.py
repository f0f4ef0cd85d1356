"""Validates opencode configuration files against a JSON schema."""

from opencode_config.document import MalformedDocumentError, parse
from opencode_config.problems import Problem
from opencode_config.schema import load_schema
from opencode_config.validator import validate

__all__ = ["MalformedDocumentError", "Problem", "load_schema", "parse", "validate"]
