"""Traces of programs that make it hard: many, long, killed, hidden, elsewhere, or confined."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from polylane.run.tracing import supervisor
from polylane.run.tracing.recorder import Recorder
from polylane.run.tracing.syscalls import ARCHITECTURES
from polylane.run.tracing.tracer import Tracer
from tests.run.tracing.traces import TRACED, below, in_thread, trace, trace_python
from tests.support import FORKS, LIMIT_S, in_fork, is_alive, python, state, wait_for

pytestmark = [FORKS, TRACED]

#: A static filter as a program may install for itself: mkdir gets EPERM, all else is allowed.
_OWN_FILTER = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
steps = [(0x20, 0, 0, 0), (0x15, 1, 0, NR), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]
code = b"".join(struct.pack("=HBBI", *step) for step in steps)
kept = ctypes.create_string_buffer(code, len(code))
head = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(kept)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, head, 0, 0) == 0
"""


def test_two_hundred_processes_at_once_are_seen(tmp_path: Path) -> None:
    """Each writes two files of its own."""
    script = "i=0; while [ $i -lt 200 ]; do (echo > a$i; mkdir b$i) & i=$((i + 1)); done; wait"
    ended = trace(tmp_path, script)
    assert ended.code == 0
    assert below(tmp_path, ended.touches.written) == {f"{x}{i}" for x in "ab" for i in range(200)}
    assert ended.touches.lost == {}


def test_threads_at_once_are_seen(tmp_path: Path) -> None:
    """They wait for answers side by side."""
    touches = trace_python(
        tmp_path,
        "import threading",
        "def run(n):",
        "    for i in range(50): open(f'{n}-{i}', 'w').close()",
        "threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]",
        "for t in threads: t.start()",
        "for t in threads: t.join()",
    )
    assert below(tmp_path, touches.written) == {f"{n}-{i}" for n in range(8) for i in range(50)}


