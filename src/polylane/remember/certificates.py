"""Where certificates and the logs of their rounds lie: ``.polylane/certificates/<id>/``.

Knows the files, and nothing of how a certificate is made or shown.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from polylane.describe.home import home
from polylane.errors import UserError
from polylane.records import NamedTuple

CERTIFICATE = "certificate.json"
_FOLDER = "certificates"


class CertificateFolder(NamedTuple):
    """The folder of one certificate."""

    id: str
    path: Path

    def write(self, certificate: dict[str, Any]) -> Path:
        """Write ``certificate.json`` whole or not at all; returns its path."""
        new, path = self.path / f"{CERTIFICATE}.new", self.path / CERTIFICATE
        text = json.dumps(certificate, ensure_ascii=False, indent=1) + "\n"
        new.write_text(text, encoding="utf-8", errors="backslashreplace")
        return new.replace(path)


def new_folder(workspace: Path) -> CertificateFolder:
    """Make the folder of a new certificate; `UserError` where nothing can be written."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    path = home(workspace) / _FOLDER / name
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be written: {error.strerror}; certificates lie there"
        ) from None
    return CertificateFolder(name, path)


def prune(workspace: Path, keep: int) -> None:
    """Remove all but the newest ``keep`` certificates; the caller has the workspace's locks."""
    folder = workspace / ".polylane" / _FOLDER
    for path in sorted(folder.iterdir(), key=lambda each: each.name, reverse=True)[keep:]:
        shutil.rmtree(path, ignore_errors=True)
