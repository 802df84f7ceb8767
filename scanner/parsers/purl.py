"""Package URLs, the common names of packages across package managers.

References:
    https://github.com/package-url/purl-spec (PURL-SPECIFICATION; types apk, alpm, deb, rpm)
"""


def purl(kind: str, name: str, version: str = "", arch: str = "") -> str:
    """`pkg:apk/musl@1.2.4-r4?arch=x86_64`; version and architecture are left out where they are empty."""
    return f"pkg:{kind}/{name}" + (f"@{version}" if version else "") + (f"?arch={arch}" if arch else "")
