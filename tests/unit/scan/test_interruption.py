"""Ctrl-C while a process is started."""

import os
import signal
import sys

import pytest
from phaseout.scan.interruption import interruption_waits


@pytest.mark.skipif(sys.platform == "win32", reason="no signals that wait")
def test_it_comes_once_the_process_has_started() -> None:
    reached: list[str] = []

    def starting() -> None:
        with interruption_waits():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        starting()
    assert reached == ["the end"]
