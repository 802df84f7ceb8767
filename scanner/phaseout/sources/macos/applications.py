"""Applications and plug-ins of macOS: in the folders for them, of every user, on all volumes, nested, and in the Trash.

An item's name is that of the bundle, as Finder shows it. Shortcuts into a virtual machine (Coherence of Parallels,
Unity of VMware) are files, not applications: what they start is installed in the guest. They are recognised by their
bundle id, and must not be signed by another maker. What macOS runs from `/private/var/folders/…/AppTranslocation` is
no copy but the original, mounted there a second time.

References:
    Apple, "Bundle Programming Guide", "File System Programming Guide"; "Placing content in a bundle" (where nested
    code lies); https://docs.parallels.com/ ("Applications.localized" of Coherence).
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import unquote

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.model.nouns import Evidence, IdType, Item, Kind, LeftOut, Problem
from phaseout.parsers.encodings.property_list import mapping, text
from phaseout.parsers.macos.code_signature import Signature, detached, signature
from phaseout.parsers.macos.info_plist import Bundle, bundle, holder
from phaseout.sources.kit.library_folders import is_of_macos
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.places import Seen, places
from phaseout.sources.kit.top_folders import own_folders
from phaseout.sources.source import Source, Trace


class _Top(NamedTuple):
    """A folder to search.

    Attributes:
        folder: its path, below a home for those of users.
        levels: of folders that are searched, from the top down.
        whole: whether it is meant for applications, so that a folder deeper than that is a problem.
        kept: whether people keep there what they like: of what lies deeper than three folders, not all can be read.
        skipped: folders just below it that are searched by themselves.
    """

    folder: str
    levels: int
    whole: bool = False
    skipped: frozenset[str] = frozenset()
    kept: bool = False


_TOPS = (
    _Top("/Applications", 8, whole=True),
    _Top("/System/Applications", 8, whole=True),
    _Top("", 1),
    _Top("/Library", 3),
    _Top("/Library/Input Methods", 1),
    _Top("/Library/Application Support", 4),
    _Top("/Library/PrivilegedHelperTools", 1),
    _Top("/Users/Shared", 4),
    _Top("/opt", 4),
    _Top("/usr/local", 4),
    _Top("/private/tmp", 2),
    _Top("/private/var/tmp", 2),
)
_OF_USER = (
    _Top("", 6, skipped=frozenset(("applications", "desktop", "documents", "downloads", "library")), kept=True),
    _Top("/Library", 3),
    _Top("/Applications", 8, whole=True),
    _Top("/Applications (Parallels)", 8, whole=True),
    _Top("/Library/Input Methods", 1),
    _Top("/Library/Application Support", 3),
    _Top("/Library/Caches", 3),
    # These are guarded on a live Mac.
    _Top("/Library/Mobile Documents", 6, kept=True),
    _Top("/Library/Containers", 6, kept=True),
    _Top("/Library/Group Containers", 6, kept=True),
    _Top("/Desktop", 6, kept=True),
    _Top("/Documents", 6, kept=True),
    _Top("/Downloads", 6, kept=True),
)
_OF_VOLUME = (_Top("", 3, skipped=frozenset(("applications",))), _Top("/Applications", 8, whole=True))
_VOLUMES = "/Volumes"
_TRASH = "/.Trash"
_TRASHES = "/.Trashes"
_TEMPORARY = "/private/var/folders/*/*/T"
_TRANSLOCATED = frozenset(("apptranslocation",))
_IN_TRASH = 3
_HIDDEN = 2  # levels of a hidden folder in a home
_LIMIT = 50_000  # entries of one place
_SURE = 3  # levels of what people keep: a limit that is reached below them is no problem
# Folders of a project's own packages and history, in thousands of folders.
_OF_PROJECTS = frozenset(("node_modules", "site-packages", "__pycache__"))
_BUNDLES = (".app", ".appex")
# Folders for plug-ins, and how the plug-ins in them end.
_PLUG_INS = {
    "/Library/PreferencePanes": (".prefpane",),
    "/Library/Internet Plug-Ins": (".plugin", ".bundle", ".webplugin"),
    "/Library/QuickLook": (".qlgenerator",),
    "/Library/Screen Savers": (".saver",),
    "/Library/Spotlight": (".mdimporter",),
    "/Library/Mail/Bundles": (".mailbundle",),
    "/Library/Security/SecurityAgentPlugins": (".bundle",),
    "/Library/DirectoryServices/PlugIns": (".dsplug",),
    "/Library/ScriptingAdditions": (".osax",),
    "/Library/Services": (".service", ".app", ".workflow"),
    "/Library/Address Book Plug-Ins": (".bundle",),
    "/Library/Contextual Menu Items": (".plugin",),
    "/Library/Audio/Plug-Ins/HAL": (".driver", ".plugin"),
    "/Library/Audio/Plug-Ins/Components": (".component",),
    "/Library/Audio/Plug-Ins/MAS": (".plugin",),
    "/Library/Audio/MIDI Drivers": (".plugin",),
    "/Library/CoreMediaIO/Plug-Ins/DAL": (".plugin",),
    "/Library/CoreMediaIO/Plug-Ins/FCP-DAL": (".plugin",),
    "/Library/Filesystems": (".fs",),
    "/Library/Frameworks": (".framework",),
    "/Library/ColorPickers": (".colorpicker",),
    "/Library/Components": (".component",),
    "/Library/QuickTime": (".component",),
    "/Library/Automator": (".action", ".definition"),
    "/Library/Bundles": (".bundle",),
    "/Library/GPUBundles": (".bundle",),
    "/Library/PDF Services": (".workflow", ".app", ".service"),
    "/Library/Image Capture/Devices": (".app",),
    "/Library/OpenDirectory/Modules": (".xpc",),
    "/Library/SystemProfiler": (".spreporter",),
    "/Library/Video/Plug-Ins": (".plugin", ".bundle"),
    "/Library/Widgets": (".wdgt",),
    "/Library/DirectoryServices/dscl": (".bundle",),
    "/Library/PreferencePanes (Disabled)": (".prefpane",),
}
_PLUG_IN = tuple({ending for endings in _PLUG_INS.values() for ending in endings} - {".app"})
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
_NESTED = (
    *("Applications", "Helpers", "MacOS", "PlugIns", "Extensions", "Resources", "SharedSupport", "Support"),
    *("XPCServices", "Library/LoginItems", "Library/Applications", "Frameworks"),
)
_IN_FRAMEWORK = ("Helpers", "Resources", "Support")
_LEVELS = 3  # of applications in applications
_INFO = 1 << 20
_RECEIPT = "Contents/_MASReceipt/receipt"
_GUESTS = (("com.parallels.winapp.", "Parallels"), ("com.vmware.proxyapp.", "VMware"))
# Where a bundle has its facts, and where its program: an application, one of a phone, a framework, a flat one.
_FORMS = (
    ("/Contents", "/Contents/MacOS"),
    ("/WrappedBundle", "/WrappedBundle"),
    ("/Resources", ""),
    ("/Versions/A/Resources", "/Versions/A"),
    ("", ""),
)
_DOCK = "/Library/Preferences/com.apple.dock.plist"
_APPLES = ("/System/", "/Library/Apple/")
_SIGNATURE = "_CodeSignature"
_BLOB = 1 << 20  # bytes of a detached signature
_ICLOUD = re.compile(r"\.(.+\.app)\.icloud")


class _Place(NamedTuple):
    """A bundle to read: its path, its user, what contains it, and how deep it is nested."""

    path: str
    user: str
    trashed: bool = False
    inside: str = ""
    level: int = 0


def collect(host: Host) -> Iterator[Trace]:
    """An item for every application, app extension and plug-in; a user's second way to the same bundle is no second."""
    seen, missing = Seen(), MissingFiles(host)
    links: list[_Place] = []
    for top, user in _places(host):
        for folder, entry in _search(host, top):
            place = _Place(f"{folder}/{entry.name}", user, _TRASH in top.folder)
            stub = _ICLOUD.fullmatch(entry.name)
            if stub:
                yield from _placeholder(folder, stub[1], entry.name, user)
            elif entry.kind == "link":
                links.append(place)
            elif entry.kind == "dir":
                yield from _bundle(host, place, seen, missing)
            else:
                yield LeftOut("a file, not a folder")
    for place in (*_plug_ins(host), *_in_docks(host)):
        yield from _bundle(host, place, seen, missing)
    for place in links:  # what they lead to may be known by now
        yield from _link(host, place, seen, missing)


