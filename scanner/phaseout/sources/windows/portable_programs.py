r"""Programs that lie in the folders for programs, whether or not anything registers them; by what the files say.

Of each folder the most likely few programs are read, and of a product in it there is one item. Looked at are two levels
below `C:\Program Files`, `C:\ProgramData` and the folders of users, and a third below folders that hold no program.

References:
    Microsoft, "KNOWNFOLDERID" (ProgramFiles, ProgramData, LocalAppData, RoamingAppData, UserProgramFiles);
    `phaseout.host.windows.executables`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.windows.executables import Identity
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.sources.source import Source, Trace

_READ = 3  # programs of one folder
_LEVELS = 2
_ENTRIES = 50_000  # of one place
_OF_USER = (r"AppData\Local\Programs", r"AppData\Local", r"AppData\Roaming")
# What other sources see, what belongs to Windows, installers that are kept for repairs, and what is soon gone.
_SKIPPED = frozenset(
    (
        *("windowsapps", "modifiablewindowsapps", "packages", "chocolatey", "scoop"),
        *("common files", "uninstall information", "package cache", "temp", "crashdumps"),
    )
)
_UNINSTALLERS = ("unins", "setup", "install", "update", "crash", "helper", "report")


class _Place(NamedTuple):
    path: str
    user: str
    of_programs: bool  # where folders that begin with "Windows" are parts of it


def collect(host: Host) -> Iterator[Trace]:
    """An item for every product in every folder."""
    for place in dict.fromkeys(_places(host)):
        for folder, programs in _folders(host, place):
            yield from _folder(host, folder, programs, place.user)


def _places(host: Host) -> Iterator[_Place]:
    folder = host.variables.get("programfiles", r"C:\Program Files")
    yield _Place(folder, "", of_programs=True)
    yield _Place(host.variables.get("programfiles(x86)", f"{folder} (x86)"), "", of_programs=True)
    yield _Place(host.variables.get("programdata", r"C:\ProgramData"), "", of_programs=False)
    for user in host.users:
        for below in _OF_USER if user.home else ():
            yield _Place(rf"{user.home}\{below}", user.name, of_programs=False)


def _folders(host: Host, place: _Place) -> Iterator[tuple[str, list[str]]]:
    """Folders with the names of the programs in them."""
    pending = [(place.path, 0, False)]
    seen = 0
    while pending:
        folder, level, found = pending.pop()
        entries = host.files.list(folder)
        seen += len(entries)
        if seen > _ENTRIES:
            host.files.problems.append(Problem(place.path, f"more than {_ENTRIES} entries below: not looked further"))
            return
        programs = [entry.name for entry in entries if entry.kind == "file" and entry.name.lower().endswith(".exe")]
        found = found or bool(programs and level)
        if programs:
            yield folder, programs
        if level < _LEVELS or (level == _LEVELS and not found):
            pending += [
                (rf"{folder}\{entry.name}", level + 1, found)
                for entry in reversed(entries)
                if entry.kind == "dir" and not _skipped(entry.name.lower(), level, place)
            ]


def _skipped(name: str, level: int, place: _Place) -> bool:
    if name in _SKIPPED:
        return True
    if level:
        return False
    return name.startswith("windows") if place.of_programs else name == "programs" and place.path.endswith("Local")


def _folder(host: Host, folder: str, programs: list[str], user: str) -> Iterator[Trace]:
    words = folder.rpartition("\\")[2].lower()
    programs.sort(key=lambda name: _rank(name[:-4].lower(), words))
    wanted = programs if host.deep else programs[:_READ]
    seen: set[tuple[str, str, str]] = set()
    for name in wanted:
        identity = host.executables.identity(rf"{folder}\{name}")
        if identity is not None and (identity.product or identity.company or identity.signer):
            product = (identity.company.casefold(), identity.product.casefold(), identity.signer)
            if product in seen:
                yield LeftOut("part of another item")
                continue
            seen.add(product)
        yield _item(rf"{folder}\{name}", name, user, identity)
    if len(wanted) < len(programs):
        yield LeftOut("part of another item", len(programs) - len(wanted))


def _rank(name: str, folder: str) -> tuple[int, int, str]:
    """Helpers last; before them what is called like the folder; short names first."""
    helper = any(part in name for part in _UNINSTALLERS)
    return 2 if helper else int(name not in folder and folder not in name), len(name), name


def _item(path: str, name: str, user: str, identity: Identity | None) -> Item:
    if identity is None:  # unreadable, or not what its name says: it lies there all the same
        return Item(kind="program", name=name, path=path, user=user, evidence=(Evidence(path),))
    told = (
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
        details=identity.details,
        evidence=(Evidence(path, ", ".join(f"{what}: {value}" for what, value in told if value)),),
    )


SOURCE = Source(
    name="portable_programs",
    title="Programs that lie in folders for programs",
    platforms=("windows",),
    kinds=("program",),
    needs=(),
    reads=(
        r"C:\Program Files\**",
        r"C:\Program Files (x86)\**",
        r"C:\ProgramData\**",
        *(rf"~\{folder}\**" for folder in _OF_USER),
    ),
    limits="Programs elsewhere or deeper are not seen, and signatures are read but not verified.",
    collect=collect,
)
