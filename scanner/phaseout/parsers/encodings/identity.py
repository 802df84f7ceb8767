"""Makes the identities of a machine, refuses those that many machines share, and compares two machines.

Serial numbers and SMBIOS UUIDs stay as they are, for asset lists know them. The ids of an installation are secret to
their machine and are kept only as `HMAC-SHA256(id, APPLICATION)`, cut to 128 bits and marked as a random UUID: what
`systemd-id128 machine-id --app-specific=2f6b1d0c7a514e0c9be94a63d1c8f7b2` prints.

References:
    machine-id(5), sd_id128_get_machine_app_specific(3); RFC 2104; RFC 9562; DMTF DSP0134 (SMBIOS), "System UUID"
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, get_args
from uuid import UUID

from phaseout.model.nouns import HostInfo, Identity, IdentityKind
from phaseout.parsers.encodings.sha256 import sha256

APPLICATION = UUID("2f6b1d0c-7a51-4e0c-9be9-4a63d1c8f7b2")
KINDS: tuple[IdentityKind, ...] = get_args(IdentityKind)  # the strongest first
HARDWARE: frozenset[IdentityKind] = frozenset(("smbios_uuid", "serial", "ioplatform_uuid"))
_HASHED: frozenset[IdentityKind] = frozenset(("ioplatform_uuid", "machine_guid", "machine_id"))
_LONGEST = 128  # characters of a serial number
# What firmware says where its maker wrote no serial number; letters and digits only, in small letters.
_NO_SERIALS = frozenset(
    (
        *("tobefilledbyoem", "tobefilledbyoemxxx", "defaultstring", "systemserialnumber", "serialnumber", "none"),
        *("notspecified", "notapplicable", "notavailable", "notset", "na", "null", "empty", "invalid", "unknown"),
        *(
            "oem",
            "default",
            "chassisserialnumber",
            "baseboardserialnumber",
            "mbserialnumber",
            "nosn",
            "sn",
            "undefined",
        ),
        *("0123456789", "123456789", "1234567890", "12345678", "123456", "1234567", "012345678", "12345", "serial"),
        *("ssnnumber123456", "system", "systemserial", "productserialnumber", "filledbyoem", "tobefilled", "test"),
        *("123490en400015", "notprovided", "uninitialized", "abcdefghijk", "xxxxxxxxx", "nonassigned", "unassigned"),
        "undefined",
    )
)
_NO_UUIDS = frozenset(
    UUID(one)
    for one in (
        "03000200-0400-0500-0006-000700080009",  # AMI's example, in both byte orders
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "78563412-3412-7856-90ab-cddeefaabbcc",
        "4c4c4544-0000-2010-8020-80c04f202020",  # Dell without a service tag
        "00010203-0405-0607-0809-0a0b0c0d0e0f",
        "03020100-0504-0706-0809-0a0b0c0d0e0f",
    )
)


def identity(kind: IdentityKind, raw: str) -> Identity | None:
    """The identity that a machine shows; `None` for a placeholder that many machines share, and for what is damaged.

    Args:
        kind: what it is.
        raw: as the machine shows it.
    """
    if kind == "serial":
        value = " ".join(raw.split())
        plain = "".join(char for char in value.lower() if char.isalnum())
        usual = plain in _NO_SERIALS or len(set(plain)) < 2 or len(plain) < 4
        return None if usual or len(value) > _LONGEST or not value.isprintable() else Identity(kind, value)
    try:
        found = UUID(raw.strip())
    except ValueError:
        return None
    if found in _NO_UUIDS or len(set(found.hex)) < 3:
        return None
    return Identity(kind, _hashed(found) if kind in _HASHED else str(found))


def identities(raw: Iterable[tuple[IdentityKind, str]]) -> tuple[Identity, ...]:
    """Those that tell machines apart, the strongest first and one of each kind; the first of a kind counts."""
    found: dict[IdentityKind, Identity] = {}
    for kind, value in raw:
        one = identity(kind, value) if kind not in found else None
        if one is not None:
            found[kind] = one
    return tuple(found[kind] for kind in KINDS if kind in found)


def host_id(host: HostInfo) -> str:
    """The strongest identity as one word, such as `serial:PF3ABC12`; empty where the host shows none."""
    known = {one.kind: one.value for one in host.identity}
    return next((f"{kind}:{known[kind]}" for kind in KINDS if kind in known), "")


Sameness = Literal[
    "same",
    "renamed",  # the same machine under another name
    "reimaged",  # another installation on the same hardware
    "cloned",  # the same installation on other hardware
    "other",  # another machine
    "unknown",  # nothing that both show tells
]


class Comparison(NamedTuple):
    """How two hosts relate, and that in words."""

    sameness: Sameness
    words: str

    @property
    def same_machine(self) -> bool:
        """Whether it is proven to be one machine."""
        return self.sameness in {"same", "renamed", "reimaged"}


def compare(old: HostInfo, new: HostInfo) -> Comparison:
    """How two hosts relate by what both show. A name proves nothing."""
    hardware, installation = _agreement(old, new, hardware=True), _agreement(old, new, hardware=False)
    renamed = old.name.casefold() != new.name.casefold()
    names = f"{old.name} and {new.name}" if renamed else f"both named {new.name}"
    if hardware == "differs" and installation == "agrees":
        return Comparison("cloned", f"a clone, or one whose hardware was replaced: the hardware differs ({names})")
    if "differs" in (hardware, installation) and hardware != "agrees":
        return Comparison("other", f"two different machines ({names})")
    if hardware == "contradicts":
        return Comparison("unknown", f"serial number and UUID contradict each other ({names})")
    if installation == "differs":
        return Comparison("reimaged", f"the same hardware with another installation ({names})")
    if hardware == "agrees" or (installation == "agrees" and not renamed):
        return Comparison("renamed", f"renamed from {old.name} to {new.name}") if renamed else Comparison("same", "")
    if installation == "agrees":
        return Comparison("unknown", f"renamed, or a clone: only the id of the installation is known ({names})")
    missing = [which for which, host in (("OLD", old), ("NEW", new)) if not host.identity]
    whose = f"{' and '.join(missing)} without any" if missing else "none that both show"
    return Comparison("unknown", f"no identity tells whether it is the same machine: {whose} ({names})")


def _agreement(old: HostInfo, new: HostInfo, *, hardware: bool) -> Literal["agrees", "differs", "contradicts", ""]:
    """Whether the identities of one sort that both show are equal; empty where they have none in common."""
    equal = list(_equal(old, new, hardware=hardware))
    if not equal:
        return ""
    return "agrees" if all(equal) else "contradicts" if any(equal) else "differs"


def _equal(old: HostInfo, new: HostInfo, *, hardware: bool) -> Iterator[bool]:
    before = {one.kind: one.value for one in old.identity}
    for one in new.identity:
        if one.kind in before and (one.kind in HARDWARE) == hardware:
            yield comparable(one) == comparable(Identity(one.kind, before[one.kind]))


def comparable(one: Identity) -> str:
    """An identity as one word that is the same however a tool spelled it, such as `serial:pf3abc12`.

    Tools disagree about the byte order of an SMBIOS UUID: of the two ways to write it, the smaller counts.
    """
    kind, value = one.kind, one.value.casefold()
    if kind == "smbios_uuid":
        digits = value.replace("-", "")
        if len(digits) == 32:  # anything else is out of a file, and no UUID
            first = digits[6:8] + digits[4:6] + digits[2:4] + digits[:2]
            value = min(digits, first + digits[10:12] + digits[8:10] + digits[14:16] + digits[12:14] + digits[16:])
    return f"{kind}:{value}"


def _hashed(raw: UUID) -> str:
    digest = bytearray(_hmac(raw.bytes, APPLICATION.bytes)[:16])
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    return digest.hex()


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 with a key of at most 64 bytes. The module of that name loads OpenSSL, which Windows pays for."""
    key = key.ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()
