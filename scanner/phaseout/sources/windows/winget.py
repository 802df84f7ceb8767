r"""Programs that winget installed, from its databases, one for each user and source.

winget does not notice when a program is removed without it. An entry is therefore `leftover` if it names entries of the
Uninstall keys and none of them exists.

References:
    https://github.com/microsoft/winget-cli (src/AppInstallerRepositoryCore/Microsoft/Schema/1_0 to 1_7: the tables;
    doc/specs "Improvements to list and upgrade"). Names of the folders: of the package, and without it of the user.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, IdType, Item, Problem
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.windows.packed_guid import guid
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.source import Source, Trace

_FOLDERS = (
    r"AppData\Local\Packages\Microsoft.DesktopAppInstaller_8wekyb3d8bbwe\LocalState",
    r"AppData\Local\Microsoft\WinGet\State\defaultState",
)
_FILE = "installed.db"
_LIMIT = 256 << 20
_UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
_SEPARATOR = "\x1f"
_LISTS = (("norm_publisher", "norm_publishers"), ("productcode", "productcodes"), ("pfn", "pfns"))


def collect(host: Host) -> Iterator[Trace]:
    """An item for every entry of every database."""
    for user in host.users:
        for folder in _FOLDERS if user.home else ():
            for entry in host.files.list(rf"{user.home}\{folder}"):
                if entry.kind in ("dir", "link"):
                    path = rf"{user.home}\{folder}\{entry.name}\{_FILE}"
                    yield from _packages(host, path, entry.name, user.name, user.sid)


def _packages(host: Host, path: str, source: str, user: str, sid: str) -> Iterator[Trace]:
    with host.files.database(path, _LIMIT) as database:
        if database is None:
            return
        database.text_factory = lambda stored: stored.decode("utf-8", "replace")
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "manifest" not in tables:
            yield Problem(path, "not a database of winget: it has no table manifest", "unsupported")
            return
        lists = [  # the first versions lack some of the tables
            f"(SELECT group_concat(o.{column}, char(31)) FROM {table}_map m JOIN {table} o ON o.rowid = m.{column}"  # noqa: S608
            " WHERE m.manifest = manifest.rowid)"
            if {table, f"{table}_map"} <= tables
            else "NULL"
            for column, table in _LISTS
        ]
        rows = database.execute(
            f"SELECT ids.id, names.name, versions.version, {', '.join(lists)} FROM manifest"  # noqa: S608
            " LEFT JOIN ids ON ids.rowid = manifest.id LEFT JOIN names ON names.rowid = manifest.name"
            " LEFT JOIN versions ON versions.rowid = manifest.version ORDER BY 1, 3, manifest.rowid"
        )
        for row in rows:
            identifier, name, version, publishers, codes, families = ("" if one is None else str(one) for one in row)
            if not identifier and not name:
                yield from damaged(path, "an entry without a name")
                continue
            keys = codes.split(_SEPARATOR) if codes else []
            ids: dict[IdType, str] = {
                "purl": purl("winget", identifier, version),
                "product_code": next((found for key in keys if (found := guid(key))), ""),
                "registry_key": keys[0] if keys else "",
                "package_family": families.partition(_SEPARATOR)[0],
            }
            yield Item(
                kind="package",
                name=name or identifier,
                state="leftover" if keys and _gone(host, keys, sid) else "installed",
                vendor=publishers.partition(_SEPARATOR)[0],
                version=version,
                user=user,
                ids=ids,
                details={"winget_id": identifier, "winget_source": source},
                evidence=(Evidence(path, f"id: {identifier}, name: {name}, version: {version}"),),
            )


def _gone(host: Host, names: list[str], sid: str) -> bool:
    """Whether the machine has Uninstall keys, and neither they nor the user's have any of these names."""
    registry = host.registry
    if registry is None or registry.key(rf"HKLM\SOFTWARE\{_UNINSTALL}") is None:
        return False
    tops = [rf"{top}\{_UNINSTALL}" for top in (r"HKLM\SOFTWARE", r"HKLM\SOFTWARE\WOW6432Node", rf"HKU\{sid}\Software")]
    if sid and registry.key(rf"HKU\{sid}") is None:  # the user's own keys are not here
        return False
    return all(registry.key(rf"{top}\{name}") is None for top in tops for name in names)


SOURCE = Source(
    name="winget",
    title="Programs installed by winget",
    platforms=("windows",),
    kinds=("package",),
    needs=(),
    reads=(
        *(rf"~\{folder}\*\{_FILE}" for folder in _FOLDERS),
        rf"HKLM\SOFTWARE\{_UNINSTALL}\*",
        rf"HKLM\SOFTWARE\WOW6432Node\{_UNINSTALL}\*",
        rf"HKU\*\Software\{_UNINSTALL}\*",
    ),
    limits="winget knows only what it installed itself; the maker's name is a shortened form.",
    collect=collect,
)
