"""Certificates that Linux distributions trust: what administrators and products added, and the bundles made of it.

A certificate that was deleted from the folder of anchors stays trusted as long as it is in the bundle, which is why the
bundles are read as well.

References:
    update-ca-certificates(8) (Debian, Alpine), update-ca-trust(8) (Fedora, Arch); SUSE: ca-certificates(8);
    https://p11-glue.github.io/p11-glue/p11-kit/manual/ (persistence format, `x-distrusted`)
"""

import re
from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.sources.kit.trust_anchors import TrustAnchors
from phaseout.sources.source import Source, Trace

_ANCHORS = (
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/usr/share/pki/ca-trust-source/anchors",
    "/etc/pki/trust/anchors",
    "/usr/share/pki/trust/anchors",
    "/etc/ca-certificates/trust-source/anchors",
    "/usr/share/ca-certificates/trust-source/anchors",
)
_SOURCES = (  # files beside the folders of anchors, which p11-kit reads as well
    "/etc/pki/ca-trust/source",
    "/etc/ca-certificates/trust-source",
)
_USED = "/etc/ssl/certs"  # where OpenSSL looks for single files
_SHIPPED = ("/usr/share/ca-certificates/", "/usr/local/share/ca-certificates/")
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_OBJECT = b"[p11-kit-object-v1]"
_DISTRUSTED = regex(rb"^x-distrusted:\s*true", re.MULTILINE)
_ENDINGS = (".crt", ".pem", ".cer", ".der", ".p11-kit")
_DEPTH = 8
_MOST = 5_000  # files of a folder
_SIZE = 1 << 20
_BUNDLE = 16 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every certificate that the system trusts."""
    anchors = TrustAnchors()
    for top in _ANCHORS:
        for folder, entries in host.files.walk(top, _DEPTH, _MOST):
            for entry in entries:
                if entry.kind != "dir":
                    yield from _file(host, anchors, f"{folder}/{entry.name}", "anchor")
    for top in _SOURCES:
        for entry in host.files.list(top):
            if entry.kind != "dir" and entry.name.lower().endswith(_ENDINGS):
                yield from _file(host, anchors, f"{top}/{entry.name}", "anchor")
    yield from _single(host, anchors)
    seen: set[str] = set()
    for path in _BUNDLES:
        real = host.files.real(path)
        if real is None or real in seen:
            continue
        seen.add(real)
        data = host.files.read(real, _BUNDLE)
        if data is not None:
            yield from anchors.add_file(data, real, "bundle")
    yield from anchors.items()


def _file(host: Host, anchors: TrustAnchors, path: str, store: str) -> Iterator[Problem | LeftOut]:
    data = host.files.read(path, _SIZE)
    if data is not None:
        if path.endswith(".p11-kit"):
            data = b"".join(one for one in data.split(_OBJECT) if _DISTRUSTED.search(one) is None)
        yield from anchors.add_file(data, path, store)


def _single(host: Host, anchors: TrustAnchors) -> Iterator[Problem | LeftOut]:
    """The certificates in the folder of OpenSSL; links to what the distribution ships are in the bundle as well."""
    entries = host.files.list(_USED)
    if len(entries) > _MOST:
        yield Problem(_USED, f"more than {_MOST} entries: the rest was not read", "limit")
    for entry in entries[:_MOST]:
        path = f"{_USED}/{entry.name}"
        if entry.kind == "dir" or path in _BUNDLES:
            continue
        if entry.kind == "link":
            target = host.files.link(path) or ""
            if target.startswith(_SHIPPED) or "/" not in target:
                yield LeftOut("listed as another item")
                continue
            if host.files.gone(path):
                yield LeftOut("a dead link")
                continue
        yield from _file(host, anchors, path, "trusted by OpenSSL")


SOURCE = Source(
    name="ca_certificates",
    title="Certificates that Linux trusts",
    platforms=("linux",),
    kinds=("certificate",),
    needs=(),
    reads=(
        *(f"{folder}/**/*" for folder in _ANCHORS),
        *(f"{folder}/*" for folder in (*_SOURCES, _USED)),
        *_BUNDLES,
    ),
    limits="Bundles that programs bring themselves are not read, nor those of containers.",
    collect=collect,
)
