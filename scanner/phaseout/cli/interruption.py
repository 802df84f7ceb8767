"""Where Ctrl-C is an exception, so that what was begun is finished or taken back.

Everywhere else it ends the process at once (see `phaseout.__main__`): while Python loads a module, it may turn
`KeyboardInterrupt` into any other error, and extension modules may crash.
"""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within it, Ctrl-C raises `KeyboardInterrupt`, unless the process was started to ignore it, as by `nohup`."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
