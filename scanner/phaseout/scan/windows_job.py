"""The job object that bounds the worker on Windows, as `setrlimit` does elsewhere.

References:
    Microsoft, "Job Objects", JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JOBOBJECT_BASIC_LIMIT_INFORMATION.
"""

import ctypes
import sys
from ctypes import wintypes

_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation
_DIE_ON_UNHANDLED_EXCEPTION = 0x400  # a crash ends the worker without a dialog
_PROCESS_MEMORY = 0x100
_KILL_ON_JOB_CLOSE = 0x2000  # ends the worker with the supervisor, however that ends


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION, its basic part and I/O counters written out."""

    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class Job:
    """A job object for one worker and its own processes (a one-file executable is two processes).

    Args:
        process: a handle of the worker with the right to end it.
        memory: bytes that each of its processes may hold.

    Raises:
        OSError: this Windows refuses; the worker runs without limits.
    """

    def __init__(self, process: int, memory: int) -> None:
        if sys.platform != "win32":
            raise OSError("only Windows has job objects")
        self._kernel = kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        self._handle: int | None = kernel.CreateJobObjectW(None, None)
        if not self._handle:
            raise ctypes.WinError(ctypes.get_last_error())
        limits = _Limits(
            LimitFlags=_DIE_ON_UNHANDLED_EXCEPTION | _PROCESS_MEMORY | _KILL_ON_JOB_CLOSE, ProcessMemoryLimit=memory
        )
        if not (
            kernel.SetInformationJobObject(
                wintypes.HANDLE(self._handle), _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
            )
            and kernel.AssignProcessToJobObject(wintypes.HANDLE(self._handle), wintypes.HANDLE(process))
        ):
            error = ctypes.WinError(ctypes.get_last_error())
            self.end()
            raise error

    def end(self) -> None:
        """Ends every process in it. May be called again."""
        if sys.platform == "win32" and self._handle:
            self._kernel.TerminateJobObject(wintypes.HANDLE(self._handle), 1)
            self._kernel.CloseHandle(wintypes.HANDLE(self._handle))
            self._handle = None
