"""The Invoke tasks ``lanes.*``: what polylane says of a workspace and of itself.

Each turns what Invoke was given into a request, and what comes of it into text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.tasks import Task

from polylane.errors import FAILED, UserError
from polylane.integrations import bodies, offers
from polylane.integrations.invoke_flags import exits, invoke_task, names, request
from polylane.plan.selection import Selection


def collection(folder: Path) -> Collection:
    """Return the collection ``lanes`` of a workspace."""
    lanes = Collection("lanes")
    for make in (_plan, _trace, _validate, _doctor, _slots, _report, _stats):
        lanes.add_task(make(folder))
    return lanes


def _plan(folder: Path) -> Task[Any]:
    def plan(
        c: Any,
        select: str = "",
        project: Sequence[str] | None = None,
        language: str = "",
        jobs: str = "",
        sequential: bool = False,
    ) -> None:
        """Show the plan: every task, its command, what it comes after, and what was left out."""
        from polylane.report import plan_text

        with exits():
            selection = _selection(folder, select, project, language)
            asked = request(folder, selection, c, {"jobs": jobs, "sequential": sequential})
            planned = offers.plan(asked, bodies.registry)
            print(plan_text.plan(planned, planned.past()))

    return invoke_task(plan, "plan", ("project",))


def _trace(folder: Path) -> Task[Any]:
    def trace(
        c: Any,
        select: str = "",
        project: Sequence[str] | None = None,
        language: str = "",
        write: bool = False,
        merge: bool = False,
        output: str = "errors",
        timeout: str = "",
        sandbox: str = "",
    ) -> None:
        """Run one task at a time and report what each one reads and writes; 1 if one fails."""
        from polylane.integrations.trace import trace

        with exits():
            selection = _selection(folder, select, project, language)
            flags = {"output": output, "timeout": timeout, "sandbox": sandbox}
            asked = request(folder, selection, c, flags)
            if c.config.run.dry:
                from polylane.report import plan_text

                print(plan_text.commands(offers.plan(asked, bodies.registry)))
                return
            result = trace(asked, bodies.registry, c.config, save=write, merge=merge)
            if result.exit_code:
                raise Exit(code=result.exit_code)

    return invoke_task(trace, "trace", ("project",))


def _validate(folder: Path) -> Task[Any]:
    def validate(
        c: Any,
        select: str = "",
        project: Sequence[str] | None = None,
        language: str = "",
        rounds: str = "5",
        shuffle: str = "",
        jobs: str = "",
        timeout: str = "",
        sandbox: str = "",
    ) -> None:
        """Run in sequence and in many parallel orders, and compare; 1 if something differs."""
        from polylane.integrations.validate import validate

        with exits():
            selection = _selection(folder, select, project, language)
            flags = {"jobs": jobs, "timeout": timeout, "sandbox": sandbox}
            asked = request(folder, selection, c, flags)
            if code := validate(asked, bodies.registry, c.config, rounds, shuffle):
                raise Exit(code=code)

    return invoke_task(validate, "validate", ("project",))


def _doctor(folder: Path) -> Task[Any]:
    def doctor(_: Any) -> None:
        """Say what protects tasks, what was found and what is missing; 1 if tasks need that."""
        from polylane.integrations.doctor import examine
        from polylane.report import doctor_text

        with exits():
            sections = examine(folder, bodies.registry)
            print(doctor_text.text(sections))
            if any(fact.needed for section in sections for fact in section.facts):
                raise Exit(code=FAILED)

    return invoke_task(doctor, "doctor", ())


def _slots(folder: Path) -> Task[Any]:
    def slots(_: Any) -> None:
        """Show who has the slots of this machine, since when, and which runs wait for one."""
        from polylane.describe import config
        from polylane.report import slots_text
        from polylane.run.slot_survey import survey

        with exits():
            where = config.load(folder).slots_folder
            try:
                print(slots_text.text(survey(where)))
            except OSError as error:
                raise UserError(f"{error.filename}: {error.strerror}") from None

    return invoke_task(slots, "slots", ())


def _report(folder: Path) -> Task[Any]:
    def report(_: Any, run: str = "", report: Sequence[str] | None = None) -> None:
        """Write reports of a run that has ended, in the formats of --report."""
        from polylane.integrations.report import write as save

        with exits():
            save(folder, run, tuple(report or ()))

    return invoke_task(report, "report", ("report",))


def _stats(folder: Path) -> Task[Any]:
    def stats(_: Any, html: str = "") -> None:
        """Show what tasks and pipelines took over time, how often they passed, what is flaky."""
        from polylane.integrations.stats import show

        with exits():
            print(show(folder, html))

    return invoke_task(stats, "stats", ())


def _selection(
    folder: Path, select: str, project: Sequence[str] | None, language: str
) -> Selection:
    verbs = offers.verbs_of(folder, select or "qa", bodies.registry)
    return Selection(verbs, names(language), tuple(project or ()))
