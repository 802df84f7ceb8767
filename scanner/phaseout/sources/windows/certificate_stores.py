r"""Certificates that Windows trusts: of the machine, its group policy, the enterprise, its services, and every user.

A certificate that lies in several stores is one item with all these places. Programs make stores of their own, which
nothing but that program uses: such a store is a setting, with or without a certificate.

References:
    https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations (the keys);
    https://learn.microsoft.com/windows/win32/winprog64/shared-registry-keys (one tree for both views)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.windows.certificate_blob import stored_certificate
from phaseout.sources.kit.browser_registrations import VIEWS, software_keys
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.trust_anchors import TrustAnchors
from phaseout.sources.kit.windows_registry import subkeys
from phaseout.sources.source import Source, Trace

_PLACES = (
    (r"Microsoft\SystemCertificates", ""),
    (r"Policies\Microsoft\SystemCertificates", " by group policy"),
    (r"Microsoft\EnterpriseCertificates", " of the enterprise"),
)
_SERVICES = r"Microsoft\Cryptography\Services"
_TRUSTED = frozenset(("root", "authroot", "trustedpublisher", "trustedpeople", "trusteddevices"))
# Intermediates, a user's own and other people's certificates, requests, what is distrusted, and stores of Windows.
_OTHERS = frozenset(
    (
        *("ca", "my", "addressbook", "request", "disallowed", "trust", "acrs", "msiehistoryjournal", "smartcardroot"),
        *(
            "userds",
            "clientauthissuer",
            "localnonremovablecertificates",
            "trustedapproot",
            "flightroot",
            "testsignroot",
        ),
        *("homegroup machine certificates", "remote desktop", "webhosting", "windows live id token issuer", "esim"),
        *("fve", "fve_nkp", "efs", "ntauth", "windowsserverupdateservices", "shielded vm local certificates"),
    )
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every trusted certificate of the machine and of each user, and for every store of a program."""
    anchors = TrustAnchors()
    for user, software in software_keys(host):
        for place, how in _PLACES:
            for store in subkeys(software.key(place)):
                yield from _store(anchors, store, how, user)
        for service in subkeys(software.key(_SERVICES)):
            for store in subkeys(service.key("SystemCertificates")):
                yield from _store(anchors, store, f" of the service {service.name}", user)
    yield from anchors.items()


def _store(anchors: TrustAnchors, store: Key, how: str, user: str) -> Iterator[Trace]:
    name = store.name.lower()
    if name in _OTHERS:
        yield LeftOut("a setting")
        return
    if name not in _TRUSTED:
        yield Item(
            kind="setting",
            name=store.name,
            state="leftover",
            user=user,
            details={"type": "certificate store"},
            evidence=(Evidence(store.path),),
        )
    for key in subkeys(store.key("Certificates")):
        blob = key.value("Blob")
        try:
            data = stored_certificate(blob) if isinstance(blob, bytes) else None
        except ValueError as error:
            yield from damaged(key.path, f"is damaged: {error}")
            continue
        if data is None:
            yield LeftOut("an empty entry")
        else:
            yield from anchors.add(data, key.path, f"{store.name}{how}", user)


SOURCE = Source(
    name="certificate_stores",
    title="Certificates that Windows trusts",
    platforms=("windows",),
    kinds=("certificate", "setting"),
    needs=("registry",),
    reads=(*(rf"{view}\{place}" for view in VIEWS for place in (*(path for path, _ in _PLACES), _SERVICES)),),
    limits="Intermediate certificates, those of persons, and those in files of other programs are not listed.",
    collect=collect,
)
