"""The disk of the machine that this runs on, whatever system that is."""

import sys
from collections.abc import Mapping

from phaseout.host.filesystem.node import Node


def local_root(
    root: str | Node, skipped: Mapping[str, str] | None = None, kernel_devices: frozenset[int] = frozenset()
) -> Node:
    """A folder of this machine as the root of a target; one of an image is its own root.

    Args:
        root: the folder.
        skipped: path below `root` (`/mnt/nas`) → file system type, for mounts that are skipped. Windows has none.
        kernel_devices: device numbers of the file systems of the kernel itself, such as `/proc`.
    """
    if isinstance(root, Node):
        return root
    if sys.platform == "win32":
        from phaseout.host.filesystem.windows_disk import WindowsNode

        return WindowsNode(root if root.startswith("\\\\") else f"\\\\?\\{root}")
    else:  # noqa: RET505  (types of Windows do not know what follows)
        from phaseout.host.filesystem.disk import Disk

        return Disk(root, skipped, kernel_devices).root()
