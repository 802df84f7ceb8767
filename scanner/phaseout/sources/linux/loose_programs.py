"""Programs that lie by themselves: copied, built or unpacked by hand, where no package manager knows of them.

A file is a program if it may be executed and is in the format of the kernel, or is a script with an archive behind it,
as installers that unpack themselves are. All that such a file tells is its name. Where packages put their programs,
too, it counts only if none of them lists it.

References:
    https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ (3.13 /opt, 3.17 /srv, 3.18 /tmp, 4 /usr, 4.9 /usr/local, 5 /var,
    5.15 /var/tmp); elf(5); https://makeself.io/; file-hierarchy(7) (`~/.local/bin`, `~/.cache`, `/dev/shm`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.linux.appimage import image_type, named
from phaseout.sources.kit.data_files import is_data
from phaseout.sources.kit.package_files import READS as OF_PACKAGES
from phaseout.sources.kit.package_files import unlisted
from phaseout.sources.kit.places import OF_SYSTEM, Seen, is_of_system
from phaseout.sources.kit.top_folders import own_folders
from phaseout.sources.source import Source, Trace

_LEVELS = 2  # of folders below each of these, and the folders of programs in those
# Folders where everybody may put a program: what lies there may be gone the next moment.
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108
_OF_PROGRAMS = ("/opt", "/usr/local")
_TOPS = ("/opt", "/srv", "/usr/local", "/mnt", "/media", "/lost+found")
# What a disk has just below its root besides the usual; the like of `/opt` are all others.
_READ_OTHERWISE = ("lib", "lib32", "lib64", "libx32", "opt", "srv")
_OF_USER = ("", ".cache", ".config", ".local", ".local/share", ".local/lib", ".local/opt", ".local/share/Trash/files")
_OF_USER_DEEPER = ("Applications", "Programs", "Downloads", "Desktop", "Documents", "opt")
# Where packages put their programs, too, with the levels of folders below.
_PACKAGED = dict(
    [
        *(("/usr/lib", 2), ("/usr/lib64", 2), ("/usr/libexec", 2), ("/usr", 2), ("/usr/share", 1)),
        *(("/var/lib", 2), ("/var", 2), ("/boot", 1), ("/run", 1)),
        *(("/lib", 2), ("/lib64", 2), ("/bin", 0), ("/sbin", 0), ("/", 0)),
    ]
)
_SETTINGS = "/etc"  # the folders in it
_BIN = ("bin", "sbin", "libexec")
_MOUNTED = (".mount_", "snap-private-tmp")  # what a running AppImage mounts, and what is a snap's own
# Files of thousands that are no programs, among them those called by a digest of what they hold.
_SHARED = ("bug", "doc", "fonts", "icons", "javascript", "locale", "man", "mime", "perl5", "zoneinfo")
_NO_PROGRAMS = frozenset(
    ("/usr/include", "/usr/src", "/var/lib/dpkg/info", *(f"/usr/share/{name}" for name in _SHARED))
)
_ENDINGS = frozenset(("a", "class", "ko", "la", "lua", "o", "pl", "pm", "py", "rb", "service", "so", "typelib", "vim"))
_NO_PROGRAM = regex(r"\.so\.\d|^[0-9a-f]{32}")
_DEEP = 6  # levels below some of these, as long as no program lies above
_SEARCHED = 2_000  # folders of one place that lie so deep
_SEARCHED_IN_DATA = 500  # the same of one that may hold anything
# Folders of a project's own packages and history, in thousands of folders.
_OF_PROJECTS = frozenset(("node_modules", "site-packages", "dist-packages", "__pycache__", "CVS", "lost+found"))
_FOLDERS = 50_000  # below one: some seconds
_MOST = 100_000  # files of one
_HEAD = 16
_ARCHIVE = 256 << 10  # bytes; no script that people write is as long
_SCRIPT = b"#!"
_ELF = b"\x7fELF"


class _Folder(NamedTuple):
    """A folder of programs.

    Attributes:
        path: of the folder.
        user: whose it is.
        levels: of folders below that are read.
        temporary: whether everybody may put a program there, which may be gone the next moment.
        packaged: whether packages put their programs there, too.
        searched: how many folders that lie deeper are read.
    """

    path: str
    user: str
    levels: int = 0
    temporary: bool = False
    packaged: bool = False
    searched: int = 0


class _Program(NamedTuple):
    """A file that may be a program, and the folder that it was found in."""

    path: str
    folder: _Folder
    linked: bool


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program, once if a user has several names for it."""
    seen = Seen()
    met: dict[tuple[str, str], int] = {}
    later: list[_Program] = []
    for folder in _folders(host):
        deeper: list[_Folder] = []
        holding: set[str] = set()  # folders with a program
        for found in _below(host, folder, met, deeper):
            if not isinstance(found, _Program):
                yield found
            elif found.linked or found.folder.packaged:
                later.append(found)
            else:
                for trace in _file(host, found, seen):
                    holding.add(_of_programs(found.folder.path))
                    yield trace
        yield from _deeper(host, folder, [one for one in deeper if not _lies_in(one.path, holding)], seen)
    yield from _unlisted(host, later, seen)
    for top in _TEMPORARY:  # what was moved meanwhile has a new name
        for found in _below(host, _Folder(top, "", _LEVELS, temporary=True), {}, []):
            yield from _file(host, found, seen) if isinstance(found, _Program) else (found,)


