"""Where certificates lie."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polylane.errors import UserError
from polylane.remember import certificates


def test_a_certificate_is_written_whole(tmp_path: Path) -> None:
    """In a folder of its own, which git ignores; nothing else is left there."""
    folder = certificates.new_folder(tmp_path)
    path = folder.write({"name": "a\udcff"})
    assert path == tmp_path / ".polylane/certificates" / folder.id / "certificate.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {"name": "a\udcff"}
    assert list(folder.path.iterdir()) == [path]
    assert (tmp_path / ".polylane/.gitignore").read_text(encoding="utf-8") == "*\n"


def test_the_newest_are_kept(tmp_path: Path) -> None:
    """As many as are wanted, with the logs that they hold."""
    certificates.new_folder(tmp_path)
    above = tmp_path / ".polylane/certificates"
    for name in ("20240101-000000-1", "20250101-000000-1"):
        (above / name / "round-1").mkdir(parents=True)
    certificates.prune(tmp_path, 2)
    assert len(list(above.iterdir())) == 2
    assert not (above / "20240101-000000-1").exists()


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """With its path and what lies there."""
    (tmp_path / ".polylane").mkdir()
    (tmp_path / ".polylane/certificates").touch()
    with pytest.raises(UserError, match=r"certificates/\S+: cannot be written: Not a directory; "):
        certificates.new_folder(tmp_path)
