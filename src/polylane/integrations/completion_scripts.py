"""The scripts that make shells ask `completion`: a file for each shell, beside this one."""

from __future__ import annotations

from importlib.resources import files

from polylane.errors import UserError

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The script for a shell; an unknown one is a `UserError`."""
    if shell not in SHELLS:
        known = ", ".join(SHELLS)
        raise UserError(
            f"polylane completion {shell}: there is none for this shell; known: {known}"
        )
    return (files("polylane.integrations") / "completions" / shell).read_text(encoding="utf-8")
