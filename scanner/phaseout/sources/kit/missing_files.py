r"""Whether what an entry of Windows names is surely no longer on disk.

Nothing is told of a host of which there is only the registry, of drives that are not there, of network paths, and of
short names (`PROGRA~1`), which a disk that is read elsewhere does not show.
"""

import re
from collections.abc import Callable

from phaseout.host import Host

_SHORT = re.compile(r"~\d")


def gone_from(host: Host) -> Callable[[str], bool]:
    r"""Asks of a path (`C:\…`) whether it surely leads nowhere; an empty one tells nothing."""
    drives: dict[str, bool] = {}
    files = host.files
    if files.gone(host.variables.get("programfiles", "")):
        return lambda _: False

    def gone(path: str) -> bool:
        drive = path[:3]
        if len(path) <= 3 or drive[1:] != ":\\" or _SHORT.search(path):
            return False
        if drive not in drives:
            drives[drive] = not files.gone(drive)
        return drives[drive] and files.gone(path)

    return gone