def _places(host: Host) -> Iterator[tuple[_Top, str]]:
    """The folders to search, each with its user."""
    yield from ((top, "") for top in _TOPS)
    yield from ((_Top(folder, 4), "") for folder in own_folders(host, ("opt",)))
    yield from ((_Top(place.path, 3, skipped=_TRANSLOCATED), "") for place in places(host, (_TEMPORARY,)))
    for home, user in host.homes.items():
        yield from ((top._replace(folder=home + top.folder), user) for top in _OF_USER)
        yield _Top(home + _TRASH, _IN_TRASH), user
    names = {user.uid: user.name for user in reversed(host.users)}
    for trashes in (_TRASHES, *(f"{volume}{_TRASHES}" for volume in _volumes(host))):
        for entry in host.files.list(trashes):
            if entry.name.isdecimal():
                yield _Top(f"{trashes}/{entry.name}", _IN_TRASH), names.get(int(entry.name[:10]), entry.name)
    for volume in _volumes(host):
        yield from ((top._replace(folder=volume + top.folder), "") for top in _OF_VOLUME)


def _volumes(host: Host) -> Iterator[str]:
    """The other volumes; the system's own is there as a link."""
    for entry in host.files.list(_VOLUMES):
        path = f"{_VOLUMES}/{entry.name}"
        if not entry.name.startswith(".") and (entry.kind == "dir" or host.files.real(path) not in (None, "/")):
            yield path


