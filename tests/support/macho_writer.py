"""Mach-O files that look signed: a header, a signature with its directory, and a CMS message with one certificate.

Nothing in them is code, and the signature signs nothing: they are as much as somebody reads who asks for the signer.
"""

import struct

_CPUS = {"x86_64": (0x01000007, 3, "<", 64), "arm64": (0x0100000C, 0, "<", 64), "arm64e": (0x0100000C, 2, "<", 64)}
_CPUS |= {"i386": (7, 3, "<", 32), "ppc": (18, 0, ">", 32), "ppc64": (0x01000012, 0, ">", 64)}
_COMMON_NAME, _ORGANISATION, _UNIT = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x04\x0b"
_SIGNED_DATA, _DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
_SHA256, _RSA = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"


def signed_macho(identifier: str = "", team: str = "", organisation: str = "", arch: str = "arm64") -> bytes:
    """A thin file. Without an organisation it is signed ad hoc, without an identifier not at all."""
    cpu, subtype, order, bits = _CPUS[arch]
    magic = struct.pack(order + "I", 0xFEEDFACF if bits == 64 else 0xFEEDFACE)
    padding = struct.pack(order + "2I", 0x24, 16) + bytes(8)  # another load command before it
    head = 32 if bits == 64 else 28
    blob = signature_blob(identifier, team, organisation) if identifier else b""
    commands = padding + (struct.pack(order + "4I", 0x1D, 16, head + 32, len(blob)) if blob else b"")
    header = struct.pack(order + "6I", cpu, subtype, 2, len(commands) // 16, len(commands), 0)
    return (magic + header + (bytes(4) if bits == 64 else b"") + commands).ljust(head + 32, b"\0") + blob


def fat(*files: bytes, order: str = ">", wide: bool = False) -> bytes:
    """A file for several architectures."""
    entry = struct.Struct(order + ("IIQQII" if wide else "5I"))
    offset = 4096
    head = struct.pack(order + "2I", 0xCAFEBABF if wide else 0xCAFEBABE, len(files))
    body = b""
    for file in files:
        fields = (0, 0, offset + len(body), len(file), 12)
        head += entry.pack(*fields, 0) if wide else entry.pack(*fields)
        body += file.ljust(-(-len(file) // 4096) * 4096, b"\0")
    return head.ljust(offset, b"\0") + body


def signature_blob(identifier: str, team: str, organisation: str) -> bytes:
    """A SuperBlob with a CodeDirectory, and a CMS message where somebody signed."""
    blobs = [(0, _directory(identifier, team, organisation)), (2, _blob(0xFADE0C01, bytes(4)))]
    if organisation:
        authority = f"Developer ID Application: {organisation} ({team})"
        blobs.append((0x10000, _blob(0xFADE0B01, cms(authority, organisation, team))))
    index, body, start = b"", b"", 12 + 8 * len(blobs)
    for slot, blob in blobs:
        index += struct.pack(">2I", slot, start + len(body))
        body += blob
    return _blob(0xFADE0CC0, struct.pack(">I", len(blobs)) + index + body)


def detached_signature(identifier: str, team: str, organisation: str) -> dict[str, bytes]:
    """The files in `_CodeSignature` of a bundle whose program is a script."""
    authority = f"Developer ID Application: {organisation} ({team})"
    return {
        "CodeDirectory": _directory(identifier, team, organisation),
        "CodeSignature": cms(authority, organisation, team),
    }


def _directory(identifier: str, team: str, organisation: str) -> bytes:
    name, unit = identifier.encode() + b"\0", team.encode() + b"\0" if team else b""
    flags = 0 if organisation else 0x2
    fields = (0x20400, flags, 0, 88, 0, 0, 0)
    directory = struct.pack(">7I", *fields) + struct.pack(">4BI", 32, 2, 0, 12, 0) + bytes(4)
    directory += struct.pack(">I", 88 + len(name) if team else 0)
    return _blob(0xFADE0C02, directory.ljust(80, b"\0") + name + unit)


def cms(authority: str, organisation: str, team: str) -> bytes:
    """A CMS message with the signer's certificate behind that of its issuer, in lengths left open as Apple does it."""
    issuer = _name("Developer ID Certification Authority", "Apple Inc.", "Apple Certification Authority")
    root = _name("Apple Root CA", "Apple Inc.", "")
    leaf = _name(authority, organisation, team)
    certificates = _certificate(b"\x01", root, issuer) + _certificate(b"\x5a\x3b", issuer, leaf)
    signer = _der(0x30, _der(2, b"\1") + _der(0x30, issuer + _der(2, b"\x5a\x3b")) + _algorithm(_SHA256))
    content = _der(2, b"\1") + _der(0x31, _algorithm(_SHA256)) + _open(0x30, _der(6, _DATA))
    signed = _open(0x30, content + _open(0xA0, certificates) + _der(0x31, signer))
    return _open(0x30, _der(6, _SIGNED_DATA) + _open(0xA0, signed))


def _blob(magic: int, content: bytes) -> bytes:
    return struct.pack(">2I", magic, len(content) + 8) + content


def _certificate(serial: bytes, issuer: bytes, subject: bytes) -> bytes:
    validity = _der(0x30, _der(0x17, b"200101000000Z") + _der(0x17, b"300101000000Z"))
    fields = _der(0xA0, _der(2, b"\2")) + _der(2, serial) + _algorithm(_RSA) + issuer + validity + subject
    return _der(0x30, _der(0x30, fields) + _algorithm(_RSA) + _der(3, b"\0"))


def _algorithm(identifier: bytes) -> bytes:
    return _der(0x30, _der(6, identifier) + _der(5, b""))


def _name(common_name: str, organisation: str, unit: str) -> bytes:
    parts = ((_COMMON_NAME, common_name), (_UNIT, unit), (_ORGANISATION, organisation))
    pairs = (_der(0x30, _der(6, kind) + _der(0x0C, text.encode())) for kind, text in parts if text)
    return _der(0x30, b"".join(_der(0x31, pair) for pair in pairs))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 0x80 else bytes((0x82,)) + size.to_bytes(2, "big")
    return bytes((tag,)) + length + content


def _open(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x80)) + content + b"\0\0"
