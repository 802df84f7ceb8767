"""AppImages: programs in one file each, in the folders where people keep them.

The magic bytes at its head tell. The head is read of files whose name ends in `.AppImage`, and in the folders of
users of all that may be executed.

References:
    https://github.com/AppImage/AppImageSpec/blob/master/draft.md;
    https://github.com/TheAssassin/AppImageLauncher (the desktop entries appimagekit_*.desktop, X-AppImage-Version)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.keyfile import sections, unescaped
from phaseout.parsers.linux.appimage import image_type, named
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.kit.places import Seen
from phaseout.sources.source import Source, Trace

_SYSTEM = ("/opt", "/usr/local/bin", "/Applications")
_USER = (
    *("Applications", "AppImages", ".local/share/AppImages", ".appimages", ".local/bin", "bin", "Desktop", "Downloads"),
    *("Programs", ".local/opt", "opt"),
)
_ENTRIES = ".local/share/applications"
_SUFFIX = ".appimage"
_DEPTH = 2  # of folders in a user's folder
_FOLDERS = 5_000  # of one folder
_READ = 10_000  # programs of other names in a user's folder whose head is read


def collect(host: Host) -> Iterator[Trace]:
    """An item for every AppImage, once if a user has several names for it, and for every desktop entry made for one.

    An entry tells what an AppImage in the same home is called; one made for any other file is an item of its own.
    """
    seen = Seen()
    missing = MissingFiles(host)
    for folder in _SYSTEM:
        yield from _folder(host, folder, "", "", {}, seen)
    for entry in host.files.list("/opt"):
        if entry.kind == "dir":
            yield from _folder(host, f"/opt/{entry.name}", "", "", {}, seen)
    for home, user in host.homes.items():
        if host.files.is_dir(home):
            integrated = _integrated(host, f"{home}/{_ENTRIES}")
            inside = f"{host.files.real(home) or home}/"
            for folder in _USER:
                yield from _folder(host, f"{home}/{folder}", user, inside, integrated, seen)
                yield from _deeper(host, f"{home}/{folder}", user, inside, integrated, seen)
            for path, keys in integrated.items():
                if path.startswith("/"):  # kept elsewhere, or removed without its entry
                    yield _item(path, path, user, 0, "", keys, missing.state(path)[0])


def _deeper(
    host: Host, top: str, user: str, home: str, integrated: dict[str, dict[str, str]], seen: Seen, depth: int = _DEPTH
) -> Iterator[Trace]:
    """Those called AppImages in the folders of a folder: people sort what they download."""
    folders = [f"{top}/{entry.name}" for entry in host.files.list(top) if entry.kind == "dir"]
    for folder in folders[:_FOLDERS]:
        if any(below.name.lower().endswith(_SUFFIX) for below in host.files.list(folder)):
            yield from _folder(host, folder, user, home, integrated, seen, by_name_only=True)
        if depth > 1:
            yield from _deeper(host, folder, user, home, integrated, seen, depth - 1)
    if len(folders) > _FOLDERS:
        yield Problem(top, f"more than {_FOLDERS} folders: the rest was not read", "limit")


def _integrated(host: Host, folder: str) -> dict[str, dict[str, str]]:
    """Path of an AppImage → the desktop entry that a user's helper made for it."""
    found: dict[str, dict[str, str]] = {}
    for entry in host.files.list(folder):
        if entry.name.startswith("appimagekit") and entry.name.endswith(".desktop"):
            keys = sections(host.files.text(f"{folder}/{entry.name}", 1 << 20) or "").get("Desktop Entry", {})
            found[unescaped(keys.get("TryExec", ""))] = keys
    return found


def _folder(
    host: Host,
    folder: str,
    user: str,
    home: str,
    integrated: dict[str, dict[str, str]],
    seen: Seen,
    *,
    by_name_only: bool = False,
) -> Iterator[Trace]:
    """The AppImages of a folder. The desktop entries of those that lie in the user's home are taken out."""
    read = 0
    entries = host.files.list(folder)
    # What is called an AppImage comes first, and is always read.
    for entry in sorted(entries, key=lambda entry: not entry.name.lower().endswith(_SUFFIX)):
        path = f"{folder}/{entry.name}"
        by_name = entry.name.lower().endswith(_SUFFIX)
        if entry.kind not in ("file", "link") or not (by_name or (user and not by_name_only)):
            continue
        stat = host.files.stat(path)
        if stat is None or stat.kind != "file" or not (by_name or stat.mode & 0o111):
            continue
        read += not by_name
        if read > _READ:
            yield Problem(folder, f"more than {_READ} programs: the rest was not read", "limit")
            return
        head = host.files.head(path, 16)
        kind = image_type(head or b"")
        if not kind and not by_name:
            continue
        if not kind and head is not None and not head.startswith(b"\x7fELF"):
            yield LeftOut("not a program")
            continue
        real = host.files.real(path) or path
        keys: dict[str, str] = {}
        if user and real.startswith(home):  # a user cannot name the files of another one
            by_path, by_real = integrated.pop(path, {}), integrated.pop(real, {})
            keys = by_path or by_real
        if seen.first(real, user):
            yield _item(path, real, user, kind, rfc3339(stat.mtime), keys)


def _item(
    path: str, real: str, user: str, kind: int, modified: str, entry: dict[str, str], state: State = "installed"
) -> Item:
    name, version, arch = named(real.rpartition("/")[2])
    return Item(
        kind="program",
        name=unescaped(entry.get("X-AppImage-Old-Name") or entry.get("Name", "")) or name,
        state=state,
        version=unescaped(entry.get("X-AppImage-Version", "")) or version,
        path=real,
        user=user,
        details={"arch": arch, "modified": modified, "type": str(kind) if kind else ""},
        evidence=(
            Evidence(path, f"an AppImage of type {kind}" if kind else "an AppImage by its name or its desktop entry"),
        ),
    )


SOURCE = Source(
    name="appimage",
    title="AppImages",
    platforms=("linux",),
    kinds=("program",),
    needs=(),
    reads=(
        *(f"{folder}/*" for folder in _SYSTEM),
        "/opt/*/*",
        *(f"~/{folder}/*" for folder in _USER),
        *(f"~/{folder}/*/*/*" for folder in _USER),
        *(f"~/{folder}/*/*" for folder in _USER),
        f"~/{_ENTRIES}/appimagekit*.desktop",
        *VOLUME_LISTS,
    ),
    limits=(
        "Only the usual folders are read, with two levels of those in them; one of another name is found "
        "in the folders of users only."
    ),
    collect=collect,
)
