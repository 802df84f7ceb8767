"""The memory of this process.

References:
    getrusage(2): `ru_maxrss` counts in KiB, on macOS in bytes.
    proc_pid_statm(5): the first number is the size in pages.
"""

import os
import sys


def peak_memory() -> int:
    """The most bytes of memory that this process has held. A fork begins with no more than its parent's."""
    if sys.platform == "win32":
        import psutil  # late: it takes longer than the question

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def address_space() -> int:
    """Bytes of address space that this process has; 0 where the system does not say. A fork has its parent's."""
    if sys.platform != "linux":
        return 0
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = file.read().split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
