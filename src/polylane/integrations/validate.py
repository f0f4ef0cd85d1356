"""``lanes.validate``: plans, locks the workspace, makes a certificate, and prints it.

Knows nothing of Invoke.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polylane.describe.home import home
from polylane.errors import PASSED, UserError
from polylane.integrations import offers
from polylane.plan.orders import Coverage
from polylane.planning import Plan, Request, make_plan
from polylane.prove.certificate import Asked, to_json
from polylane.prove.certify import Certifier
from polylane.remember import certificates
from polylane.report import certificate_text
from polylane.run import slots
from polylane.run.signals import Signals
from polylane.run.views import places
from polylane.start import lock_workspace

if TYPE_CHECKING:
    from polylane.integrations.bodies import Body

#: Two tasks at once are the least that can meet.
_LEAST_JOBS = 2


def validate(
    request: Request, bodies: Sequence[Body], config: Any, rounds: str, shuffle: str
) -> int:
    """Make a certificate and print it; returns its exit code. ``config`` is Invoke's."""
    request = offers.with_bodies(request, bodies, config)
    plan = make_plan(request)
    asked = Asked(_rounds(rounds), _seed(shuffle), _jobs(request, plan))
    if config.run.dry:
        from polylane.report import plan_text

        _say(plan_text.commands(plan))
        return PASSED
    locks = lock_workspace(plan)
    try:
        return _certify(make_plan(request), request, asked)
    finally:
        locks.release()


def _certify(plan: Plan, request: Request, asked: Asked) -> int:
    folder = certificates.new_folder(plan.config.folder)
    place = places.choose(plan.config.folder, home(plan.config.folder) / "views")
    pairs = len(Coverage(plan.graph).pairs)
    tasks = len(plan.graph.tasks)
    _say(certificate_text.beginning(tasks, pairs, asked.rounds, asked.seed, place))
    with Signals() as signals:
        certificate = Certifier(
            plan,
            request,
            asked,
            place,
            folder,
            signals,
            lambda done: _say(certificate_text.step(done, asked.rounds)),
        ).run()
        path = folder.write(to_json(certificate))
        _say(certificate_text.text(certificate, path))
    certificates.prune(plan.config.folder, plan.config.keep_runs)
    return certificate.exit_code


def _say(text: str) -> None:
    print(text, flush=True)


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"--rounds = {text!r}: must be a whole number above 0")
    return int(text)


def _seed(text: str) -> int:
    """One that nobody said is short enough to be typed."""
    if not text:
        return secrets.randbelow(10**6)
    if not text.isdecimal():
        raise UserError(f"--shuffle = {text!r}: must be a whole number, such as the one printed")
    return int(text)


def _jobs(request: Request, plan: Plan) -> int:
    said = slots.resolve_jobs(
        plan.config.jobs if request.jobs is None else request.jobs, slots.cores()
    )
    if request.jobs is not None and said < _LEAST_JOBS:
        raise UserError(
            f"--jobs = {request.jobs!r}: must be at least {_LEAST_JOBS}, or no two tasks meet"
        )
    return max(said, _LEAST_JOBS)
