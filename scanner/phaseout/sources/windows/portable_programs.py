r"""Programs in the folders for programs, whether or not anything registers them, by what the files say.

Every program of a folder is read, and there is one item for each product in it. Read are two levels below
`Program Files` of every drive, `C:\ProgramData` and the folders of users, and a third below folders without a program;
of other folders of a drive and of what users keep in their own folders, one level and a second. What all users share is
searched deeper, six levels where no program lies above, and so is what a user keeps. In a folder without a program,
libraries count. A folder of any other place is read as soon as a key or a shortcut names it or a program in it. Of the
folder of Windows, the folders in it are read, those that others made two levels deep, those of printer drivers with
their libraries, and the assemblies of other makers; what is a part of Windows itself is left out.

References:
    Microsoft, "KNOWNFOLDERID" (ProgramFiles, ProgramData, LocalAppData, RoamingAppData, UserProgramFiles), "Registry
    and file virtualization" (VirtualStore); `phaseout.host.windows.executables`.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.host.windows.executables import Identity
from phaseout.model.counting import counted
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import ENDINGS
from phaseout.sources.kit.named_programs import READS as NAMING
from phaseout.sources.kit.named_programs import Named, named_programs
from phaseout.sources.kit.places import Seen
from phaseout.sources.kit.shell_folders import KEPT, moved
from phaseout.sources.source import Source, Trace

_PROGRAMS = (".exe", ".scr", ".com")  # what Windows runs as a program when it is opened
_LIBRARIES = (".dll", ".ocx", ".cpl", ".sys", ".drv")  # what others load: it counts where no program lies
_READ = 5_000  # programs of one folder
_LEVELS = 2
_LEVELS_ELSEWHERE = 1
_DEEP = 6  # levels below folders that all users share, as long as no program lies above
_SEARCHED = 50_000  # folders of one place that lie so deep: some seconds
# The same of a drive besides that of Windows, which may hold the data of a whole company, and of each folder of a user.
_SEARCHED_IN_DATA = 2_000
_SEARCHED_OF_USER = 400
# Folders of a project's own packages and history, in thousands of folders.
_OF_PROJECTS = frozenset(("node_modules", ".git", ".svn", ".hg", "__pycache__", "site-packages"))
_ENTRIES = 400_000  # of one place
# Folders at the top of a place that are read as other places, that other sources read, or that hold installers only.
_IN_PROGRAM_FILES = frozenset(
    ("windowsapps", "modifiablewindowsapps", "common files", "installshield installation information")
)
# Those that belong to Windows: what Microsoft has in them is a part of it.
_PARTS_OF_WINDOWS = frozenset(
    (
        *("windows defender", "windows mail", "windows media player", "uninstall information"),
        *("windows defender advanced threat protection", "windows multimedia platform", "windows nt"),
        *("windows photo viewer", "windows portable devices", "windows security", "windows sidebar"),
        *("windowspowershell", "windows journal", "microsoft update health tools"),
    )
)
_IN_PROGRAM_DATA = frozenset(("package cache", "packages", "chocolatey", "scoop"))
_IN_LOCAL = frozenset(("programs", "packages", "package cache", "temp", "virtualstore"))
_OF_USER = (
    (r"AppData\Local\Programs", frozenset[str]()),
    (r"AppData\Local", _IN_LOCAL),
    (r"AppData\Roaming", frozenset[str]()),
    (r"AppData\Local\Microsoft\WinGet\Packages", frozenset[str]()),
    (r"AppData\Local\VirtualStore\Program Files", frozenset[str]()),
    (r"AppData\Local\VirtualStore\Program Files (x86)", frozenset[str]()),
    (r"AppData\Local\VirtualStore\ProgramData", frozenset[str]()),
    (r"AppData\LocalLow", frozenset[str]()),
)
_TEMPORARY = r"AppData\Local\Temp"
_DRIVES = tuple(f"{letter}:" for letter in "CDEFGHIJKLMNOPQRSTUVWXYZ")
_ON_DRIVES = ("Program Files", "Program Files (x86)", "Programs", "PortableApps", "XboxGames")
# Folders of a drive that are read as other places, belong to Windows, or are an earlier Windows.
_AT_TOP = frozenset(
    (
        *(folder.lower() for folder in _ON_DRIVES),
        *("windows", "winnt", "windows.old", "programdata", "users", "documents and settings", "$extend"),
        *("system volume information", "msocache", "config.msi", "boot", "efi", "$recycle.bin", "recycler"),
    )
)
_TRASH = "$Recycle.Bin"
_ABOUT_TRASH = "$I"  # how a file begins that says what another in the bin was
_KEPT_BY_USERS = tuple(usual for _, usual in KEPT)
# Folders of a home that are read as other places, or are links to them.
_IN_HOME = frozenset(
    (
        *("appdata", "application data", "local settings", "desktop", "downloads", "documents", "my documents"),
        *("cookies", "nethood", "printhood", "recent", "sendto", "start menu", "templates"),
    )
)
_OF_SYSTEM = ("System32", "SysWOW64")
# Folders in that of Windows that have thousands of its own files, or are read by other sources.
_OF_WINDOWS = frozenset(
    (
        *("winsxs", "servicing", "assembly", "microsoft.net", "systemapps", "installer", "softwaredistribution"),
        *("system32", "syswow64", "sysnative", "sysarm32", "csc", "prefetch", "uus", "containers"),
        *("driverstore", "driverstate", "catroot", "catroot2", "config", "logfiles", "winevt", "migration"),
    )
)
# Those that every Windows has, of which the files are read. In any other, two levels are.
_USUAL_TEXT = """
addins appcompat apppatch appreadiness bcastdvr boot branding browsercore cbstemp cursors debug diagnostics diagtrack
digitallocker elambkup fonts gamebarpresencewriter globalization help identitycrl ime immersivecontrolpanel inf
inputmethod l2schemas languageoverlaycache livekernelreports logs media minidump modemlogs ocr panther performance pla
policydefinitions printdialog provisioning registration remotepackages rescache resources schcache schemas security
serviceprofiles servicestate setup shellcomponents shellexperiences skb speech speech_onecore system systemresources
systemtemp tapi tasks temp textinput tracing twain_32 twain_64 vss waas web wumodels
"""
_USUAL = frozenset((*_USUAL_TEXT.split(), "downloaded program files", "offline web pages"))
_ASSEMBLIES = ("assembly", r"Microsoft.NET\assembly")
_OF_MICROSOFT = ("31bf3856ad364e35", "b03f5f7f11d50a3a", "b77a5c561934e089", "71e9bce111e9429c", "89845dcd8080cc91")
_PRINTERS = r"System32\spool"
_PRINTER_LEVELS = 4  # spool, drivers, the architecture, the version of drivers, and a maker's own
_ALONE = -1  # levels: the folder, and none in it
_LINKS_TO_APPS = "windowsapps"  # in `AppData\Local\Microsoft`: they have no content of their own
_UNINSTALLERS = ("unins", "setup", "install", "update", "crash", "helper", "report")


_Product = tuple[str, str, str]  # maker, name and signer


class _Place(NamedTuple):
    """A folder for programs, and what of it is read.

    Attributes:
        path: of the folder.
        user: whose it is.
        skipped: names at its top.
        levels: that are read whatever lies above.
        searched: how many folders that lie deeper are read, as long as no program lies above.
        is_kept: whether people keep there what they like, so that a program above says nothing of those below.
        endings: of programs.
    """

    path: str
    user: str
    skipped: frozenset[str]
    levels: int = _LEVELS
    searched: int = 0
    is_kept: bool = False
    endings: tuple[str, ...] = _PROGRAMS


def collect(host: Host) -> Iterator[Trace]:
    """An item for every product in every folder."""
    seen = Seen()
    read: dict[tuple[str, str], set[_Product]] = {}
    for place in dict.fromkeys(_places(host)):
        for folder, programs in _folders(host, place, seen):
            if (folder.lower(), place.user) not in read:
                products = read[folder.lower(), place.user] = set()
                yield from _folder(host, folder, programs, place.user, products)
    if host.registry is not None:
        yield from _named(host, read)


def _named(host: Host, read: dict[tuple[str, str], set[_Product]]) -> Iterator[Trace]:
    """What lies in other folders than these, and is named by a key or a shortcut."""
    windows = host.variables.get("systemroot", "\0").lower()
    by_anybody = {folder: products for (folder, _), products in read.items()}
    met: set[str] = set()
    again = 0
    for one in named_programs(host):
        folded = one.path.lower()
        folder = one.path if one.is_folder else one.path.rpartition("\\")[0]
        if folded in met or f"{folded}\\".startswith(windows + "\\"):
            again += 1
            continue
        met.add(folded)
        if folded.startswith("\\\\"):
            host.files.exists(one.path)  # says that it was skipped
            continue
        known = by_anybody.get(folder.lower())
        if known is None:
            folder = host.files.real(folder) or folder  # as it is spelled, wherever links lead
            known = by_anybody.setdefault(folder.lower(), set())
            if not known:
                programs = _programs(host, folder, host.files.list(folder if folder[2:] else f"{folder}\\"))
                yield from _folder(host, folder, programs, one.user, known, one.where)
        if not one.is_folder and not folded.endswith(_PROGRAMS):
            yield from _single(host, one, known)
    if again:
        yield LeftOut("listed as another item", again)


def _programs(host: Host, folder: str, entries: Iterable[Entry], endings: tuple[str, ...] = _PROGRAMS) -> list[str]:
    """The programs of a folder."""
    return [
        entry.name
        for entry in entries
        if entry.kind != "dir" and entry.name.lower().endswith(endings)
        if entry.kind == "file" or not host.files.is_dir(rf"{folder}\{entry.name}")
    ]


def _single(host: Host, one: Named, products: set[_Product]) -> Iterator[Trace]:
    """A library or the like that is named: an item if no program beside it is of the same product."""
    identity = host.executables.identity(one.path)
    if identity is None:
        yield LeftOut("names nothing that is there")
    elif _product(identity) in products:
        yield LeftOut("part of another item")
    else:
        products.add(_product(identity))
        yield _item(one.path, one.path.rpartition("\\")[2], one.user, identity, one.where)


def _places(host: Host) -> Iterator[_Place]:
    variables = host.variables
    native = variables.get("programfiles", r"C:\Program Files")
    for folder in (native, variables.get("programfiles(x86)", f"{native} (x86)")):
        yield _Place(folder, "", _IN_PROGRAM_FILES, searched=_SEARCHED)
    common = variables.get("commonprogramfiles", rf"{native}\Common Files")
    for folder in (common, variables.get("commonprogramfiles(x86)", rf"{native} (x86)\Common Files")):
        yield _Place(folder, "", frozenset(), searched=_SEARCHED)
    yield _Place(variables.get("programdata", r"C:\ProgramData"), "", _IN_PROGRAM_DATA, searched=_SEARCHED)
    system = variables.get("systemroot", r"C:\Windows")[:2].upper()
    people = {user.sid.upper(): user.name for user in host.users if user.sid}
    for drive in _DRIVES:
        if not host.files.gone(f"{drive}\\"):
            for folder in _ON_DRIVES:
                yield _Place(rf"{drive}\{folder}", "", _IN_PROGRAM_FILES, searched=_SEARCHED)
            yield _Place(drive, "", _AT_TOP, _LEVELS_ELSEWHERE, _SEARCHED if drive == system else _SEARCHED_IN_DATA)
            for name, _ in host.files.list(rf"{drive}\{_TRASH}"):
                yield _Place(rf"{drive}\{_TRASH}\{name}", people.get(name.upper(), ""), frozenset())
    public = variables.get("public", r"C:\Users\Public")
    for below in _KEPT_BY_USERS:
        yield _kept(rf"{public}\{below}", "")
    yield _kept(public, "", _IN_HOME)
    windows = variables.get("systemroot", r"C:\Windows")
    for folder in (windows, *(rf"{windows}\{system}" for system in _OF_SYSTEM)):
        yield _Place(folder, "", frozenset(), _ALONE)
    yield _Place(rf"{windows}\Temp", "", frozenset(), _LEVELS_ELSEWHERE)
    yield _Place(rf"{windows}\Installer", "", frozenset(), _ALONE)
    for folder in _ASSEMBLIES:
        yield from _assemblies(host, rf"{windows}\{folder}")
    yield _Place(rf"{windows}\{_PRINTERS}", "", frozenset(), _PRINTER_LEVELS, endings=(*_PROGRAMS, ".dll"))
    for folder in (windows, *(rf"{windows}\{system}" for system in _OF_SYSTEM)):
        for name, kind in host.files.list(folder):
            if kind == "dir" and name.lower() not in _OF_WINDOWS:
                is_usual = folder != windows or name.lower() in _USUAL
                yield _Place(rf"{folder}\{name}", "", frozenset(), _ALONE if is_usual else _LEVELS_ELSEWHERE)
    for user in host.users:
        for below, skipped in _OF_USER if user.home else ():
            yield _Place(rf"{user.home}\{below}", user.name, skipped, searched=_SEARCHED_OF_USER)
        if user.home:
            yield _Place(rf"{user.home}\AppData", user.name, frozenset(), _ALONE)
            yield _Place(rf"{user.home}\{_TEMPORARY}", user.name, frozenset(), _LEVELS_ELSEWHERE)
        for name, below in KEPT if user.home else ():
            yield _kept(rf"{user.home}\{below}", user.name)
            elsewhere = moved(host, user, name, below)
            if elsewhere and not elsewhere.startswith("\\\\"):
                yield _kept(elsewhere, user.name)
        if user.home and not f"{user.home}\\".lower().startswith(f"{windows}\\".lower()):
            yield _kept(user.home, user.name, _IN_HOME)


def _kept(path: str, user: str, skipped: frozenset[str] = frozenset()) -> _Place:
    """A folder in which people keep what they like."""
    return _Place(path, user, skipped, _LEVELS_ELSEWHERE, _SEARCHED_OF_USER, is_kept=True)


def _assemblies(host: Host, top: str) -> Iterator[_Place]:
    """The folders of libraries for .NET that all programs share, unless the key in their name is Microsoft's.

    References:
        https://learn.microsoft.com/dotnet/framework/app-domains/gac (folder: kind, name, version with key)
    """
    for kind, _ in host.files.list(top):
        for name, _ in host.files.list(rf"{top}\{kind}"):
            for version, form in host.files.list(rf"{top}\{kind}\{name}"):
                if form == "dir" and not version.lower().endswith(_OF_MICROSOFT):
                    folder = rf"{top}\{kind}\{name}\{version}"
                    yield _Place(folder, "", frozenset(), _ALONE, endings=(*_PROGRAMS, *_LIBRARIES))


def _folders(host: Host, place: _Place, seen: Seen) -> Iterator[tuple[str, list[str]]]:
    """Folders with the names of the programs in them, each once, also where only a link leads there."""
    pending = [(place.path, 0, False)]
    deeper: list[tuple[str, int]] = []
    count = 0
    while pending:
        folder, level, has_program = pending.pop()
        entries = host.files.list(folder if level or place.path[2:] else f"{folder}\\")
        count += len(entries)
        if count > _ENTRIES:
            host.files.problems.append(
                Problem(place.path, f"more than {_ENTRIES} entries below: the rest was not read", "limit")
            )
            return
        programs = _programs(host, folder, entries, place.endings)
        has_program = has_program or bool(programs and level)
        if not has_program and place.levels != _ALONE:
            programs = programs or _programs(host, folder, entries, _LIBRARIES)
        if programs:
            yield folder, programs
        if level > place.levels or (level == place.levels and has_program):
            if place.searched and (not has_program or place.is_kept):
                deeper += _below(folder, level, entries)
            continue
        below: list[tuple[str, int, bool]] = []
        for entry in entries:
            path = rf"{folder}\{entry.name}"
            name = entry.name.lower()
            if (level == 0 and name in place.skipped) or (level == 1 and name == _LINKS_TO_APPS and place.user):
                continue
            if entry.kind == "dir" or (entry.kind == "link" and _leads_to_new(host, path, place, seen)):
                below.append((path, level + 1, has_program))
        pending += reversed(below)
    yield from _deeper(host, place, deeper)


def _deeper(host: Host, place: _Place, pending: list[tuple[str, int]]) -> Iterator[tuple[str, list[str]]]:
    """The same of folders that lie deeper, the upper ones first."""
    for count, (folder, level) in enumerate(pending):
        if count == place.searched:
            why = f"more than {count:,} folders so deep: the rest was not searched for programs that nothing names"
            host.files.problems.append(Problem(place.path, why, "limit", hides=place.searched == _SEARCHED))
            return
        entries = host.files.list(folder)
        programs = _programs(host, folder, entries)
        if level < _DEEP and (not programs or place.is_kept):
            pending += _below(folder, level, entries)
        if not programs and place.searched == _SEARCHED:
            programs = _programs(host, folder, entries, _LIBRARIES)
        if programs:
            yield folder, programs


def _below(folder: str, level: int, entries: Iterable[Entry]) -> Iterator[tuple[str, int]]:
    for name, kind in entries:
        if kind == "dir" and name.lower() not in _OF_PROJECTS:
            yield rf"{folder}\{name}", level + 1


def _leads_to_new(host: Host, path: str, place: _Place, seen: Seen) -> bool:
    """Whether a link leads to a folder outside of its place, and no other link of the user leads there."""
    real = host.files.real(path) if host.files.is_dir(path) else None
    if real is None:
        return False
    there, here = f"{real}\\".lower(), f"{place.path}\\".lower()
    return not there.startswith(here) and not here.startswith(there) and seen.first(real, place.user)


def _folder(
    host: Host, folder: str, programs: list[str], user: str, products: set[_Product], where: str = ""
) -> Iterator[Trace]:
    """The items of a folder; `products` becomes what is in it, and `where` is what names it, if anything does."""
    words = folder.rpartition("\\")[2].lower()
    windows = host.variables.get("systemroot", "\0").lower()
    is_windows = f"{folder}\\".lower().startswith(f"{windows}\\") or not _PARTS_OF_WINDOWS.isdisjoint(
        folder.lower().split("\\")[2:3]
    )
    programs.sort(key=lambda name: _rank(name[:-4].lower(), words))
    for name in programs[:_READ]:
        path = rf"{folder}\{name}"
        if is_windows and host.executables.of_windows(path):
            yield LeftOut("part of the operating system")
            continue
        identity = host.executables.identity(path)
        if identity is None and (not name.lower().endswith(_PROGRAMS[0]) or name.startswith(_ABOUT_TRASH)):
            # Pages are called `example.com`, too.
            yield LeftOut("not a program")
            continue
        if identity is not None and (identity.product or identity.company or identity.signer):
            if is_windows and identity.company.lower().startswith("microsoft"):
                yield LeftOut("part of the operating system")
                continue
            if _product(identity) in products:
                yield LeftOut("part of another item")
                continue
            products.add(_product(identity))
        yield _item(path, name, user, identity, where)
    if len(programs) > _READ:
        more = counted(len(programs) - _READ, "program")
        yield Problem(folder, f"{more} beyond the first {_READ}: not read", "limit")


def _product(identity: Identity) -> _Product:
    return identity.company.casefold(), identity.product.casefold(), identity.signer


def _rank(name: str, folder: str) -> tuple[int, int, str]:
    """Which program stands for its product: one that is named like the folder, then short names; helpers last."""
    is_helper = any(part in name for part in _UNINSTALLERS)
    return 2 if is_helper else int(name not in folder and folder not in name), len(name), name


def _item(path: str, name: str, user: str, identity: Identity | None, where: str = "") -> Item:
    named = {"named_by": where} if where else {}
    if identity is None:  # unreadable, or not what its name says: it is there all the same
        note = "what it says about itself could not be read"
        return Item(
            kind="program", name=name, path=path, user=user, details=named, notes=(note,), evidence=(Evidence(path),)
        )
    facts = (
        ("CompanyName", identity.company),
        ("ProductName", identity.product),
        ("ProductVersion", identity.version),
        ("signer", identity.signer),
    )
    return Item(
        kind="program",
        name=identity.product or name,
        vendor=identity.company,
        version=identity.version,
        path=path,
        user=user,
        signer=identity.signer,
        details={**identity.details, **named},
        evidence=(Evidence(path, ", ".join(f"{what}: {value}" for what, value in facts if value)),),
    )


SOURCE = Source(
    name="portable_programs",
    title="Programs that lie in folders for programs",
    platforms=("windows",),
    kinds=("program",),
    needs=(),
    reads=(
        *NAMING,
        *(rf"?:\**\*{ending}" for ending in ENDINGS),  # of what is named
        *("?:" + r"\*" * depth + rf"\*{ending}" for depth in range(_DEEP + 1) for ending in _PROGRAMS),
        rf"?:\Windows\{_PRINTERS}\**\*.dll",
        *(
            rf"{folder}\**\*{ending}"
            for folder in (
                *(rf"?:\{folder}" for folder in (*_ON_DRIVES, "ProgramData")),
                r"C:\Users\Public",
                *(rf"~\{folder}" for folder in (*(folder for folder, _ in _OF_USER), *_KEPT_BY_USERS)),
            )
            for ending in _PROGRAMS
        ),
    ),
    limits="Programs elsewhere or deeper are seen only where something names them, and so are those deeper in the "
    f"folder of Windows. Of a drive besides that of Windows, {_SEARCHED_IN_DATA:,} folders are searched deep, and "
    f"{_SEARCHED_OF_USER} of each folder in which a user keeps programs or files. Packages of a project "
    "(`node_modules` and the like) are not. Of a desktop, shortcuts on it and in the folders on it count. "
    "Signatures are read but not verified.",
    collect=collect,
)
