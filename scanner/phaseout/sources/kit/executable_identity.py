r"""What the executable that a process, service or driver names says of itself.

A file costs some tenths of a millisecond. What is a part of Windows itself is by far the most and says "Microsoft",
which tells nothing of what it runs: that is left out unless the host looks deep.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from phaseout.host import Host

if TYPE_CHECKING:
    from phaseout.host.windows.executables import Identity


def identity_from(host: Host) -> Callable[[str], "Identity | None"]:
    r"""Asks what the file at a path (`C:\…`) says of itself; `None` where that is not known or was not read."""
    if host.info.platform != "windows":
        return lambda _: None
    windows = "\0" if host.deep else host.variables.get("systemroot", "\0").lower() + "\\"

    def identity(path: str) -> "Identity | None":
        if not path or path.startswith("\\") or host.executables.of_windows(path):
            return None
        found = host.executables.identity(path)
        ours = found is not None and path.lower().startswith(windows) and found.company.startswith("Microsoft")
        return None if ours else found

    return identity
