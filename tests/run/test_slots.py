"""How many tasks may run, and when one more may start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylane.plan.jobs import Trial
from polylane.run import slots
from polylane.run.slots import LoadGate, cpu_pressure, resolve_jobs


@pytest.mark.parametrize(
    ("said", "available", "jobs"),
    [
        (3, 1, 3),
        ("auto", 1, 1),
        ("auto", 4, 4),
        ("auto", 64, 4),
        ("50%", 8, 4),
        ("50%", 5, 2),
        ("1%", 8, 1),
        ("200%", 2, 4),
    ],
)
def test_jobs(said: int | str, available: int, jobs: int) -> None:
    """A number is itself; auto is capped; a percentage is rounded down to at least one."""
    assert resolve_jobs(said, available) == jobs


def test_cores_follow_the_affinity() -> None:
    """Not what the machine has, but what we may use."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert slots.cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("limit", "quota", "cores"),
    [("max 100000", None, 8), ("150000 100000", 1.5, 2), ("10000 100000", 0.1, 1)],
)
def test_cores_follow_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, quota: float | None, cores: int
) -> None:
    """The control group's grant, rounded, where it has a limit."""
    (tmp_path / "group").write_text("1:cpu:/old\n0::/user/me\n")
    (tmp_path / "user" / "me").mkdir(parents=True)
    (tmp_path / "user" / "me" / "cpu.max").write_text(limit + "\n")
    found = slots._quota(tmp_path / "group", tmp_path)
    assert found == quota
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(slots, "_quota", lambda: found)
    assert slots.cores() == cores


def test_the_quota_of_old_control_groups(tmp_path: Path) -> None:
    """Version 1; in a container, where the group's own path is not there."""
    (tmp_path / "group").write_text("3:cpu,cpuacct:/box/1\n0::/\n")
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("250000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert slots._quota(tmp_path / "group", tmp_path) == 2.5
    (tmp_path / "none").write_text("3:cpu:/box/1\n")
    (tmp_path / "cpu" / "box" / "1").mkdir(parents=True)
    (tmp_path / "cpu" / "box" / "1" / "cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu" / "box" / "1" / "cpu.cfs_period_us").write_text("100000\n")
    assert slots._quota(tmp_path / "none", tmp_path) == 2.5


def test_a_group_above_may_grant_less(tmp_path: Path) -> None:
    """The least of them holds."""
    (tmp_path / "group").write_text("0::/user/me\n")
    (tmp_path / "user" / "me").mkdir(parents=True)
    (tmp_path / "user" / "me" / "cpu.max").write_text("400000 100000\n")
    (tmp_path / "user" / "cpu.max").write_text("300000 100000\n")
    assert slots._quota(tmp_path / "group", tmp_path) == 3.0


@pytest.mark.parametrize(
    ("said", "count"), [("auto", 12), ("50%", 6), (3, 3), (40, 40), ("off", None)]
)
def test_slots_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, said: int | str, count: int | None
) -> None:
    """Every core, where nothing else is said."""
    monkeypatch.setattr(slots, "cores", lambda: 12)
    assert slots.machine_slots(said) == count


def test_earlier_runs_are_asked_for_only_where_they_matter() -> None:
    """Not where a number was said."""
    asked: list[int] = []

    def trials() -> list[Trial]:
        asked.append(1)
        return [Trial(4, 10.0, 40.0, 40.0, 1.0)]

    assert [resolve_jobs(said, 4, trials) for said in (9, "50%")] == [9, 2]
    assert not asked
    assert [resolve_jobs("auto", cores, trials) for cores in (4, 16)] == [4, 8]


def test_no_quota_without_control_groups(tmp_path: Path) -> None:
    """Where the kernel says nothing, nothing limits."""
    assert slots._quota(tmp_path / "none", tmp_path) is None


