"""Certificates that Firefox, Thunderbird and other programs with Mozilla's NSS trust, profile by profile.

A certificate without a record of trust is one that was met on the way: it trusts nothing and is left out, as is one
that is distrusted.

References:
    https://firefox-source-docs.mozilla.org/security/nss/legacy/reference/nss_tools_certutil/index.html (trust);
    https://searchfox.org/nss/source/lib/softoken/sdb.c (one column for each attribute, `a` and its number in hex),
    https://searchfox.org/nss/source/lib/util/pkcs11n.h (trust objects); PKCS #11 3.2 (CKO_TRUST)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Problem
from phaseout.sources.kit.mozilla_profiles import mozilla_profiles
from phaseout.sources.kit.trust_anchors import TrustAnchors
from phaseout.sources.kit.user_data import MOZILLA, homes, join, present, reads
from phaseout.sources.source import Source, Trace

_DATABASE = "cert9.db"
_OLD = "cert8.db"  # Berkeley DB, until Firefox 58; with a newer one beside it, nothing reads it any more
_FOLDERS = (".pki/nssdb", "snap/chromium/current/.pki/nssdb")
_OF_SYSTEM = "/etc/pki/nssdb"
_SIZE = 256 << 20
_MOST = 20_000  # rows of a database
_CERTIFICATE = bytes.fromhex("00000001")
_TRUST = (bytes.fromhex("ce534353"), bytes.fromhex("0000000b"))
_USES = ("ace536358", "ace53635a", "ace53635b", "a62c", "a62e", "a62f")  # server, code, mail: NSS's own, PKCS #11's
_TRUSTED = frozenset(bytes.fromhex(value) for value in ("ce534351", "ce534352", "00000001", "00000002"))


def collect(host: Host) -> Iterator[Trace]:
    """An item for every certificate that is trusted, for each user."""
    anchors = TrustAnchors()
    for place in present(host, MOZILLA):
        for profile in (yield from mozilla_profiles(host, place.folder, _DATABASE)):
            yield from _database(host, anchors, profile, place.program, place.user)
    if host.info.platform == "linux":
        for user, home in homes(host):
            for folder in _FOLDERS:
                yield from _database(host, anchors, join(host, home, folder), "programs with NSS", user)
        yield from _database(host, anchors, _OF_SYSTEM, "programs with NSS", "")
    yield from anchors.items()


def _database(host: Host, anchors: TrustAnchors, folder: str, program: str, user: str) -> Iterator[Problem | LeftOut]:
    path = join(host, folder, _DATABASE)
    if not host.files.is_file(path):
        old = join(host, folder, _OLD)
        if host.files.is_file(old):
            yield Problem(old, f"certificates that {program} trusted before 2018: this form is not read", "unsupported")
        return
    with host.files.database(path, _SIZE) as database:
        if database is None:
            return
        columns = {row[1] for row in database.execute("PRAGMA table_info(nssPublic)")}
        if not {"a0", "a11", "a81", "a82"} <= columns:
            yield Problem(path, "not a database of certificates: it has no table nssPublic", "unsupported")
            return
        uses = [use for use in _USES if use in columns]
        trusted = {
            (issuer, serial)
            for issuer, serial, *values in database.execute(
                f"SELECT a81, a82{''.join(f', {use}' for use in uses)} FROM nssPublic WHERE a0 IN (?, ?) LIMIT ?",  # noqa: S608
                (*_TRUST, _MOST),
            )
            if any(value in _TRUSTED for value in values)
        }
        rows = database.execute("SELECT a11, a81, a82 FROM nssPublic WHERE a0 = ? LIMIT ?", (_CERTIFICATE, _MOST + 1))
        for count, (data, issuer, serial) in enumerate(rows, 1):
            if count > _MOST:
                yield Problem(path, f"more than {_MOST} certificates: the rest was not read", "limit")
            elif (issuer, serial) not in trusted:
                yield LeftOut("a public key")
            else:
                yield from anchors.add(data if isinstance(data, bytes) else b"", path, program, user)


SOURCE = Source(
    name="nss_certificates",
    title="Certificates that Firefox, Thunderbird and other programs with NSS trust",
    platforms=("linux", "macos", "windows"),
    kinds=("certificate",),
    needs=(),
    reads=(
        *reads(MOZILLA, "profiles.ini", *(f"{profile}/{_DATABASE}" for profile in ("*", "Profiles/*"))),
        *(f"/**/{name}" for name in (_DATABASE, _OLD)),  # of profiles that lie elsewhere, as profiles.ini says
        *(rf"C:\**\{name}" for name in (_DATABASE, _OLD)),
    ),
    limits="Databases of before Firefox 58 (cert8.db) are named and not read; nor is what comes from the system.",
    collect=collect,
)
