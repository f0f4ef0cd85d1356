"""Messages between the runner and a lane."""

from __future__ import annotations

import socket
import threading

import pytest

from polylane.run import protocol


def test_what_is_sent_arrives() -> None:
    """Any plain data, also text that is no Unicode, and messages far above a socket's buffer."""
    ours, theirs = socket.socketpair()
    message = ("run", ("ä\udcff", ("x" * 3_000_000,), True, None, 1.5, 7, ()))
    with ours, theirs:
        sender = threading.Thread(target=protocol.send, args=(ours, *message))
        sender.start()
        assert protocol.receive(theirs) == message
        sender.join()


@pytest.mark.parametrize("size", [0, 1, 4, 5, 20])
def test_half_a_message_is_an_end(size: int) -> None:
    """A sender that died in the middle of a message has said nothing."""
    whole, other = socket.socketpair()
    with whole, other:
        protocol.send(whole, "exited", 0, "x" * 100)
        data = other.recv(1000)
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(data[:size])
        ours.close()
        assert protocol.receive(theirs) is None


def test_a_reset_is_an_end() -> None:
    """A receiver that closes with unread data resets the channel."""
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(b"unread")
        theirs.close()
        assert protocol.receive(ours) is None
        with pytest.raises(OSError, match="Broken pipe"):
            protocol.send(ours, "run")
