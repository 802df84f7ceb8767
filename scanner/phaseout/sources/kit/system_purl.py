"""Package URLs of packages that belong to the distribution of a host."""

from phaseout.host import Host
from phaseout.parsers.encodings.purl import purl

# Identifier of os-release → the namespace that the specification gives the distribution, where they differ.
_NAMESPACES = {"rhel": "redhat", "opensuse-leap": "opensuse", "opensuse-tumbleweed": "opensuse"}


def system_purl(host: Host, kind: str, name: str, version: str, *, arch: str = "", epoch: str = "") -> str:
    """`pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12`; without os-release, no namespace and no `distro`.

    References:
        https://github.com/package-url/purl-spec (types alpm, apk, deb, rpm: the namespace is the distribution)
    """
    identifier, version_id = host.distribution
    if not identifier:
        return purl(kind, name, version, arch=arch, epoch=epoch)
    namespace = _NAMESPACES.get(identifier, identifier)
    distro = f"{identifier}-{version_id}" if version_id else identifier
    return purl(kind, f"{namespace}/{name}", version, arch=arch, distro=distro, epoch=epoch)
