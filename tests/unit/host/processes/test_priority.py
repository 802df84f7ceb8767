"""The worker steps back, and its supervisor does not."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from phaseout.host.processes.priority import lower_priority

from tests.support.places import CODE

LOWER = """
from phaseout.host.processes.priority import lower_priority
lower_priority()
import psutil
process = psutil.Process()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="how Linux says it")
def test_linux() -> None:
    code = LOWER + "print(process.nice(), process.ionice().ioclass.name)"
    told = subprocess.run([sys.executable, "-c", code], cwd=CODE, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["19", psutil.IOPRIO_CLASS_IDLE.name]


def test_windows(on_windows: Callable[..., Any]) -> None:
    assert on_windows(LOWER + "tell(process.nice() == psutil.IDLE_PRIORITY_CLASS)")


def test_macos_is_asked_for_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here there is none: what would be asked of it."""
    asked: list[tuple[int, ...]] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "setpriority", lambda *arguments: asked.append(arguments))
    lower_priority()
    assert asked == [(4, 0, 0x1000)]
