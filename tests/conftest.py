"""What holds for all tests: they share the machine with nobody.

A run of a test must not wait for the runs of other tests, nor for those of whoever works here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def slots_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The runs of this session meet in a folder of its own."""
    before = os.environ.get("POLYLANE_SLOTS_DIR")
    os.environ["POLYLANE_SLOTS_DIR"] = str(tmp_path_factory.mktemp("slots"))
    yield
    if before is None:
        del os.environ["POLYLANE_SLOTS_DIR"]
    else:
        os.environ["POLYLANE_SLOTS_DIR"] = before


@pytest.fixture(autouse=True, scope="session")
def no_host() -> Iterator[None]:
    """Output is what it is everywhere, also where a host of continuous integration runs us."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI"):
            patch.delenv(name, raising=False)
        yield
