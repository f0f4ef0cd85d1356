"""The contract of a language, as a test that any plug-in can run.

>>> from polylane.testing import check_language
>>> check_language(MY_LANGUAGE, {"Cargo.toml": "[package]"}, tmp_path)

Uses nothing but the public protocol.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from polylane.describe.languages.base import Environment, Folder, Language
from polylane.model import Description, Recipe
from polylane.plan.patterns import parse

_NAME = re.compile(r"[a-z][a-z0-9-]*")


def check_language(language: Language, files: Mapping[str, str], folder: Path) -> Description:
    """Check a language on a project with these ``files``, written into the empty ``folder``.

    Returns what it described, for checks of your own. Raises `AssertionError` with the broken rule.
    """
    check_names(language)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = _tree(folder)
    seen = Folder(folder, ".")
    description = language.describe(seen)
    if description is None:
        raise AssertionError("describe() found no project in the files that you gave")
    _must(
        language.describe(Folder(folder, ".")) == description,
        "describe() differs from call to call",
    )
    _must(_tree(folder) == before, "describe() wrote into the project")
    _must(seen.read or seen.asked, "describe() looked at nothing through its Folder")
    check_description(description)
    empty = folder / "empty-folder-of-the-contract"
    empty.mkdir()
    language.describe(Folder(folder, empty.name))  # must not raise
    environment = language.environment(folder, ".")
    _must(isinstance(environment, Environment), "environment() must return an Environment")
    for each in environment.path_dirs:
        _must(Path(each).is_absolute(), f"environment(): {each} must be absolute")
    empty.rmdir()
    return description


def check_names(language: Language) -> None:
    """Check the names of a language: they become parts of Invoke task names and ids."""
    _must(isinstance(language, Language), "it lacks a part of the protocol Language")
    _must(
        _NAME.fullmatch(language.name),
        f"name {language.name!r}: lower case letters, digits, dashes",
    )
    _must(language.manifests, "manifests: at least one file name")
    for name in (*language.manifests, *language.skip):
        _must(name and "/" not in name, f"{name!r}: a file name, not a path")


def check_description(description: Description) -> None:
    """Check that a description can be planned."""
    _must(isinstance(description, Description), "describe() must return a Description or None")
    counts = Counter((recipe.verb, recipe.tool) for recipe in description.recipes)
    for (verb, tool), count in counts.items():
        _must(count == 1, f"two recipes for {verb} with the tool {tool}: their ids would meet")
    for recipe in description.recipes:
        check_recipe(recipe)
    for what, why in description.left_out:
        _must(what and why, "left_out: say what, and why")


def check_recipe(recipe: Recipe) -> None:
    """Check one recipe."""
    where = f"{recipe.verb}:{recipe.tool}"
    _must(_NAME.fullmatch(recipe.verb), f"{where}: a verb is lower case letters, digits and dashes")
    _must(recipe.tool, f"{where}: the tool has no name")
    _must(recipe.argv, f"{where}: the command is empty")
    for words in (recipe.argv, recipe.fix_argv):
        _must(
            all(isinstance(w, str) and "\0" not in w for w in words), f"{where}: argv must be texts"
        )
    patterns = (*(recipe.reads or ()), *(recipe.writes or ()), *recipe.caches)
    for pattern in patterns:
        parts = parse(pattern.removeprefix("!").lstrip("/^"))
        _must(".." not in parts or pattern.startswith(".."), f"{where}: {pattern}: '..' only leads")
    _must(
        not recipe.file_endings or recipe.argv[1:], f"{where}: the last word is its default target"
    )
    for ending in recipe.file_endings:
        _must(ending.startswith("."), f"{where}: {ending!r}: a file ending begins with a dot")
    for need in (*recipe.needs, *recipe.after):
        _must(_NAME.fullmatch(need.removeprefix("^")), f"{where}: needs {need!r}: a verb, or ^verb")


def _tree(folder: Path) -> dict[str, tuple[float, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime, path.stat().st_size)
        for path in sorted(folder.rglob("*"))
    }


def _must(condition: object, broken: str) -> None:
    """Assert, also where Python runs with ``-O``."""
    if not condition:
        raise AssertionError(broken)
