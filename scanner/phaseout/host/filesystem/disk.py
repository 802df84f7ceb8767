"""The disk of the machine that this runs on: every name is looked up in an open folder, never by a whole path.

A user may rename folders and swap names for links or devices while the scan runs. So each folder is opened by its name
in the folder above, without following a link, and must still be the one that was found; and a file is opened only after
its descriptor has shown a regular file. Where a system lacks the means (`O_PATH` and `/proc` of Linux), a device may
still be opened if its name is swapped in between; it is never read.

What a user renamed before it was found shows in the time of the last status change of its folder, which nobody can set
back. An inode number that a new file got from a deleted one shows there as well.

References:
    open(2) (O_PATH, O_NOFOLLOW, O_NONBLOCK keeps a FIFO from hanging, O_NOATIME leaves no trace), proc_pid_fd(5);
    inode(7) (st_ctime).
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import BinaryIO

from phaseout.host.filesystem.files import Entry, EntryKind, Stat
from phaseout.host.filesystem.node import CLOUD, Node, NotRegularError, ReplacedError, SkippedError, VanishedError

assert sys.platform != "win32"

_HANDLES = 100  # folders that are kept open; a process may usually have 1024 descriptors, on macOS 256
_PATH = getattr(os, "O_PATH", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0) | _CLOEXEC
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_QUIET = getattr(os, "O_NOATIME", 0)
_READ = os.O_RDONLY | _CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_IS_MACOS = sys.platform == "darwin"
_DATALESS = 0x40000000  # SF_DATALESS of macOS: reading would fetch it
_REPLACED = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))
_NO_LINK = frozenset((errno.ENOENT, errno.EINVAL))
_TYPE = 0o170000  # bits of a mode; see inode(7)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SHARED = stat.S_ISVTX | stat.S_IWOTH  # as /tmp is
_KINDS: dict[int, EntryKind] = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link"}
_OTHERS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class Disk:
    """A folder of this machine as the root of a target, and the folders below it that are open.

    Args:
        root: the folder.
        skipped: path below `root` (`/mnt/nas`) → file system type, for mounts that are skipped.
        kernel_devices: device numbers of the file systems of the kernel itself, such as `/proc`.
    """

    def __init__(
        self, root: str, skipped: Mapping[str, str] | None = None, kernel_devices: frozenset[int] = frozenset()
    ) -> None:
        root = root.rstrip("/")
        self.skipped = {root + point: kind for point, kind in (skipped or {}).items()}
        self.kernel_devices = kernel_devices
        self.live = not root
        self._root = root
        self._count = 0
        self._handles: dict[int, tuple[int, bool]] = {}  # number of a folder → descriptor, whether it can be listed

    def root(self) -> "DiskNode":
        """The root of the target; its own path may lead through links."""
        return DiskNode(self, None, "", self._root, os.stat(self._root or "/"))

    def number(self) -> int:
        """A number for a new folder."""
        self._count += 1
        return self._count

    def handle(self, node: "DiskNode", *, listed: bool = False) -> int:
        """The descriptor of a folder, which stays open for a while.

        Args:
            node: the folder.
            listed: whether it must be one that can be listed, which takes more rights.

        Raises:
            VanishedError: the folder is gone, or another one has taken its place.
        """
        known = self._handles.get(node.number)
        if known is not None:
            if known[1] or not listed:
                return known[0]
            opened = os.open(".", os.O_RDONLY | _FOLDER, dir_fd=known[0])
            os.close(known[0])
            self._handles[node.number] = opened, True
            return opened
        missing = [node]
        while (above := missing[-1].above) is not None and above.number not in self._handles:
            missing.append(above)
        for folder in reversed(missing[1:]):
            self._open(folder, listed=False)
        return self._open(node, listed=listed)

    def _open(self, node: "DiskNode", *, listed: bool) -> int:
        flags = (os.O_RDONLY if listed or not _PATH else _PATH) | _FOLDER
        if node.above is None:
            handle = os.open(node.path or "/", flags)
        else:
            try:
                handle = os.open(node.name, flags | _NOFOLLOW, dir_fd=self._handles[node.above.number][0])
            except OSError as error:
                if error.errno in _REPLACED:
                    raise VanishedError from None
                raise
            if not node.same(os.fstat(handle)):
                os.close(handle)
                raise VanishedError
        if len(self._handles) >= _HANDLES:
            os.close(self._handles.pop(next(iter(self._handles)))[0])
        self._handles[node.number] = handle, listed or not _PATH
        return handle

    def __del__(self) -> None:
        """Closes all folders."""
        for handle, _ in self._handles.values():
            with suppress(OSError):
                os.close(handle)


class DiskNode(Node):
    """One name on the disk."""

    __slots__ = ("_disk", "_status", "above", "moved", "name", "number", "path")

    def __init__(self, disk: Disk, above: "DiskNode | None", name: str, path: str, status: os.stat_result) -> None:
        self.kind = _KINDS.get(status.st_mode & _TYPE, "other")
        self.moved = status.st_ctime
        self._disk = disk
        self._status = status
        self.above = above
        self.name = name
        self.path = path
        self.number = disk.number() if self.kind == "dir" else 0

    @property
    def of_kernel(self) -> bool:
        """Whether it lies in a file system of the kernel itself, such as `/proc`."""
        return self._status.st_dev in self._disk.kernel_devices

    @property
    def size(self) -> int:
        """In bytes."""
        return self._status.st_size

    def same(self, status: os.stat_result) -> bool:
        """Whether this is the status of the same file, which is still of the same type."""
        known = self._status
        return (
            status.st_ino == known.st_ino
            and status.st_dev == known.st_dev
            and status.st_mode & _TYPE == known.st_mode & _TYPE
        )

    def guarded(self, uid: int) -> bool:
        """Whether only root and one user can write to it."""
        status = self._status
        return not status.st_mode & _OTHERS_WRITE and status.st_uid in (0, uid)

    def stamp(self) -> tuple[object, ...]:
        """Device and inode, and when the content and the inode changed last."""
        status = self._status
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns

    def identity(self) -> tuple[object, ...]:
        """Device and inode."""
        return self._status.st_dev, self._status.st_ino

    def changed(self, since: float) -> bool:
        """Whether a user may have changed it since then, or put it in the place of another."""
        mode = self._status.st_mode
        if self.of_kernel or mode & _SHARED == _SHARED or (self._disk.live and self.guarded(0)):
            return False
        try:
            status = self._present()
        except OSError:
            return True
        return status.st_ctime > since or not self.same(status)

    def find(self, name: str) -> "DiskNode":
        """What lies in this folder under a name."""
        if self.kind != "dir":
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        disk = self._disk
        path = f"{self.path}/{name}"
        if path in disk.skipped:
            raise SkippedError(f"{disk.skipped[path]} mount, skipped", "mount")
        status = os.stat(name, dir_fd=disk.handle(self), follow_symlinks=False)
        if _IS_MACOS and getattr(status, "st_flags", 0) & _DATALESS:
            raise SkippedError(CLOUD, "cloud")
        return DiskNode(disk, self, name, path, status)

    def entries(self) -> Iterator[Entry]:
        """The entries of this folder."""
        if self.kind != "dir":
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        with os.scandir(self._disk.handle(self, listed=True)) as found:
            # Tens of thousands: written out, and without the slower `__new__` of a named tuple. What is no link is
            # not followed, so that the slower `follow_symlinks=False` is not needed.
            for entry in found:
                kind: EntryKind = (
                    "link"
                    if entry.is_symlink()
                    else "file"
                    if entry.is_file()
                    else "dir"
                    if entry.is_dir()
                    else "other"
                )
                yield tuple.__new__(Entry, (entry.name, kind))

    def stat(self) -> Stat:
        """Size, time, owner and so on."""
        status = self._status
        mode = status.st_mode
        return Stat(
            self.kind,
            status.st_size,
            status.st_mtime,
            status.st_uid,
            mode & 0o7777,
            getattr(status, "st_rdev", -1),
        )

    def target(self) -> str:
        """Where this link points."""
        if self.above is None:
            raise OSError(errno.EINVAL, "not a link")
        try:
            return os.readlink(self.name, dir_fd=self._disk.handle(self.above))
        except OSError as error:
            if error.errno in _NO_LINK:
                raise VanishedError("it was a link, and is gone or replaced") from None
            raise

    def read(self, size: int, offset: int = 0) -> bytes:
        """At most `size` bytes of this file."""
        handle, status = self._opened()
        try:
            if offset:
                os.lseek(handle, offset, os.SEEK_SET)
            # In one chunk, since joining doubles the time. Files of /proc have no size.
            step = min(size, max(status.st_size - offset + 1, 1) if status.st_size else 1 << 16)
            chunks = [os.read(handle, step)]
            size -= len(chunks[0])
            if len(chunks[0]) == status.st_size - offset:  # it ended before the last byte that was asked for
                return chunks[0]
            while size > 0 and chunks[-1]:
                chunks.append(os.read(handle, min(size, 1 << 20)))
                size -= len(chunks[-1])
        finally:
            os.close(handle)
        return b"".join(chunks)

    def open(self) -> BinaryIO:
        """This file, to be read in chunks."""
        return os.fdopen(self._opened()[0], "rb")

    def attribute(self, name: str) -> bytes:
        """An extended attribute; empty where there is none."""
        if not hasattr(os, "getxattr"):
            return b""
        try:
            return bytes(os.getxattr(f"/proc/self/fd/{self._disk.handle(self)}", name))
        except OSError:
            return b""

    def fixed(self) -> str | None:
        """Its path on this machine, if only root or the user of this process can change what lies there."""
        node: DiskNode | None = self
        while node is not None:
            if not node.guarded(os.geteuid()):
                return None
            node = node.above
        return self.path or "/"

    def what(self) -> str:
        """What it is if it is no regular file."""
        return _OTHERS.get(stat.S_IFMT(self._status.st_mode), "something else")

    def _present(self) -> os.stat_result:
        """What its name shows now."""
        if self.above is None:
            return os.stat(self.path or "/")
        return os.stat(self.name, dir_fd=self._disk.handle(self.above), follow_symlinks=False)

    def _opened(self) -> tuple[int, os.stat_result]:
        """A descriptor to read from, and what it shows."""
        if self.above is None:
            raise NotRegularError(self.what())
        folder = self._disk.handle(self.above)
        if not _PATH or (self._disk.live and self.above.guarded(0)):  # there, nobody can swap the name
            return self._checked(_open_quietly(self.name, _NOFOLLOW, folder))
        checked, status = self._checked(os.open(self.name, _PATH | _NOFOLLOW | _CLOEXEC, dir_fd=folder))
        try:
            return _open_quietly(f"/proc/self/fd/{checked}"), status
        except FileNotFoundError:  # a chroot without /proc
            return self._checked(_open_quietly(self.name, _NOFOLLOW, folder))
        finally:
            os.close(checked)

    def _checked(self, handle: int) -> tuple[int, os.stat_result]:
        """The descriptor, closed again if it does not show the regular file that was found."""
        try:
            status = os.fstat(handle)
            if not self.same(status):
                raise ReplacedError
            if not stat.S_ISREG(status.st_mode):
                raise NotRegularError(self.what())
        except OSError:
            os.close(handle)
            raise
        return handle, status


def _open_quietly(path: str, more: int = 0, folder: int | None = None) -> int:
    """A descriptor to read from, without a trace in the time of the last access if that is allowed."""
    try:
        return os.open(path, _READ | _QUIET | more, dir_fd=folder)
    except PermissionError:  # O_NOATIME is for the owner and for root only
        return os.open(path, _READ | more, dir_fd=folder)
