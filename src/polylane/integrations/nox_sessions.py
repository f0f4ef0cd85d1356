"""``nox_sessions()``: the sessions of a workspace, for ``noxfile.py``.

Turns what nox was given into a `Request`, and a `RunResult` into nox's way to end. Knows nothing of
what a session's environment holds.
"""

from __future__ import annotations

import ctypes
import inspect
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nox
import nox.command
import nox.registry

from polylane.errors import DEFECT, SIGNAL_BASE, UserError
from polylane.integrations import offers, own_tasks
from polylane.integrations.offers import Offer

if TYPE_CHECKING:
    from polylane.integrations.bodies import Body
    from polylane.planning import Request

#: These check nothing: they know no version, and no tag of a language selects them.
_NO_CHECKS = frozenset({"setup", "clean"})

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class _Sessions:
    """What the sessions of one noxfile share."""

    folder: Path
    bodies: Sequence[Body]
    #: Why the bodies are not known, or empty: a run without them would pass what nobody checked.
    defect: str = ""


def nox_sessions(python: str | Sequence[str] | None = None) -> None:
    """Register a session for each verb, each verb of a language and each pipeline.

    The workspace is the noxfile's folder. Sessions that the noxfile has defined before keep their
    names. With ``python``, versions as nox takes them, each session that has Python to check runs
    once for each, in an environment of nox's with the projects installed; otherwise the projects'
    own environments are used, and set up where they are missing.
    """
    folder = Path.cwd()  # nox enters the noxfile's folder before it loads it
    try:
        sessions = _load(folder)
        found = offers.find(folder, sessions.bodies)
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, people get one line
        print(_report(error), file=sys.stderr)
        raise SystemExit(DEFECT) from None
    versions = [python] if isinstance(python, str) else list(python or ())
    taken = nox.registry.get()
    with_python = {o.verbs[0] for o in found if o.languages == ("python",)} - _NO_CHECKS
    for offer in found:
        if offer.name not in taken:
            uses_it = not offer.ids and _may_use_python(offer, with_python)
            _register(sessions, offer, versions if uses_it else [])


def _load(folder: Path) -> _Sessions:
    try:
        return _Sessions(folder, own_tasks.load(folder))
    except UserError as error:
        print(f"polylane: {error}", file=sys.stderr)
        return _Sessions(folder, (), str(error))


def _may_use_python(offer: Offer, with_python: set[str]) -> bool:
    return bool(with_python & set(offer.verbs)) and offer.languages in ((), ("python",))


def _register(sessions: _Sessions, offer: Offer, versions: list[str]) -> None:
    def run(session: nox.Session) -> None:
        with _ends(session, sessions):
            _run(session, sessions, offer, versioned=bool(versions))

    run.__name__ = run.__qualname__ = offer.name
    run.__doc__ = offer.help
    how: dict[str, Any] = {"python": versions} if versions else {"venv_backend": "none"}
    if "allow_parallel" in inspect.signature(nox.session).parameters:  # since nox 2026.08
        how["allow_parallel"] = True
    nox.session(name=offer.name, tags=_tags(offer), default=False, **how)(run)


def _tags(offer: Offer) -> list[str]:
    """The language, the verb or the pipeline: one tag never selects the same work twice."""
    if offer.parallel or offer.ids or (offer.languages and offer.verbs[0] in _NO_CHECKS):
        return []
    return list(offer.languages) or [offer.pipeline or offer.verbs[0]]


def _run(session: nox.Session, sessions: _Sessions, offer: Offer, *, versioned: bool) -> None:
    from polylane.integrations import setup

    if sessions.defect:
        raise UserError(sessions.defect)
    if getattr(session, "parallel", False):
        _die_with_nox()
    request = _request(session, sessions, offer)
    if versioned:
        from polylane.integrations import nox_versions

        own = nox_versions.environments(session, request, sessions.bodies)
        request = request._replace(environments=own)
    _end(setup.run(request, sessions.bodies).exit_code)


def _request(session: nox.Session, sessions: _Sessions, offer: Offer) -> Request:
    from polylane.integrations import posargs
    from polylane.plan.selection import Selection
    from polylane.planning import Request

    said = posargs.split(session.posargs, offer)
    languages = offer.languages or said.names("--language")
    selection = Selection(offer.verbs, languages, said.names("--project"), offer.ids)
    return Request(sessions.folder, selection, parallel=offer.parallel, **said.request())


def _end(exit_code: int) -> None:
    """End the session as the run ended; a signal that ended the run goes on to nox itself."""
    if exit_code > SIGNAL_BASE:
        signal.raise_signal(exit_code - SIGNAL_BASE)
    if exit_code:
        raise nox.command.CommandFailed


@contextmanager
def _ends(session: nox.Session, sessions: _Sessions) -> Iterator[None]:
    """Turn our errors into one line and a failed session."""
    try:
        with _import_path(sessions):
            yield
    except UserError as error:
        session.error(str(error))
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "nox":
            raise
        session.error(_report(error))


def _report(error: Exception) -> str:
    from polylane.integrations.defect import report

    return report(error)


@contextmanager
def _import_path(sessions: _Sessions) -> Iterator[None]:
    """Import from the workspace what its bodies do, first, as in Invoke; without any, nothing.

    nox starts its children as ``python -m nox``, which puts the workspace first: a `tabulate.py`
    in it would be taken for the one that we import.
    """
    saved = sys.path[:]
    folder = str(sessions.folder)
    rest = [each for each in saved if each not in ("", folder)]
    sys.path[:] = [folder, *rest] if sessions.bodies else rest
    try:
        yield
    finally:
        sys.path[:] = saved


def _die_with_nox() -> None:
    """Be told when the nox that started this one dies: it leaves its sessions running."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
