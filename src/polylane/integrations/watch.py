"""``--watch``: runs a selection, and again what each change affects, until a signal comes.

A run is never cancelled for a change: it ends, and one more is made for all that came meanwhile. A
formatter or a build that is ended in the middle leaves half a file, and who saves often would never
see the end of slow tests. Knows nothing of how changes are seen.
"""

from __future__ import annotations

import gc
from collections.abc import Collection
from contextlib import closing
from signal import SIGINT

from polylane.errors import FAILED, SIGNAL_BASE, UserError
from polylane.integrations.changes import Changing
from polylane.integrations.own_python import OwnPython
from polylane.integrations.watcher import check
from polylane.outcome import BAD, Outcome
from polylane.plan.affected import affected, heeded, narrowed, unmet, written_by
from polylane.plan.settling import Settling
from polylane.planning import Plan, Request, make_plan
from polylane.result import RunResult
from polylane.run.signals import Signals
from polylane.start import start

#: So many ids are named in a line.
_NAMED = 4


def watch(request: Request) -> int:
    """Run and watch; returns the exit code when a signal came."""
    check()
    plan = make_plan(request)
    with closing(Changing(plan)) as changing:
        return _Session(request, plan, changing).run()


class _Session:
    """A selection, and how each of its tasks ended the last time."""

    def __init__(self, request: Request, plan: Plan, changing: Changing) -> None:
        self._request = request
        self._plan = plan
        self._changing = changing
        self._settling = Settling()
        self._outcomes: dict[str, Outcome] = {}
        self._code = 0
        #: Changes that no run has seen, since there was no plan for one.
        self._pending: frozenset[str] = frozenset()
        self._python = OwnPython(request.folder)
        for path in self._python.files():
            changing.learn(path)

    def run(self) -> int:
        """Run again and again; the exit code when a signal came."""
        todo = frozenset(self._plan.tasks)
        try:
            while not _is_over(result := self._start(todo)):
                with Signals() as signals:
                    todo = self._next(todo, signals)
                    if signals.number:
                        return self._ended_by(signals.number)
        except KeyboardInterrupt:  # between two of those who look after signals
            return self._ended_by(SIGINT)
        return result.exit_code if result else FAILED

    def _ended_by(self, signal: int) -> int:
        """Ctrl-C ends with what is known of the selection: the last run, and what it left out."""
        if signal != SIGINT:
            return SIGNAL_BASE + signal
        return self._code or (FAILED if BAD.intersection(self._outcomes.values()) else 0)

    def _start(self, todo: frozenset[str]) -> RunResult | None:
        """Run some tasks of the plan; None where that cannot be now."""
        try:
            result = start(self._request_for(todo))
        except UserError as error:
            if not self._outcomes:
                raise
            for name in todo:
                self._outcomes.pop(name, None)
            self._code = error.exit_code
            _say(str(error))
            return None
        self._outcomes.update({task.id: task.outcome for task in result.tasks})
        self._code = result.exit_code
        return result

    def _request_for(self, todo: frozenset[str]) -> Request:
        asked, tasks = self._request, self._plan.graph.tasks
        if len(todo) == len(tasks):
            return asked
        takers = (t for t in tasks if t.verb in asked.selection.verbs and t.takes_arguments)
        return asked._replace(
            adapt=lambda selected, _: narrowed(selected, todo),
            selection=asked.selection._replace(note="watch"),
            words=asked.words if any(task.id in todo for task in takers) else (),
            # One of several does not get the terminal: whoever watches those has no debugger open.
            output="live" if asked.output == "auto" and len(todo) == 1 else asked.output,
        )

    def _next(self, done: frozenset[str], signals: Signals) -> frozenset[str]:
        """Wait until there is something to run again, and return it; nothing for a signal."""
        gc.collect()  # what a run leaves in cycles, before the next one freezes what there is
        if todo := self._after(done):
            return todo
        self._say_waiting()
        while (found := self._changing.wait(signals)) is not None:
            self._settling.at_rest(found.paths)
            if todo := self._affected(found.paths, "changed"):
                return todo
        return frozenset()

    def _after(self, done: frozenset[str]) -> frozenset[str]:
        """What to run again for what changed during a run."""
        found = self._changing.so_far()
        written = written_by(t for t in self._plan.graph.tasks if t.id in done)
        changed = self._settling.after_run(found.paths, written, found.ignored)
        if given_up := self._settling.given_up:
            _say(
                f"{_some(given_up)} changed in each of the last runs, and is taken for what tasks"
                " write: it starts nothing until it changes while none runs"
            )
        return self._affected(frozenset(changed), "changed meanwhile") if changed else frozenset()

    def _affected(self, paths: frozenset[str], what: str) -> frozenset[str]:
        """What some changes affect, in the plan of the workspace as it is now."""
        changed = paths | self._pending
        self._pending = changed
        if own := self._python.of(changed, with_bodies=self._has_bodies()):
            if why := self._python.broken(own):
                _say(why)
                return frozenset()
            _say(f"{_some(own)} {what}: starting anew")
            self._changing.close()
            self._python.start_anew()
        try:
            old, self._plan = self._plan, make_plan(self._request)
            if old.graph.tasks != self._plan.graph.tasks:
                self._changing.heed(self._plan)
        except UserError as error:
            _say(str(error))
            return frozenset()
        self._pending = frozenset()
        todo = self._todo(changed, old)
        if todo:
            total = len(self._plan.graph.tasks)
            read = heeded(self._plan.graph.tasks, changed) or changed
            _say(f"{_some(read)} {what}: {_tasks(len(todo), total)}")
        return todo

    def _has_bodies(self) -> bool:
        return not self._request.bodies.keys().isdisjoint(self._plan.tasks)

    def _todo(self, changed: Collection[str], old: Plan) -> frozenset[str]:
        tasks, graph = self._plan.tasks, self._plan.graph
        known = {name: outcome for name, outcome in self._outcomes.items() if name in tasks}
        self._outcomes = known
        again = {n for n, task in tasks.items() if n not in known or old.tasks.get(n) != task}
        waiting = unmet(graph, known)
        if not (todo := affected(graph, changed, again, waiting)):
            return todo
        cancelled = {name for name, outcome in known.items() if outcome is Outcome.CANCELLED}
        return affected(graph, changed, again | cancelled, waiting) if cancelled else todo

    def _say_waiting(self) -> None:
        outcomes = self._outcomes
        bad = [n for n in self._plan.tasks if outcomes.get(n, Outcome.CANCELLED) in _NOT_PASSED]
        more = f"; not passed: {', '.join(bad[:_NAMED])}{', ...' * (len(bad) > _NAMED)}"
        _say(f"waiting for changes (Ctrl-C ends){more if bad else ''}")


_NOT_PASSED = BAD | {Outcome.CANCELLED}


def _is_over(result: RunResult | None) -> bool:
    """Whether a signal ended the run; also the tool that had the terminal, by Ctrl-C."""
    if result is None:
        return False
    return result.exit_code > SIGNAL_BASE or (result.forwarded and result.exit_code != 0)


def _some(paths: Collection[str]) -> str:
    """One of the paths, and how many more there are."""
    return f"{min(paths)}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}"


def _tasks(count: int, total: int) -> str:
    return f"{count} of {total} task{'s' * (total != 1)}"


def _say(text: str) -> None:
    print(f"watch: {text}", flush=True)
