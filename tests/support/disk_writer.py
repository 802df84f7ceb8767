"""Writes disks: partition tables, groups of logical volumes, and file systems with the files of a folder."""

import os
import shutil
import struct
import subprocess
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

_LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
_MIB = 1 << 20


def tool(*command: str) -> None:
    """Runs a tool; skips the test where it is missing."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    found = shutil.which(command[0], path=path)
    if found is None:
        pytest.skip(f"no {command[0]}")
    subprocess.run([found, *command[1:]], check=True, capture_output=True)


def ext4(folder: Path, image: Path, *options: str, size: int = 32) -> bytes:
    """ext4 of so many MiB with everything in a folder."""
    tool("mkfs.ext4", "-q", "-F", *options, "-d", str(folder), str(image), f"{size}M")
    return image.read_bytes()


def fat(folder: Path, image: Path, size: int = 40, *options: str) -> bytes:
    """FAT of so many MiB with everything in a folder; it has no links."""
    image.write_bytes(b"")
    os.truncate(image, size * _MIB)
    tool("mkfs.fat", "-n", "DATA", *options, str(image))
    for name in sorted(os.listdir(folder)):
        tool("mcopy", "-s", "-i", str(image), str(folder / name), "::")
    return image.read_bytes()


def hfs(folder: Path, image: Path) -> bytes:
    """HFS+ with everything in a folder: the part of a hybrid disc that its partition map names."""
    disc = image.with_suffix(".iso")
    tool("xorriso", "-as", "mkisofs", "-hfsplus", "-o", str(disc), str(folder))
    data = disc.read_bytes()
    for at in range(512, 4096, 512):
        if data[at + 48 : at + 57] == b"Apple_HFS":
            start, count = struct.unpack_from(">II", data, at + 8)
            image.write_bytes(data[start * 512 : (start + count) * 512])
    return image.read_bytes()


def xfs(folder: Path, image: Path) -> bytes:
    """XFS with everything in a folder."""
    image.write_bytes(b"")
    os.truncate(image, 320 * _MIB)
    proto = image.with_suffix(".proto")
    proto.write_text("/stand/none\n0 0\n" + "\n".join(_proto(folder, "")) + "\n")
    tool("mkfs.xfs", "-q", "-p", str(proto), str(image))
    return image.read_bytes()


def _proto(folder: Path, indent: str) -> list[str]:
    lines = ["d--755 0 0"]
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            lines.append(f"{path.name} l--777 0 0 {os.readlink(path)}")
        elif path.is_dir():
            first, *rest = _proto(path, indent)
            lines += [f"{path.name} {first}", *rest]
        else:
            lines.append(f"{path.name} ---644 0 0 {path}")
    return [*lines, "$"]


def restart_page(lsn: int, client: int, flags: int) -> bytes:
    """A page at the beginning of the log of NTFS.

    Args:
        lsn: the number of the last entry of the log.
        client: the first one that has the log in use; 0xFFFF for none.
        flags: 2 for a volume that is clean.
    """
    page = bytearray(4096)
    struct.pack_into("<4sHHQIIHHH", page, 0, b"RSTR", 30, 9, 0, 4096, 4096, 48, 1, 1)
    struct.pack_into("<QHHHHIHHQIHHII", page, 48, lsn, 1, 0xFFFF, client, flags, 45, 224, 64, 2 << 20, 0, 48, 64, 1, 0)
    struct.pack_into("<QQHHH", page, 48 + 64, 0, lsn, 0xFFFF, 0xFFFF, 0)
    struct.pack_into("<I8s", page, 48 + 64 + 28, 8, "NTFS".encode("utf-16-le"))
    page[30:32] = b"\1\0"
    for at in range(510, 4096, 512):
        page[at : at + 2] = page[30:32]
    return bytes(page)


def mbr(volumes: Sequence[bytes], kind: int = 0x83, signature: int = 0x1234ABCD) -> bytes:
    """A disk with an MBR and at most four partitions, one MiB apart."""
    sector, data, at = bytearray(512), bytearray(_MIB), _MIB
    sector[440:444], sector[510:] = struct.pack("<I", signature), b"\x55\xaa"
    for number, volume in enumerate(volumes):
        entry = bytes((0, 0, 0, 0, kind, 0, 0, 0)) + struct.pack("<II", at // 512, len(volume) // 512)
        sector[446 + 16 * number : 462 + 16 * number] = entry
        data += volume
        at += len(volume)
    data[:512] = sector
    return bytes(data)


def gpt(volumes: Sequence[bytes], ids: Sequence[uuid.UUID] = ()) -> bytes:
    """A disk with GPT, and a copy of the table at its end."""
    data, entries = bytearray(_MIB), bytearray(128 * 128)
    for number, volume in enumerate(volumes):
        own = ids[number] if number < len(ids) else uuid.UUID(int=number + 1)
        first = len(data) // 512
        name = f"part{number + 1}".encode("utf-16-le").ljust(72, b"\0")
        place = struct.pack("<QQQ", first, first + len(volume) // 512 - 1, 0)
        entries[number * 128 : number * 128 + 128] = _LINUX.bytes_le + own.bytes_le + place + name
        data += volume
    data += bytes(_MIB)
    last = len(data) // 512 - 1
    data[446:462] = bytes((0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF)) + struct.pack("<II", 1, last)
    data[510:512] = b"\x55\xaa"
    for at, other, table in ((1, last, 2), (last, 1, last - 32)):
        data[table * 512 : table * 512 + len(entries)] = entries
        places = struct.pack("<QQQQ16sQ", at, other, 34, last - 33, bytes(16), table)
        head = struct.pack("<8sIIII", b"EFI PART", 1 << 16, 92, 0, 0) + places
        head += struct.pack("<III", 128, 128, zlib.crc32(entries))
        head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
        data[at * 512 : at * 512 + 92] = head
    return bytes(data)


def lvm(group: str, volumes: dict[str, bytes]) -> bytes:
    """A physical volume with one group of linear volumes; each is a whole number of MiB.

    References:
        https://github.com/libyal/libvslvm (documentation of the format); LVM2, format_text/layout.h
    """
    count = sum(len(content) for content in volumes.values()) // _MIB
    lines, extent = [], 0
    for number, (name, content) in enumerate(volumes.items()):
        extents = len(content) // _MIB
        lines.append(
            f'{name} {{\nid = "{_id(number + 2)}"\nstatus = ["READ", "WRITE", "VISIBLE"]\nflags = []\n'
            "segment_count = 1\n"
            f'segment1 {{\nstart_extent = 0\nextent_count = {extents}\ntype = "striped"\nstripe_count = 1\n'
            f'stripes = [\n"pv0", {extent}\n]\n}}\n}}\n'
        )
        extent += extents
    text = (
        f'{group} {{\nid = "{_id(0)}"\nseqno = 2\nformat = "lvm2"\nstatus = ["RESIZEABLE", "READ", "WRITE"]\n'
        "flags = []\n"
        f"extent_size = 2048\nmax_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n\nphysical_volumes {{\n\npv0 {{\n"
        f'id = "{_id(1)}"\ndevice = "/dev/sda1"\nstatus = ["ALLOCATABLE"]\nflags = []\n'
        f"dev_size = {(count + 1) * 2048}\n"
        f"pe_start = 2048\npe_count = {count}\n}}\n}}\n\nlogical_volumes {{\n\n{''.join(lines)}}}\n}}\n"
        '# Generated by a test\ncontents = "Text Format Volume Group"\nversion = 1\ndescription = ""\n'
        'creation_host = "test"\ncreation_time = 1700000000\n\0'
    ).encode()
    data = bytearray(_MIB)
    plain = _id(1).replace("-", "").encode()
    areas = struct.pack("<QQQQ", _MIB, 0, 0, 0) + struct.pack("<QQQQ", 4096, _MIB - 4096, 0, 0)
    body = struct.pack("<I8s", 32, b"LVM2 001") + (plain + struct.pack("<Q", _MIB + count * _MIB) + areas).ljust(
        480, b"\0"
    )
    data[512:1024] = b"LABELONE" + struct.pack("<QI", 1, _crc(body)) + body
    place = struct.pack("<QQII", 512, len(text), _crc(text), 0)
    header = (b"\x20LVM2\x20x[5A%r0N*>" + struct.pack("<IQQ", 1, 4096, _MIB - 4096) + place).ljust(508, b"\0")
    data[4096:4608] = struct.pack("<I", _crc(header)) + header
    data[4608 : 4608 + len(text)] = text
    return bytes(data) + b"".join(volumes.values())


def _id(number: int) -> str:
    return f"{number:06}-{'-'.join(['abcd'] * 5)}-{number:06}"


def _crc(data: bytes) -> int:
    return zlib.crc32(data, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