def _folders(host: Host) -> Iterator[_Folder]:
    for top in _TEMPORARY:
        yield _Folder(top, "", _LEVELS, temporary=True)
    for top in (*_TOPS, *own_folders(host, _READ_OTHERWISE)):
        yield _Folder(top, "", _LEVELS, searched=_SEARCHED if top in _OF_PROGRAMS else _SEARCHED_IN_DATA)
    for top, levels in _PACKAGED.items():
        if host.files.link(top) is None:  # else it is the same as one in `/usr`
            yield _Folder(top, "", levels, packaged=True)
    for name, kind in host.files.list(_SETTINGS):
        if kind == "dir":
            yield _Folder(f"{_SETTINGS}/{name}", "", packaged=True)
    for home, user in host.homes.items():
        if is_of_system(home):  # accounts of services without a home of their own
            continue
        for path in _OF_USER_DEEPER:
            yield _Folder(f"{home}/{path}", user, _LEVELS, searched=_SEARCHED_IN_DATA)
        for path in _OF_USER:
            yield _Folder(f"{home}/{path}".rstrip("/"), user, _LEVELS, searched=0 if path else _SEARCHED_IN_DATA)


def _below(
    host: Host, folder: _Folder, met: dict[tuple[str, str], int], deeper: list[_Folder]
) -> Iterator[_Program | Problem]:
    """What may be a program in a folder and those below it.

    Args:
        host: the host.
        folder: the folder.
        met: how far below each folder was read for a user.
        deeper: takes the folders that lie below those, if some are to be read.
    """
    known = met.get((folder.path, folder.user), -1)
    if known >= folder.levels or folder.path in _NO_PROGRAMS:
        return
    met[folder.path, folder.user] = folder.levels
    count = folders = 0
    is_bin = folder.path.rpartition("/")[2] in _BIN
    for name, kind in host.files.list(folder.path or "/"):
        if kind == "dir":
            if (folder.levels and not name.startswith(_MOUNTED)) or name in _BIN:
                folders += 1
                if folders <= _FOLDERS:
                    levels = max(folder.levels - 1, 0)
                    below = folder._replace(path=f"{folder.path.rstrip('/')}/{name}", levels=levels)
                    yield from _below(host, below, met, deeper)
            elif folder.searched:
                deeper += _inner(folder, name)
        elif known < 0 and (kind == "file" or (kind == "link" and is_bin)) and _may_be_program(name):
            count += 1
            if count <= _MOST:
                yield _Program(f"{folder.path.rstrip('/')}/{name}", folder, linked=kind == "link")
    if count > _MOST:
        yield Problem(folder.path, f"more files than {_MOST:,}: the rest was not read", "limit")
    if folders > _FOLDERS:
        yield Problem(folder.path, f"more folders than {_FOLDERS:,}: the rest was not read", "limit")


