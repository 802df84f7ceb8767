"""Ctrl-C while a process is started, which is meant for the process that starts it."""

import contextlib
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def interruption_waits() -> Iterator[None]:
    """Within it, Ctrl-C waits: a new process has the handler of this one until it ignores the signal itself.

    The mask is for the new process, which inherits it. This one may have another thread, such as that of the progress
    line, which takes the signal in spite of the mask; the handler, which only the main thread may set, is for that.
    """
    if sys.platform == "win32":
        yield
        return
    came: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    with contextlib.suppress(ValueError):  # in another thread, where Ctrl-C raises nothing
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, handler)
        if came and callable(handler):  # called here, since a signal that is raised again may interrupt a `__del__`
            handler(came[0], None)
        elif came:
            signal.raise_signal(came[0])
