r"""Whether what an entry names is gone: the proof that makes an item a `leftover`.

A place is gone if it lies on a volume that was seen and nothing is there. Nothing is proven by:

- a drive, volume or standard folder that this host does not show, also where only a link leads there;
- a file that the host cannot follow or may not read;
- a folder of Linux that `/etc/fstab` fills from another volume, or that only a running system fills;
- a copy of the installer, which cleaners delete, or a folder that all programs share;
- a short name (`PROGRA~1`) on a disk that another system reads.

A file is also looked for as Windows would: with the ending that the entry leaves out, and in `SysWOW64`, where 32-bit
programs are sent when they say `System32`.

References:
    Microsoft, "CreateProcess" (lpCommandLine: `.exe` is appended), "File System Redirector"; hier(7) of
    macOS; fstab(5), systemd.mount(5), pam_mount.conf(5), zfs-mount-generator(8) and hier(7) of Linux.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Problem, State
from phaseout.model.regex import regex
from phaseout.parsers.linux.fstab import fstab_entries
from phaseout.parsers.windows.image_path import ENDINGS, has_short_name

_LINKS = 40
_REMEMBERED = 10_000  # places
_CACHES = frozenset(
    (
        *("package cache", "installshield installation information", "downloaded installations", "caphyon"),
        *("uninstall information", "wise installation wizard", "msocache", "config.msi", "temp"),
    )
)
# Folders that every system of its kind has: where one is missing, the copy is not whole.
_OF_MACOS = frozenset(("/Applications", "/Library", "/System", "/Users", "/private", "/private/var", "/usr", "/var"))
_OF_LINUX = frozenset(("/bin", "/etc", "/lib", "/sbin", "/usr", "/usr/bin", "/usr/lib", "/usr/sbin", "/var", "/home"))
_FILLED_AT_RUN = ("/run/", "/tmp/", "/dev/", "/proc/", "/sys/", "/snap/", "/var/lib/snapd/snap/")  # noqa: S108
_REMOVABLE = ("/media/", "/mnt/", "/run/media/")
_UNITS = "/etc/systemd/system"
_WHERE = regex(r"^[ \t]*Where[ \t]*=[ \t]*(/[^\n]*?/?)[ \t]*$", re.MULTILINE)
_ZFS = "/etc/zfs/zfs-list.cache"  # of each pool: dataset, mount point, whether it is mounted, …
_PAM_MOUNT = "/etc/security/pam_mount.conf.xml"
_MOUNTPOINT = regex(r"<volume\b[^>]*\bmountpoint=\"(/[^\"]+)\"")
VOLUME_LISTS = ("/etc/fstab", f"{_UNITS}/*.mount", f"{_ZFS}/*", _PAM_MOUNT)
_MOUNT = "mount it below /Volumes of the root, then scan again; if it is gone for good, remove what leads there"
_VOLUMES_OF_MACOS = ("/Volumes/", "/System/Volumes/", "/System/Cryptexes/")


class Verdict(NamedTuple):
    """What is known of one place: whether it is gone, and if not, why its absence proves nothing."""

    gone: bool
    why: str = ""


class MissingFiles:
    """Answers whether places on a host are gone. Each is looked for once: many services have one program.

    Args:
        host: the host.
        of_past: whether the places are those of a history, and not of what is installed.
    """

    def __init__(self, host: Host, *, of_past: bool = False) -> None:
        self._host = host
        self._of_past = of_past
        self._files = host.files
        self._windows = host.info.platform == "windows"
        self._separator = "\\" if self._windows else "/"
        self._drives: dict[str, bool] = {}
        self._known: dict[str, Verdict] = {}
        self._named: set[str] = set()  # volumes that are not there
        linux = host.info.platform == "linux"
        self._standard = frozenset(_standard_folders(host)) if self._windows else _OF_LINUX if linux else _OF_MACOS
        self._volumes: tuple[str, ...] | None = None if linux else ()  # of Linux, once they were asked for
        self._registry_only = self._windows and self._files.gone(host.variables.get("programfiles", ""))

    def gone(self, path: str) -> bool:
        """Whether a place is proven to be gone. An empty path says nothing."""
        return self.verdict(path).gone

    def state(self, *places: str) -> tuple[State, tuple[str, ...]]:
        """`leftover` if places are named and all are gone, else `installed` with the notes on what is not known."""
        whys: list[str] = []
        is_named = False
        for place in dict.fromkeys(filter(None, places)):
            is_named = True
            found = self.verdict(place)
            if not found.gone:
                if not found.why:
                    return "installed", ()
                whys.append(found.why)
        return ("leftover" if is_named and not whys else "installed"), tuple(dict.fromkeys(whys))

    def verdict(self, path: str) -> Verdict:
        """What is known of a place."""
        found = self._known.get(path)
        if found is None:
            found = self._verdict(path)
            if len(self._known) < _REMEMBERED:
                self._known[path] = found
        return found

    def _verdict(self, path: str) -> Verdict:
        if self._windows:
            return self._on_windows(path)
        if not path.startswith("/") or not self._files.gone(path):
            return Verdict(gone=False)
        return self._proven(path)

    def _on_windows(self, path: str) -> Verdict:
        drive = path[:3]
        if len(path) <= 3 or drive[1:] != ":\\":
            return Verdict(gone=False)
        if self._registry_only:
            return Verdict(gone=False, why="only the registry of this host is here: whether the files are is not known")
        if not self._has_drive(drive):
            return Verdict(gone=False, why=f"drive {drive[:2]} was not seen: whether {path} is there is not known")
        if not all(self._files.gone(one) for one in self._spellings(path)):
            return Verdict(gone=False)
        if has_short_name(path) and not self._host.live:
            return Verdict(gone=False, why=f"{path} has short names, which cannot be followed here")
        if is_cache(path):
            return Verdict(gone=False, why=f"{path} is a copy of the installer: that it is gone proves nothing")
        return self._proven(path)

    def _has_drive(self, drive: str) -> bool:
        if drive not in self._drives:
            # That it is missing is a problem, except for a history: it also names sticks that were pulled out.
            is_asked = not self._of_past or not self._files.gone(drive)
            self._drives[drive] = is_asked and bool(self._files.list(drive))
        return self._drives[drive]

    def _spellings(self, path: str) -> Iterator[str]:
        yield path
        name = path.rpartition("\\")[2].lower()
        if not name.endswith(ENDINGS):
            yield from (path + ending for ending in (".exe", ".com", ".bat", ".cmd"))
        system = rf"{self._host.variables.get('systemroot', '')}\system32".lower()
        if path.lower().startswith(system + "\\"):
            yield path[: -len(path) + len(system) - len("system32")] + "SysWOW64" + path[len(system) :]

    def _proven(self, path: str) -> Verdict:
        """Whether the part of a path that is missing lies on a volume that was seen."""
        missing = self._first_missing(path)
        if self._windows:
            unseen = not self._has_drive(missing[:3]) or "volume{" in missing.lower()
            standard = missing.lower() in self._standard
        else:
            unseen = self._is_absent_volume(missing)
            standard = missing in self._standard
        if unseen and not self._windows:
            self._name_volume(path, missing)
        if unseen or standard:
            what = "folder" if standard else "volume"
            return Verdict(
                gone=False, why=f"the {what} of {missing} was not seen: whether {path} is there is not known"
            )
        return Verdict(gone=True)

    def _name_volume(self, path: str, missing: str) -> None:
        """Says once that a disk of a Mac is not in the root, though something that is installed lies on it."""
        if self._host.info.platform != "macos" or self._host.live or self._of_past:
            return
        if not f"{missing}/".startswith("/Volumes/"):
            return
        volume = "/".join((missing if missing != "/Volumes" else path).split("/")[:3])
        if volume not in self._named:
            self._named.add(volume)
            why = "this volume is not in the root that is scanned, though something that is installed leads to it"
            self._files.problems.append(Problem(volume, why, "missing", remedy=_MOUNT))

    def _is_absent_volume(self, missing: str) -> bool:
        """Whether what is missing is a volume, or lies where one would be mounted."""
        for top in _VOLUMES_OF_MACOS:
            if f"{missing}/".startswith(top):
                volume = missing[len(top) :].partition("/")[0]
                return not volume or not self._files.list(top + volume)
        if self._host.info.platform != "linux":
            return False
        whole = f"{missing}/"
        if whole.startswith(_REMOVABLE) or (not self._host.live and whole.startswith(_FILLED_AT_RUN)):
            return True
        if missing.startswith("/home/") and missing.count("/") == 2:  # a home that may be locked or elsewhere
            return True
        if self._volumes is None:
            self._volumes = tuple(volumes_of_linux(self._host))
        return any(whole.startswith(f"{volume}/") and not self._files.list(volume) for volume in self._volumes)

    def _first_missing(self, path: str) -> str:
        """The first part of a path that is not there, in the folder that links lead to."""
        folder = path.rpartition(self._separator)[0]
        is_there = len(folder) > 2 and not self._files.gone(folder)
        if is_there and self._files.real(folder) == folder and self._files.link(path) is None:  # as nearly always
            return path
        top, names = self._split(path)
        here, pending = top, names[::-1]
        links = 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                here = here.rpartition(self._separator)[0] or top
                continue
            there = here.rstrip(self._separator) + self._separator + name
            target = self._files.link(there)
            if target is None:
                if self._files.gone(there):
                    return there
                here = there
                continue
            links += 1
            if links > _LINKS or "volume{" in target.lower():
                return f"{there} → {target}"
            start, below = self._split(target)
            here = start or here
            pending += below[::-1]
        return here

    def _split(self, path: str) -> tuple[str, list[str]]:
        """Where a path starts (empty: where the link lies), and the names from there."""
        if not self._windows:
            return ("/" if path.startswith("/") else ""), path.split("/")
        path = path.replace("/", "\\")
        for prefix in ("\\\\?\\", "\\??\\"):
            path = path.removeprefix(prefix)
        if path[1:2] == ":":
            return path[:2].upper(), path[2:].split("\\")
        return (self._host.variables.get("systemdrive", "C:") if path.startswith("\\") else ""), path.split("\\")


def volumes_of_linux(host: Host) -> Iterator[str]:
    """The folders where `/etc/fstab`, a unit of systemd, a list of ZFS or pam_mount mounts something."""
    files = host.files
    yield from (entry.point for entry in fstab_entries(files.text("/etc/fstab", 1 << 20) or ""))
    for entry in files.list(_UNITS):
        if entry.name.endswith(".mount") and (found := _WHERE.search(files.text(f"{_UNITS}/{entry.name}") or "")):
            yield found[1].rstrip("/")
    for entry in files.list(_ZFS):
        for line in (files.text(f"{_ZFS}/{entry.name}") or "").split("\n"):
            fields = line.split("\t")
            if len(fields) > 2 and fields[1].startswith("/") and fields[1] != "/" and fields[2] == "on":
                yield fields[1]
    for found in _MOUNTPOINT.finditer(files.text(_PAM_MOUNT, 1 << 20) or ""):
        yield found[1].partition("%")[0].rstrip("/")


def is_cache(path: str) -> bool:
    """Whether a place of Windows holds a copy of an installer, or what is soon deleted."""
    names = path.lower().split("\\")
    return not _CACHES.isdisjoint(names[:-1]) or names[1:3] == ["windows", "installer"]


def shared_folders(host: Host) -> frozenset[str]:
    r"""Folders of Windows that no program has for itself, in lower case: `C:\`, Program Files, a user's home."""
    of_users = (
        *("", r"\Desktop", r"\AppData", r"\AppData\Local", r"\AppData\Local\Programs", r"\AppData\LocalLow"),
        *(r"\AppData\Roaming", r"\AppData\Local\Temp", r"\Downloads", r"\Documents"),
    )
    folders = [*_standard_folders(host), *(user.home + below for user in host.users if user.home for below in of_users)]
    drives = {f"{folder[:1]}:" for folder in folders}
    return frozenset(folder.lower() for folder in (*folders, *drives, *(f"{drive}\\" for drive in drives)))


def _standard_folders(host: Host) -> Iterable[str]:
    """The folders that every Windows has, in lower case."""
    variables = host.variables
    windows, drive = variables.get("systemroot", r"C:\Windows"), variables.get("systemdrive", "C:")
    named = (
        *("programfiles", "programfiles(x86)", "commonprogramfiles", "commonprogramfiles(x86)"),
        *("programdata", "public"),
    )
    found = [windows, rf"{windows}\System32", rf"{windows}\SysWOW64", rf"{windows}\System32\drivers", rf"{drive}\Users"]
    found += [variables[name] for name in named if variables.get(name)]
    return [folder.lower() for folder in found]
