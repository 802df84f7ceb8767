"""Jobs of the Task Scheduler before Windows Vista (`.job`).

References:
    [MS-TSCH] 2.4 (.JOB File Format).
"""

import struct

from phaseout.parsers.windows.task_xml import Action, Task

_HEADER = 68
_DISABLED = 0x4  # TASK_FLAG_DISABLED
_LONGEST = 1 << 15  # characters of a string


def job(data: bytes) -> Task:
    """The task of a file. Times are not read.

    Raises:
        ValueError: the file is no job, or is cut off.
    """
    try:
        version, offset = struct.unpack_from("<2xH16xH", data)
        (flags,) = struct.unpack_from("<I", data, 44 + 4)
        if version != 1 or offset < _HEADER:
            raise ValueError("no job of the Task Scheduler")
        strings: list[str] = []
        at = offset
        for _ in range(5):  # application, parameters, working folder, author, comment
            (count,) = struct.unpack_from("<H", data, at)
            if count > _LONGEST or at + 2 + 2 * count > len(data):
                raise ValueError("a string that is cut off")
            strings.append(data[at + 2 : at + 2 + 2 * count].decode("utf-16-le", "replace").partition("\0")[0])
            at += 2 + 2 * count
    except struct.error:
        raise ValueError("it is cut off") from None
    application, parameters, _, author, comment = strings
    return Task(author, comment, "", "", not flags & _DISABLED, (Action(application, parameters),))
