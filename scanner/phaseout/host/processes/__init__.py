"""The running processes of the live machine: one interface, from /proc on Linux and through psutil elsewhere."""

import sys
from collections.abc import Collection, Iterator, Mapping

from phaseout.host.processes.process import Process
from phaseout.model.nouns import Problem


def processes(names: Mapping[int, str], homes: Collection[str] = ()) -> Iterator[Process | Problem]:
    """Every process that is running, and the problem if some hide software.

    One that ends while it is read is skipped, one that hides an attribute is not.

    Args:
        names: user id → name. The system is not asked for names: that may go over the network.
        homes: the home folders, to notice file systems that only some processes see in them.
    """
    if sys.platform == "linux":
        from phaseout.host.processes.linux import processes as read

        return read(names, homes)
    else:  # noqa: RET505  (types of one system do not know the other's)
        from phaseout.host.processes.other import processes as read_other

        return read_other(names)


def modules(pid: int) -> frozenset[str] | None:
    """The files whose code a process has loaded, its executable among them; `None` if the system does not show them.

    They are spelled as the process sees them: one in a container sees files of the container.
    """
    if sys.platform == "linux":
        from phaseout.host.processes.linux import mapped
    else:
        from phaseout.host.processes.other import mapped
    return mapped(pid)
