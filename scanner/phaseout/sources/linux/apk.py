"""Packages in the database of apk, as on Alpine Linux, Wolfi and OpenWrt.

References:
    https://wiki.alpinelinux.org/wiki/Apk_spec (installed database). apk-tools 3 keeps it in /usr/lib.
"""

from collections.abc import Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.model.quoting import quoted
from phaseout.model.regex import regex
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.linux.apk_installed import packages
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.system_purl import system_purl
from phaseout.sources.source import Source, Trace

_INSTALLED = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_WORLD = "/etc/apk/world"
_SYSTEMS = frozenset(("alpine", "wolfi", "chainguard", "postmarketos"))
_LIMIT = 64 << 20
_VERSION = regex(r"[<>=~@]")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every record, also for one without a version."""
    found = False
    names: set[str] = set()
    for path in {host.files.real(path): path for path in reversed(_INSTALLED)}.values():  # /lib may be a link
        text = host.files.text(path, _LIMIT)
        for _, fields in packages(text or ""):
            names.update((fields.get("P", ""), *(_name(one) for one in fields.get("p", "").split())))
        for trace in _packages(host, path, text or ""):
            found = True
            yield trace
    if found:
        yield from _lost(host, names)
    if not found and (host.families & _SYSTEMS or (host.files.exists(_WORLD) and not host.families)):
        wrong = "holds no package" if any(map(host.files.exists, _INSTALLED)) else "is missing"
        yield Problem(_INSTALLED[0], f"{wrong}, though this is a system of apk", "missing")


def _lost(host: Host, names: set[str]) -> Iterator[Problem]:
    """A problem if packages that somebody asked for are in no database: it was cut off between two records."""
    wanted = [_name(one) for one in (host.files.text(_WORLD) or "").split() if not one.startswith("!")]
    lost = [name for name in wanted if name not in names]
    if lost:
        where = next(filter(host.files.exists, _INSTALLED), _INSTALLED[0])
        yield Problem(where, f"lacks {', '.join(lost[:5])}, which {_WORLD} asks for", "missing")


def _name(wanted: str) -> str:
    """The name in a dependency, such as `name>=1.2@edge`."""
    return _VERSION.split(wanted, maxsplit=1)[0]


def _packages(host: Host, path: str, text: str) -> Iterator[Trace]:
    for line, fields in packages(text):
        name = fields.get("P", "")
        if not name:
            yield from damaged(f"{path}:{line}", "a record without a package name")
            continue
        if "" in fields:
            yield Problem(f"{path}:{line}", f"{name}: an unexpected line: {quoted(fields[''])}", "damaged")
        arch = fields.get("A", "")
        version = fields.get("V", "")
        maintainer = fields.get("m", "")
        yield Item(
            kind="package",
            name=name,
            vendor=maintainer_name(maintainer),
            version=version,
            ids={"purl": system_purl(host, "apk", name, version, arch=arch)},
            details={
                "arch": arch,
                "built": rfc3339(fields.get("t", "")),
                "homepage": fields.get("U", ""),
                "maintainer": maintainer,
                "origin": fields.get("o", ""),
            },
            evidence=(Evidence(f"{path}:{line}", f"P:{name} V:{version}"),),
        )


SOURCE = Source(
    name="apk",
    title="Alpine packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(*_INSTALLED, _WORLD, *OS_RELEASE),
    limits="Software unpacked by hand is not in apk's database, and neither is the time of an installation.",
    collect=collect,
)
