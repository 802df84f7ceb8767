"""Applications of macOS: those in the folders for them, those of every user, what is nested in them, and the Trash.

An item's name is the one that Finder shows: that of the bundle. Shortcuts into a virtual machine (Coherence of
Parallels, Unity of VMware) are files, not applications: what they start is installed in the guest. What macOS runs
from `/private/var/folders/…/AppTranslocation` is no copy but the original, mounted there a second time.

References:
    Apple, "Bundle Programming Guide", "File System Programming Guide"; "Placing content in a bundle" (where nested
    code lies); https://docs.parallels.com/ ("Applications.localized" of Coherence).
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.model.nouns import Evidence, IdType, Item, Kind, LeftOut, Problem, State
from phaseout.parsers.macos.code_signature import Signature, signature
from phaseout.parsers.macos.info_plist import Bundle, bundle, holder
from phaseout.sources.kit.places import Seen
from phaseout.sources.source import Source, Trace

# Folder → how many levels of folders are searched, from the top down.
_TOPS = {
    "/Applications": 4,
    "/System/Applications": 4,
    "/Library": 3,
    "/Library/Input Methods": 1,
    "/Library/Application Support": 4,
}
_HOME = {
    "": 1,
    "/Applications": 4,
    "/Applications (Parallels)": 4,
    "/Library/Input Methods": 1,
    "/Library/Application Support": 2,
    "/Desktop": 1,  # this and the next two are guarded on a live Mac
    "/Documents": 1,
    "/Downloads": 1,
}
_TRASH = "/.Trash"
_TRASHES = "/.Trashes"
_IN_TRASH = 3
_LIMIT = 5_000  # entries that are looked at in one place
_BUNDLES = (".app", ".appex")
# What is no application, but has a folder of files that a search need not go through.
_CLOSED = (
    *(".bundle", ".framework", ".kext", ".lproj", ".photoslibrary", ".plugin", ".prefpane", ".qlgenerator", ".rtfd"),
    *(".saver", ".systemextension", ".xpc", ".component", ".vst", ".vst3", ".pvm", ".vmwarevm", ".utm"),
)
# Folders of macOS itself, some of them guarded: where others put their own is beside them.
_OF_MACOS = frozenset(
    (
        *("addressbook", "callhistorydb", "callhistorytransactions", "clouddocs", "differentialprivacy", "facetime"),
        *("fileprovider", "icloud", "knowledge", "mobilesync", "syncservices"),
    )
)
_IN_LIBRARY = frozenset(
    (
        *("apple", "application support", "audio", "automator", "bluetooth", "bundles", "caches", "catalogs"),
        *("colorpickers", "colorsync", "components", "compositions", "contextual menu items", "coreanalytics"),
        *("coremediaio", "desktop pictures", "developer", "dictionaries", "directoryservices", "documentation"),
        *("driverextensions", "extensions", "filesystems", "fonts", "frameworks", "graphics", "gpubundles"),
        *("image capture", "input methods", "internet plug-ins", "java", "kernelcollections", "keyboard layouts"),
        *("keychains", "launchagents", "launchdaemons", "logs", "managed preferences", "modem scripts"),
        *("opendirectory", "osanalytics", "packages", "pdf services", "perl", "preferencepanes", "preferences"),
        *("printers", "privilegedhelpertools", "python", "quicklook", "quicktime", "receipts", "ruby", "sandbox"),
        *("screen savers", "scriptingadditions", "scripts", "security", "speech", "spotlight", "stagedextensions"),
        *("startupitems", "staged", "systemextensions", "systemmigration", "systemprofiler", "trial", "updates"),
        *("user pictures", "user template", "video", "webserver", "widgets"),
    )
)
_NESTED = (
    *("Applications", "Helpers", "MacOS", "PlugIns", "Extensions", "Resources", "SharedSupport", "Support"),
    *("XPCServices", "Library/LoginItems", "Library/Applications", "Frameworks"),
)
_IN_FRAMEWORK = ("Helpers", "Resources", "Support")
_LEVELS = 3  # of applications in applications
_INFO = 1 << 20
_RECEIPT = "Contents/_MASReceipt/receipt"
_COHERENCE = re.compile(r"/(?:Applications \(Parallels\)|\{[^/]*\} Applications\.localized)/", re.IGNORECASE)
_GUESTS = (("com.parallels.winapp", "Parallels"), ("com.vmware.proxyapp", "VMware"))
_ICLOUD = re.compile(r"\.(.+\.app)\.icloud")


class _Place(NamedTuple):
    """A bundle to look at: its path, whose it is, what contains it, and how deep that is nested."""

    path: str
    user: str
    trashed: bool = False
    inside: str = ""
    level: int = 0


def collect(host: Host) -> Iterator[Trace]:
    """An item for every application and app extension; one that is found by several ways of a user is one."""
    seen = Seen()
    links: list[_Place] = []
    for top, depth, user in _places(host):
        for folder, entry in _search(host, top, depth):
            if entry is None:
                yield Problem(folder, f"more than {_LIMIT} entries below: the rest was not searched", "limit")
                continue
            place = _Place(f"{folder}/{entry.name}", user, "/.Trash" in top)
            stub = _ICLOUD.fullmatch(entry.name)
            if stub:
                yield _placeholder(folder, stub[1], entry.name, user)
            elif entry.kind == "link":
                links.append(place)
            elif entry.kind == "dir":
                yield from _bundle(host, place, seen)
            else:
                yield LeftOut("a file, not a folder")
    for place in links:  # what they lead to may be known by now
        yield from _link(host, place, seen)


def _places(host: Host) -> Iterator[tuple[str, int, str]]:
    """Folder, how many levels of it, and whose it is."""
    yield from ((top, depth, "") for top, depth in _TOPS.items())
    for home, user in host.homes.items():
        yield from ((home + folder, depth, user) for folder, depth in _HOME.items())
        yield home + _TRASH, _IN_TRASH, user
    names = {user.uid: user.name for user in reversed(host.users)}
    for entry in host.files.list(_TRASHES):
        if entry.name.isdecimal():
            yield f"{_TRASHES}/{entry.name}", _IN_TRASH, names.get(int(entry.name[:10]), entry.name)


def _search(host: Host, top: str, depth: int) -> Iterator[tuple[str, Entry | None]]:
    """The bundles below a folder, with the folder that each is in; none once there were too many.

    Bundles themselves are not searched. What is near the top comes first.
    """
    pending = deque(((top, depth),))
    left = _LIMIT
    while pending:
        folder, levels = pending.popleft()
        if left < 0:
            yield top, None
            return
        entries = host.files.list(folder)
        left -= len(entries)
        for entry in entries:
            name = entry.name.lower()
            if name.endswith((".app", ".app.icloud")):
                yield folder, entry
            elif entry.kind == "dir" and levels > 1 and not _is_closed(folder, name):
                pending.append((f"{folder}/{entry.name}", levels - 1))


def _is_closed(folder: str, name: str) -> bool:
    if folder == "/Library":
        return name in _IN_LIBRARY
    return name.endswith(_CLOSED) or name.startswith(("com.apple.", ".")) or name in _OF_MACOS


def _link(host: Host, place: _Place, seen: Seen) -> Iterator[Trace]:
    if host.files.gone(place.path):
        target = host.files.link(place.path) or ""
        yield Item(
            kind="app",
            name=_stem(place.path),
            state="leftover",
            path=place.path,
            user=place.user,
            details={"note": f"link to {target}, which is gone"},
            evidence=(Evidence(place.path, target),),
        )
    elif seen.met(host.files.real(place.path) or place.path):
        yield LeftOut("listed as another item")
    else:
        yield from _bundle(host, place, seen)


def _bundle(host: Host, place: _Place, seen: Seen) -> Iterator[Trace]:
    """The item of a bundle, and those of the bundles in it."""
    real = host.files.real(place.path) or place.path
    if not seen.first(real, place.user):
        yield LeftOut("listed as another item")
        return
    info, where, folder = _info(host, place.path)
    if info is None and where:
        yield Problem(where, "is no property list")
    guest = _guest(place.path, info)
    yield _item(host, place, info, where, folder, guest)
    if place.level < _LEVELS and not guest:
        contents = f"{place.path}/Contents" if folder.endswith("/Contents/MacOS") else folder
        for path in _nested(host, contents):
            inside = _Place(path, place.user, place.trashed, place.inside or place.path, place.level + 1)
            yield from _bundle(host, inside, seen)


def _info(host: Host, path: str) -> tuple[Bundle | None, str, str]:
    """The facts of a bundle, the file that holds them, and the folder of the program.

    Applications of a phone or tablet are wrapped in a bundle of their own, and flat inside.
    """
    for contents, programs in (("/Contents", "/Contents/MacOS"), ("/WrappedBundle", "/WrappedBundle"), ("", "")):
        file = f"{path}{contents}/Info.plist"
        data = host.files.read(file, _INFO)
        if data is not None:
            return bundle(data), file, path + programs
    return None, "", f"{path}/Contents/MacOS"


def _nested(host: Host, contents: str) -> Iterator[str]:
    """The applications and app extensions in a bundle."""
    here = {entry.name for entry in host.files.list(contents) if entry.kind != "file"}
    for name in _NESTED:
        if name.partition("/")[0] not in here:
            continue
        folder = f"{contents}/{name}"
        for entry in host.files.list(folder):
            if entry.kind != "dir":
                continue
            if entry.name.endswith(_BUNDLES):
                yield f"{folder}/{entry.name}"
            elif entry.name.endswith(".framework"):
                for part in _IN_FRAMEWORK:
                    inner = f"{folder}/{entry.name}/{part}"
                    yield from (f"{inner}/{one.name}" for one in host.files.list(inner) if one.name.endswith(".app"))


def _item(host: Host, place: _Place, info: Bundle | None, where: str, folder: str, guest: str) -> Item:
    name = _stem(place.path)
    executable = (info.executable if info else "") or name
    program = "" if "/" in executable or not info or guest else f"{folder}/{executable}"
    signed = signature(partial(host.files.part, program)) if program else None
    note = "" if info else "no readable Info.plist"
    state: State = "installed"
    if place.trashed:
        state, note = "leftover", "in the Trash"
    elif program and info and info.executable and host.files.gone(program):
        state, note = "leftover", "its program is gone"
    elif guest:
        note = f"a shortcut into a virtual machine of {guest}"
    kind: Kind = "file" if guest else "extension" if place.path.endswith(".appex") else "app"
    details = {"note": note, "guest": guest, "inside": place.inside, "link": host.files.link(place.path) or ""}
    if not place.inside and host.files.exists(f"{place.path}/{_RECEIPT}"):
        details["app_store"] = "yes"
    return Item(
        kind=kind,
        name=name,
        state=state,
        vendor=_vendor(info, signed),
        version="" if info is None or guest else info.version,
        path=place.path,
        user=place.user,
        signer=signed.authority if signed else "",
        ids=_ids(info, signed),
        details={**details, **_facts(name, info, signed)},
        evidence=(Evidence(where or place.path, f"CFBundleIdentifier: {info.id}" if info else note),),
    )


def _vendor(info: Bundle | None, signed: Signature | None) -> str:
    """The signer's organisation; where that is Apple's store or nobody, whom the copyright names."""
    return (signed.organisation if signed else "") or (holder(info.copyright) if info else "")


def _ids(info: Bundle | None, signed: Signature | None) -> dict[IdType, str]:
    return {
        "bundle_id": (info.id if info else "") or (signed.identifier if signed and not signed.adhoc else ""),
        "team_id": signed.team_id if signed else "",
    }


def _facts(name: str, info: Bundle | None, signed: Signature | None) -> Mapping[str, str]:
    found: dict[str, str] = {}
    if info is not None:
        others = dict.fromkeys(other for other in (info.display_name, info.name) if other and other != name)
        found = {
            "names": "; ".join(others),
            "build": info.build if info.build != info.version else "",
            "copyright": info.copyright,
            "extension_point": info.extension_point,
        }
    if signed is not None:
        found["arch"] = " ".join(signed.archs)
        found["signing_id"] = signed.identifier if info is None or signed.identifier != info.id else ""
        found["signed"] = "ad hoc" if signed.adhoc and signed.identifier else "" if signed.identifier else "no"
    return found


def _guest(path: str, info: Bundle | None) -> str:
    """The maker of the virtual machine that a shortcut leads into; empty for everything else."""
    identifier = info.id.lower() if info else ""
    by_id = next((maker for prefix, maker in _GUESTS if identifier.startswith(prefix)), "")
    return by_id or ("Parallels" if _COHERENCE.search(path) else "")


def _placeholder(folder: str, name: str, stub: str, user: str) -> Item:
    note = "kept in iCloud: only a placeholder is here"
    return Item(
        kind="app",
        name=_stem(name),
        state="leftover",
        path=f"{folder}/{name}",
        user=user,
        details={"note": note},
        evidence=(Evidence(f"{folder}/{stub}", note),),
    )


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] if name.lower().endswith(_BUNDLES) else name


SOURCE = Source(
    name="applications",
    title="Applications of macOS",
    platforms=("macos",),
    kinds=("app", "extension", "file"),
    needs=(),
    reads=(
        *(f"{top}/**" for top in (*_TOPS, _TRASHES)),
        *(f"~{folder}/**" for folder in (*_HOME, _TRASH) if folder),
        "~/*.app/**",
    ),
    limits="Applications kept in other places (other volumes, folders within Documents, …) are seen when they run. "
    "Whether a signature holds is not verified.",
    collect=collect,
)
