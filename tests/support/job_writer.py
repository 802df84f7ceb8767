"""Makes jobs of the Task Scheduler before Windows Vista.

References:
    [MS-TSCH] 2.4 (.JOB File Format).
"""

import struct


def old_job(application: str, parameters: str = "", author: str = "", *, disabled: bool = False) -> bytes:
    """A job without a trigger."""
    head = struct.pack("<HH16xHHHHHHIIIII16x", 0x0601, 1, 70, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 4 if disabled else 0)
    strings = (application, parameters, "", author, "")
    return (
        head + b"\0\0" + b"".join(struct.pack("<H", len(one) + 1) + f"{one}\0".encode("utf-16-le") for one in strings)
    )
