"""The nox sessions of this repository."""

from polylane import nox_sessions

nox_sessions()
