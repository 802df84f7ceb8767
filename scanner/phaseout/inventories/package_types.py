"""Which kind of software a package URL names, and which vendor a CPE.

References:
    https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst; NIST IR 7695 (6.1, 6.2)
"""

from urllib.parse import unquote

from phaseout.model.nouns import Kind
from phaseout.model.regex import regex

_SYSTEM = frozenset(("alpm", "apk", "arch", "deb", "ebuild", "none", "opkg", "portage", "qpkg", "rpm"))
_PACKAGES = frozenset(("brew", "chocolatey", "flatpak", "homebrew", "nix", "snap", "winget"))
_EXTENSIONS = frozenset(("chrome", "chrome-extension", "firefox", "vscode", "vscode-extension", "jetbrains"))
_LIBRARIES = frozenset(
    (
        *("bitnami", "cargo", "clojars", "cocoapods", "composer", "conan", "conda", "cpan", "cran", "gem", "golang"),
        *("hackage", "hex", "huggingface", "julia", "luarocks", "maven", "npm", "nuget", "otp", "pub", "pypi"),
        *("swift", "wordpress-plugin"),
    )
)
_PROGRAMS = frozenset(("swid",))
_COLON = regex(r"(?<!\\):")


def kind_of_purl(purl: str) -> Kind | None:
    """`package` of `pkg:deb/…`, `library` of `pkg:npm/…`; `None` where the type does not tell, or there is no URL."""
    kind = _type(purl)
    if kind in _SYSTEM or kind in _PACKAGES:
        return "package"
    if kind in _LIBRARIES:
        return "library"
    if kind in _EXTENSIONS:
        return "extension"
    return "program" if kind in _PROGRAMS else None


def linux_purl(purl: str) -> bool:
    """Whether it is a package of a Linux distribution."""
    return _type(purl) in _SYSTEM


def _type(purl: str) -> str:
    return purl[4:].lstrip("/").partition("/")[0].lower() if purl.startswith("pkg:") else ""


def vendor_of_cpe(cpe: str) -> str:
    """The vendor in a CPE of version 2.3 or 2.2; empty where it names none.

    Only where no package URL stands beside it: of packages, tools guess a CPE from the name.
    """
    parts = _COLON.split(cpe)
    at = 3 if parts[:2] == ["cpe", "2.3"] else 2
    if parts[0] != "cpe" or len(parts) <= at or parts[at] in ("", "*", "-"):
        return ""
    return unquote(parts[at]).replace("\\", "").replace("_", " ")
