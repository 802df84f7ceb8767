r"""Programs that Scoop installed, of every user and of the machine.

Every version that is still there is an item: the current one `installed`, older ones, which Scoop keeps until it is
told to clean up, `leftover`.

References:
    https://github.com/ScoopInstaller/Scoop/wiki ("Scoop Folder Layout", "App Manifests", "Global Installs").
"""

from collections.abc import Iterator

import msgspec

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.purl import purl
from phaseout.sources.source import Source, Trace

_OF_USER = r"scoop\apps"
_CURRENT = "current"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every version of every program."""
    machine = host.variables.get("programdata", r"C:\ProgramData")
    yield from _apps(host, rf"{machine}\{_OF_USER}", "")
    for user in host.users:
        if user.home:
            yield from _apps(host, rf"{user.home}\{_OF_USER}", user.name)


def _apps(host: Host, base: str, user: str) -> Iterator[Trace]:
    for app in host.files.list(base):
        if app.kind == "dir":
            yield from _versions(host, rf"{base}\{app.name}", app.name, user)
        else:
            yield LeftOut("not a package")


def _versions(host: Host, folder: str, name: str, user: str) -> Iterator[Trace]:
    entries = host.files.list(folder)
    versions = [entry.name for entry in entries if entry.kind == "dir" and entry.name.lower() != _CURRENT]
    current = ""
    for entry in entries:
        if entry.name.lower() == _CURRENT and entry.kind == "link":
            current = (
                (host.files.link(rf"{folder}\{entry.name}") or "").replace("/", "\\").rstrip("\\").rpartition("\\")[2]
            )
        elif entry.name.lower() == _CURRENT and entry.kind == "dir":  # Scoop can be told to make no links
            versions, current = [entry.name, *versions], entry.name
    if current.lower() not in (version.lower() for version in versions):
        current = versions[-1] if len(versions) == 1 else ""
    if not versions:
        yield LeftOut("an empty entry")
    for version in versions:
        yield from _program(
            host, rf"{folder}\{version}", name, user, current=not current or version.lower() == current.lower()
        )


def _program(host: Host, folder: str, name: str, user: str, *, current: bool) -> Iterator[Trace]:
    told: dict[str, str] = {}
    for file, wanted in (
        ("manifest.json", (("version", "version"), ("description", "description"), ("url", "homepage"))),
        ("install.json", (("bucket", "bucket"), ("arch", "architecture"), ("manifest", "url"))),
    ):
        data = host.files.read(rf"{folder}\{file}")
        if data is None:
            continue
        try:
            content = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            yield Problem(rf"{folder}\{file}", f"no JSON: {error}")
            continue
        for detail, member in wanted:
            value = content.get(member) if isinstance(content, dict) else None
            if isinstance(value, str):
                told[detail] = " ".join(value.split())
    place = folder.rpartition("\\")[2]
    version = told.pop("version", "") or ("" if place.lower() == _CURRENT else place)
    yield Item(
        kind="package",
        name=name,
        state="installed" if current else "leftover",
        version=version,
        path=folder,
        user=user,
        ids={"purl": purl("scoop", name, version)},
        details=told,
        evidence=(Evidence(rf"{folder}\manifest.json" if told else folder, f"version: {version}"),),
    )


SOURCE = Source(
    name="scoop",
    title="Scoop packages",
    platforms=("windows",),
    kinds=("package",),
    needs=(),
    reads=tuple(
        rf"{base}\{_OF_USER}\*\*\{file}"
        for base in (r"C:\ProgramData", "~")
        for file in ("manifest.json", "install.json")
    ),
    limits="Where the variables SCOOP and SCOOP_GLOBAL name other folders, these are not seen; no maker is told.",
    collect=collect,
)
