"""What a workspace offers to its hosts by name: verbs, verbs of one language, pipelines.

Invoke makes an Invoke task of each, nox a session. Knows nothing of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylane import garbage
from polylane.describe import config as configuration
from polylane.describe import workspace
from polylane.describe.config import Config
from polylane.describe.workspace import Workspace
from polylane.errors import UserError, did_you_mean
from polylane.model import VERBS
from polylane.records import NamedTuple

if TYPE_CHECKING:
    from polylane.integrations.bodies import Body
    from polylane.planning import Plan, Request
    from polylane.result import RunResult

PARALLEL = "-parallel"

_DOES = {
    "setup": "Set up the environments",
    "format": "Format the sources (writes)",
    "build": "Build",
    "lint": "Lint, and check the format of the sources",
    "type-check": "Check the types",
    "test": "Run the tests",
    "test-unit": "Run the unit tests",
    "test-integration": "Run the integration tests",
    "security": "Look for insecure code and dependencies",
    "docs": "Build the documentation",
    "clean": "Remove ignored build outputs",
}


class Offer(NamedTuple):
    """One name and what it selects."""

    name: str
    help: str
    verbs: tuple[str, ...]
    languages: tuple[str, ...] = ()
    parallel: bool = False
    aliases: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()
    #: A pipeline's name, or empty.
    pipeline: str = ""


def find(folder: Path, bodies: Sequence[Body]) -> list[Offer]:
    """Everything that the workspace at ``folder`` offers; names that meet are a `UserError`."""
    config = configuration.load(folder)
    offers: dict[str, Offer] = {}
    for offer in _all(config, workspace.find(config), bodies):
        other = offers.setdefault(offer.name, offer)
        if other is not offer:
            raise UserError(
                f"the name {offer.name!r} would mean two things: {_meaning(other)}, and"
                f" {_meaning(offer)}; give a verb, a language or a pipeline another name"
            )
    for body in bodies:
        offers.setdefault(
            body.name,
            Offer(body.name, body.help or f"Run {body.id}", (body.verb,), ids=frozenset({body.id})),
        )
    return list(offers.values())


def _meaning(offer: Offer) -> str:
    if offer.pipeline:
        return f"the pipeline {offer.pipeline}"
    of = f" of the language {offer.languages[0]}" if offer.languages else ""
    return f"the verb {offer.verbs[0]}{of}{' in parallel' if offer.parallel else ''}"


def _all(config: Config, found: Workspace, bodies: Iterable[Body]) -> Iterator[Offer]:
    languages = _languages(config, found, bodies)
    order = {v: i for i, v in enumerate(dict.fromkeys((*VERBS, *sorted(languages))))}
    known = {*VERBS, *languages}
    for verb in sorted(languages, key=order.__getitem__):
        yield from _of_verb(verb, sorted(languages[verb]))
    for name, verbs in config.pipelines.items():
        for verb in verbs:
            if verb not in known:
                hint = did_you_mean(verb, known) or f"; verbs: {', '.join(sorted(known))}"
                raise UserError(
                    f"{config.where('pipelines', name)}: there is no verb {verb!r}{hint}"
                )
        text = f"Run {', '.join(verbs)}"
        yield Offer(name, text, verbs, pipeline=name)
        yield Offer(name + PARALLEL, f"{text}, side by side", verbs, parallel=True, pipeline=name)


def _of_verb(verb: str, languages: Iterable[str]) -> Iterator[Offer]:
    does = _DOES.get(verb, f"Run {verb}")
    yield Offer(verb, does, (verb,))
    yield Offer(verb + PARALLEL, f"{does}, side by side", (verb,), parallel=True)
    for language in languages:
        text = f"{does}: {language} only"
        yield Offer(
            f"{verb}-{language}", text, (verb,), (language,), aliases=(f"{language}.{verb}",)
        )


def _languages(config: Config, found: Workspace, bodies: Iterable[Body]) -> dict[str, set[str]]:
    """The languages of each verb that some project has."""
    languages = found.languages_of_verbs(audit=config.audit)
    for name, said in config.tasks.items():
        if said.command is not None:
            verb, project, _ = name.split(":", 2)
            own = found.projects[project].languages if project in found.projects else ()
            languages.setdefault(said.verb or verb, set()).update(own if len(own) == 1 else ())
    for body in bodies:
        languages.setdefault(body.verb, set()).update([body.language] if body.language else ())
    return languages


def verbs_of(folder: Path, text: str, bodies: Iterable[Body]) -> tuple[str, ...]:
    """The verbs of ``--select``: verbs and pipelines, with commas between."""
    config = configuration.load(folder)
    own = [*(body.verb for body in bodies), *(n.partition(":")[0] for n in config.tasks)]
    known = {*config.verb_order(), *own, *config.pipelines}
    verbs: dict[str, None] = {}
    for name in filter(None, (each.strip() for each in text.split(","))):
        if name not in known:
            hint = did_you_mean(name, known) or f"; known: {', '.join(sorted(known))}"
            raise UserError(f"--select {text}: there is no verb or pipeline {name!r}{hint}")
        verbs.update(dict.fromkeys(config.pipelines.get(name, (name,))))
    if not verbs:
        raise UserError("--select: names no verb; give verbs or pipelines with commas between")
    return tuple(verbs)


def plan(request: Request, bodies: Sequence[Body]) -> Plan:
    """Plan a request with the tasks of Python bodies."""
    from polylane.planning import make_plan

    return make_plan(with_bodies(request, bodies, None))


def run(request: Request, bodies: Sequence[Body], config: Any = None) -> RunResult:
    """Run a request with the tasks of Python bodies; ``config`` is Invoke's, for their contexts."""
    with garbage.paused():
        from polylane.start import start

    return start(with_bodies(request, bodies, config))


def with_bodies(request: Request, bodies: Sequence[Body], config: Any) -> Request:
    """Add the tasks of Python bodies to a request."""
    if not bodies:
        return request
    from polylane.integrations import bodies as module

    module.check(bodies)
    return request._replace(
        bodies=module.callables(bodies, config),
        own_tasks=lambda ours, found: module.tasks(bodies, ours, found),
    )
