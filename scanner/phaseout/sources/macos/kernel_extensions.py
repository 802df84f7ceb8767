"""Kernel extensions that are not Apple's, and those that were allowed once and are not there.

References:
    Apple, "Kernel Extensions" and "System and kernel extensions in macOS" (Platform Deployment); kextstat(8),
    kmutil(8). The tables of `KextPolicy` are not documented: `sqlite3 KextPolicy .schema` on a Mac shows them.
"""

from collections.abc import Iterator
from functools import partial

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.property_list import text
from phaseout.parsers.macos.code_signature import signature
from phaseout.parsers.macos.info_plist import Bundle, bundle, holder
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.source import Source, Trace

_FOLDERS = (
    "/Library/Extensions",
    "/Library/StagedExtensions/Library/Extensions",
    "/System/Library/Extensions",
)
_SEALED = "/System/Library/Extensions"
_SINCE = 11  # since this version of macOS only Apple can put anything there
_POLICY = "/var/db/SystemPolicyConfiguration/KextPolicy"
_APPLE = "com.apple."
_ROWS = 10_000


def collect(host: Host) -> Iterator[Trace]:
    """An item for every extension, and for every allowed one that is not there."""
    major = host.info.os_version.partition(".")[0]
    sealed = major.isdecimal() and int(major) >= _SINCE
    allowed = _allowed(host)
    missing = MissingFiles(host)
    seen: set[str] = set()
    for folder in _FOLDERS:
        for entry in host.files.list(folder):
            if not entry.name.endswith(".kext"):
                continue
            if sealed and folder == _SEALED:
                yield LeftOut("part of the operating system")
            else:
                yield from _extension(host, f"{folder}/{entry.name}", allowed, seen, "", missing)
    for name, (team, developer) in allowed.items():
        if name not in seen and not name.startswith(_APPLE):
            yield Item(
                kind="driver",
                name=name,
                state="leftover",
                vendor=developer,
                ids={"bundle_id": name, "team_id": team},
                details={"note": "allowed once, but not in the folders of extensions"},
                evidence=(Evidence(f"{_POLICY}:kext_policy", f"bundle_id: {name}"),),
            )


def _extension(
    host: Host, path: str, allowed: dict[str, tuple[str, str]], seen: set[str], inside: str, missing: MissingFiles
) -> Iterator[Trace]:
    file, data = f"{path}/Contents/Info.plist", host.files.read(f"{path}/Contents/Info.plist", 1 << 20)
    programs = f"{path}/Contents/MacOS"
    if data is None:
        file, data, programs = f"{path}/Info.plist", host.files.read(f"{path}/Info.plist", 1 << 20), path
    info = bundle(data) if data is not None else None
    if data is not None and info is None:
        yield Problem(file, "is damaged: no property list", "damaged")
    if info is not None and info.id.startswith(_APPLE):
        yield LeftOut("part of the operating system")
        return
    if info is not None:
        seen.add(info.id)
    yield _item(host, path, file if data is not None else path, info, programs, allowed, inside, missing)
    for entry in host.files.list(f"{path}/Contents/PlugIns"):
        if entry.name.endswith(".kext") and not inside:
            yield from _extension(host, f"{path}/Contents/PlugIns/{entry.name}", allowed, seen, path, missing)


def _item(
    host: Host,
    path: str,
    where: str,
    info: Bundle | None,
    programs: str,
    allowed: dict[str, tuple[str, str]],
    inside: str,
    missing: MissingFiles,
) -> Item:
    program = f"{programs}/{info.executable}" if info and info.executable and "/" not in info.executable else ""
    signed = signature(partial(host.files.part, program)) if program else None
    team, developer = allowed.get(info.id, ("", "")) if info else ("", "")
    state, notes = missing.state(program)
    note = "its program is gone" if state == "leftover" else "" if info else "no readable Info.plist"
    return Item(
        kind="driver",
        name=path.rpartition("/")[2].removesuffix(".kext"),
        state=state,
        vendor=(signed.organisation if signed else "") or developer or (holder(info.copyright) if info else ""),
        version=info.version if info else "",
        path=path,
        signer=signed.authority if signed else "",
        ids={
            "bundle_id": info.id if info else "",
            "team_id": (signed.team_id if signed else "") or team,
        },
        details={
            "inside": inside,
            "note": note,
            "allowed": "yes" if team or developer else "",
            "arch": " ".join(signed.archs) if signed else "",
            "copyright": info.copyright if info else "",
        },
        notes=notes,
        evidence=(Evidence(where, f"CFBundleIdentifier: {info.id}" if info else note),),
    )


def _allowed(host: Host) -> dict[str, tuple[str, str]]:
    """Bundle id → Team ID and developer of the extensions that the user or a profile has allowed."""
    found: dict[str, tuple[str, str]] = {}
    with host.files.database(_POLICY) as database:
        if database is not None:
            rows = database.execute("SELECT bundle_id, team_id, developer_name FROM kext_policy WHERE allowed")
            for name, team, developer in rows:
                if len(found) >= _ROWS:
                    why = f"more than {_ROWS} extensions: the rest was not read"
                    host.files.problems.append(Problem(_POLICY, why, "limit"))
                    break
                if text(name):
                    found[text(name)] = (text(team), text(developer))
    return found


SOURCE = Source(
    name="kernel_extensions",
    title="Kernel extensions of macOS",
    platforms=("macos",),
    kinds=("driver",),
    needs=(),
    reads=(
        *(
            f"{folder}/**/*.kext/{file}"
            for folder in _FOLDERS
            for file in ("Info.plist", "Contents/Info.plist", "Contents/MacOS/*", "*")
        ),
        _POLICY,
    ),
    limits="Whether an extension is loaded is not seen, nor are extensions that lie in a folder of their product.",
    collect=collect,
)