def test_the_longest_path_is_seen(tmp_path: Path) -> None:
    """4,095 bytes, absolute; and as long again below the current folder."""
    name = "n" * 250
    long = f"{tmp_path}/"
    long += "./" * ((4095 - len(long) - len(name)) // 2) + name
    lines = (
        f"open({long!r}, 'w').close()",
        "for _ in range(12): os.mkdir('d' * 250); os.chdir('d' * 250)",
        "open('./' * 1900 + 'below', 'w').close(); os.stat('./' * 1900 + 'below')",
        "os.stat('./' * 1900 + 'none') if os.path.exists('none') else None",
    )
    touches = trace_python(tmp_path, *lines)
    deep = "/".join(["d" * 250] * 12)
    assert {name, f"{deep}/below"} <= below(tmp_path, touches.written)
    assert below(tmp_path, touches.missing) == {f"{deep}/none"}
    assert touches.lost == {}


def test_a_path_that_the_kernel_refuses_is_not_lost(tmp_path: Path) -> None:
    """Too long, at a closed descriptor, or no address at all: such calls touch nothing."""
    lines = (
        "import ctypes",
        "libc = ctypes.CDLL(None)",
        "libc.mkdir(b'x' * 5000, 0); libc.mkdirat(999, b'x', 0); libc.mkdir(ctypes.c_void_p(8), 0)",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert (below(tmp_path, touches.written), touches.lost) == (set(), {})
    assert touches.calls == 3


def test_a_path_across_two_pages_is_whole(tmp_path: Path) -> None:
    """And one at the very end of what is mapped."""
    lines = (
        "import ctypes, mmap",
        "page = mmap.PAGESIZE",
        "m = mmap.mmap(-1, 2 * page)",
        "at = ctypes.addressof(ctypes.c_char.from_buffer(m))",
        "libc = ctypes.CDLL(None)",
        "m[page - 3:page + 3] = b'hello\\0'; libc.mkdir(ctypes.c_void_p(at + page - 3), 0)",
        "m[2 * page - 4:] = b'end\\0'; libc.mkdir(ctypes.c_void_p(at + 2 * page - 4), 0)",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert below(tmp_path, touches.written) == {"hello", "end"}


def test_a_process_that_is_killed_while_it_waits_disturbs_nobody(tmp_path: Path) -> None:
    """Its call was never made, so that it touched nothing; the next ones are seen."""
    tracer = Tracer(reads=False)

    def run() -> None:
        os.kill(tracer.session, signal.SIGSTOP)
        wait_for(lambda: state(tracer.session) == "T", "a stopped supervisor")
        for _ in range(3):
            waits = subprocess.Popen(["/bin/mkdir", "never"], cwd=tmp_path)
            wait_for(lambda: _is_asking(waits.pid), "a call that waits")  # noqa: B023
            waits.kill()
            waits.wait(LIMIT_S)
        os.kill(tracer.session, signal.SIGCONT)
        subprocess.run(["/bin/mkdir", "made"], cwd=tmp_path, check=True, timeout=LIMIT_S)

    in_thread(tracer, run)
    touches = tracer.collect(LIMIT_S)
    assert below(tmp_path, touches.written) == {"made"}
    assert touches.lost == {}


def _is_asking(pid: int) -> bool:
    """Whether a process waits for the answer to a call."""
    return "seccomp" in Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")


def test_a_process_that_is_killed_during_its_answer_touched_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read may even be another's by then; the supervisor goes on."""
    see = Recorder.see

    def kill_it(self: Recorder, tid: int, *rest: Any) -> Any:
        notes = see(self, tid, *rest)
        os.kill(tid, signal.SIGKILL)
        wait_for(lambda: not is_alive(tid), "its end")
        return notes

    monkeypatch.setattr(Recorder, "see", kill_it)
    ended = trace(tmp_path, "/bin/mkdir never; exec true", reads=False)
    assert (ended.code, ended.touches.written, ended.touches.calls) == (0, frozenset(), 0)


def test_a_call_that_was_taken_back_is_no_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOENT: its process was killed between the kernel's word and our question."""

    class Taken:
        """Fails the first question."""

        asked = 0

        def ioctl(self, file: int, request: int, *rest: Any) -> object:
            self.asked += request == supervisor._RECEIVE
            if self.asked == 1 and request == supervisor._RECEIVE:
                raise FileNotFoundError(errno.ENOENT, "taken back")
            return fcntl.ioctl(file, request, *rest)

    monkeypatch.setattr(supervisor, "fcntl", Taken())
    touches = trace_python(tmp_path, "open('x', 'w')", reads=False)
    assert below(tmp_path, touches.written) == {"x"}


def test_a_storm_of_kills_is_survived(tmp_path: Path) -> None:
    """Processes that die at any moment of their calls; then all is as before."""
    storm = tmp_path / "storm"
    storm.mkdir()
    ours = (
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do"
        " (while :; do echo > storm/$i; done) & echo > mark; kill -9 $!; wait $!; done; echo > last"
    )
    ended = trace(tmp_path, ours)
    assert ended.code == 0, ended.output
    assert {"mark", "last"} <= below(tmp_path, ended.touches.written)
    assert ended.touches.lost == {}


def test_signals_lose_no_calls(tmp_path: Path) -> None:
    """A process that is interrupted all the time makes each of its calls, as if untraced.

    As long as its handlers restart calls (`SA_RESTART`): others get EINTR, where untraced calls
    never fail so. See the notes in the package.
    """
    lines = (
        "import signal",
        "signal.signal(signal.SIGALRM, lambda *_: None)",
        "signal.siginterrupt(signal.SIGALRM, False)",
        "signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)",
        "for i in range(300): os.mkdir(f'd{i}')",
        "signal.setitimer(signal.ITIMER_REAL, 0)",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert below(tmp_path, touches.written) == {f"d{i}" for i in range(300)}


def test_a_program_with_a_filter_of_its_own_is_seen(tmp_path: Path) -> None:
    """What its own filter refuses is refused; it may not make ours deaf."""
    numbers = ARCHITECTURES[os.uname().machine].numbers
    number = numbers.get("mkdir", numbers["mkdirat"])
    lines = (
        _OWN_FILTER.replace("NR", str(number)),
        "open('before', 'w').close()",
        "try: os.mkdir('refused'); raise SystemExit('it was not')",
        "except PermissionError: pass",
        "import subprocess; subprocess.run(['/bin/sh', '-c', 'echo > child'], check=True)",
    )
    touches = trace_python(tmp_path, *lines, reads=False)
    assert {"before", "child"} <= below(tmp_path, touches.written)
    assert not (tmp_path / "refused").exists()


def test_rings_do_not_exist(tmp_path: Path) -> None:
    """Calls through `io_uring_setup` would not be seen; programs fall back to plain ones."""
    lines = (
        "import ctypes, errno",
        "libc = ctypes.CDLL(None, use_errno=True)",
        "assert libc.syscall(425, 1, bytes(120)) == -1",
        "assert ctypes.get_errno() == errno.ENOSYS, ctypes.get_errno()",
    )
    trace_python(tmp_path, *lines, reads=False)


def test_what_cannot_be_read_is_counted_as_lost() -> None:
    """A process that lets nobody read it, such as an agent that holds keys; its call goes on."""

    def run() -> list[object]:
        if os.getuid() == 0:  # which may read all
            os.setgid(65534)
            os.setuid(65534)
        tracer = Tracer(reads=False)
        if os.fork() == 0:
            try:
                ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
                tracer.install()
                missing.rmdir()
            except FileNotFoundError:
                os._exit(7)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.wait()[1])
        touches = tracer.collect(LIMIT_S)
        return [code, list(touches.lost.items()), len(touches.written)]

    missing = Path("/tmp/polylane-is-not-here")
    code, lost, written = in_fork(run)
    assert (code, written, len(lost), lost[0][1]) == (7, 0, 1, 1)
    assert lost[0][0].endswith("Operation not permitted")


@pytest.mark.skipif(
    os.getuid() != 0 and shutil.which("unshare") is None, reason="needs unshare(1), or root"
)
def test_another_root_and_another_mount_are_seen_from_here(tmp_path: Path) -> None:
    """Absolute paths mean what they mean for that process: in a mount namespace of its own."""
    (tmp_path / "mount").mkdir()
    as_root = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    works = ["unshare", *as_root, "--mount", "true"]
    if subprocess.call(works, stderr=subprocess.DEVNULL):
        pytest.skip("there are no mount namespaces for us")
    script = (
        f"mount -t tmpfs none {tmp_path}/mount && echo text > {tmp_path}/mount/new"
        f" && cat {tmp_path}/mount/new && test ! -e {tmp_path}/mount/none"
    )
    ended = trace(tmp_path, "unshare", *as_root, "--mount", "/bin/sh", "-c", script)
    assert ended.code == 0, ended.output
    assert below(tmp_path, ended.touches.written) == {"mount/new"}
    assert "mount/new" in below(tmp_path, ended.touches.read)
    assert "mount/none" in below(tmp_path, ended.touches.missing)


def test_a_changed_root_is_seen_from_here(tmp_path: Path) -> None:
    """After ``chroot`` the same path is another file."""
    if os.getuid() != 0:
        pytest.skip("only root may change its root")
    (tmp_path / "jail").mkdir()
    (tmp_path / "jail" / "way").symlink_to("/there")
    (tmp_path / "jail" / "there").mkdir()
    lines = ("os.chroot('jail')", "os.chdir('/')", "open('/new', 'w'); open('/way/x', 'w')")
    touches = trace_python(tmp_path, *lines)
    assert {"jail/new"} <= below(tmp_path, touches.written)
    assert "jail" in below(tmp_path, touches.folders)
    assert below(tmp_path, touches.written) == {"jail/new", "jail/there/x"}


def test_a_defect_of_ours_ends_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call goes on, and the trace says that it does not know what it was."""

    def broken(*_: object) -> None:
        raise ValueError("oh")

    monkeypatch.setattr(Recorder, "see", broken)
    ended = trace(tmp_path, *python("open('x', 'w')"), reads=False)
    assert (ended.code, (tmp_path / "x").exists()) == (0, True)
    assert ended.touches.lost == {"BUG: ValueError: oh": 1}
