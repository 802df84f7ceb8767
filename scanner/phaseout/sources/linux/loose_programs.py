"""Programs that lie by themselves: copied, built or unpacked by hand, where no package manager knows of them.

A file is a program if it may be executed and is in the format of the kernel, or is a script with an archive behind it,
as installers that unpack themselves are. All that such a file tells is its name.

References:
    https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ (3.13 /opt, 3.17 /srv, 3.18 /tmp, 4.9 /usr/local, 5.15 /var/tmp);
    elf(5); https://makeself.io/; file-hierarchy(7) (`~/.local/bin`, `/dev/shm`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.linux.appimage import image_type, named
from phaseout.sources.kit.data_files import is_data
from phaseout.sources.kit.places import Seen
from phaseout.sources.kit.top_folders import own_folders
from phaseout.sources.source import Source, Trace

# Folders where everybody may put a program, with two levels below: what lies there may be gone the next moment.
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108
_TOPS = ("/opt", "/srv", "/usr/local", "/var/lib")  # with the folders in them, and the folders of programs in those
# What a disk has just below its root besides the usual; the like of `/opt` are all others.
_READ_OTHERWISE = ("lib", "lib32", "lib64", "libx32", "opt", "srv")
_SORTED = ("Applications", "Programs", "Downloads", "Desktop", "Documents", "opt", ".local/opt")
_BIN = ("bin", "sbin", "libexec")
_LEVELS = 2
_MOUNTED = (".mount_", "snap-private-tmp")  # what a running AppImage mounts, and what is a snap's own
_FOLDERS = 10_000  # below one
_MOST = 10_000  # files of one
_HEAD = 16
_ARCHIVE = 256 << 10  # bytes; no script that people write is as long
_SCRIPT = b"#!"
_ELF = b"\x7fELF"


class _Folder(NamedTuple):
    """A folder, whose it is, and how many levels below it are read."""

    path: str
    user: str
    levels: int = 0
    temporary: bool = False


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program, once if a user has several names for it."""
    seen = Seen()
    for folder in _folders(host):
        yield from _below(host, folder, seen)
    for top in _TEMPORARY:  # what was moved meanwhile has a new name
        yield from _below(host, _Folder(top, "", _LEVELS, temporary=True), seen)


def _folders(host: Host) -> Iterator[_Folder]:
    for top in _TEMPORARY:
        yield _Folder(top, "", _LEVELS, temporary=True)
    for top in (*_TOPS, *own_folders(host, _READ_OTHERWISE)):
        yield from _with_folders(host, top, "")
    for home, user in host.homes.items():
        yield from _with_folders(host, home, user)
        yield _Folder(f"{home}/.local/bin", user)
        for path in _SORTED:
            yield _Folder(f"{home}/{path}", user, _LEVELS)


def _with_folders(host: Host, top: str, user: str) -> Iterator[_Folder]:
    """A folder, those in it, and the folders of programs in these."""
    yield _Folder(top, user)
    for name, kind in host.files.list(top):
        if kind == "dir":
            path = f"{top}/{name}"
            yield _Folder(path, user)
            for inner, its_kind in host.files.list(path):
                if inner in _BIN and its_kind == "dir":
                    yield _Folder(f"{path}/{inner}", user)


def _below(host: Host, folder: _Folder, seen: Seen) -> Iterator[Trace]:
    count = folders = 0
    entries = host.files.list(folder.path)
    for name, kind in entries:
        path = f"{folder.path}/{name}"
        if kind == "dir" and folder.levels and not name.startswith(_MOUNTED):
            folders += 1
            if folders <= _FOLDERS:
                yield from _below(host, folder._replace(path=path, levels=folder.levels - 1), seen)
        elif kind == "file" and not is_data(name):
            count += 1
            if count <= _MOST:
                yield from _file(host, path, folder, seen)
    if count > _MOST:
        yield Problem(folder.path, f"more files than {_MOST:,}: the rest was not read", "limit")
    if folders > _FOLDERS:
        yield Problem(folder.path, f"more folders than {_FOLDERS:,}: the rest was not read", "limit")


def _file(host: Host, path: str, folder: _Folder, seen: Seen) -> Iterator[Trace]:
    stat = host.files.stat(path)
    if stat is None or stat.kind != "file" or not stat.mode & 0o111 or stat.size < _HEAD:
        return
    head = host.files.head(path, _HEAD) or b""
    if not (head.startswith(_ELF) or (head.startswith(_SCRIPT) and stat.size >= _ARCHIVE)):
        return
    kind = image_type(head)
    if kind and not folder.temporary:
        yield LeftOut("listed as another item")
        return
    real = host.files.real(path)
    if real is None or not seen.first(real, folder.user):
        return
    file = real.rpartition("/")[2]
    name, version, arch = named(file) if kind else (file, "", "")
    yield Item(
        kind="program",
        name=name,
        version=version,
        path=real,
        user=folder.user,
        details={"arch": arch, "modified": rfc3339(stat.mtime), "type": "AppImage" if kind else ""},
        evidence=(Evidence(path, "a program that may be executed"),),
    )


SOURCE = Source(
    name="loose_programs",
    title="Programs that lie by themselves",
    platforms=("linux",),
    kinds=("program",),
    needs=(),
    reads=(
        *(f"{top}/**/*" for top in _TEMPORARY),
        *(f"{top}/{below}" for top in (*_TOPS, "~") for below in ("*", "*/*", *(f"*/{folder}/*" for folder in _BIN))),
        *(f"~/{folder}/**/*" for folder in (*_SORTED, ".local/bin")),
        "/[!e]*/**/*",
    ),
    limits="Such a program says who made it only by its name. Those in other folders, or deeper, are found where "
    "something names or runs them.",
    collect=collect,
)
