"""Steps back behind whatever else the machine has to do."""

import sys
from contextlib import suppress


def lower_priority() -> None:
    """Lowest CPU priority and idle disk priority for this process, as far as the system lets us.

    References:
        nice(2), ioprio_set(2); psutil (nice, ionice: IDLE_PRIORITY_CLASS and IOPRIO_VERYLOW on Windows).
    """
    import psutil

    process = psutil.Process()
    with suppress(psutil.Error, OSError, AttributeError, ValueError):
        if sys.platform == "win32":
            process.nice(psutil.IDLE_PRIORITY_CLASS)
            process.ionice(psutil.IOPRIO_VERYLOW)
        else:
            process.nice(19)
            if sys.platform == "linux":
                process.ionice(psutil.IOPRIO_CLASS_IDLE)
