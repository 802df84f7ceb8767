"""A host inside the host: the root of a container or image, put together of the layers that lie on the host's disk.

Nothing is mounted: a name is looked for in the uppermost layer first, as overlayfs does, and what an upper layer
deleted is gone.

References:
    https://docs.kernel.org/filesystems/overlayfs.html (whiteouts and opaque directories);
    https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts (`.wh.` files, which fuse-overlayfs keeps)
"""

import errno
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.files import (
    _DEPTH,
    _ENTRIES,
    _LINKS,
    Entry,
    Files,
    SkippedError,
    _check_name,
    _entry_kind,
    _shown,
)
from phaseout.host.users import posix_users
from phaseout.model.nouns import HostInfo, Problem

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_ATTRIBUTES = ("trusted.overlay.opaque", "user.overlay.opaque")  # the second is that of rootless containers


def layered_host(host: Host, layers: Iterable[str], name: str) -> Host | None:
    """A Linux host whose root is made of folders of the host, the uppermost first; `None` if none of them is there."""
    local = [host.files.local(folder) for folder in layers]
    there = tuple(folder.removeprefix("\\\\?\\") for folder in local if folder)  # after which Windows takes no slashes
    if not there:
        return None
    files = LayeredFiles(there, host.files.skipped_mounts_here())
    return Host(HostInfo(name=name, platform="linux", root=there[0]), files, posix_users(files))


class _Place(NamedTuple):
    """A path without links, and where it is on disk: once for a file, once for each layer that has such a folder."""

    path: str
    local: tuple[str, ...]


class LayeredFiles(Files):
    """Read-only view of the files of several layers.

    Args:
        layers: folders of the machine that this runs on, the uppermost first.
        skipped_mounts: mount point on that machine → file system type, for mounts that are not stepped into.
    """

    def __init__(self, layers: tuple[str, ...], skipped_mounts: Mapping[str, str] | None = None) -> None:
        super().__init__("/", skipped_mounts)
        self._places = {"": _Place("", layers)}

    def list(self, path: str) -> tuple[Entry, ...]:
        """The entries of a folder by name; none where there is no such folder."""
        found: dict[str, Entry | None] = {}
        try:
            for layer in self._place(path).local:
                hidden: list[str] = []
                with os.scandir(layer) as entries:
                    for entry in entries:
                        if entry.name.startswith(_WHITEOUT):
                            hidden.append(entry.name.removeprefix(_WHITEOUT))
                            continue
                        kind = _entry_kind(entry)
                        deleted = kind == "other" and _deleted(entry.stat(follow_symlinks=False))
                        found.setdefault(entry.name, None if deleted else Entry(entry.name, kind))
                        if len(found) > _ENTRIES:
                            break
                for name in hidden:
                    found.setdefault(name, None)
        except OSError as error:
            self._report(path, error)
        if len(found) > _ENTRIES:
            self.problems.append(Problem(_shown(path), f"more than {_ENTRIES} entries: the rest was not listed"))
        return tuple(sorted(filter(None, found.values())))

    def link(self, path: str) -> str | None:
        """Where a symbolic link points, as written; `None` where there is no link."""
        head, _, name = path.rstrip("/").rpartition("/")
        try:
            _check_name(path)
            return os.readlink(self._below(self._above(head), name).local[0])
        except OSError as error:
            if error.errno != errno.EINVAL:
                self._report(path, error)
            return None

    def real(self, path: str) -> str | None:
        """The path of the target with all links resolved; `None` where it leads nowhere."""
        try:
            return self._place(path).path or "/"
        except OSError as error:
            self._report(path, error)
            return None

    def _canonical(self, path: str) -> str:
        return self._place(path).local[0]

    def _place(self, path: str) -> _Place:
        _check_name(path)
        head, _, name = path.rstrip("/").rpartition("/")
        return self._walk(self._above(head), name)

    def _above(self, path: str) -> _Place:
        """A folder on the way to others; of a path begun like one before, only the rest is looked up."""
        found = self._places.get(path)
        if found is None:
            head, _, name = path.rpartition("/")
            deep = path.count("/") > _DEPTH
            found = self._walk(self._places[""], path) if deep else self._walk(self._above(head), name)
            self._places[path] = found
        return found

    def _walk(self, here: _Place, path: str) -> _Place:
        pending = path.split("/")[::-1]
        links = 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                here = self._above(here.path.rpartition("/")[0])
                continue
            there = self._below(here, name)
            if not stat.S_ISLNK(os.lstat(there.local[0]).st_mode):
                here = there
                continue
            links += 1
            if links > _LINKS or len(pending) > _DEPTH:
                raise OSError(errno.ELOOP, "too many symbolic links")
            target = os.readlink(there.local[0])
            if target.startswith("/"):
                here = self._places[""]
            pending += target.split("/")[::-1]
        return here

    def _below(self, here: _Place, name: str) -> _Place:
        """What a folder has under a name."""
        found: list[str] = []
        for layer in here.local:
            local = f"{layer}/{name}"
            if local in self._skipped_mounts:
                raise SkippedError(errno.EXDEV, f"{self._skipped_mounts[local]} mount, left alone", local)
            try:
                status = os.lstat(local)
            except (FileNotFoundError, NotADirectoryError):
                if os.path.lexists(f"{layer}/{_WHITEOUT}{name}"):
                    break
                continue
            if _deleted(status):
                break
            if not stat.S_ISDIR(status.st_mode):
                found = found or [local]  # a file that a folder above it hides
                break
            found.append(local)
            if _opaque(local):
                break
        if not found:
            raise OSError(errno.ENOENT, "no such file")
        return _Place(f"{here.path}/{name}", tuple(found))


def _deleted(status: os.stat_result) -> bool:
    """Whether this is the mark of overlayfs for a name that is gone."""
    return sys.platform != "win32" and stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _opaque(folder: str) -> bool:
    """Whether nothing shines through a folder from the layers below."""
    if os.path.lexists(f"{folder}/{_OPAQUE}"):
        return True
    if not hasattr(os, "getxattr"):
        return False
    for attribute in _ATTRIBUTES:
        try:
            if os.getxattr(folder, attribute, follow_symlinks=False) == b"y":
                return True
        except OSError:
            continue  # it has none, as almost all
    return False
