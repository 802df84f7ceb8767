"""What an AppImage says of itself without being opened: its magic bytes and its file name.

References:
    https://github.com/AppImage/AppImageSpec/blob/master/draft.md (magic bytes of type 1 and 2);
    https://docs.appimage.org/packaging-guide/distribution.html (names: Application-Version-Architecture.AppImage)
"""

import re
from typing import NamedTuple

from phaseout.model.regex import regex

_SUFFIX = regex(r"\.appimage$", re.IGNORECASE)
_ARCH = regex(
    r"[-_. ](x86[-_]64|amd64|x64|i[3-6]86|ia32|x86|32-?bit|64-?bit|aarch64|arm64|armhf|armv[67]l?|riscv64|ppc64le)"
    r"(?=[-_. ]|$)",
    re.IGNORECASE,
)
_SYSTEM = regex(r"[-_. ](?:linux|glibc[\d.]*|gnu)(?=[-_. ]|$)", re.IGNORECASE)
_VERSION = regex(
    r"[-_ ]v?(\d[\w.+~]*(?:-(?:alpha|beta|rc|pre|dev|nightly|canary|snapshot|git|r?\d)[\w.+~]*)*)$", re.IGNORECASE
)


class FileName(NamedTuple):
    """The parts of a file name; empty what is not in it."""

    name: str
    version: str
    arch: str


def image_type(head: bytes) -> int:
    """The type of an AppImage, 1 or 2, from its first 16 bytes; 0 for other files."""
    return head[10] if len(head) > 10 and head[:4] == b"\x7fELF" and head[8:10] == b"AI" and head[10] in (1, 2) else 0


def named(file_name: str) -> FileName:
    """`("Nextcloud", "3.2.1", "x86_64")` of `Nextcloud-3.2.1-x86_64.AppImage`; the name is never empty."""
    stem = _SUFFIX.sub("", file_name)
    arch = _ARCH.search(stem)
    bare = _SYSTEM.sub("", stem[: arch.start()] + stem[arch.end() :] if arch else stem)
    version = _VERSION.search(bare)
    name = (bare[: version.start()] if version else bare).strip("-_. ")
    return FileName(name or stem or file_name, version[1] if version and name else "", arch[1] if arch else "")
