"""Tokens of a job server: lent, used, returned, lost. The clients speak the protocol by hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylane.model import Task
from polylane.outcome import Outcome
from polylane.plan.schedule import Schedule
from polylane.plan.width import Width
from polylane.run.inner import Inner
from polylane.run.jobserver import FIFO, PIPES, Joined, Place, Tokens, join, version
from polylane.run.protocol import Assignment
from tests.plan.examples import graph_of, task
from tests.support import descriptors, job

FORMS = (PIPES, FIFO)


class Client:
    """A tool that runs jobs: it takes a token for each but its first."""

    def __init__(self, place: Place) -> None:
        self._joined = join(place)
        self._read, self._write = self._joined.descriptors[0], self._joined.descriptors[-1]
        os.set_blocking(self._read, False)
        self.held = 0

    def take(self) -> bool:
        try:
            self.held += len(os.read(self._read, 1))
        except BlockingIOError:
            return False
        return True

    def take_all(self) -> int:
        while self.take():
            pass
        return self.held

    def give(self, count: int = 1) -> None:
        os.write(self._write, b"+" * count)
        self.held -= count

    def die(self) -> None:
        self._joined.close()
        self.held = 0


@contextmanager
def tokens(form: str, lent: int) -> Iterator[tuple[Tokens, Client]]:
    made = Tokens(form, 9)
    client = Client(made.place)
    if lent:
        made.lend(lent)
    yield made, client
    client.die()
    made.close()


@pytest.mark.parametrize("form", FORMS)
def test_a_task_takes_what_it_was_lent_and_no_more(form: str) -> None:
    """Its first job needs no token."""
    with tokens(form, 2) as (lent, client):
        assert (client.take_all(), lent.lent) == (2, 2)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_used_comes_back_at_once(form: str) -> None:
    """As much as is wanted."""
    with tokens(form, 3) as (lent, client):
        assert client.take()
        assert (lent.take_back(1), lent.take_back(5), lent.lent) == (1, 1, 1)
        assert not client.take()


@pytest.mark.parametrize("form", FORMS)
def test_what_is_used_comes_back_when_its_job_has_ended(form: str) -> None:
    """And not before."""
    with tokens(form, 2) as (lent, client):
        client.take_all()
        assert lent.take_back(2) == 0
        client.give()
        assert (lent.take_back(2), lent.lent) == (1, 1)


@pytest.mark.parametrize("form", FORMS)
def test_what_nobody_wants_is_the_tasks_to_use_again(form: str) -> None:
    """Two pipes need us for that, one does not."""
    with tokens(form, 2) as (lent, client):
        client.take_all()
        client.give(2)
        assert lent.take_back(0) == 0
        assert (client.take_all(), lent.lent) == (2, 2)


def test_with_two_pipes_a_task_gets_nothing_back_that_is_wanted_elsewhere() -> None:
    """However soon it asks: only we put tokens where it reads."""
    with tokens(PIPES, 2) as (lent, client):
        client.take_all()
        client.give(2)
        assert not client.take()
        assert lent.take_back(2) == 2


def test_a_task_that_returns_what_it_never_had_gets_no_more_by_it() -> None:
    """Some build tools did."""
    with tokens(PIPES, 1) as (lent, client):
        client.take()
        client.give(3)
        assert lent.take_back(0) == 0
        client.held = 0
        assert client.take_all() == 1
        client.give()
        assert (lent.take_back(5), lent.lent) == (1, 0)


@pytest.mark.parametrize("form", FORMS)
def test_what_a_killed_task_held_is_known(form: str) -> None:
    """Nobody asks the pipes."""
    made = Tokens(form, 4)
    before = descriptors()
    client = Client(made.place)
    made.lend(3)
    client.take()
    client.die()
    assert descriptors() == before
    assert (made.close(), made.lent) == (3, 0)


def test_a_place_is_said_as_make_says_it() -> None:
    """Two descriptors, or a named pipe; both are inherited."""
    with tokens(PIPES, 0) as (lent, _):
        joined = join(lent.place)
        read, write = joined.descriptors
        assert joined.variables == {b"MAKEFLAGS": f" -j9 --jobserver-auth={read},{write}".encode()}
        assert os.get_inheritable(read)
        assert os.get_inheritable(write)
        joined.close()
    with tokens(FIFO, 0) as (lent, _):
        joined = join(lent.place)
        (both,) = joined.descriptors
        auth = f" -j9 --jobserver-auth=fifo:/proc/self/fd/{both}"
        assert joined.variables == {b"MAKEFLAGS": auth.encode()}
        joined.close()


def test_a_task_that_cannot_join_goes_without() -> None:
    """No such process, or no /proc; nothing stays open."""
    with tokens(PIPES, 0) as (lent, _):
        before = descriptors()
        assert join(lent.place._replace(pid=2**22)) == Joined()
        assert join(lent.place._replace(write=2**20)) == Joined()
        assert descriptors() == before


def test_what_a_task_does_to_its_descriptors_is_not_done_to_ours() -> None:
    """Make 4.3 sets O_NONBLOCK on the description that it inherits."""
    with tokens(PIPES, 0) as (lent, _):
        joined = join(lent.place)
        os.set_blocking(joined.descriptors[0], False)
        again = join(lent.place)
        assert os.get_blocking(again.descriptors[0])
        joined.close()
        again.close()


def test_a_version_is_read_as_tools_say_it(tmp_path: Path) -> None:
    """GNU make by its name; nothing where a program says none, fails, or is missing."""

    def program(text: str) -> str:
        path = tmp_path / "tool"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    assert version(program("echo 'GNU Make 4.3'; echo Built")) == (4, 3)
    assert version(program("echo 1.13.2.git.pipe-1")) == (1, 13)
    assert version(program("echo bmake")) == ()
    assert version(program("echo 1.2; exit 3")) == ()
    assert version(str(tmp_path / "none")) == ()
    assert version(sys.executable) == ()


class World:
    """A run whose clients and ends are drawn."""

    def __init__(self, slots: int, tasks: list[Task], widths: list[Width]) -> None:
        self.slots = slots
        self.schedule = Schedule(graph_of(*tasks), slots=slots, widths=widths)
        self.watched: set[int] = set()
        self.inner = Inner(tasks, self.schedule, {}, self._watch)
        self.clients: dict[int, Client] = {}

    def _watch(self, descriptor: int, on: bool) -> None:  # noqa: FBT001
        assert (descriptor in self.watched) != on
        (self.watched.add if on else self.watched.remove)(descriptor)

    def turn(self) -> None:
        """As the runner does."""
        self._start()
        while self.inner.take_back():
            self._start()
        self.inner.lend()

    def _start(self) -> None:
        while (index := self.schedule.start_next()) is not None:
            made = self.inner.widened(index, _assignment(self.schedule.graph.tasks[index]))
            if made.place is not None:
                self.clients[index] = Client(Place(*made.place))

    def end(self, index: int) -> None:
        if index in self.clients:
            self.clients.pop(index).die()  # with all that it holds
        self.inner.ended(index)
        self.schedule.finish(index, Outcome.PASSED)

    def jobs(self) -> int:
        """How many run at this moment."""
        widths = sum(map(self.schedule.slots_of, self.schedule.running))
        own = sum(self.schedule.slots_of(i) - 1 for i in self.clients)
        return widths - own + sum(client.held for client in self.clients.values())


def _assignment(each: Task) -> Assignment:
    return job(Path("/"), *each.argv, "x", name=each.id)


_KINDS = {
    "make": (("make", "-j"), Width()),
    "wide": (("make", "x"), Width(2)),
    "ninja": (("ninja",), Width()),
    "plain": (("true",), Width()),
    "elastic": (("pytest", "-n", "auto"), Width(elastic=True)),
}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_jobs_never_exceed_the_slots_and_all_tokens_come_back(data: st.DataObject) -> None:
    """Random clients take, return, end, and are killed with what they hold."""
    kinds = data.draw(st.lists(st.sampled_from(sorted(_KINDS)), min_size=1, max_size=6))
    names = [f"t{i}" for i in range(len(kinds))]
    tasks = [
        task(
            name,
            argv=_KINDS[kind][0],
            slots=_KINDS[kind][1].least if kind == "wide" else 0,
            after=tuple(data.draw(st.sets(st.sampled_from(names[:i]), max_size=1))) if i else (),
        )
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
    ]
    slots = data.draw(st.integers(1, 5))
    world = World(slots, tasks, [_KINDS[kind][1] for kind in kinds])
    for _ in range(60):
        if world.schedule.done:
            break
        world.turn()
        assert world.jobs() <= slots
        what = data.draw(st.sampled_from(("take", "take", "give", "end")))
        client = data.draw(st.sampled_from([*world.clients.values(), None]))
        if what == "end":
            world.end(data.draw(st.sampled_from(sorted(world.schedule.running))))
        elif client is not None and what == "take":
            client.take()
        elif client is not None and client.held:
            client.give()
        assert world.jobs() <= slots
    while not world.schedule.done:
        world.turn()
        world.end(min(world.schedule.running))
    assert world.schedule.free == slots
    assert not world.watched


def test_a_ready_task_gets_a_lent_slot_as_soon_as_its_job_has_ended() -> None:
    """Though the client has more to do."""
    tasks = [task("m", argv=("make", "-j")), task("a"), task("b", after=("a",))]
    world = World(3, [*tasks, task("c", after=("a",))], [Width()] * 4)
    world.turn()
    client = world.clients[0]
    assert client.take_all() == 1
    world.end(1)
    world.turn()
    assert world.schedule.running == {0, 2}
    client.give()
    assert not client.take()
    world.turn()
    assert world.schedule.running == {0, 2, 3}
    assert not client.take()
    world.end(3)
    world.turn()
    assert client.take()
    world.inner.close()


def test_lent_slots_are_shared_evenly() -> None:
    """Among the clients that run."""
    tasks = [task("m", argv=("make", "-j")), task("n", argv=("cargo", "build"))]
    world = World(6, tasks, [Width()] * 2)
    world.turn()
    assert [client.take_all() for client in world.clients.values()] == [2, 2]
    world.end(0)
    world.turn()
    assert world.clients[1].take_all() == 5
    world.inner.close()


def test_slots_that_the_configuration_gives_a_client_are_its_own() -> None:
    """Nobody takes them back."""
    tasks = [task("m", argv=("make", "x"), slots=3), task("a", slots=2)]
    world = World(4, tasks, [Width(3), Width(2)])
    world.turn()
    assert world.schedule.running == {0}
    assert world.clients[0].take_all() == 2
    world.clients[0].give(2)
    world.turn()
    assert world.clients[0].take_all() == 2
    world.inner.close()