def _search(host: Host, top: _Top) -> Iterator[tuple[str, Entry]]:
    """The bundles below a folder, each with the folder that it is in; what is near the top comes first.

    Bundles themselves are not searched.
    """
    pending = deque(((top.folder, top.levels),))
    left = _LIMIT
    too_deep = ""
    followed: set[str | None] = {None}
    while pending:
        folder, levels = pending.popleft()
        entries = host.files.list(folder or "/")
        left -= len(entries)
        if left < 0:
            why = f"more than {_LIMIT} entries: not all folders were searched"
            deep = top.kept and top.levels - levels >= _SURE
            host.files.problems.append(Problem(top.folder or "/", why, "limit", hides=not deep))
            return
        for entry in entries:
            name = entry.name.lower()
            if name.endswith((".app", ".app.icloud")):
                yield folder, entry
                continue
            path = f"{folder}/{entry.name}"
            if entry.kind == "link" and top.whole and host.files.is_dir(path):
                real = host.files.real(path)
                is_folder = real not in followed and not f"{top.folder}/".startswith(f"{real}/")
                followed.add(real)
            else:
                is_folder = entry.kind == "dir"
            if name in top.skipped and folder == top.folder:
                continue
            if is_folder and _is_bundle(host, path):
                yield folder, entry  # without the usual ending, but an application all the same
            elif is_folder and (top.whole or not _is_closed(top.folder, folder, name)):
                if levels > 1:
                    pending.append(
                        (path, min(levels - 1, _HIDDEN) if name.startswith(".") and not top.whole else levels - 1)
                    )
                elif top.whole:
                    too_deep = too_deep or path
    if too_deep:
        host.files.problems.append(Problem(too_deep, f"deeper than {top.levels} folders: not searched", "limit"))


def _is_bundle(host: Host, path: str) -> bool:
    """Whether a folder has what only a bundle has: facts, and a folder of programs."""
    return host.files.exists(f"{path}/Contents/Info.plist") and host.files.is_dir(f"{path}/Contents/MacOS")


def _is_closed(top: str, folder: str, name: str) -> bool:
    """Whether a folder is not searched. Of the hidden folders, those at the top of a home are: users make them."""
    if folder.endswith("/Library") and folder == top:
        return is_of_macos(name)
    if name.startswith("."):
        return folder != top or not top.startswith("/Users/") or "/Library" in top or name == _TRASH[1:].lower()
    return (
        name.endswith(_CLOSED)
        or name in _OF_PROJECTS
        or ("/Library" in folder and (name.startswith("com.apple.") or name in _OF_MACOS))
    )


