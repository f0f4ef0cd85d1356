"""What happens when polylane itself is at fault: people get a path, a file gets the traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback


def report(error: BaseException) -> str:
    """Write the traceback to a file; returns the line that says so."""
    from polylane import __version__

    handle, path = tempfile.mkstemp(prefix="polylane-defect-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"polylane {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n")
        file.writelines(traceback.format_exception(error))
    return f"polylane: BUG: {type(error).__name__}: {error}; the traceback is in {path}"
