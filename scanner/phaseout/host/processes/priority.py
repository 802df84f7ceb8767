"""Lowers the priority of this process below everything else on the machine."""

import os
import sys
from contextlib import suppress

_DARWIN_PROCESS = 4  # PRIO_DARWIN_PROCESS
_DARWIN_BACKGROUND = 0x1000  # PRIO_DARWIN_BG: the lowest CPU priority, disk access throttled


def lower_priority() -> None:
    """Lowest CPU priority and idle disk priority for this process, as far as the system lets us.

    References:
        nice(2), ioprio_set(2); setpriority(2) of macOS; psutil (nice, ionice: IDLE_PRIORITY_CLASS and IOPRIO_VERYLOW
        on Windows).
    """
    if sys.platform == "darwin":
        with suppress(OSError):
            os.setpriority(_DARWIN_PROCESS, 0, _DARWIN_BACKGROUND)
        return
    import psutil

    process = psutil.Process()
    with suppress(psutil.Error, OSError, AttributeError, ValueError):
        if sys.platform == "win32":
            process.nice(psutil.IDLE_PRIORITY_CLASS)
            process.ionice(psutil.IOPRIO_VERYLOW)
        else:
            process.nice(19)
            process.ionice(psutil.IOPRIO_CLASS_IDLE)
