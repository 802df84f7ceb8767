"""Which file system or other content a partition holds, with its UUID and label, by its signature.

References:
    libblkid of util-linux (superblocks), blkid(8); Documentation/filesystems/ext4 of the kernel; "XFS Algorithms & Data
    Structures"; Apple File System Reference (nx_superblock_t); Apple, TN1150 "HFS Plus Volume Format" (attributes);
    Microsoft, "FAT32 File System Specification" (FAT[1]), "exFAT File System Specification" (VolumeFlags);
    LVM2, label.h; cryptsetup, "LUKS On-Disk Format"
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

Read = Callable[[int, int], bytes]
_HEAD = 1 << 17
_RECOVER = 0x4  # incompatible feature of ext: changes are only in the journal
_VALID = 0x1  # state of ext: unmounted, or with a journal


class FileSystem(NamedTuple):
    """What a partition holds.

    Attributes:
        kind: which file system, `LVM`, `LUKS` and the like, or `unknown`; empty for nothing but zeros.
        uuid: as `blkid` shows it, in lower case.
        label: as `blkid` shows it.
        size: bytes that it takes, where its beginning says so; else 0.
        closed: false if its first sectors say that it was in use, or that changes are only in its journal.
    """

    kind: str
    uuid: str = ""
    label: str = ""
    size: int = 0
    closed: bool = True


def file_system(head: bytes) -> FileSystem:
    """What a partition holds, by its first 128 KiB, or as many as it has."""
    if head[1080:1082] == b"\x53\xef":
        features = int.from_bytes(head[1120:1124], "little")
        size = _little(head[1028:1032]) << (10 + min(_little(head[1048:1052]), 16))
        closed = bool(head[1082] & _VALID) and not features & _RECOVER
        return FileSystem("ext", _uuid(head[1128:1144]), _text(head[1144:1160]), size, closed)
    if head[:4] == b"XFSB":
        return FileSystem("XFS", _uuid(head[32:48]), _text(head[108:120]), _big(head[8:16]) * _big(head[4:8]))
    if head[3:11] == b"NTFS    ":
        return FileSystem("NTFS", head[72:80][::-1].hex(), size=_little(head[40:48]) * _little(head[11:13]))
    if head[3:11] == b"-FVE-FS-" or (head[3:11] == b"MSWIN4.1" and head[424:440] == _BITLOCKER_TO_GO):
        return FileSystem("BitLocker")
    if head[3:11] == b"EXFAT   ":
        return FileSystem("exFAT", _serial(head[100:104]), closed=not head[106] & 0x2)
    if head[510:512] == b"\x55\xaa" and (head[54:59] == b"FAT12" or head[54:59] == b"FAT16"):
        closed = not head[37] & 1 and (head[58:59] == b"2" or _fat_is_closed(head, 2))
        return FileSystem("FAT", _serial(head[39:43]), _text(head[43:54]), closed=closed)
    if head[510:512] == b"\x55\xaa" and head[82:87] == b"FAT32":
        closed = not head[65] & 1 and _fat_is_closed(head, 4)
        return FileSystem("FAT", _serial(head[67:71]), _text(head[71:82]), closed=closed)
    if head[32:36] == b"NXSB":
        return FileSystem("APFS", _uuid(head[72:88]))
    if head[1024:1026] in (b"H+", b"HX"):
        return FileSystem("HFS+", closed=bool(_big(head[1028:1032]) & 0x100))
    if head[:6] == b"LUKS\xba\xbe":
        return FileSystem("LUKS", _text(head[168:208]))
    if any(head[at : at + 8] == b"LABELONE" and head[at + 24 : at + 32] == b"LVM2 001" for at in range(0, 2048, 512)):
        return FileSystem("LVM")
    if head[65600:65608] == b"_BHRfS_M":
        return FileSystem("Btrfs", _uuid(head[65568:65584]), _text(head[65835:66091]))
    for kind, at, mark in _SIGNATURES:
        if head[at : at + len(mark)] == mark:
            return FileSystem(kind)
    return FileSystem("unknown" if any(head) else "")


def head_of(read: Read) -> bytes:
    """The beginning that `file_system` needs."""
    return read(0, _HEAD)


def _fat_is_closed(head: bytes, width: int) -> bool:
    """Whether the second entry of a FAT, whose entries have so many bytes, says that nobody has the volume in use."""
    at = _little(head[11:13]) * _little(head[14:16]) + width
    entry = head[at : at + width]
    return len(entry) < width or bool(entry[-1] & (0x08 if width == 4 else 0x80))


_BITLOCKER_TO_GO = UUID("4967d63b-2e29-4ad8-8399-f6a339e3d001").bytes_le
_SIGNATURES: tuple[tuple[str, int, bytes], ...] = (
    ("ReFS", 3, b"ReFS\0\0\0\0"),
    ("SquashFS", 0, b"hsqs"),
    ("swap", 4086, b"SWAPSPACE2"),
    ("swap", 65526, b"SWAPSPACE2"),
    ("F2FS", 1024, b"\x10\x20\xf5\xf2"),
    ("EROFS", 1024, b"\xe2\xe1\xf5\xe0"),
    ("ISO 9660", 32769, b"CD001"),
    ("software RAID", 4096, b"\xfc\x4e\x2b\xa9"),
    ("software RAID", 0, b"\xfc\x4e\x2b\xa9"),
    ("bcachefs", 4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
    ("Core Storage", 88, b"CS"),
    ("VMFS", 1 << 20, b"\x5e\xf1\xab\x2f"),
)


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _uuid(data: bytes) -> str:
    return str(UUID(bytes=data)) if len(data) == 16 else ""


def _serial(data: bytes) -> str:
    text = data[::-1].hex()
    return f"{text[:4]}-{text[4:]}"


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace").rstrip()
