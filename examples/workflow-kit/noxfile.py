from polylane import nox_sessions
nox_sessions()
