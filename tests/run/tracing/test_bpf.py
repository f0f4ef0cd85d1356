"""The filter, decided instruction by instruction as the kernel does, for both architectures."""

from __future__ import annotations

import pytest

from polylane.run.tracing import bpf
from polylane.run.tracing.syscalls import (
    ARCHITECTURES,
    AT_EMPTY_PATH,
    AT_FDCWD,
    CALLS,
    READING,
    Architecture,
)

_O_RDWR, _O_CREAT, _O_TRUNC, _O_CLOEXEC = 0o2, 0o100, 0o1000, 0o2000000

_BOTH = pytest.mark.parametrize("machine", sorted(ARCHITECTURES))


def _verdict(steps: list[bpf.Step], number: int, audit: int, args: tuple[int, ...]) -> int:
    """What a filter returns for a call: the few instructions of classic BPF that it uses."""
    words = {0: number, 4: audit}
    for index, value in enumerate(args):
        words[16 + 8 * index] = value & 0xFFFFFFFF
    accumulator, at = 0, 0
    while True:
        step = steps[at]
        at += 1
        if step.code == 0x20:
            accumulator = words[step.value]
        elif step.code == 0x06:
            return step.value
        else:
            holds = {
                0x15: accumulator == step.value,
                0x35: accumulator >= step.value,
                0x45: bool(accumulator & step.value),
            }[step.code]
            at += step.if_true if holds else step.if_false


def _says(machine: str, name: str, *args: int, reads: bool) -> int:
    architecture = ARCHITECTURES[machine]
    steps = bpf.program(architecture, reads=reads)
    padded = (*args, 0, 0, 0, 0, 0, 0)[:6]
    return _verdict(steps, architecture.numbers[name], architecture.audit, padded)


@_BOTH
def test_a_trace_of_writes_lets_plain_opens_pass(machine: str) -> None:
    """They are most of all calls; those that may write are notified."""
    for flags in (0, _O_CLOEXEC, 0o200000, 0o400000):
        assert _says(machine, "openat", AT_FDCWD, 1, flags, reads=False) == bpf.ALLOW
    for flags in (0o1, _O_RDWR, _O_CREAT, _O_TRUNC, 0o20000000 | _O_RDWR):
        assert _says(machine, "openat", AT_FDCWD, 1, flags, reads=False) == bpf.NOTIFY


@_BOTH
def test_a_trace_of_writes_never_hears_of_reads(machine: str) -> None:
    """Above all not of ``execve``: its process may share the memory of the lane."""
    numbers = ARCHITECTURES[machine].numbers
    for name in (n for n, call in CALLS.items() if call.act in READING and n in numbers):
        assert _says(machine, name, reads=False) == bpf.ALLOW, name
        assert _says(machine, name, reads=True) == bpf.NOTIFY, name


@_BOTH
def test_whatever_names_a_file_to_change_is_notified(machine: str) -> None:
    """In both kinds of trace."""
    numbers = ARCHITECTURES[machine].numbers
    for name, call in CALLS.items():
        if name in numbers and call.act not in {*READING, "open"}:
            assert _says(machine, name, reads=False) == bpf.NOTIFY, name
            assert _says(machine, name, reads=True) == bpf.NOTIFY, name


@_BOTH
@pytest.mark.parametrize(("name", "flags"), [("newfstatat", 3), ("statx", 2)])
def test_a_question_about_a_descriptor_passes(machine: str, name: str, flags: int) -> None:
    """It names no path; the same about a path, or about the current folder, is notified."""
    args = [5, 1, 0, 0]
    assert _says(machine, name, *args, reads=True) == bpf.NOTIFY
    args[flags] = AT_EMPTY_PATH
    assert _says(machine, name, *args, reads=True) == bpf.ALLOW
    args[0] = AT_FDCWD
    assert _says(machine, name, *args, reads=True) == bpf.NOTIFY


@_BOTH
def test_calls_that_could_not_be_seen_do_not_exist(machine: str) -> None:
    """A ring makes its calls without the filter; so would x32, by other numbers."""
    architecture = ARCHITECTURES[machine]
    for reads in (True, False):
        assert _says(machine, "io_uring_setup", reads=reads) == bpf.NO_SUCH_CALL
    if architecture.foreign is not None:
        steps = bpf.program(architecture, reads=False)
        x32 = architecture.foreign + architecture.numbers["openat"]
        assert _verdict(steps, x32, architecture.audit, (0,) * 6) == bpf.NO_SUCH_CALL


@_BOTH
def test_calls_of_another_architecture_are_notified(machine: str) -> None:
    """They cannot be read, but counted."""
    steps = bpf.program(ARCHITECTURES[machine], reads=False)
    assert _verdict(steps, 39, 0x40000003, (0,) * 6) == bpf.NOTIFY


@_BOTH
def test_all_other_calls_pass(machine: str) -> None:
    """No number that is not in the table is notified."""
    architecture: Architecture = ARCHITECTURES[machine]
    steps = bpf.program(architecture, reads=True)
    for number in set(range(500)) - set(architecture.numbers.values()):
        assert _verdict(steps, number, architecture.audit, (0,) * 6) == bpf.ALLOW
