"""Which kind of software a package URL names.

References:
    https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst
"""

from phaseout.model.nouns import Kind

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