class TestPressure:
    """The share of time in which something waited for a CPU."""

    def test_is_a_fraction(self, tmp_path: Path) -> None:
        """The kernel says a percentage of the last ten seconds."""
        (tmp_path / "cpu").write_text(
            "some avg10=37.50 avg60=1.00 avg300=0.00 total=1\n"
            "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
        )
        assert cpu_pressure(tmp_path / "cpu") == 0.375

    @pytest.mark.parametrize("text", [None, "", "some\n", "some avg10=x\n"])
    def test_may_be_unknown(self, tmp_path: Path, text: str | None) -> None:
        """Old kernels have no such file, and others an empty one."""
        if text is not None:
            (tmp_path / "cpu").write_text(text)
        assert cpu_pressure(tmp_path / "cpu") is None


def test_the_runnable_are_counted_by_the_kernel(tmp_path: Path) -> None:
    """As the fourth field of loadavg says; what cannot be read is unknown."""
    (tmp_path / "loadavg").write_text("0.20 0.18 0.12 5/80 11206\n", encoding="ascii")
    assert slots.runnable(tmp_path / "loadavg") == 5
    assert slots.runnable(tmp_path / "none") is None
    assert (slots.runnable() or 0) > 0


class TestLoadGate:
    """Holds tasks back while the machine is overloaded."""

    @pytest.mark.parametrize(("pressure", "may"), [(0.81, False), (0.8, True), (0.0, True)])
    def test_pressure_above_the_limit(
        self, *, monkeypatch: pytest.MonkeyPatch, pressure: float, may: bool
    ) -> None:
        """The limit itself is no overload."""
        monkeypatch.setattr(slots, "cpu_pressure", lambda: pressure)
        monkeypatch.setattr(slots, "runnable", lambda: 7)
        assert LoadGate(0.8, 2).may_start(1) is may

    @pytest.mark.parametrize(("crowd", "may"), [(7, False), (6, True)])
    def test_pressure_without_a_crowd_holds_nothing_back(
        self, *, monkeypatch: pytest.MonkeyPatch, crowd: int, may: bool
    ) -> None:
        """A few tools with threads press hard on their own; three a core are no crowd."""
        monkeypatch.setattr(slots, "cpu_pressure", lambda: 1.0)
        monkeypatch.setattr(slots, "runnable", lambda: crowd)
        assert LoadGate(0.8, 2).may_start(1) is may

    @pytest.mark.parametrize(("load", "may"), [(3.7, False), (3.5, True)])
    def test_load_where_pressure_is_unknown(
        self, *, monkeypatch: pytest.MonkeyPatch, load: float, may: bool
    ) -> None:
        """Above all cores busy and the limit's share of them waiting."""
        monkeypatch.setattr(slots, "cpu_pressure", lambda: None)
        monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
        assert LoadGate(0.8, 2).may_start(1) is may

    def test_nothing_known_holds_nothing_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine that tells no load is not overloaded."""

        def unknown() -> tuple[float, float, float]:
            raise OSError

        monkeypatch.setattr(slots, "cpu_pressure", lambda: None)
        monkeypatch.setattr(os, "getloadavg", unknown)
        assert LoadGate(0.8, 2).may_start(1)

    def test_one_task_may_always_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However busy the machine is, a run makes progress."""
        monkeypatch.setattr(slots, "cpu_pressure", lambda: 1.0)
        assert LoadGate(0.8, 2).may_start(0)

    def test_it_looks_rarely(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A thousand short tasks do not read the counters a thousand times."""
        looks: list[int] = []
        now = [100.0]

        def look() -> float:
            looks.append(1)
            return 0.0

        monkeypatch.setattr(slots, "cpu_pressure", look)
        monkeypatch.setattr(slots, "runnable", lambda: 99)
        monkeypatch.setattr("polylane.run.slots.time.monotonic", lambda: now[0])
        gate = LoadGate(0.8, 2)
        for _ in range(100):
            assert gate.may_start(1)
        now[0] += 0.2
        assert gate.may_start(1)
        assert len(looks) == 2
