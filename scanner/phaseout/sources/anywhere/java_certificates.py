r"""Certificates that Java trusts: in the key store of each Java that is installed at a usual place.

The certificates that the makers of Java put there are left out: their names end in `[jdk]`. Others may be among them.

References:
    https://docs.oracle.com/en/java/javase/21/security/java-secure-socket-extension-jsse-reference-guide.html (cacerts,
    and jssecacerts, which counts instead where it is there)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Platform, Problem
from phaseout.parsers.encodings.java_keystore import NeedsPasswordError, trusted_certificates
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.trust_anchors import TrustAnchors
from phaseout.sources.kit.user_data import homes, join
from phaseout.sources.source import Source, Trace

# Folders in which each folder may be a Java.
_TOPS: dict[Platform, tuple[str, ...]] = {
    "linux": ("/usr/lib/jvm", "/usr/java", "/opt/java", "/usr/local/java"),
    "macos": ("/Library/Java/JavaVirtualMachines",),
    "windows": tuple(
        rf"C:\Program Files\{name}"
        for name in ("Java", "Eclipse Adoptium", "Eclipse Foundation", "Amazon Corretto", "Zulu", "BellSoft", "OpenJDK")
    ),
}
_OF_USERS = {"linux": ".sdkman/candidates/java", "macos": ".sdkman/candidates/java", "windows": ".jdks"}
_BELOW = ("lib/security", "jre/lib/security", "Contents/Home/lib/security", "Contents/Home/jre/lib/security")
_STORES = ("cacerts", "jssecacerts")
_SYSTEM = ("/etc/ssl/certs/java/cacerts", "/etc/pki/ca-trust/extracted/java/cacerts", "/etc/pki/java/cacerts")
_OF_MAKER = "[jdk]"
_SIZE = 16 << 20
_MOST = 500  # installations


def collect(host: Host) -> Iterator[Trace]:
    """An item for every certificate that somebody has added."""
    anchors = TrustAnchors()
    seen: set[str] = set()
    tops = [("", top) for top in _TOPS[host.info.platform]]
    below = _OF_USERS[host.info.platform]
    tops += [(user, join(host, home, below)) for user, home in homes(host)]
    for user, top in tops:
        entries = [entry.name for entry in host.files.list(top) if entry.kind in ("dir", "link")]
        if len(entries) > _MOST:
            yield Problem(top, f"more than {_MOST} folders: the rest was not read", "limit")
        for name in entries[:_MOST]:
            for folder in _BELOW:
                for store in _STORES:
                    yield from _store(host, anchors, join(host, top, name, folder, store), user, seen)
    for path in _SYSTEM if host.info.platform == "linux" else ():
        yield from _store(host, anchors, path, "", seen)
    yield from anchors.items()


def _store(host: Host, anchors: TrustAnchors, path: str, user: str, seen: set[str]) -> Iterator[Problem | LeftOut]:
    real = host.files.real(path)
    if real is None or real in seen:
        return
    seen.add(real)
    data = host.files.read(real, _SIZE)
    if not data:
        return
    try:
        for one in trusted_certificates(data):
            if one.alias.endswith(_OF_MAKER):
                yield LeftOut("part of another item")
            else:
                yield from anchors.add(one.data, real, f"Java {one.alias}".strip(), user, real)
    except NeedsPasswordError:
        remedy = f"list it with keytool -list -keystore {real}"
        yield Problem(real, "its certificates are encrypted, and no password is tried", "unsupported", remedy=remedy)
    except ValueError as error:
        yield from damaged(real, f"is damaged: {error}")


SOURCE = Source(
    name="java_certificates",
    title="Certificates that Java trusts",
    platforms=("linux", "macos", "windows"),
    kinds=("certificate",),
    needs=(),
    reads=(
        *(
            f"{top}/*/{below}/{store}".replace("/", "\\") if platform == "windows" else f"{top}/*/{below}/{store}"
            for platform, tops in _TOPS.items()
            for top in (*tops, f"~/{_OF_USERS[platform]}")
            for below in _BELOW
            for store in _STORES
        ),
        *_SYSTEM,
        "/**/cacerts",  # where links lead
        "/**/jssecacerts",
    ),
    limits="Key stores with a password and those of programs that bring their own Java are not read.",
    collect=collect,
)
