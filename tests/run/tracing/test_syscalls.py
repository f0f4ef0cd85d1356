"""The tables of system calls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polylane.run.tracing.syscalls import ARCHITECTURES, CALLS

#: Where Debian and others keep the kernel's own tables.
_HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
def test_the_numbers_are_those_of_the_kernel(machine: str) -> None:
    """As far as this machine's headers know them: later calls number alike everywhere."""
    if not _HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    text = _HEADERS[machine].read_text(encoding="utf-8")
    kernel = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", text))
    kernel["newfstatat"] = kernel.get("newfstatat", kernel.get("fstatat", ""))
    numbers = ARCHITECTURES[machine].numbers
    assert {n: kernel[n] for n in numbers if kernel.get(n)} == {
        n: str(number) for n, number in numbers.items() if kernel.get(n)
    }
    assert len(set(numbers.values())) == len(numbers)


def test_each_architecture_has_the_calls_at_descriptors() -> None:
    """arm64 has only these, x86-64 also the older ones without a descriptor."""
    modern = {n for n in CALLS if n in ARCHITECTURES["aarch64"].numbers}
    assert modern <= ARCHITECTURES["x86_64"].numbers.keys()
    assert set(CALLS) == set(ARCHITECTURES["x86_64"].numbers) & set(CALLS)
