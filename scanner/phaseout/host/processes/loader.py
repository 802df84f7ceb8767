"""The program that the dynamic loader runs when the loader itself was started as a command.

To the kernel such a process runs `ld.so`; the program is only a file that it has mapped.

References:
    ld.so(8), getauxval(3) (AT_BASE: where the loader is, 0 for a program that needs none), proc_pid_auxv(5)
"""

import os
import struct
from collections.abc import Collection, Sequence

_PAGE_SIZE, _BASE = 6, 7  # AT_PAGESZ, AT_BASE
_PAGE_SIZES = frozenset((4096, 16384, 65536))
_WITH_VALUE = frozenset(
    (
        *("--argv0", "--audit", "--glibc-hwcaps-mask", "--glibc-hwcaps-prepend", "--inhibit-rpath"),
        *("--library-path", "--preload"),
    )
)


def has_loader(auxiliary: bytes) -> bool:
    """Whether the kernel has loaded a loader beside the program, as it does for all but static ones and the loader.

    Args:
        auxiliary: the auxiliary vector of the process, of 64 or of 32 bits.
    """
    for form in ("=QQ", "=II"):
        whole = len(auxiliary) // struct.calcsize(form) * struct.calcsize(form)
        values = dict(struct.iter_unpack(form, auxiliary[:whole]))
        if values.get(_PAGE_SIZE) in _PAGE_SIZES:
            return bool(values.get(_BASE))
    return True  # not known: taken for what is usual


def run_by_loader(command: Sequence[str], folder: str, mapped: Collection[str]) -> str:
    """The path of the program; empty where it cannot be said.

    Args:
        command: the command line, which the process may have written over.
        folder: the working folder of the process.
        mapped: the other files whose code the process has loaded.
    """
    words = iter(command[1:])
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            path = os.path.normpath(os.path.join(folder, word))
            if path in mapped:
                return path
            break
    programs = [path for path in sorted(mapped) if ".so" not in path.rpartition("/")[2]]
    return programs[0] if len(programs) == 1 else ""
