"""``polylane.claims.toml``: the claims that ``lanes.trace --write`` observed, and its format.

They stand between what was found and what the configuration says. Knows nothing of how claims are
observed, and of which tasks there are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polylane.describe import schema, toml_text
from polylane.describe.place import Place
from polylane.errors import UserError
from polylane.records import NamedTuple

FILE = "polylane.claims.toml"

_CACHE = "claims.cache"

_HEADER = """\
# What polylane's tasks were seen to read and write: observed by `inv lanes.trace --write` on
# {when} with polylane {version}. Review it and commit it. Where it and the configuration differ,
# the configuration wins. See docs/tracing.md of polylane.
"""


class SaidClaim(NamedTuple):
    """``[tasks."ID"]``; None where nothing was said."""

    reads: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    caches: tuple[str, ...] | None = None
    locks: tuple[str, ...] | None = None


_SCHEMA: Mapping[str, schema.Check] = {
    "tasks": schema.table_of(
        schema.record(
            {
                "reads": schema.paths,
                "writes": schema.paths,
                "caches": schema.paths,
                "locks": schema.strings,
            }
        ),
        key=schema.task_key,
    )
}


def parse(folder: Path, text: str) -> dict[str, SaidClaim]:
    """The claims by task id; a `UserError` names the line of what cannot be right."""
    try:
        table = toml_text.parse(folder, text, _CACHE)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{FILE}: is not valid TOML: {error}; mend the file") from None
    values = schema.check(_SCHEMA, table, Place(FILE, text))
    return {name: SaidClaim(**said) for name, said in values.get("tasks", {}).items()}


def write(folder: Path, claims: Mapping[str, SaidClaim], when: str, version: str) -> None:
    """Write the file whole or not at all; without claims there is none.

    ``when``: the day of the observation, for people. `UserError` where it cannot be written.
    """
    import tomli_w  # only this needs it

    path = folder / FILE
    tables = {name: _table(claims[name]) for name in sorted(claims)}
    text = _HEADER.format(when=when, version=version) + "\n" + tomli_w.dumps({"tasks": tables})
    new = path.with_name(f"{FILE}.{os.getpid()}")
    try:
        if not claims:
            path.unlink(missing_ok=True)
            return
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UserError(f"{FILE}: cannot be written: {error.strerror}") from None


def _table(claim: SaidClaim) -> dict[str, Any]:
    return {key: list(value) for key, value in claim._asdict().items() if value is not None}
