"""What the runner and a lane say to each other: one assignment there, one report back.

Plain data over a stream socket: four bytes of length, then `marshal` (both ends are the same
interpreter, forked). Knows nothing of what the data mean.
"""

import marshal
import socket
from typing import Any

from polylane.records import NamedTuple


class Assignment(NamedTuple):
    """One attempt at one task."""

    id: str
    #: Empty: the task is a Python body, which the lane looks up by ``id``.
    argv: tuple[str, ...]
    shell: bool
    #: Absolute.
    cwd: str
    #: What is added to the environment that the pool was started with.
    env: tuple[tuple[str, str], ...]
    #: Absolute path of the log; empty where the task has the terminal.
    log: str
    #: Seconds.
    timeout: float
    grace: float
    #: Processes that the task leaves behind may live.
    leave: bool
    #: Words for a Python body.
    words: tuple[str, ...] = ()
    #: Where its writes are confined to, as a plain tuple of `sandbox.Confinement`; None: anywhere.
    confinement: tuple[Any, ...] | None = None
    #: A private view to run in, as a plain tuple of `strict.Private`; None: the workspace itself.
    view: tuple[Any, ...] | None = None
    #: Tell what it touches: ``all``, ``writes`` only, or nothing.
    trace: str = ""
    #: Where it was refused something, it may be run again to find out what.
    again: bool = False
    #: Its place at a job server, as a plain tuple of `jobserver.Place`; None: it has none.
    place: tuple[Any, ...] | None = None


class Report(NamedTuple):
    """How one attempt ended."""

    #: ``exited``, ``timed-out``, ``cancelled``, ``not-started`` or ``crashed``.
    kind: str
    exit_code: int | None = None
    signal: int | None = None
    reason: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    max_rss_bytes: int | None = None
    read_bytes: int = 0
    write_bytes: int = 0
    #: Command lines of processes that were alive when the task's own process had ended.
    leftovers: tuple[str, ...] = ()
    #: Sessions of processes that the task left behind and that may live on.
    left: tuple[int, ...] = ()
    #: What it touched, as a plain tuple of `tracing.touches.Touches`; None: nobody asked.
    touches: tuple[Any, ...] | None = None
    #: Paths that it may have been refused to write, absolute.
    refused: tuple[str, ...] = ()
    #: Paths that it wrote in its view and may not, relative to the workspace.
    unclaimed: tuple[str, ...] = ()


#: Requests to a lane.
RUN = "run"
CANCEL = "cancel"
KILL = "kill"
STOP = "stop"
CONTINUE = "continue"


def send(channel: socket.socket, *message: Any) -> None:
    """Send one message; `OSError` where the other end is gone."""
    data = marshal.dumps(message)
    channel.sendall(len(data).to_bytes(4, "big") + data)


def receive(channel: socket.socket) -> tuple[Any, ...] | None:
    """Receive one message, waiting for it; None where the other end is gone."""
    head = _exactly(channel, 4)
    if head is None:
        return None
    body = _exactly(channel, int.from_bytes(head, "big"))
    if body is None:
        return None
    message: tuple[Any, ...] = marshal.loads(body)  # noqa: S302 - from our own fork
    return message


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        try:
            chunk = channel.recv(size - len(data))
        except ConnectionError:
            return None
        if not chunk:
            return None
        data += chunk
    return data
