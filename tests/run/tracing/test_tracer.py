"""The life of a trace: its start, its end, and what may go wrong with it."""

from __future__ import annotations

import errno
import marshal
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from polylane.run import tree
from polylane.run.tracing import tracer as module
from polylane.run.tracing.syscalls import ARCHITECTURES
from polylane.run.tracing.tracer import Touches, TraceFailedError, Tracer, available
from tests.run.tracing.traces import TRACED, below, in_thread, trace
from tests.support import (
    FORKS,
    LIMIT_S,
    descriptors,
    in_fork,
    is_alive,
    is_gone,
    kill_left,
    pids_in,
    python,
    wait_for,
    wait_gone,
)

pytestmark = [FORKS, TRACED]


def test_the_thread_that_traces_leaves_the_lane_free(tmp_path: Path) -> None:
    """What other threads of the lane write is not traced, nor are they bound to it."""

    def free() -> None:
        before = Path("/proc/thread-self/status").read_text(encoding="utf-8")
        assert "NoNewPrivs:\t0" in before or os.getuid() != 0
        (tmp_path / "ours").write_text("free")

    tracer = Tracer(reads=False)
    in_thread(tracer, (tmp_path / "theirs").touch)
    free()
    touches = tracer.collect(LIMIT_S)
    assert below(tmp_path, touches.written) == {"theirs"}


def test_a_forked_body_can_be_traced(tmp_path: Path) -> None:
    """It installs the trace in itself; then it holds nothing of ours open."""
    tracer = Tracer(reads=True)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            before = descriptors()
            tracer.install()
            (tmp_path / "body").touch()
            code = descriptors() - before + 1  # the channel is closed
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    touches = tracer.collect(LIMIT_S)
    assert below(tmp_path, touches.written) == {"body"}


def test_nothing_is_left_of_a_trace(tmp_path: Path) -> None:
    """No process and no descriptor, after a result and without one."""
    before = descriptors()
    kept = Tracer(reads=True)
    in_thread(kept, lambda: None)
    kept.collect(LIMIT_S)
    assert not kept.lives_on
    kept.close()
    unwanted = Tracer(reads=True)
    in_thread(unwanted, lambda: None)
    unwanted.close()
    assert descriptors() == before
    assert is_gone(kept.session)
    assert is_gone(unwanted.session)


def test_the_result_is_plain_data(tmp_path: Path) -> None:
    """It goes through `marshal`, with names that are no UTF-8."""
    (tmp_path / "bytes").mkdir()
    ended = trace(tmp_path, "printf x > \"bytes/$(printf 'a\\377')\"; cat none; mkdir d")
    again = Touches(*marshal.loads(marshal.dumps(tuple(ended.touches))))
    assert again == ended.touches
    assert os.fsencode(f"{tmp_path}/bytes/") + b"a\xff" in map(os.fsencode, again.written)


def test_the_supervisor_ends_only_after_it_was_asked(tmp_path: Path) -> None:
    """Until then a lane that reaps all its children does not find it; TERM does not end it."""
    tracer = Tracer(reads=False)
    os.kill(tracer.session, signal.SIGTERM)
    in_thread(tracer, (tmp_path / "file").touch)
    wait_for(lambda: _is_waiting(tracer.session), "end of the tree")
    assert is_alive(tracer.session)
    assert below(tmp_path, tracer.collect(LIMIT_S).written) == {"file"}


def _is_waiting(pid: int) -> bool:
    """Whether a process waits for a message: it has seen the end of all that it answered."""
    where = Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")
    return "unix_stream" in where


def test_the_supervisor_has_a_session_of_its_own() -> None:
    """So that it can be left out of the tree that is ended with the task."""
    tracer = Tracer(reads=False)
    try:
        assert tracer.session in tree.below()
        assert tracer.session not in tree.below({tracer.session})
    finally:
        tracer.close()


def test_the_supervisor_holds_nothing_of_the_lane(tmp_path: Path) -> None:
    """Above all not its lifeline, whose end the runner waits for."""
    ours, theirs = os.pipe()
    tracer = Tracer(reads=False)
    in_thread(tracer, lambda: None)
    os.close(theirs)
    assert os.read(ours, 1) == b""
    os.close(ours)
    tracer.close()


def test_a_trace_inside_a_trace_is_refused() -> None:
    """The kernel has one listener for a chain of filters; the inner run says so."""

    def inner() -> list[object]:
        outer, second = Tracer(reads=False), Tracer(reads=False)
        said: list[object] = []

        def again() -> None:
            try:
                second.install()
            except OSError as error:
                said.extend([error.errno, error.strerror])

        in_thread(outer, again)
        outer.collect(LIMIT_S)
        second.close()
        return said

    number, text = in_fork(inner)
    assert number == errno.EBUSY
    assert "hears its calls already" in text


