"""Invoke's parser contexts of our tasks: each makes its arguments when somebody asks for them.

For every command line Invoke makes, copies and describes the arguments of all tasks, then uses
those of the task that was named; with the fifty tasks of a small workspace that is 14 ms.

Knows nothing of what the tasks do.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from invoke.collection import Collection
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from polylane.integrations.invoke_flags import OurTask

#: What `ParserContext` makes of arguments.
_MADE = frozenset({"args", "positional_args", "flags", "inverse_flags"})


def contexts(collection: Collection, **options: Any) -> list[ParserContext]:
    """What `Collection.to_contexts` gives, with late ones for our tasks.

    Others' are made at once: what is wrong with one is said for every command line.
    """
    found: list[ParserContext] = []
    for name, aliases in collection.task_names.items():
        task = collection[name]
        arguments = partial(task.get_arguments, **options)
        if isinstance(task, OurTask):
            found.append(LateContext(name, aliases, arguments))
        else:
            found.append(ParserContext(name, aliases, arguments()))
    return found


class LateContext(ParserContext):
    """A context of Invoke's own kind, once one of its arguments is asked for."""

    def __init__(
        self, name: str, aliases: Iterable[str], arguments: Callable[[], Iterable[Argument]]
    ) -> None:
        self.name = name
        self.aliases = aliases
        self._arguments = arguments

    def __getattr__(self, name: str) -> Any:
        if name not in _MADE:
            raise AttributeError(name)
        super().__init__(self.name, self.aliases, self._arguments())
        return self.__dict__[name]

    def __deepcopy__(self, memo: dict[int, Any]) -> LateContext:
        other = LateContext.__new__(LateContext)
        memo[id(self)] = other
        made = {k: copy.deepcopy(v, memo) for k, v in self.__dict__.items() if k in _MADE}
        other.__dict__.update({**self.__dict__, **made})
        return other

    def __repr__(self) -> str:
        """Invoke's own words; without arguments while nobody asked for them."""
        if "args" in self.__dict__:
            return super().__repr__()
        return f"<parser/Context {self.name!r}: arguments not made yet>"
