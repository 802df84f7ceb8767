"""Bookmarks, as macOS writes them: a head, records, and their contents."""

import struct


def bookmark(path: str) -> bytes:
    """A bookmark of an absolute path."""
    body = bytes(4)
    offsets = []
    for part in path.strip("/").split("/"):
        text = part.encode()
        offsets.append(len(body))
        body += struct.pack("<2I", len(text), 0x0101) + text.ljust(-(-len(text) // 4) * 4, b"\0")
    parts = len(body)
    body += struct.pack("<2I", 4 * len(offsets), 0x0601) + struct.pack(f"<{len(offsets)}I", *offsets)
    contents = struct.pack("<5I", 24, 0xFFFFFFFE, 1, 0, 1) + struct.pack("<3I", 0x1004, parts, 0)
    body = struct.pack("<I", len(body)) + body[4:] + contents
    return struct.pack("<4s3I", b"book", 48 + len(body), 0x10040000, 48).ljust(48, b"\0") + body
