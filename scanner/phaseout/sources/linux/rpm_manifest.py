"""Packages of images of Azure Linux and CBL-Mariner that have a list instead of rpm's database.

References:
    https://github.com/microsoft/azurelinux (the distroless images: `rpm -qa --qf` into /var/lib/rpmmanifest)
"""

from collections.abc import Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.system_purl import system_purl
from phaseout.sources.source import Source, Trace

_FOLDER = "/var/lib/rpmmanifest"
_DETAILED = "container-manifest-2"
_PLAIN = "container-manifest-1"  # names only: read where there is no other
_NONE = "(none)"
_FIELDS = 10


def collect(host: Host) -> Iterator[Trace]:
    """An item for every line."""
    path = f"{_FOLDER}/{_DETAILED}"
    text = host.files.text(path, 64 << 20)
    if text is None:
        path = f"{_FOLDER}/{_PLAIN}"
        text = host.files.text(path, 64 << 20) or ""
    for number, line in enumerate(text.split("\n"), 1):
        fields = [field if field != _NONE else "" for field in line.rstrip("\r").split("\t")]
        if not line.strip():
            continue
        if line.startswith("gpg-pubkey"):
            yield LeftOut("a public key")
        elif len(fields) >= _FIELDS:
            name, edition, installed, built, vendor, _, _, arch, epoch = fields[:9]
            yield _item(host, f"{path}:{number}", name, edition, arch, vendor, epoch, installed, built)
        elif path.endswith(_PLAIN) and line.count("-") >= 2:  # NAME-VERSION-RELEASE.ARCH
            whole, _, arch = line.strip().rpartition(".")
            name, version, release = whole.rsplit("-", 2)
            yield _item(host, f"{path}:{number}", name, f"{version}-{release}", arch)
        else:
            yield from damaged(f"{path}:{number}", f"{len(fields)} fields where {_FIELDS} belong")


def _item(
    host: Host,
    where: str,
    name: str,
    edition: str,
    arch: str,
    vendor: str = "",
    epoch: str = "",
    installed: str = "",
    built: str = "",
) -> Item:
    epoch = epoch if epoch != "0" else ""
    return Item(
        kind="package",
        name=name,
        vendor=vendor,
        version=f"{epoch}:{edition}" if epoch else edition,
        ids={"purl": system_purl(host, "rpm", name, edition, arch=arch, epoch=epoch)},
        details={"arch": arch, "built": rfc3339(built), "epoch": epoch, "installed": rfc3339(installed)},
        evidence=(Evidence(where, f"{name} {edition}, {vendor}".rstrip(", ")),),
    )


SOURCE = Source(
    name="rpm_manifest",
    title="RPM packages of images without a database",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(f"{_FOLDER}/{_DETAILED}", f"{_FOLDER}/{_PLAIN}", *OS_RELEASE),
    limits="The list is of the moment when the image was built.",
    collect=collect,
)
