"""Packages in the database of opkg, as on OpenWrt, Entware and Yocto images.

References:
    https://git.yoctoproject.org/opkg/tree/libopkg/pkg.c (states and flags), libopkg/opkg_conf.c (folders);
    https://openwrt.org/docs/guide-user/additional-software/opkg; deb-control(5).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.counting import counted
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.model.quoting import quoted
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.linux.deb822 import maintainer_name, stanzas
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.source import Source, Trace

_FOLDERS = ("/usr/lib/opkg", "/var/lib/opkg", "/opt/lib/opkg")  # OpenWrt, Yocto, Entware
_SETTINGS = ("/etc/opkg.conf", "/etc/opkg", "/opt/etc/opkg.conf")
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")  # what OpenWrt has instead since 2025
_LIMIT = 16 << 20
# The third status word says what is on disk, as with dpkg; two states more than dpkg has tell of a script that failed.
_STATES: dict[str, State | None] = {
    "not-installed": None,
    "config-files": "leftover",
    "half-installed": "installed",
    "unpacked": "installed",
    "half-configured": "installed",
    "post-inst-failed": "installed",
    "removal-failed": "installed",
    "installed": "installed",
}

_FIELDS = ("package", "status", "maintainer", "architecture", "version", "homepage", "url", "installed-time")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package, and for every `.control` file of a package that has no status.

    Such a file is what an image without `status` keeps of a package, so that the package is installed; beside a
    `status` that does not know the package, the file is a leftover.
    """
    found = False
    for folder in {host.files.real(folder): folder for folder in reversed(_FOLDERS)}.values():
        status = f"{folder}/status"
        text = host.files.text(status, _LIMIT)
        info = f"{folder}/info"
        controls = {
            entry.name.removesuffix(".control"): f"{info}/{entry.name}"
            for entry in host.files.list(info)
            if entry.name.endswith(".control") and entry.kind != "dir"
        }
        empty = text is None or not text.strip("\0 \n")
        if text is not None:
            for trace in _packages(host, status, text, controls):
                found = True
                yield trace
        if text is not None and empty and controls:
            yield Problem(
                status, f"is empty, though opkg has control files of {counted(len(controls), 'package')}", "damaged"
            )
        for path in controls.values():
            control = host.files.text(path)
            if control is not None:
                found = True
                state: State = "installed" if empty else "leftover"
                yield from _packages(host, path, control, {}, state)
    if not found and any(map(host.files.exists, _SETTINGS)) and not any(map(host.files.exists, _APK)):
        yield Problem(f"{_FOLDERS[0]}/status", "is missing or empty, though this is a system of opkg", "missing")


def _packages(
    host: Host, path: str, text: str, controls: dict[str, str], unlisted: State | None = None
) -> Iterator[Trace]:
    for line, fields in stanzas(text.split("\n"), _FIELDS):
        name = fields.get("package", "")
        if not name:
            yield from damaged(f"{path}:{line}", "a stanza without a package name")
            continue
        note = ""
        control = controls.pop(name, "")
        words = fields.get("status", "").split()
        state = unlisted or (_STATES.get(words[2], "installed") if len(words) == 3 else "installed")
        if state is None:
            yield LeftOut("known but not installed")
            continue
        if not unlisted and (len(words) != 3 or words[2] not in _STATES):
            note = f"unknown status {quoted(' '.join(words))}, taken for installed"
        if "" in fields:
            yield Problem(f"{path}:{line}", f"{name}: an unexpected line: {quoted(fields[''])}", "damaged")
        more: dict[str, str] = {}
        if control and "maintainer" not in fields:  # OpenWrt's status leaves it out
            more = next(stanzas((host.files.text(control) or "").split("\n"), _FIELDS), (0, {}))[1]
        yield _item(f"{path}:{line}", name, state, " ".join(words), more | fields, note)


def _item(where: str, name: str, state: State, status: str, fields: dict[str, str], note: str) -> Item:
    maintainer = fields.get("maintainer", "")
    return Item(
        kind="package",
        name=name,
        state=state,
        vendor=maintainer_name(maintainer),
        version=fields.get("version", ""),
        details={
            "arch": fields.get("architecture", ""),
            "homepage": fields.get("homepage", "") or fields.get("url", ""),
            "installed": rfc3339(fields.get("installed-time", "")),
            "maintainer": maintainer,
            "status": status,
        },
        notes=(note,) if note else (),
        evidence=(Evidence(where, f"Package: {name}" + (f", Status: {status}" if status else "")),),
    )


SOURCE = Source(
    name="opkg",
    title="opkg packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(
        *(f"{folder}/{name}" for folder in _FOLDERS for name in ("status", "info/*.control")),
        *(*_SETTINGS, *_APK),
    ),
    limits="What a firmware image was built with but has no entry for in opkg's database is not seen.",
    collect=collect,
)
