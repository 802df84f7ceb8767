"""Single members of ZIP archives (`.xpi`, `.jar`), in memory and with limits.

Only what is asked for is read: the directory at the end of the file, and the member. Names are compared, never used as
paths. Not read are archives of more than 65,534 members or 4 GiB (ZIP64), encrypted members, and other methods than
stored and deflated.

References:
    PKWARE, APPNOTE.TXT 6.3.10: 4.3.7 local file header, 4.3.12 central directory, 4.3.16 end of central directory.
"""

import struct
import zlib
from typing import BinaryIO

_END = struct.Struct("<4s4H2IH")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_COMMENT = 0xFFFF
_DIRECTORY = 16 << 20
LIMIT = 1 << 20  # of a member, unpacked


class Archive:
    """An archive, of which members are read by their exact name.

    Raises:
        ValueError: it is not a readable ZIP archive.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        size = file.seek(0, 2)
        tail_at = max(0, size - _END.size - _COMMENT)
        file.seek(tail_at)
        tail = file.read(_END.size + _COMMENT)
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < _END.size:
            raise ValueError("no ZIP archive")
        _, _, _, _, count, length, offset, _ = _END.unpack_from(tail, at)
        if count == 0xFFFF or 0xFFFFFFFF in (length, offset):
            raise ValueError("a ZIP64 archive")
        start = tail_at + at - length
        self._base = start - offset  # something may stand before the archive
        if start < 0 or self._base < 0 or length > _DIRECTORY:
            raise ValueError("the directory of the archive does not fit into it")
        file.seek(start)
        self._directory = file.read(length)

    def read(self, name: str, limit: int = LIMIT) -> bytes | None:
        """The content of a member; `None` if no member has that name.

        Raises:
            ValueError: it is damaged, encrypted, packed in an unknown way, or larger than `limit`.
        """
        wanted = name.encode()
        at = self._directory.find(wanted)
        while at >= 0:
            header = at - _CENTRAL.size
            if header >= 0 and self._directory[header : header + 4] == b"PK\x01\x02":
                fields = _CENTRAL.unpack_from(self._directory, header)
                if fields[10] == len(wanted):
                    return self._member(fields[3], fields[4], fields[8], fields[9], fields[16], limit)
            at = self._directory.find(wanted, at + 1)
        return None

    def _member(self, flags: int, method: int, packed: int, size: int, offset: int, limit: int) -> bytes:
        if flags & 1:
            raise ValueError("an encrypted member")
        if method not in (0, 8):
            raise ValueError(f"a member packed by method {method}")
        if size > limit or packed > limit + 1024:
            raise ValueError(f"a member of more than {limit} bytes")
        self._file.seek(self._base + offset)
        head = self._file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise ValueError("a member without a header")
        fields = _LOCAL.unpack(head)
        self._file.seek(fields[9] + fields[10], 1)
        data = self._file.read(packed)
        if len(data) < packed:
            raise ValueError("a truncated member")
        if method == 0:
            return data
        unpacker = zlib.decompressobj(-15)
        try:
            content = unpacker.decompress(data, limit + 1)
        except zlib.error as error:
            raise ValueError(f"a damaged member: {error}") from None
        if len(content) > limit:
            raise ValueError(f"a member of more than {limit} bytes")
        if not unpacker.eof:
            raise ValueError("a truncated member")
        return content