def _plug_ins(host: Host) -> Iterator[_Place]:
    """The plug-ins of the machine and of every user."""
    for base, user in (("", ""), *((home, user) for home, user in host.homes.items())):
        for below, endings in _PLUG_INS.items():
            for entry in host.files.list(base + below):
                if entry.kind != "file" and entry.name.lower().endswith(endings):
                    yield _Place(f"{base}{below}/{entry.name}", user)


def _in_docks(host: Host) -> Iterator[_Place]:
    """The applications that users keep in their Dock, wherever these lie."""
    for home, user in host.homes.items():
        values = mapping(host.files.read(home + _DOCK, _INFO) or b"") or {}
        entries = values.get("persistent-apps")
        for entry in entries if isinstance(entries, list) else ():
            found: object = entry
            for key in ("tile-data", "file-data", "_CFURLString"):
                found = found.get(key) if isinstance(found, dict) else None
            path = unquote(text(found).removeprefix("file://")).rstrip("/")
            if path.startswith("/") and host.files.is_dir(path) and not path.startswith(_APPLES):
                yield _Place(path, user)


def _link(host: Host, place: _Place, seen: Seen, missing: MissingFiles) -> Iterator[Trace]:
    if host.files.gone(place.path):
        target = host.files.link(place.path) or ""
        state, notes = missing.state(place.path)
        yield Item(
            kind="app",
            name=_stem(place.path),
            state=state,
            path=place.path,
            user=place.user,
            details={"note": f"link to {target}, which is gone" if state == "leftover" else "", "link": target},
            notes=notes,
            evidence=(Evidence(place.path, target),),
        )
    elif seen.met(host.files.real(place.path) or place.path):
        yield LeftOut("listed as another item")
    else:
        yield from _bundle(host, place, seen, missing)


def _bundle(host: Host, place: _Place, seen: Seen, missing: MissingFiles) -> Iterator[Trace]:
    """The item of a bundle, and those of the bundles in it."""
    real = host.files.real(place.path) or place.path
    if not seen.first(real, place.user):
        yield LeftOut("listed as another item")
        return
    info, where, folder = _info(host, place.path)
    signed = _signature(host, place, info, folder)
    if info is None and where and (signed is None or not signed.identifier):
        yield Problem(where, "is damaged: no property list", "damaged")
    guest = _guest(info, signed)
    yield _item(host, place, info, where, folder, signed, guest, missing)
    contents = f"{place.path}/Contents" if folder.endswith("/Contents/MacOS") else folder
    nested = _nested(host, contents) if not guest else iter(())
    if place.level < _LEVELS:
        for path in nested:
            inside = _Place(path, place.user, place.trashed, place.inside or place.path, place.level + 1)
            yield from _bundle(host, inside, seen, missing)
    elif (deeper := next(nested, "")) != "":
        yield Problem(deeper, f"more than {_LEVELS} applications within each other: not read", "limit")


def _info(host: Host, path: str) -> tuple[Bundle | None, str, str]:
    """The facts of a bundle, the file they are in, and the folder of the program.

    Applications of a phone or tablet are wrapped in a bundle of their own, and flat inside.
    """
    for contents, programs in _FORMS:
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


def _program(place: _Place, info: Bundle | None, folder: str) -> str:
    """The path of a bundle's program; empty where the bundle does not say."""
    executable = (info.executable if info else "") or _stem(place.path)
    return "" if "/" in executable or info is None else f"{folder}/{executable}"


def _signature(host: Host, place: _Place, info: Bundle | None, folder: str) -> Signature | None:
    """The signature in a bundle's program, or that of a bundle whose program is a script."""
    program = _program(place, info, folder) or f"{folder}/{_stem(place.path)}"
    signed = signature(partial(host.files.part, program))
    if signed is not None and signed.identifier:
        return signed
    base = folder.removesuffix("/MacOS")
    directory = host.files.read(f"{base}/{_SIGNATURE}/CodeDirectory", _BLOB)
    if directory is None:
        return signed
    cms = host.files.read(f"{base}/{_SIGNATURE}/CodeSignature", _BLOB) or b""
    return detached(directory, cms) or signed


