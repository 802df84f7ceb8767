"""The file system of a macOS target.

An offline disk is the system volume with the data volume below it (`/System/Volumes/Data`), as both are mounted on a
Mac, or the data volume alone, or a disk of the time before they were two. Names are found as macOS finds them, whatever
their letter case and their composition.

References:
    hier(7) and `/usr/share/firmlinks` of macOS; <sys/stat.h> (SF_DATALESS); Apple Platform Security, "Controlling app
    access to files in macOS" (the guarded folders).
"""

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Mapping

from phaseout.host.filesystem.files import Files, SkippedError

DATA = "/System/Volumes/Data"
_FIRMLINKS = (
    *("/AppleInternal", "/Applications", "/Library", "/Users", "/Volumes", "/cores", "/opt", "/pkg", "/private"),
    *("/System/Library/Caches", "/System/Library/Assets", "/System/Library/AssetsV2", "/System/Library/Speech"),
    *("/System/Library/PreinstalledAssets", "/System/Library/PreinstalledAssetsV2"),
    *("/System/Library/CoreServices/CoreTypes.bundle/Contents/Library", "/usr/libexec/cups", "/usr/local"),
    "/usr/share/snmp",
)
_PRIVATE = frozenset(("etc", "tmp", "var"))  # links into /private that a data volume alone does not have
_DATALESS = 0x40000000
_IN_THE_CLOUD = "kept in the cloud: left alone"
_GUARDED = "guarded by macOS: not opened"
_FOLDERS = 2000  # whose names are remembered
# Reading any of these asks the user on the screen, unless the reader has Full Disk Access.
_PERSONAL = re.compile(
    r"(?:/System/Volumes/Data)?/Users/[^/]+"
    r"/(Desktop|Documents|Downloads|\.Trash|Library/(Containers|Group Containers|Mail|Messages|Safari))",
    re.IGNORECASE,
)
_CLOUD = re.compile(r"(?:/System/Volumes/Data)?/Users/[^/]+/Library/(Mobile Documents|CloudStorage)", re.IGNORECASE)


class MacFiles(Files):
    """Read-only view of the files of a macOS target.

    Args:
        root: folder that is the root of the target; `/` for the live machine.
        skipped_mounts: mount point in the target → file system type, for mounts that are not stepped into.
        guarded: whether macOS asks the user before it lets anybody look into the personal folders.
    """

    def __init__(
        self, root: str = "/", skipped_mounts: Mapping[str, str] | None = None, *, guarded: bool = False
    ) -> None:
        super().__init__(root, skipped_mounts)
        self._guarded = guarded
        self._spellings: dict[str, dict[str, str]] = {}
        self._firmlinks: tuple[str, ...] = ()
        if self._root and os.path.isdir(self._root + DATA):
            data = self._root + DATA
            self._firmlinks = tuple(link for link in _FIRMLINKS if os.path.lexists(data + link))

    def real(self, path: str) -> str | None:
        """The path of the target with all links and firmlinks resolved; `None` where it leads nowhere."""
        found = super().real(path)
        if found is None or not found.startswith(DATA + "/"):
            return found
        plain = found[len(DATA) :]
        return plain if any(plain == link or plain.startswith(link + "/") for link in _FIRMLINKS) else found

    def link(self, path: str) -> str | None:
        """Where a symbolic link points, as written; `None` where there is no link."""
        head, _, name = path.rstrip("/").rpartition("/")
        try:
            there, found = self._entry(super()._canonical(head), name)
            return os.readlink(self._root + self._on_disk(there)) if stat.S_ISLNK(found.st_mode) else None
        except OSError as error:
            self._report(path, error)
            return None

    def _canonical(self, path: str) -> str:
        return self._on_disk(super()._canonical(path))

    def _on_disk(self, path: str) -> str:
        """Below the root where it is on the machine that this runs on."""
        for link in self._firmlinks:
            if path.startswith(link) and path[len(link) : len(link) + 1] in ("", "/"):
                return DATA + path
        return path

    def _entry(self, here: str, name: str) -> tuple[str, os.stat_result]:
        there = f"{here}/{name}"
        self._check_alone(there)
        try:
            found = os.lstat(self._root + self._on_disk(there))
        except FileNotFoundError:
            if not self._root:  # the system itself has looked for other spellings
                raise
            spelled = self._spelled(here).get(_folded(name))
            if spelled is None and (here or name.lower() not in _PRIVATE):
                raise
            there = f"{here}/{spelled}" if spelled else f"/private/{name.lower()}"
            self._check_alone(there)
            found = os.lstat(self._root + self._on_disk(there))
        if getattr(found, "st_flags", 0) & _DATALESS:
            raise SkippedError(errno.EXDEV, _IN_THE_CLOUD, there)
        return there, found

    def _check_alone(self, there: str) -> None:
        if there in self._skipped_mounts:
            raise SkippedError(errno.EXDEV, f"{self._skipped_mounts[there]} mount, left alone", there)
        if not self._root:
            if self._guarded and _PERSONAL.fullmatch(there):
                raise SkippedError(errno.EXDEV, _GUARDED, there)
            if _CLOUD.fullmatch(there):
                raise SkippedError(errno.EXDEV, _IN_THE_CLOUD, there)

    def _spelled(self, folder: str) -> dict[str, str]:
        """Folded name → name of everything in a folder."""
        found = self._spellings.get(folder)
        if found is None:
            if len(self._spellings) >= _FOLDERS:
                self._spellings.clear()
            try:
                names = os.listdir(self._root + self._on_disk(folder) or "/")
            except OSError:
                names = []  # that the name is not there is all that can be said
            found = self._spellings[folder] = {_folded(name): name for name in sorted(names, reverse=True)}
        return found

    def _report(self, path: str, error: OSError) -> None:
        if error.errno == errno.EPERM and not self._root:  # root may be refused as well
            error = SkippedError(errno.EPERM, _GUARDED, path)
        super()._report(path, error)


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFD", name.casefold())
