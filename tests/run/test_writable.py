"""Where a task may write, from its project and its claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.model import Claim
from polylane.run.writable import writable

PROJECTS = (".", "packages/api", "packages/web", "packages/web/inner")


@pytest.mark.parametrize(
    ("claim", "more"),
    [
        (Claim(), ()),
        (Claim(writes=("packages/api/dist", "packages/api/**")), ()),
        (Claim(writes=("docs/api/**",)), ("docs/api",)),
        (Claim(writes=("packages/web/src/generated.ts",)), ("packages/web/src/generated.ts",)),
        (Claim(caches=(".venv/**/__pycache__",)), (".venv",)),
        (Claim(writes=("out/*.txt",)), ("out",)),
        (Claim(writes=("**",)), (".",)),
        (Claim(writes=("packages/web",)), ("packages/web",)),
        # Nothing is granted that would hold other projects, only because of a wildcard.
        (Claim(writes=("*.log", "packages/*/dist", "packages/web/*/x", "**/x")), ()),
        (Claim(writes=("docs", "!docs/old")), ("docs",)),
    ],
)
def test_claims_grant_folders(tmp_path: Path, claim: Claim, more: tuple[str, ...]) -> None:
    """Beside the task's own project, which holds what is claimed in it."""
    found = writable(str(tmp_path), "packages/api", claim, PROJECTS)
    assert found == ("packages/api", *more)


def test_a_task_of_the_whole_workspace_may_write_all_of_it(tmp_path: Path) -> None:
    """Nothing of it could be left out."""
    assert writable(str(tmp_path), ".", Claim(writes=("dist",)), PROJECTS) == (".",)


def test_missing_caches_are_made(tmp_path: Path) -> None:
    """Folders whose parent is there; no files, and nothing with a wildcard in its name."""
    caches = (
        ".ruff_cache",
        "build.cache/**",
        "tsconfig.tsbuildinfo",
        "no/parent",
        "*_cache",
        "dist/**/x",
    )
    (tmp_path / "dist").mkdir()
    writable(str(tmp_path), "packages/api", Claim(caches=caches), PROJECTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".ruff_cache",
        "build.cache",
        "dist",
    ]
    assert not list((tmp_path / "dist").iterdir())
