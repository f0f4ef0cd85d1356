"""What signals become while a run is on; each test sends them to a forked child of its own."""

from __future__ import annotations

import os
import select
import signal
import threading

import pytest

from polylane.run.signals import Signals
from tests.support import FORKS, descriptors, in_fork

pytestmark = FORKS


def _put(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)


def _send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_ending_signal_is_a_reason_and_wakes(number: signal.Signals) -> None:
    """Once for each that came; the first one is the run's."""

    def look() -> list[object]:
        with Signals() as signals:
            _send(number)
            _send(signal.SIGTERM)
            woken = select.select([signals.wakeup], [], [], 10)[0] == [signals.wakeup]
            said = [signals.interrupted() for _ in range(3)]
            return [woken, *said, signals.number]

    reason = f"interrupted by {number.name}"
    assert in_fork(look) == [True, reason, reason, "", int(number)]


def test_without_a_signal_nothing_is_said() -> None:
    """The usual case."""
    with Signals() as signals:
        assert (signals.interrupted(), signals.number) == ("", 0)


def test_all_is_as_before_afterwards() -> None:
    """Handlers, the wake-up descriptor and open files of the host."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP)
    before = [signal.getsignal(n) for n in numbers], descriptors()
    with Signals():
        assert [signal.getsignal(n) for n in numbers] != before[0]
    wakeup = signal.set_wakeup_fd(-1)
    assert ([signal.getsignal(n) for n in numbers], descriptors()) == before
    assert wakeup == -1


def test_what_is_ignored_stays_ignored() -> None:
    """`nohup` wants to be obeyed, and the wake-up descriptor is given back all the same."""

    def look() -> list[object]:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        with Signals() as signals:
            _send(signal.SIGHUP)
            said = signals.interrupted()
        return [said, signal.set_wakeup_fd(-1)]

    assert in_fork(look) == ["", -1]


def test_outside_the_main_thread_it_does_nothing() -> None:
    """Python allows no handlers there, and a run works without."""
    said: list[str] = []

    def look() -> None:
        with Signals() as signals:
            said.append(signals.interrupted())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert said == [""]


def test_ctrl_c_is_left_to_the_task_with_the_terminal() -> None:
    """It is no reason to stop, but remembered; TERM still ends the run."""

    def look() -> list[object]:
        with Signals(forward_only=True) as signals:
            _send(signal.SIGINT)
            first = [signals.interrupted(), signals.number, signals.forwarded]
            _send(signal.SIGTERM)
            return [*first, signals.interrupted(), signals.number]

    assert in_fork(look) == ["", 0, True, "interrupted by SIGTERM", 15]


@pytest.mark.parametrize("forward_only", [False, True])
def test_ctrl_z_stops_us_after_the_tasks(*, forward_only: bool) -> None:
    """Tasks stop, we stop, and on SIGCONT first we go on and then they do."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)  # in a group with a parent in the session, stops have an effect
        with Signals(forward_only=forward_only) as signals:
            signals.suspend = lambda: _put(theirs, b"s")
            signals.resume = lambda: _put(theirs, b"r")
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGTSTP)
                os.write(theirs, b"-")
                signals.interrupted()
        os._exit(0)
    for _ in range(2):
        assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
        os.kill(pid, signal.SIGCONT)
    assert os.waitpid(pid, 0)[1] == 0
    os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        assert file.read() == (b"--" if forward_only else b"-sr-sr")
