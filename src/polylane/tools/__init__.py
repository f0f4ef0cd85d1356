"""Programs of polylane's own that tasks start, each by ``python -m polylane.tools.<name>``.

They know nothing of the rest of polylane, and polylane knows only their command lines.
"""
