"""The signer of a Mach-O file, as its signature names it. The signature is not verified.

References:
    `osfmk/kern/cs_blobs.h` in https://github.com/apple-oss-distributions/xnu (SuperBlob, CodeDirectory);
    Apple, "TN3126: Inside Code Signing: Hashes", "TN3125: Inside Code Signing: Provisioning Profiles";
    RFC 5652 (SignedData).
"""

import struct
from typing import NamedTuple

from phaseout.parsers.macos.macho import Read, Slice, slices
from phaseout.parsers.windows.authenticode import signers_of_message

_SUPER_BLOB, _CODE_DIRECTORY, _WRAPPER = 0xFADE0CC0, 0xFADE0C02, 0xFADE0B01
_CMS_SLOT = 0x10000
_DIRECTORY_SLOTS = frozenset((0, *range(0x1000, 0x1006)))  # the first, and those with other hashes
_HAS_TEAM = 0x20200
_ADHOC = 0x2
_BLOBS = 64
_WINDOW = 1 << 12
_CMS = 1 << 16
_TEXT = 512
# With these Apple signs what others made, so they do not name the maker.
_STORE = ("Apple Mac OS Application Signing", "Apple iPhone OS Application Signing", "TestFlight Beta Distribution")


class Signature(NamedTuple):
    """What a signature says.

    Attributes:
        archs: the architectures of the file.
        identifier: the name of the program in it, mostly its bundle id.
        team_id: Apple's id of the developer; empty for Apple's own and for ad-hoc signatures.
        authority: the subject of the signing certificate (`Developer ID Application: Acme Ltd (ABCDE12345)`).
        organisation: the maker that this certificate names; empty where it is Apple's for the App Store.
        adhoc: whether it has no certificate: anyone can have made it.
    """

    archs: tuple[str, ...]
    identifier: str = ""
    team_id: str = ""
    authority: str = ""
    organisation: str = ""
    adhoc: bool = False


def signature(read: Read) -> Signature | None:
    """The signature of the first architecture that has one; `None` if the file is not Mach-O.

    Args:
        read: gives that many bytes of the file at an offset.
    """
    found = slices(read)
    if not found:
        return None
    archs = tuple(one.arch for one in found if one.arch)
    for one in found:
        try:
            signed = _signed(read, one, archs)
        except struct.error:  # shorter than it says
            continue
        if signed is not None:
            return signed
    return Signature(archs)


def _signed(read: Read, one: Slice, archs: tuple[str, ...]) -> Signature | None:
    head = read(one.signature, _WINDOW) or b"" if one.signature else b""
    if len(head) < 12:
        return None
    magic, _, count = struct.unpack_from(">3I", head)
    if magic != _SUPER_BLOB:
        return None
    blobs = [struct.unpack_from(">2I", head, 12 + 8 * at) for at in range(min(count, _BLOBS))]
    identifier, team, flags, authority, organisation = "", "", 0, "", ""
    for slot, offset in blobs:
        if slot in _DIRECTORY_SLOTS and not identifier:
            identifier, team, flags = _directory(read, one.signature + offset)
        elif slot == _CMS_SLOT:
            magic, length = struct.unpack(">2I", read(one.signature + offset, 8) or b"")
            if magic == _WRAPPER and 8 < length <= _CMS:
                authority, organisation = signer(read(one.signature + offset + 8, length - 8) or b"")
    adhoc = bool(flags & _ADHOC) or not authority
    return Signature(archs, identifier, team, authority, organisation, adhoc)


def detached(directory: bytes, cms: bytes) -> Signature | None:
    """The signature of a bundle whose program is a script: it is kept in files, in `_CodeSignature`.

    `None` where the first file is no CodeDirectory.

    Args:
        directory: the file `CodeDirectory`.
        cms: the file `CodeSignature`, with or without the head of its blob.

    References:
        Apple, "TN2206: macOS Code Signing In Depth" (Signing Scripts).
    """
    try:
        identifier, team, flags = _directory(lambda at, size: directory[at : at + size], 0)
    except struct.error:  # shorter than it says
        return None
    if not identifier:
        return None
    if cms[:4] == struct.pack(">I", _WRAPPER):
        cms = cms[8:]
    authority, organisation = signer(cms) if 0 < len(cms) <= _CMS else ("", "")
    return Signature((), identifier, team, authority, organisation, bool(flags & _ADHOC) or not authority)


def _directory(read: Read, at: int) -> tuple[str, str, int]:
    """Identifier, team and flags of a CodeDirectory."""
    data = read(at, _WINDOW) or b""
    magic, _, version, flags, _, identifier = struct.unpack_from(">6I", data)
    if magic != _CODE_DIRECTORY:
        return "", "", 0
    (team,) = struct.unpack_from(">I", data, 48) if version >= _HAS_TEAM else (0,)
    return _text(read, at, data, identifier), _text(read, at, data, team), flags


def _text(read: Read, at: int, data: bytes, offset: int) -> str:
    if not offset:
        return ""
    found = data[offset : offset + _TEXT] if offset + _TEXT < len(data) else read(at + offset, _TEXT) or b""
    return found.partition(b"\0")[0].decode("utf-8", "replace")


def signer(cms: bytes) -> tuple[str, str]:
    """Common name and organisation of the certificate that made a CMS signature; empty if it has no certificate."""
    found = next(iter(signers_of_message(cms)), None)
    if found is None:
        return "", ""
    return found.name, "" if found.name.startswith(_STORE) else found.organisation
