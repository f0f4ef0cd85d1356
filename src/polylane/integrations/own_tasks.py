"""People's own ``@polylane.task`` bodies, for hosts that do not load ``tasks.py`` themselves.

Knows nothing of what the bodies are run for.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from polylane.errors import UserError

if TYPE_CHECKING:
    from polylane.integrations.bodies import Body

#: Invoke takes either.
FILES = ("tasks.py", "tasks/__init__.py")


def load(folder: Path) -> list[Body]:
    """The bodies that a folder's ``tasks.py`` (or package) registers, itself or by what it imports.

    Empty where there is no such file, or none that uses polylane for more than `namespace`; a file
    that cannot be imported is a `UserError`.
    """
    path = file_of(folder)
    if path is None:
        return []
    try:
        source = path.read_bytes()
    except OSError:
        return []
    if b"polylane" not in source or _only_our_lines(source):
        return []
    from polylane.integrations.bodies import registry  # imports Invoke

    before = {id(body) for body in registry}
    _import(path, folder)
    return [body for body in registry if id(body) not in before]


def file_of(folder: Path) -> Path | None:
    """The file that Invoke loads in a folder, if there is one."""
    return next((folder / file for file in FILES if (folder / file).is_file()), None)


def _import(path: Path, folder: Path) -> None:
    """Import the file under a name of its own, so that two workspaces' files don't meet."""
    name = f"polylane_tasks_{blake2b(str(path).encode(errors='surrogateescape')).hexdigest()[:16]}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    with _importable(folder):
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            raise UserError(_why(error, path.relative_to(folder))) from error


def _why(error: BaseException, file: Path) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"{file} imports {error.name}, which is missing where polylane runs ({sys.prefix}):"
            " install it there (a hook's additional_dependencies)"
        )
    text = str(error).partition("\n")[0]
    return f"{file} cannot be imported: {type(error).__name__}: {text}; mend the file"


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _only_our_lines(source: bytes) -> bool:
    """Whether a file surely has no body: it imports polylane and calls `namespace`, no more."""
    try:
        lines = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False  # importing it says what is wrong
    return all(_is_our_line(line) for line in lines)


def _is_our_line(line: ast.stmt) -> bool:
    if isinstance(line, ast.ImportFrom):
        return line.module in ("polylane", "__future__")
    if isinstance(line, ast.Import):
        return all(name.name == "polylane" for name in line.names)
    if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
        name = ast.unparse(line.value.func)
        return name in ("namespace", "polylane.namespace") and not line.value.args
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
