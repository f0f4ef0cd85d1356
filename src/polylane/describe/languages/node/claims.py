"""What the known programs of Node read, write and cache, and which changed files they take.

Found by running eslint 9, prettier 2 and 3, biome 2, TypeScript 5.9 and typedoc 0.28. Knows nothing
of scripts and verbs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylane.describe.languages.ignore_files import ignored_patterns
from polylane.describe.languages.node.package import configs_above, matching, table
from polylane.describe.languages.node.tsconfig import jsonc, written_by
from polylane.records import NamedTuple

if TYPE_CHECKING:
    from polylane.describe.languages.node.command import Command
    from polylane.describe.languages.node.package import Package


class Claims(NamedTuple):
    """The claims of a `Recipe`."""

    reads: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    caches: tuple[str, ...] = ()


class Call(NamedTuple):
    """A program called in a package."""

    package: Package
    command: Command
    #: Told to mend the sources.
    writes: bool

    def has(self, *words: str) -> bool:
        """Whether one of the words is said."""
        return any(word in self.command.args for word in words)

    def option(self, name: str) -> str | None:
        """Return the value of ``--name value`` or ``--name=value``."""
        args = self.command.args
        for word, following in zip(args, (*args[1:], ""), strict=False):
            if word == name:
                return following
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
        return None


_NODE_MODULES = "!**/node_modules/**"
#: eslint: .eslintignore; prettier: .gitignore.
_LAST_WITH_IGNORE_FILE = 8
_FIRST_WITH_GITIGNORE = 3
ESLINT = ("eslint.config.*", ".eslintrc*", ".eslintignore")
PRETTIER = (".prettierrc*", "prettier.config.*", ".prettierignore")
#: Prettier's configuration may stand in them.
_MANIFESTS = ("package.json", "package.yaml")
BIOME = ("biome.json", "biome.jsonc")
_SCRIPT = (".js", ".mjs", ".cjs", ".jsx")
_TYPED = (".ts", ".mts", ".cts", ".tsx")
_PRETTY = (
    *_SCRIPT, *_TYPED, ".json", ".jsonc", ".json5", ".css", ".scss", ".less", ".html", ".vue",
    ".md", ".mdx", ".yml", ".yaml", ".graphql", ".gql", ".hbs",
)  # fmt: skip


def claim_eslint(call: Call) -> Claims:
    """All it finds: a flat config's ignores are code; type-aware rules read what is depended on."""
    reads: tuple[str, ...] = ("**", _NODE_MODULES)
    flat = bool(matching(call.package.folder, ESLINT[:1])) or any(
        "/eslint.config." in path for path in configs_above(call.package.folder, ESLINT[:1])
    )
    # the major that a range like "8 || 9" starts with proves nothing, an old config beside it does
    old = not flat and call.package.major("eslint") == _LAST_WITH_IGNORE_FILE
    if old and not call.has("--no-ignore") and call.option("--ignore-path") is None:
        reads += _ignored(call, ".eslintignore")
    caches = ["node_modules/.cache"]
    if call.has("--cache"):
        caches.append(call.option("--cache-location") or ".eslintcache")
    above = configs_above(call.package.folder, ESLINT)
    return Claims((*reads, *above, "^**"), _mended(call, reads), tuple(caches))


def claim_prettier(call: Call) -> Claims:
    """All but what the ignore files of the working folder name; those above do not count."""
    reads: tuple[str, ...] = ("**",)
    if not call.has("--with-node-modules"):
        reads += (_NODE_MODULES,)
    if call.option("--ignore-path") is None:
        reads += _ignored(call, ".prettierignore")
        if (call.package.major("prettier") or 0) >= _FIRST_WITH_GITIGNORE:
            reads += _ignored(call, ".gitignore")
    reads = tuple(dict.fromkeys(reads))
    above = configs_above(call.package.folder, (*PRETTIER, *_MANIFESTS, ".editorconfig"))
    return Claims((*reads, *above), _mended(call, reads), ("node_modules/.cache",))


def claim_biome(call: Call) -> Claims:
    """All it finds; ``.gitignore`` counts only where its configuration says so."""
    config: dict[str, Any] = {}
    for name in BIOME:
        config = config or jsonc(call.package.folder, name) or {}
    reads: tuple[str, ...] = ("**", _NODE_MODULES)
    vcs = table(config, "vcs")
    if vcs.get("enabled") is True and vcs.get("useIgnoreFile") is True:
        reads += _ignored(call, ".gitignore")
    above = configs_above(call.package.folder, (*BIOME, ".editorconfig"))
    return Claims((*reads, *above, "^**"), _mended(call, reads))


def claim_tsc(call: Call) -> Claims:
    """All but node_modules, since any import may lead anywhere; writes what tsconfig.json says."""
    written = written_by(call.package.folder, call.command.args)
    return Claims() if written is None else Claims(_typed_reads(call), written)


def claim_typedoc(call: Call) -> Claims:
    """Say that it writes its ``out`` folder, by default ``docs``."""
    out = call.option("--out") or _typedoc_out(call)
    if out is None or call.has("--json") or out.startswith(("../", "/")):
        return Claims()
    return Claims(_typed_reads(call), (out.removeprefix("./"),))


def _typedoc_out(call: Call) -> str | None:
    folder = call.package.folder
    if matching(folder, ("typedoc.*js", "typedoc.config.*", "typedoc.jsonc")):
        return None
    options = jsonc(folder, "typedoc.json") or table(call.package.manifest, "typedocOptions")
    if {"outputs", "json", "extends"} & options.keys():
        return None
    return str(options.get("out", "docs"))


def _typed_reads(call: Call) -> tuple[str, ...]:
    above = configs_above(call.package.folder, ("tsconfig*.json",))
    return ("**", _NODE_MODULES, *above, "^**")


def eslint_endings(call: Call) -> tuple[str, ...]:
    """None where an ignored file would be one warning too many."""
    said = call.option("--ext")
    if call.option("--max-warnings") is not None and not call.has("--no-warn-ignored"):
        return ()
    if said is not None:
        return tuple(f".{ending.strip().lstrip('.')}" for ending in said.split(","))
    if (call.package.major("eslint") or 0) <= _LAST_WITH_IGNORE_FILE:
        return (".js",)  # eslint 8 checks other files only when they are named
    return _SCRIPT + (_TYPED if "typescript" in call.package.available else ())


def prettier_endings(_call: Call) -> tuple[str, ...]:
    """Return the usual ones of those it formats."""
    return _PRETTY


def biome_endings(call: Call) -> tuple[str, ...]:
    """None where changed files that are all ignored would fail the check."""
    if not call.has("--no-errors-on-unmatched"):
        return ()
    return (*_SCRIPT, *_TYPED, ".json", ".jsonc", ".css", ".graphql")


def _ignored(call: Call, name: str) -> tuple[str, ...]:
    patterns = ignored_patterns(call.package.folder, name, above=False)
    return tuple(f"!{pattern}" for pattern in patterns)


def _mended(call: Call, reads: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the call writes: what it reads, where it is told to mend."""
    return reads if call.writes else ()
