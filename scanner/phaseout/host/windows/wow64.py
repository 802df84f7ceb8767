r"""Windows shows a 32-bit program on 64-bit Windows other folders and keys than there are; this is switched off here.

The registry needs nothing here: `phaseout.host.registry.live` opens the 64-bit view always.

References:
    Microsoft, "File System Redirector", IsWow64Process2, Wow64DisableWow64FsRedirection (it holds for one thread).
"""

import sys

NOTE = "phaseout runs as a 32-bit program on 64-bit Windows: it read the 64-bit registry and System32 themselves"
TROUBLE = "a 32-bit program is shown SysWOW64 instead: run phaseout with a 64-bit Python"


def redirected() -> bool:
    """Whether Windows redirects this process."""
    if sys.platform != "win32" or sys.maxsize > 1 << 32:
        return False
    import ctypes

    kernel = ctypes.windll.kernel32
    answer = ctypes.c_int(0)
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    return bool(kernel.IsWow64Process(ctypes.c_void_p(kernel.GetCurrentProcess()), ctypes.byref(answer))) and bool(
        answer
    )


def see_everything() -> bool:
    """Lets this thread see `System32` as it is, for the rest of its life; whether Windows agreed."""
    if sys.platform != "win32":
        return True
    import ctypes

    ctypes.WinDLL("wintrust")  # a library that is looked for afterwards would be found in its 64-bit form
    before = ctypes.c_void_p()
    return bool(ctypes.windll.kernel32.Wow64DisableWow64FsRedirection(ctypes.byref(before)))
