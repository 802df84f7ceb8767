"""The running processes of the live machine: one interface, out of /proc on Linux and by psutil elsewhere."""

import sys
from collections.abc import Iterator, Mapping

from phaseout.host.processes.process import Process


def processes(names: Mapping[int, str]) -> Iterator[Process]:
    """Every process there is. One that ends while it is read is skipped, one that hides an attribute is not.

    Args:
        names: user id → name. Names are not asked of the system: that may go over the network.
    """
    if sys.platform == "linux":
        from phaseout.host.processes.linux import processes as read
    else:
        from phaseout.host.processes.other import processes as read
    return read(names)


def modules(pid: int) -> frozenset[str] | None:
    """The files whose code a process has loaded, its executable among them; `None` if the system does not show them.

    They are spelled as the process sees them: one in a container sees files of the container.
    """
    if sys.platform == "linux":
        from phaseout.host.processes.linux import mapped
    else:
        from phaseout.host.processes.other import mapped
    return mapped(pid)
