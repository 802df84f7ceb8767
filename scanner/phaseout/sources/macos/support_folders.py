"""Folders of vendors in `Application Support`: what stays there when an application is dragged to the Trash.

References:
    Apple, "File System Programming Guide" (The Library Directory Stores App-Specific Files).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.sources.source import Source, Trace

_FOLDER = "/Library/Application Support"
_CHILDREN = 1_000  # of a vendor's folder
_NOTE = "a folder; the programs in it are seen as applications, services or processes"
_OF_MACOS = frozenset(
    (
        *("AddressBook", "App Store", "Apple", "ApplePushService", "CallHistoryDB", "CallHistoryTransactions"),
        *("CloudDocs", "CrashReporter", "DifferentialPrivacy", "Dock", "FaceTime", "FileProvider", "GarageBand"),
        *(
            "Knowledge",
            "Logic",
            "MobileSync",
            "ProApps",
            "Script Editor",
            "SyncServices",
            "iCloud",
            "icdd",
            "iLifeSlideshow",
        ),
    )
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder that is not part of macOS, and for the folders in those that all users share."""
    for path, name in _folders(host, _FOLDER):
        if _is_of_macos(name):
            yield LeftOut("part of the operating system")
            continue
        yield _item(path, name, "")
        inner = _folders(host, path)
        if len(inner) > _CHILDREN:
            yield Problem(path, f"more than {_CHILDREN} folders: the rest was not read", "limit")
        yield from (_item(*one, "") for one in inner[:_CHILDREN])
    for home, user in host.homes.items():
        for path, name in _folders(host, home + _FOLDER):
            yield LeftOut("part of the operating system") if _is_of_macos(name) else _item(path, name, user)


def _folders(host: Host, top: str) -> list[tuple[str, str]]:
    """The folders in a folder, and the links, which may lead to folders elsewhere or have led to some."""
    kinds = ("dir", "link")
    return [(f"{top}/{entry.name}", entry.name) for entry in host.files.list(top) if entry.kind in kinds]


def _is_of_macos(name: str) -> bool:
    return name.startswith(("com.apple.", ".")) or name in _OF_MACOS


def _item(path: str, name: str, user: str) -> Item:
    return Item(
        kind="file",
        name=name,
        state="leftover",
        path=path,
        user=user,
        details={"note": _NOTE},
        evidence=(Evidence(path),),
    )


SOURCE = Source(
    name="support_folders",
    title="Folders of vendors on macOS",
    platforms=("macos",),
    kinds=("file",),
    needs=(),
    reads=(f"{_FOLDER}/*", f"~{_FOLDER}/*"),
    limits="Whether a program in such a folder is in use does not show here.",
    collect=collect,
)
