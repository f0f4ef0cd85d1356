"""The supervisor's own means; what it answers is tested with the tracer."""

from __future__ import annotations

import os
import platform

import pytest

from polylane.run.tracing.bpf import Filter
from polylane.run.tracing.supervisor import wake_on_same_core
from polylane.run.tracing.syscalls import ARCHITECTURES
from tests.run.tracing.traces import TRACED
from tests.support import FORKS, in_fork

pytestmark = [FORKS, TRACED]

_RELEASE = tuple(int(part) for part in platform.release().replace("-", ".").split(".")[:2])


@pytest.mark.skipif(_RELEASE < (6, 6), reason="Linux before 6.6 wakes any core")
def test_the_kernel_takes_the_flag() -> None:
    """Without it each call of an idle machine takes twice as long, and nothing else would show."""

    def ask() -> bool:
        listener = Filter(ARCHITECTURES[os.uname().machine], reads=False).install()
        return wake_on_same_core(listener)

    assert in_fork(ask)


def test_what_is_no_listener_has_no_such_flag() -> None:
    """As on older kernels, the trace goes on without."""
    said, say = os.pipe()
    assert not wake_on_same_core(said)
    os.close(said)
    os.close(say)
