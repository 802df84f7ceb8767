"""Packages in dpkg's database, with those that were removed but left their configuration.

References:
    dpkg(1) "Package states"; https://wiki.debian.org/DpkgTriggers; deb-control(5). `status.d` is what distroless
    images have instead of `status`.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.deb822 import maintainer_name, stanzas
from phaseout.sources.source import Source, Trace

_STATUS = ("/var/lib/dpkg/status", "/usr/lib/dpkg/status")
_STATUS_D = ("/var/lib/dpkg/status.d", "/usr/lib/dpkg/status.d")
_LIMIT = 64 << 20
_FIELDS = ("package", "status", "maintainer", "architecture", "version", "origin", "homepage", "bugs")
# The third status word says what is on disk; the first two only what somebody wants. All but two are an installation,
# be it a broken one: the files are there.
_STATES: dict[str, State | None] = {
    "not-installed": None,
    "config-files": "leftover",
    "half-installed": "installed",
    "unpacked": "installed",
    "half-configured": "installed",
    "triggers-awaited": "installed",
    "triggers-pending": "installed",
    "installed": "installed",
}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package, architecture by architecture."""
    for path in _STATUS:
        text = host.files.text(path, _LIMIT)
        if text is not None:
            yield from _packages(path, text, "")
    for folder in _STATUS_D:
        for entry in host.files.list(folder):
            if entry.kind == "dir" or entry.name.endswith(".md5sums"):
                continue
            path = f"{folder}/{entry.name}"
            text = host.files.text(path)
            if text is not None:
                yield from _packages(path, text, "install ok installed")


def _packages(path: str, text: str, status: str) -> Iterator[Trace]:
    for line, fields in stanzas(text, _FIELDS):
        name = fields.get("package", "")
        if not name:
            yield Problem(f"{path}:{line}", "a stanza without a package name")
            yield LeftOut("damaged")
            continue
        words = fields.get("status", status).split()
        if len(words) != 3 or words[2] not in _STATES:
            yield Problem(f"{path}:{line}", f"{name}: unknown status {' '.join(words)!r}, taken for installed")
        state = _STATES.get(words[2], "installed") if len(words) == 3 else "installed"
        if state is None:
            yield LeftOut("known but not installed")
            continue
        if "" in fields:
            yield Problem(f"{path}:{line}", f"{name}: a line that is no field: {fields[''][:80]!r}")
        yield _item(path, name, state, " ".join(words), fields)


def _item(path: str, name: str, state: State, status: str, fields: dict[str, str]) -> Item:
    arch = fields.get("architecture", "")
    version = fields.get("version", "")
    maintainer = fields.get("maintainer", "")
    details = {"arch": arch, "status": status, "maintainer": maintainer}
    for key in ("origin", "homepage", "bugs"):
        if key in fields:
            details[key] = fields[key]
    return Item(
        kind="package",
        name=name,
        state=state,
        vendor=maintainer_name(maintainer),
        version=version,
        ids={"purl": purl("deb", name, version, arch=arch)},
        details=details,
        evidence=(Evidence(path, f"Package: {name}, Status: {status}"),),
    )


SOURCE = Source(
    name="dpkg",
    title="Debian packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(*_STATUS, *_STATUS_D, *(f"{folder}/*" for folder in _STATUS_D)),
    limits="Software unpacked by hand is not in dpkg's database.",
    collect=collect,
)
