"""Ctrl-C while a process is started, which is meant for the process that starts it."""

import contextlib
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def interruption_waits() -> Iterator[None]:
    """Within it, Ctrl-C waits: a new process has the handler of this one until it ignores the signal itself."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
