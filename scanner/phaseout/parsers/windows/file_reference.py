"""Where a bookmark or an alias leads: the two ways in which macOS remembers a file.

References:
    Neither is documented by Apple: https://mac-alias.readthedocs.io/en/latest/ (alias_fmt, bookmark_fmt).
"""

import struct

_PATH = 0x1004  # in the contents of a bookmark: the parts of the path
_TEXT, _LIST = 0x0101, 0x0601
_ALIAS_HEAD = 150  # bytes before the tags of an alias of version 2
_ALIAS_HEAD_3 = 58
_POSIX_PATH, _MOUNT_POINT = 18, 19
_END = -1
_PARTS = 256


def leads_to(data: bytes) -> str:
    """The absolute path that a bookmark or an alias had when it was made; empty if it has no path."""
    try:
        return _bookmark(data) if data[:4] in (b"book", b"alis") else _alias(data)
    except (struct.error, ValueError):  # shorter than it says
        return ""


def _bookmark(data: bytes) -> str:
    (head,) = struct.unpack_from("<I", data, 12)
    (contents,) = struct.unpack_from("<I", data, head)
    seen: set[int] = set()
    while contents and contents not in seen:
        seen.add(contents)
        _, _, _, following, count = struct.unpack_from("<5I", data, head + contents)
        for index in range(min(count, _PARTS)):
            key, offset, _ = struct.unpack_from("<3I", data, head + contents + 20 + 12 * index)
            if key == _PATH:
                kind, value = _record(data, head + offset)
                if kind == _LIST:
                    offsets = [one for (one,) in struct.iter_unpack("<I", value[: len(value) // 4 * 4])]
                    parts = [_record(data, head + one) for one in offsets[:_PARTS]]
                    return "/" + "/".join(text.decode("utf-8", "backslashreplace") for _, text in parts)
        contents = following
    return ""


def _record(data: bytes, at: int) -> tuple[int, bytes]:
    size, kind = struct.unpack_from("<2I", data, at)
    value = data[at + 8 : at + 8 + size]
    if len(value) < size:
        raise ValueError("cut off")
    return kind, value


def _alias(data: bytes) -> str:
    version = struct.unpack_from(">4s2H", data)[2]
    at = _ALIAS_HEAD if version == 2 else _ALIAS_HEAD_3
    found: dict[int, str] = {}
    for _ in range(_PARTS):
        tag, size = struct.unpack_from(">hH", data, at)
        if tag == _END:
            break
        found[tag] = data[at + 4 : at + 4 + size].decode("utf-8", "backslashreplace").strip("\0")
        at += 4 + size + (size & 1)
    path = found.get(_POSIX_PATH, "")
    return f"{found.get(_MOUNT_POINT, '/').rstrip('/')}/{path.lstrip('/')}" if path else ""