def _deeper(host: Host, top: _Folder, pending: list[_Folder], seen: Seen) -> Iterator[Trace]:
    """The programs in folders that lie deeper, the upper ones first, and in none below a program."""
    limit = len(top.path.split("/")) + _LEVELS + _DEEP
    for count, folder in enumerate(pending):
        if count == top.searched:
            why = f"more than {count:,} folders so deep: the rest was not searched for programs that nothing names"
            yield Problem(top.path, why, "limit", hides=False)
            return
        entries = host.files.list(folder.path)
        names = [name for name, kind in entries if kind == "file" and _may_be_program(name)]
        holds = False
        for name in names[:_MOST]:
            for trace in _file(host, _Program(f"{folder.path}/{name}", folder, linked=False), seen):
                holds = True
                yield trace
        if len(names) > _MOST:
            yield Problem(folder.path, f"more files than {_MOST:,}: the rest was not read", "limit")
        if not holds and folder.path.count("/") < limit:
            pending += (inner for name, kind in entries if kind == "dir" for inner in _inner(folder, name))


def _inner(folder: _Folder, name: str) -> Iterator[_Folder]:
    """A folder in one that is searched, unless it is hidden or a project's own."""
    if not name.startswith(".") and name not in _OF_PROJECTS:
        yield folder._replace(path=f"{folder.path.rstrip('/')}/{name}", levels=0)


def _of_programs(path: str) -> str:
    """The folder that programs belong to: that of a folder `bin` in it."""
    folder, _, name = path.rpartition("/")
    return folder if name in _BIN else path


def _lies_in(path: str, folders: set[str]) -> bool:
    while folders and path:
        if path in folders:
            return True
        path = path.rpartition("/")[0]
    return False


def _may_be_program(name: str) -> bool:
    return name.rpartition(".")[2] not in _ENDINGS and not is_data(name) and not _NO_PROGRAM.search(name)


def _unlisted(host: Host, found: list[_Program], seen: Seen) -> Iterator[Trace]:
    """The items of those of some programs that no package lists. A link counts where it leads to anywhere else."""
    left = unlisted(host, (one.path for one in found))
    for one in found:
        if one.path in left and not (one.linked and (host.files.real(one.path) or "/usr/").startswith(OF_SYSTEM)):
            yield from _file(host, one, seen)


def _file(host: Host, found: _Program, seen: Seen) -> Iterator[Trace]:
    path, folder, _ = found
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


def _in_bin(levels: int) -> tuple[str, ...]:
    return tuple(f"{'/*' * levels}/{folder}/*" for folder in _BIN)


SOURCE = Source(
    name="loose_programs",
    title="Programs that lie by themselves",
    platforms=("linux",),
    kinds=("program",),
    needs=(),
    reads=(
        *(f"{top}/**/*" for top in _TEMPORARY),
        *(
            f"{top.rstrip('/')}{below}"
            for top, levels in (*((top, _LEVELS + _DEEP) for top in _TOPS), *_PACKAGED.items(), (f"{_SETTINGS}/*", 0))
            for below in (*("/*" * (level + 1) for level in range(levels + 1)), *_in_bin(levels))
        ),
        *("~/**/*", "/[!e]*/**/*"),
        *OF_PACKAGES,
    ),
    limits="Such a program says who made it only by its name, and one that is called like a file of a package is taken "
    f"for it. Deep in `/opt` and `/usr/local`, {_SEARCHED:,} folders are searched, in homes and others "
    f"{_SEARCHED_IN_DATA} each. Those that lie deeper than "
    f"{_LEVELS + _DEEP} folders, or in others, are found where something names or runs them.",
    collect=collect,
)
