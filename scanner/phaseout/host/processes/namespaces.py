"""File systems that only some processes see, where a user may hide programs.

An ordinary user can mount in a user namespace of their own. What processes see in the root of a container or of a
sandbox is another root altogether, and does not cover a place of this one.

References:
    user_namespaces(7), mount_namespaces(7), proc_pid_mountinfo(5)
"""

from collections.abc import Collection, Iterator

from phaseout.host.mounts import Mount, mounts

_PLACES = ("/home", "/opt", "/root", "/srv", "/usr")
_STORES = (
    "/containers/storage/",
    "/share/docker/",
    "/share/nerdctl/",
)  # of rootless engines, which are read themselves


def covering(theirs: bytes, ours: Collection[Mount], homes: Collection[str]) -> Iterator[Mount]:
    """The mounts of another namespace that lie over a home or a folder of programs, and that we do not see.

    A folder of our own that is mounted over another one is such a mount, too: what is in it, we do not see there.

    Args:
        theirs: the mounts of the other namespace, as in `/proc/PID/mountinfo`.
        ours: those that we see.
        homes: the home folders of this machine.
    """
    devices = {mount.device for mount in ours}
    same = {(mount.point, mount.device, mount.root) for mount in ours}
    seen = {mount.point: mount for mount in mounts(theirs)}  # the last one on a point is the one that is seen
    if "/" not in seen or seen["/"].device not in devices:
        return
    places = (*_PLACES, *homes)
    for mount in seen.values():
        if (mount.point, mount.device, mount.root) in same or mount.point in _shown(mount, ours):
            continue
        if any(store in f"{mount.point}/" for store in _STORES):
            continue
        point = f"{mount.point}/"
        if any(point.startswith(f"{place}/") or f"{place}/".startswith(point) for place in places):
            yield mount


def _shown(mount: Mount, ours: Collection[Mount]) -> Iterator[str]:
    """Where we see the folder that is mounted."""
    for one in ours:
        root = one.root.rstrip("/")
        if one.device == mount.device and f"{mount.root}/".startswith(f"{root}/"):
            yield one.point.rstrip("/") + mount.root[len(root) :].rstrip("/")