def test_a_trace_whose_supervisor_died_has_failed(tmp_path: Path) -> None:
    """Its calls fail from then on, and nobody takes it for an empty trace."""
    tracer = Tracer(reads=False)
    failed: list[int | None] = []

    def write() -> None:
        os.kill(tracer.session, signal.SIGKILL)
        wait_gone([tracer.session])
        try:
            (tmp_path / "new").mkdir()
        except OSError as error:
            failed.append(error.errno)

    in_thread(tracer, write)
    with pytest.raises(TraceFailedError, match=r"ended too early \(SIGKILL\)"):
        tracer.collect(LIMIT_S)
    assert failed == [errno.ENOSYS]


def test_a_trace_that_was_never_installed_has_failed() -> None:
    """It is no empty trace either."""
    tracer = Tracer(reads=False)
    with pytest.raises(TraceFailedError, match="nothing was ever traced"):
        tracer.collect(LIMIT_S)
    assert is_gone(tracer.session)


def test_a_supervisor_that_does_not_answer_is_ended() -> None:
    """After the limit, which is an error."""
    tracer = Tracer(reads=False)
    in_thread(tracer, lambda: os.kill(tracer.session, signal.SIGSTOP))
    with pytest.raises(TraceFailedError, match="timed out"):
        tracer.collect(0.05)
    assert is_gone(tracer.session)


def test_a_process_that_may_live_on_can_do_so(tmp_path: Path) -> None:
    """Its calls are answered after the result, which is that of the task's time."""
    tracer = Tracer(reads=False)
    program = "while read line; do echo > $line; echo $$ >> pids; done"
    begun: list[subprocess.Popen[str]] = []

    def start() -> None:
        begun.append(
            subprocess.Popen(["/bin/sh", "-c", program], cwd=tmp_path, stdin=-1, text=True)
        )
        _say(begun[0], "during")
        pids_in(tmp_path / "pids", 1)

    in_thread(tracer, start)
    touches = tracer.collect(LIMIT_S)
    assert below(tmp_path, touches.written) == {"during", "pids"}
    _say(begun[0], "after")
    pids_in(tmp_path / "pids", 2)
    assert is_alive(tracer.session)
    assert tracer.lives_on
    begun[0].communicate()
    wait_gone([tracer.session])
    kill_left([tracer.session])


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def test_landlock_in_the_same_thread_refuses_what_the_trace_sees(tmp_path: Path) -> None:
    """A write that was refused is an attempt with its path."""
    from polylane.run import landlock

    if not landlock.abi():
        pytest.skip("the kernel has no Landlock")
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    ruleset = landlock.Ruleset([str(tmp_path / "own"), "/dev/null"])
    tracer = Tracer(reads=True)
    codes: list[int] = []

    def start() -> None:
        ruleset.restrict_thread()
        script = "echo > own/a; echo > other/b"
        codes.append(subprocess.call(["/bin/sh", "-c", script], cwd=tmp_path, stderr=-3))

    in_thread(tracer, start)
    touches = tracer.collect(LIMIT_S)
    assert below(tmp_path, touches.written) == {"own/a", "other/b"}
    assert codes[0] != 0
    assert not (tmp_path / "other" / "b").exists()


def test_it_is_said_why_there_can_be_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is not known, an old kernel, or Yama."""
    assert available() == ""
    name = os.uname()

    def other(machine: str, release: str) -> None:
        said = os.uname_result((name.sysname, name.nodename, release, name.version, machine))
        monkeypatch.setattr(os, "uname", lambda: said)

    other("riscv64", name.release)
    assert "not riscv64" in available()
    other(name.machine, "5.4.0-generic")
    assert "not 5.4.0-generic" in available()
    assert set(ARCHITECTURES) == {"x86_64", "aarch64"}


def test_yama_needs_a_right_or_an_ancestor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its usual setting lets only ancestors read a process, and the supervisor is none."""
    scope = tmp_path / "scope"
    monkeypatch.setattr(module, "_SCOPE", str(scope))
    for said, may, works in (
        (0, False, True),
        (1, True, True),
        (1, False, False),
        (3, True, False),
    ):
        scope.write_text(f"{said}\n")
        monkeypatch.setattr(module, "_may_trace", lambda may=may: may)
        assert (available() == "") is works
    assert "ptrace_scope is 3" in available()


def test_two_traces_at_once_do_not_meet(tmp_path: Path) -> None:
    """Each sees its own tree, in whatever order they end."""
    first, second = Tracer(reads=False), Tracer(reads=False)
    both = threading.Barrier(2)
    threads = [
        threading.Thread(target=_touch_together, args=(each, both, tmp_path / name))
        for each, name in ((first, "a"), (second, "b"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert below(tmp_path, second.collect(LIMIT_S).written) == {"b"}
    assert below(tmp_path, first.collect(LIMIT_S).written) == {"a"}


def _touch_together(tracer: Tracer, both: threading.Barrier, path: Path) -> None:
    tracer.install()
    both.wait(LIMIT_S)
    subprocess.run(python(f"open({str(path)!r}, 'w')"), check=True)
