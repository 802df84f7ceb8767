"""Certificates in the keychains of macOS that are trusted: the system's, and those of the users.

What the trust settings of the administrator or of the user deny is left out. One without settings is listed as well: a
configuration profile may trust it.

References:
    Apple, SecTrustSettings.h; "Trust Settings" below /Library/Security: `Admin.plist`, and a file for each user
"""

from collections.abc import Iterator
from hashlib import sha1

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Problem
from phaseout.parsers.macos.keychain import denied_and_known, keychain_certificates
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.kit.trust_anchors import TrustAnchors
from phaseout.sources.kit.user_data import homes
from phaseout.sources.source import Source, Trace

_SYSTEM = "/Library/Keychains"
_OF_USER = ("login.keychain-db", "login.keychain")
_SETTINGS = "/Library/Security/Trust Settings"
_SIZE = 64 << 20
_MOST = 200  # files of trust settings


def collect(host: Host) -> Iterator[Trace]:
    """An item for every certificate that is not denied."""
    anchors = TrustAnchors()
    denied: set[str] = set()
    known: set[str] = set()
    names = [entry.name for entry in host.files.list(_SETTINGS) if entry.name.lower().endswith(".plist")]
    if len(names) > _MOST:
        yield Problem(_SETTINGS, f"more than {_MOST} files: the rest was not read", "limit")
    for name in names[:_MOST]:
        settings = yield from dictionary(host, f"{_SETTINGS}/{name}", _SIZE)
        no, all_of_them = denied_and_known(settings or {})
        denied |= no
        known |= all_of_them
    places = [("", f"{_SYSTEM}/{entry.name}") for entry in host.files.list(_SYSTEM) if ".keychain" in entry.name]
    places += [(user, f"{home}/Library/Keychains/{name}") for user, home in homes(host) for name in _OF_USER]
    for user, path in places:
        if host.files.is_file(path):
            yield from _keychain(host, anchors, path, user, denied, known)
    yield from anchors.items()


def _keychain(
    host: Host, anchors: TrustAnchors, path: str, user: str, denied: set[str], known: set[str]
) -> Iterator[Problem | LeftOut]:
    data = host.files.read(path, _SIZE)
    if data is None:
        return
    try:
        for one in keychain_certificates(data):
            digest = sha1(one, usedforsecurity=False).hexdigest().upper()
            if digest in denied:
                yield LeftOut("a public key")
                continue
            store = path.rpartition("/")[2]
            how = "with trust settings" if digest in known else "without trust settings"
            yield from anchors.add(one, path, f"{store}, {how}", user)
    except ValueError as error:
        yield from damaged(path, f"is damaged: {error}")


SOURCE = Source(
    name="keychains",
    title="Certificates in the keychains of macOS",
    platforms=("macos",),
    kinds=("certificate",),
    needs=(),
    reads=(
        f"{_SYSTEM}/*",
        f"{_SETTINGS}/*.plist",
        *(f"~/Library/Keychains/{name}" for name in _OF_USER),
    ),
    limits="Trust that a configuration profile gives is not told from none, and other keychains of users are not read.",
    collect=collect,
)
