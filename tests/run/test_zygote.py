"""The process that forks lanes."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest

from polylane.run.zygote import Zygote
from tests.support import FORKS, is_alive, wait_for

pytestmark = FORKS


def _echo(channel: socket.socket, terminal: bool) -> NoReturn:  # noqa: FBT001
    """A lane that says who it is, what it has and whether it has the terminal, then repeats."""
    channel.sendall(f"{os.getpid()} {terminal}".encode())
    while data := channel.recv(100):
        channel.sendall(data)
    os._exit(0)


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    made = Zygote(_echo)
    yield made
    made.close()
    os.waitpid(made.pid, 0)


def _fork(zygote: Zygote, *, terminal: bool = False) -> tuple[socket.socket, int, int, str]:
    channel, number = zygote.fork_lane(terminal=terminal)
    pid, has = channel.recv(100).decode().split()
    return channel, number, int(pid), has


def test_lanes_are_numbered_and_know_their_terminal(zygote: Zygote) -> None:
    """Each has a channel of its own."""
    first, second = _fork(zygote), _fork(zygote, terminal=True)
    with first[0], second[0]:
        assert (first[1], first[3], second[1], second[3]) == (0, "False", 1, "True")
        second[0].sendall(b"to the second")
        assert second[0].recv(100) == b"to the second"
        assert not select.select([first[0]], [], [], 0)[0]


def test_a_lanes_end_is_the_end_of_its_channel(zygote: Zygote) -> None:
    """No sibling and no zygote holds the other end."""
    first, second = _fork(zygote), _fork(zygote)
    with first[0], second[0]:
        os.kill(first[2], signal.SIGKILL)
        assert first[0].recv(1) == b""
        second[0].sendall(b"x")
        assert second[0].recv(1) == b"x"


def test_a_lane_is_gone_when_the_zygote_says_so(zygote: Zygote) -> None:
    """Reaped, so that its children have been handed on; asking twice is no harm."""
    channel, number, pid, _ = _fork(zygote)
    with channel:
        os.kill(pid, signal.SIGKILL)
        assert zygote.is_gone(number)
        assert zygote.is_gone(number)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_signals_to_the_group_do_not_end_it(zygote: Zygote) -> None:
    """They are its parent's to answer."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        _fork(zygote)[0].close()  # it is up, and has its handlers
        os.kill(zygote.pid, number)
    _fork(zygote)[0].close()


def test_its_signals_do_not_wake_its_parent() -> None:
    """The wake-up descriptor that it was forked with is the parent's."""
    ours, theirs = os.pipe2(os.O_NONBLOCK)
    before = signal.set_wakeup_fd(theirs)
    try:
        zygote = Zygote(_echo)
        _fork(zygote)[0].close()
        os.kill(zygote.pid, signal.SIGTERM)
        _fork(zygote)[0].close()
        zygote.close()
        os.waitpid(zygote.pid, 0)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)
    finally:
        signal.set_wakeup_fd(before)
        os.close(ours)
        os.close(theirs)


def test_it_ends_after_its_lanes() -> None:
    """The end of the zygote proves the end of every lane."""
    zygote = Zygote(_echo)
    channel, _, pid, _ = _fork(zygote)
    zygote.close()
    assert os.waitpid(zygote.pid, os.WNOHANG) == (0, 0)
    channel.close()
    os.waitpid(zygote.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_killed_zygote_is_an_error() -> None:
    """Whoever asks it for something is told, and its lanes live on."""
    zygote = Zygote(_echo)
    channel, number, pid, _ = _fork(zygote)
    os.kill(zygote.pid, signal.SIGKILL)
    os.waitpid(zygote.pid, 0)
    with channel:
        assert not zygote.is_gone(number)
        with pytest.raises(OSError, match="Broken pipe"):
            zygote.fork_lane(terminal=False)
        channel.sendall(b"x")
        assert channel.recv(1) == b"x"
    # Whoever adopts the orphan may reap it late, such as the lane in which these tests run.
    wait_for(lambda: not is_alive(pid), "end of the lane")
    zygote.close()
