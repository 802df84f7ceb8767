r"""Programs that Scoop installed, of every user and of the machine.

Every version that is still there is an item: the current one is `installed`, older ones, which Scoop keeps until
`scoop cleanup`, are `leftover`.

References:
    https://github.com/ScoopInstaller/Scoop/wiki ("Scoop Folder Layout", "App Manifests", "Global Installs").
"""

from collections.abc import Iterable, Iterator

import msgspec

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit import windows_programs
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.windows_programs import variables_of
from phaseout.sources.source import Source, Trace

_APPS = "apps"
_CURRENT = "current"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every version of every program."""
    machine = host.variables.get("programdata", r"C:\ProgramData") + r"\scoop"
    for root in _roots(machine, host.variables.get("scoop_global", "")):
        yield from _apps(host, rf"{root}\{_APPS}", "")
    for user in host.users:
        if user.home:
            for root in _roots(rf"{user.home}\scoop", variables_of(host, user).get("scoop", "")):
                yield from _apps(host, rf"{root}\{_APPS}", user.name)


def _roots(usual: str, moved: str) -> Iterable[str]:
    return {path.lower(): path for path in (usual, absolute(moved, {})) if path}.values()


def _apps(host: Host, base: str, user: str) -> Iterator[Trace]:
    for app in host.files.list(base):
        if app.kind == "dir" or (app.kind == "link" and host.files.is_dir(rf"{base}\{app.name}")):
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
        elif entry.name.lower() == _CURRENT and entry.kind == "dir":  # with the setting no_junction
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
    found: dict[str, str] = {}
    for file, wanted in (
        ("manifest.json", (("version", "version"), ("description", "description"), ("url", "homepage"))),
        ("install.json", (("bucket", "bucket"), ("arch", "architecture"), ("manifest", "url"))),
    ):
        content = yield from parsed(host, rf"{folder}\{file}", _json)
        for detail, member in wanted:
            value = content.get(member) if isinstance(content, dict) else None
            if isinstance(value, str):
                found[detail] = " ".join(value.split())
    place = folder.rpartition("\\")[2]
    version = found.pop("version", "") or ("" if place.lower() == _CURRENT else place)
    yield Item(
        kind="package",
        name=name,
        state="installed" if current else "leftover",
        version=version,
        path=folder,
        user=user,
        ids={"purl": purl("scoop", name, version)},
        details=found,
        evidence=(Evidence(rf"{folder}\manifest.json" if found else folder, f"version: {version}"),),
    )


def _json(data: bytes) -> object:
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None


SOURCE = Source(
    name="scoop",
    title="Scoop packages",
    platforms=("windows",),
    kinds=("package",),
    needs=(),
    reads=(
        *(
            rf"{base}\{_APPS}\*\*\{file}"
            for base in (r"C:\ProgramData\scoop", r"~\scoop", r"C:\**")  # the last for SCOOP and SCOOP_GLOBAL
            for file in ("manifest.json", "install.json")
        ),
        windows_programs.READS,
    ),
    limits="Scoop does not say who makes a program.",
    collect=collect,
)
