"""The pool of lanes: feeding, losing and replacing them; with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from polylane.run import tree
from polylane.run.pool import LanePool
from tests.support import (
    FORKS,
    descriptors,
    is_alive,
    job,
    lanes,
    pids_in,
    python,
    reports,
    run,
    wait_for,
    wait_gone,
)

pytestmark = FORKS

#: Names its lane and a tree of its own, then waits.
WAITING = (
    "sleep 300 & echo $! >> pids; setsid sleep 300 & echo $! >> pids;"
    " (setsid sh -c 'echo $$ >> pids; exec sleep 300' &); echo $$ >> pids; echo $PPID > lane;"
    " while :; do sleep 1; done"
)


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


class TestLanes:
    """How many there are, and what remains of them."""

    def test_tasks_run_side_by_side(self, tmp_path: Path) -> None:
        """Each of two waits for what the other one does."""
        for name in ("a", "b"):
            os.mkfifo(tmp_path / name)
        with lanes() as pool:
            pool.assign(0, job(tmp_path, "echo x > a; read x < b", name="first"))
            pool.assign(1, job(tmp_path, "read x < a; echo x > b", name="second"))
            ended = reports(pool, 2)
        assert {index: report.exit_code for index, report in ended.items()} == {0: 0, 1: 0}

    def test_a_free_lane_is_used_again(self, tmp_path: Path) -> None:
        """One after the other need one lane."""
        script = "echo $PPID >> lanes"
        run(*[job(tmp_path, script)] * 5)
        assert len(set((tmp_path / "lanes").read_text().split())) == 1

    def test_lanes_can_be_there_before_their_tasks(self, tmp_path: Path) -> None:
        """They are used, and leave nothing where nobody used them."""
        before = (descriptors(), tree.children())
        for name in ("a", "b"):
            os.mkfifo(tmp_path / name)
        with lanes(ready=2) as pool:
            there = {pool._zygote.pid_of(number) for number in (0, 1)}
            pool.assign(0, job(tmp_path, "echo $PPID >> lanes; echo x > a; read x < b", name="0"))
            pool.assign(1, job(tmp_path, "echo $PPID >> lanes; read x < a; echo x > b", name="1"))
            reports(pool, 2)
        assert set(map(int, (tmp_path / "lanes").read_text().split())) == there
        with lanes(ready=3):
            pass
        assert (descriptors(), tree.children()) == before

    def test_nothing_remains_of_a_pool(self, tmp_path: Path) -> None:
        """No process, no zombie, no descriptor, no subreaper."""
        run(job(tmp_path, "true"))
        before = (descriptors(), tree.children())
        run(job(tmp_path, "exit 3"), job(tmp_path, "sleep 300 & exit 0"))
        assert (descriptors(), tree.children()) == before
        assert tree.become_subreaper(on=False) is False

    def test_closing_ends_what_runs(self, tmp_path: Path) -> None:
        """Without any grace."""
        with lanes() as pool:
            pool.assign(0, job(tmp_path, f"trap '' TERM; {WAITING}", grace=500.0))
            pids = pids_in(tmp_path / "pids", 4)
        assert not any(map(is_alive, pids))

    def test_a_signal_wakes_the_waiting(self, tmp_path: Path) -> None:
        """Who waits for tasks comes back when the descriptor is readable, once."""
        ours, theirs = os.pipe2(os.O_NONBLOCK)
        with lanes(wakeup=ours) as pool:
            os.write(theirs, b"\2\2")
            assert pool.wait(None) == []
            with pytest.raises(BlockingIOError):
                os.read(ours, 1)
        os.close(ours)
        os.close(theirs)


class TestLostLanes:
    """A lane that dies takes only its own task with it."""

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR2])
    def test_its_task_is_crashed_and_swept(self, tmp_path: Path, number: int) -> None:
        """The other task goes on; a new lane is forked for the next one."""
        first, second = _folder(tmp_path, "first"), _folder(tmp_path, "second")
        os.mkfifo(second / "go")
        with lanes() as pool:
            pool.assign(0, job(first, WAITING))
            pool.assign(1, job(second, "echo $$ > pids; read x < go; exit 3"))
            pids, [lane] = pids_in(first / "pids", 4), pids_in(first / "lane")
            pids_in(second / "pids")
            os.kill(lane, number)
            crashed = reports(pool)[0]
            assert not any(map(is_alive, pids))
            (second / "go").write_text("now\n")
            pool.assign(2, job(tmp_path, "exit 5", name="third"))
            others = reports(pool, 2)
        assert (crashed.kind, crashed.reason) == ("crashed", "its lane died")
        assert [others[1].exit_code, others[2].exit_code] == [3, 5]

    def test_a_body_ends_with_its_lane(self, tmp_path: Path) -> None:
        """It has no part of the channel, whose end would else not be seen."""

        def body(_: tuple[str, ...]) -> int:
            (tmp_path / "lane").write_text(f"{os.getppid()}\n")
            (tmp_path / "pids").write_text(f"{os.getpid()}\n")
            signal.pause()
            return 0

        with lanes(bodies={"all:root:log": body}) as pool:
            pool.assign(0, job(tmp_path))
            [pid] = pids_in(tmp_path / "pids")
            os.kill(pids_in(tmp_path / "lane")[0], signal.SIGKILL)
            assert reports(pool)[0].kind == "crashed"
            assert not is_alive(pid)

    def test_nothing_escapes_the_sweep(self, tmp_path: Path) -> None:
        """The kernel hands on a dead lane's children after the end of its channel."""
        with lanes() as pool:
            for attempt in range(20):
                folder = _folder(tmp_path, str(attempt))
                pool.assign(0, job(folder, WAITING))
                pids, [lane] = pids_in(folder / "pids", 4), pids_in(folder / "lane")
                os.kill(lane, signal.SIGKILL)
                assert reports(pool)[0].kind == "crashed"
                assert not any(map(is_alive, pids))

    def test_an_idle_lane_is_replaced(self, tmp_path: Path) -> None:
        """Whether or not its end was seen before the next task."""
        with lanes() as pool:
            for seen in (False, True):
                pool.assign(0, job(tmp_path, "echo $PPID > lane"))
                reports(pool)
                [lane] = pids_in(tmp_path / "lane")
                os.kill(lane, signal.SIGKILL)
                wait_gone([lane])
                if seen:
                    assert pool.wait(30.0) == []
                pool.assign(0, job(tmp_path, "exit 3"))
                assert reports(pool)[0].exit_code == 3

    def test_one_that_cannot_start(self, tmp_path: Path) -> None:
        """A defect at its birth is a crash of its task, and no hang."""
        with lanes(environment=5) as pool:  # type: ignore[arg-type]
            for task in range(3):
                pool.assign(task, job(tmp_path, "true"))
                assert reports(pool)[task].kind == "crashed"

    def test_one_that_does_not_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Closing waits for a lane only so long, and then ends it with its tree."""
        monkeypatch.setattr("polylane.run.pool._CLOSE_LIMIT_S", 0.2)
        with lanes() as pool:
            pool.assign(0, job(tmp_path, WAITING))
            pids, [lane] = pids_in(tmp_path / "pids", 4), pids_in(tmp_path / "lane")
            os.kill(lane, signal.SIGSTOP)
        assert not any(map(is_alive, [*pids, lane]))

    def test_others_children_are_left_alone(self, tmp_path: Path) -> None:
        """A process that the host starts during a run is none of ours."""
        with lanes() as pool:
            host = subprocess.Popen(["sleep", "300"])
            pool.assign(0, job(tmp_path, WAITING))
            pids_in(tmp_path / "pids", 4)
            os.kill(pids_in(tmp_path / "lane")[0], signal.SIGKILL)
            reports(pool)
        assert host.poll() is None
        host.kill()
        host.wait()


class TestLostZygote:
    """The process that forks lanes is killed."""

    def test_what_runs_goes_on_and_the_rest_is_told(self, tmp_path: Path) -> None:
        """Lanes that are there are used; who needs another one is crashed, with the reason."""
        os.mkfifo(tmp_path / "go")
        with lanes() as pool:
            pool.assign(0, job(tmp_path, "echo $$ > pids; read x < go; exit 3"))
            pids_in(tmp_path / "pids")
            os.kill(_zygote(pool), signal.SIGKILL)
            wait_gone([_zygote(pool)])
            pool.assign(1, job(tmp_path, "exit 5", name="other"))
            refused = reports(pool)[1]
            (tmp_path / "go").write_text("now\n")
            assert reports(pool)[0].exit_code == 3
            pool.assign(2, job(tmp_path, "exit 6"))
            assert reports(pool)[2].exit_code == 6
        assert refused.kind == "crashed"
        assert refused.reason == ("no lane can be started: the process that forks them was killed")

    def test_nothing_is_left(self, tmp_path: Path) -> None:
        """Lanes and their trees end with the pool, also those whose lane was killed too."""
        with lanes() as pool:
            folders = [_folder(tmp_path, name) for name in ("a", "b")]
            for index, folder in enumerate(folders):
                pool.assign(index, job(folder, WAITING))
            pids = [pid for folder in folders for pid in pids_in(folder / "pids", 4)]
            found = [pids_in(folder / "lane")[0] for folder in folders]
            os.kill(_zygote(pool), signal.SIGKILL)
            wait_gone([_zygote(pool)])
            os.kill(found[0], signal.SIGKILL)
            assert reports(pool)[0].kind == "crashed"
            assert is_alive(found[1])
        assert not any(map(is_alive, [*pids, *found]))


def _zygote(pool: LanePool) -> int:
    return pool._zygote.pid


def test_a_lane_that_ends_while_a_descriptor_is_reused(tmp_path: Path) -> None:
    """Ends and starts of many lanes never mix up their tasks."""
    with lanes() as pool:
        for attempt in range(10):
            pool.assign(0, job(tmp_path, f"echo $PPID > lane{attempt}; sleep 300"))
            pool.assign(1, job(tmp_path, f"exit {attempt + 10}", name="other"))
            os.kill(pids_in(tmp_path / f"lane{attempt}")[0], signal.SIGKILL)
            ended = reports(pool, 2)
            assert (ended[0].kind, ended[1].exit_code) == ("crashed", attempt + 10)


def test_what_a_running_task_uses_can_be_asked(tmp_path: Path) -> None:
    """Of each task its own, and nothing of one that has ended."""
    large = "x = b'x' * 80_000_000; open('ready', 'w').close(); import time; time.sleep(300)"
    with lanes() as pool:
        pool.assign(0, job(tmp_path, *python(large), name="large"))
        pool.assign(1, job(tmp_path, "sleep 300", name="small"))
        wait_for((tmp_path / "ready").exists, "large task")
        assert 80_000_000 < pool.resident_bytes(0) < 120_000_000
        wait_for(lambda: 0 < pool.resident_bytes(1) < 20_000_000, "small task")
        assert pool.resident_bytes(2) == 0
        pool.cancel(kill=True)
        reports(pool, 2)
        assert pool.resident_bytes(0) == 0
