"""Applications and runtimes deployed by flatpak, for all users and for each one, without asking its helper.

The version is what flatpak noted in `deploy`, else that of the newest release in the application's metainfo, where
the developer is named, too.

References:
    https://docs.flatpak.org/en/latest/under-the-hood.html; flatpak-installation(5), flatpak-metadata(5);
    https://github.com/flatpak/flatpak/blob/main/common/flatpak-dir.c (`active`, `current`, `deploy`)
"""

from collections.abc import Generator, Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.model.quoting import quoted
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.keyfile import sections
from phaseout.parsers.linux.appstream import Component, component
from phaseout.parsers.linux.flatpak_deploy import Deploy, deploy
from phaseout.sources.source import Source, Trace

_SYSTEM = "/var/lib/flatpak"
_USER = ".local/share/flatpak"
_INSTALLATIONS = "/etc/flatpak/installations.d"
_GROUPS = {"app": "Application", "runtime": "Runtime"}
_METAINFO = (
    "export/share/metainfo/{}.metainfo.xml",
    "files/share/metainfo/{}.metainfo.xml",
    "files/share/metainfo/{}.appdata.xml",
    "files/share/appdata/{}.appdata.xml",
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every branch that is deployed; one whose `active` leads nowhere is a leftover."""
    yield from _installation(host, _SYSTEM, "system", "")
    for entry in host.files.list(_INSTALLATIONS):
        if entry.name.endswith(".conf"):
            yield from _configured(host, f"{_INSTALLATIONS}/{entry.name}")
    for home, user in host.homes.items():
        yield from _installation(host, f"{home}/{_USER}", "user", user)


def _configured(host: Host, path: str) -> Iterator[Trace]:
    """The installations that an administrator put elsewhere."""
    for group, keys in sections(host.files.text(path, 1 << 20) or "").items():
        kind, _, name = group.partition(" ")
        if kind != "Installation":
            continue
        folder = keys.get("Path", "").rstrip("/")
        if folder.startswith("/"):
            yield from _installation(host, folder, name.strip('"'), "")
        else:
            yield Problem(path, f"{group}: not an absolute Path: {quoted(folder)}", "damaged")


def _installation(host: Host, folder: str, installation: str, user: str) -> Iterator[Trace]:
    if not host.files.is_dir(folder):
        return
    for kind in _GROUPS:
        for name in _folders(host, f"{folder}/{kind}"):
            for arch in _folders(host, f"{folder}/{kind}/{name}"):
                for branch in _folders(host, f"{folder}/{kind}/{name}/{arch}"):
                    place = f"{folder}/{kind}/{name}/{arch}/{branch}"
                    details = {"arch": arch, "branch": branch, "installation": installation, "type": kind}
                    yield from _branch(host, place, name, user, details)


def _folders(host: Host, path: str) -> Iterator[str]:
    return (entry.name for entry in host.files.list(path) if entry.kind == "dir")


def _branch(host: Host, place: str, name: str, user: str, details: dict[str, str]) -> Iterator[Trace]:
    active = f"{place}/active"
    metadata = host.files.text(f"{active}/metadata", 1 << 20)
    data = host.files.read(f"{active}/deploy", 1 << 20)
    noted = deploy(data) if data is not None else None
    found: Component | None = None
    if data is None and metadata is None and not host.files.is_dir(active):
        if host.files.link(active) is None and not any(_folders(host, place)):
            return  # the empty folder of a branch that was removed
        details["status"] = "not active"
    else:
        if noted is None:
            if data is None:
                yield Problem(f"{active}/deploy", "is missing", "missing")
            else:
                yield Problem(f"{active}/deploy", "is not what flatpak writes there", "damaged")
        found = yield from _component(host, active, name)
    noted = noted or Deploy("", "", {})
    found = found or Component("", "", "")
    keys = sections(metadata or "").get(_GROUPS[details["type"]], {})
    stat = host.files.stat(f"{active}/deploy")
    version = noted.values.get("appdata-version", "") or found.version
    yield Item(
        kind="package",
        name=name,
        state="leftover" if "status" in details else "installed",
        vendor=found.developer,
        version=version,
        path=place,
        user=user,
        details=details
        | {
            "commit": noted.commit,
            "installed": rfc3339(stat.mtime) if stat else "",
            "origin": noted.origin,
            "runtime": noted.values.get("runtime", "") or keys.get("runtime", ""),
            "title": noted.values.get("appdata-name", "") or found.name,
        },
        evidence=(Evidence(place, f"{name} {version}".rstrip()),),
    )


def _component(host: Host, active: str, name: str) -> Generator[Problem, None, Component | None]:
    for place in _METAINFO:
        path = f"{active}/{place.format(name)}"
        data = host.files.read(path)
        if data is not None:
            found = component(data)
            if found is not None:
                return found
            yield Problem(path, "is not XML", "damaged")
    return None


_BRANCH = "*/*/*/*/active/"
_READ = ("metadata", "deploy", *(place.format("*") for place in _METAINFO))
SOURCE = Source(
    name="flatpak",
    title="Flatpaks",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(
        *(f"{folder}/{_BRANCH}{name}" for folder in (_SYSTEM, f"~/{_USER}") for name in _READ),
        f"{_INSTALLATIONS}/*.conf",
        *(f"/**/{_BRANCH}{name}" for name in _READ),  # the installations that those files name
    ),
    limits="What a removed application left in ~/.var/app is not listed, nor what is in the OSTree store only.",
    collect=collect,
)