def _item(
    host: Host,
    place: _Place,
    info: Bundle | None,
    where: str,
    folder: str,
    signed: Signature | None,
    guest: str,
    missing: MissingFiles,
) -> Item:
    name = _stem(place.path)
    program = "" if guest or not (info and info.executable) else _program(place, info, folder)
    state, notes = missing.state(program)
    note = "" if info else "no readable Info.plist"
    if place.trashed:
        state, note = "leftover", "in the Trash"
    elif state == "leftover":
        note = "its program is gone"
    elif guest:
        note = f"a shortcut into a virtual machine of {guest}"
    is_extension = place.path.lower().endswith((".appex", *_PLUG_IN))
    kind: Kind = "file" if guest else "extension" if is_extension else "app"
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
        notes=notes,
        evidence=(Evidence(where or place.path, f"CFBundleIdentifier: {info.id}" if info else note),),
    )


def _vendor(info: Bundle | None, signed: Signature | None) -> str:
    """The signer's organisation; without a signature or with that of Apple's store, the holder of the copyright."""
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


def _guest(info: Bundle | None, signed: Signature | None) -> str:
    """The maker of the virtual machine that a shortcut leads into; empty for everything else.

    The folder says nothing: anyone can name one like those of Parallels. A program that another maker signed is no
    shortcut, even if its bundle id says so.
    """
    identifier = info.id.lower() if info else ""
    maker = next((maker for prefix, maker in _GUESTS if identifier.startswith(prefix)), "")
    if signed is not None and signed.organisation and maker.lower() not in signed.organisation.lower():
        return ""
    return maker


def _placeholder(folder: str, name: str, stub: str, user: str) -> Iterator[Trace]:
    note = "kept in iCloud: only a placeholder is here"
    yield Problem(f"{folder}/{stub}", note, "cloud")
    yield Item(
        kind="app",
        name=_stem(name),
        path=f"{folder}/{name}",
        user=user,
        notes=(note,),
        evidence=(Evidence(f"{folder}/{stub}", note),),
    )


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] if name.lower().endswith((*_BUNDLES, *_PLUG_IN)) else name


_SEARCHED = (
    *(top.folder for top in _TOPS if top.folder),
    *(*_PLUG_INS, _TRASHES),
    *(f"~{folder}" for folder in (*(top.folder for top in _OF_USER), *_PLUG_INS, _TRASH) if folder),
    *(f"{_VOLUMES}/*{folder}" for folder in ("/Applications", _TRASHES)),
)
# Of a bundle: what it says of itself, its program and the signature. Those of phones and tablets are flat.
_FILES = (
    "Info.plist",
    "MacOS/*",
    "_CodeSignature/Code*",
    "WrappedBundle/*",
    "*.app/*",
    "*.appex/*",
    "Resources/*",
    "Versions/*/*",
    "*",
)
SOURCE = Source(
    name="applications",
    title="Applications of macOS",
    platforms=("macos",),
    kinds=("app", "extension", "file"),
    needs=(),
    reads=(
        *(f"~{_DOCK}", "/System/Volumes/Data/*", f"{_TEMPORARY}/**"),
        *(f"/**/{form}/Info.plist" for form in ("Contents", "WrappedBundle", "Resources", "*.app")),  # any folder may
        *(
            "/**/MacOS/*",
            "/**/_MASReceipt/receipt",
            "/**/_CodeSignature/Code*",
        ),  # be a bundle, and a user may keep one in the Dock
        *(f"{folder}/**/{file}" for folder in _SEARCHED for file in _FILES),
        *(
            f"{top}/*.app/{file}"
            for top in ("", "~", f"{_VOLUMES}/*")
            for file in ("*", *(f"**/{file}" for file in _FILES))
        ),
    ),
    limits="Applications kept in other places, such as folders within Documents, are seen when they run. Whether a "
    "signature holds is not verified.",
    collect=collect,
)
