"""Writes volumes that keep an earlier state, as the Volume Shadow Copy Service does.

References:
    https://github.com/libyal/libvshadow (documentation of the format); the order of the records was compared with
    those of a real volume
"""

import datetime as dt
import struct
import uuid

_SIGNATURE = uuid.UUID("3808876b-c176-4e48-b7ae-04046e6cc752").bytes_le
_STORE = uuid.UUID(int=1).bytes_le
COPY = uuid.UUID("abcdef01-2345-6789-abcd-ef0123456789")
_HEADER = 0x1E00  # on every volume
_BLOCK = 0x4000
_CATALOG, _INFO, _LIST, _RANGES, _BITMAP = 2, 4, 3, 5, 6  # kinds of blocks
_EPOCH = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)


def with_shadow_copy(then: bytes, made: dt.datetime) -> bytes:
    """A volume of NTFS, of which there is the first sector only, that keeps another content as its earlier state.

    The earlier state has whole blocks of 16 KiB, and may be of any file system.
    """
    assert len(then) % _BLOCK == 0
    changed = [at for at in range(0, len(then), _BLOCK) if not at or any(then[at : at + _BLOCK])]
    size = len(then) + _BLOCK * (len(changed) + 6)
    now = bytearray(len(then))
    now[:512] = boot = _boot(size // 512 - 1)
    entries = [struct.pack("<QQQII", at, 0, _at(then, 5 + index), 0, 0) for index, at in enumerate(changed)]
    places = {kind: _at(then, index) for index, kind in enumerate((_CATALOG, _INFO, _LIST, _RANGES, _BITMAP))}
    ticks = int((made - _EPOCH).total_seconds()) * 10_000_000
    catalog = struct.pack("<QQ16sQQQ", 2, size, _STORE, 1, 0x40, ticks).ljust(128, b"\0")
    stored = (places[_LIST], _STORE, places[_INFO], places[_RANGES], places[_BITMAP], 0, size, 0)
    catalog += struct.pack("<QQ16sQQQQQQ", 3, *stored).ljust(128, b"\0")
    info = bytes(16) + COPY.bytes_le + bytes(16) + struct.pack("<IIII", 9, 1, 0x420009, 0) + bytes(4)
    ranges = struct.pack("<QQQ", places[_CATALOG], 0, size - len(then))
    contents = {_CATALOG: catalog, _INFO: info, _LIST: b"".join(entries), _RANGES: ranges, _BITMAP: b""}
    blocks = [_block(kind, places[kind], places[_CATALOG], content) for kind, content in contents.items()]
    blocks += [then[at : at + _BLOCK] for at in changed]
    volume = bytearray(now + b"".join(blocks) + boot.rjust(_BLOCK, b"\0"))
    head = (1, 1, _HEADER, _HEADER, 0, places[_CATALOG], 0)
    volume[_HEADER : _HEADER + 128] = struct.pack("<16sIIQQQQQ", _SIGNATURE, *head).ljust(128, b"\0")
    return bytes(volume)


def _boot(sectors: int) -> bytes:
    """The first sector of NTFS, of which another one stands behind the last."""
    head = b"\xebR\x90NTFS    " + struct.pack("<HB", 512, 8).ljust(29, b"\0")
    head += struct.pack("<QQQbxxxbxxxQ", sectors, 4, 2, -10, 1, 1)
    return head.ljust(510, b"\0") + b"\x55\xaa"


def _at(content: bytes, index: int) -> int:
    """The place of a block behind the content."""
    return len(content) + index * _BLOCK


def _block(kind: int, at: int, first: int, content: bytes) -> bytes:
    size = len(content) if kind == _INFO else 0
    head = struct.pack("<16sIIQQQQ", _SIGNATURE, 1, kind, at - first, at, 0, size).ljust(128, b"\0")
    assert len(head + content) <= _BLOCK, "more than one block: not written"
    return (head + content).ljust(_BLOCK, b"\0")
