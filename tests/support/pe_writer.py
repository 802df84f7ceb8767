"""Makes small Windows executables for the tests, with version resources and signatures that nobody could verify.

References:
    Microsoft, "PE Format", "VS_VERSIONINFO"; "Windows Authenticode Portable Executable Signature Format"; RFC 2315.
"""

import struct
from collections.abc import Mapping, Sequence

MACHINES = {"x86": 0x014C, "x64": 0x8664, "ARM64": 0xAA64}
ENGLISH, RUSSIAN, NEUTRAL = 0x0409, 0x0419, 0
_ADDRESS, _OFFSET = 0x1000, 0x400  # of the one section


def executable(
    texts: Mapping[int, Mapping[str, str]] | None = None,
    signed_by: Sequence[tuple[str, str]] = (),
    *,
    machine: str = "x64",
    numbers: tuple[int, int, int, int] = (0, 0, 0, 0),
    managed: bool = False,
    table: bytes | None = None,
) -> bytes:
    """An executable.

    Args:
        texts: language → name → text of its version resource; none: it has none.
        signed_by: organisation and common name of those who signed; each after the first within the one before.
        machine: what it runs on.
        numbers: file and product version of the fixed part.
        managed: whether it is a .NET assembly.
        table: a certificate table in place of a good one.
    """
    section = resources(version_resource(texts, numbers)) if texts is not None else b""
    certificates = certificate_table(signed(signed_by)) if signed_by else b""
    if table is not None:
        certificates = table
    section = section.ljust(-(-len(section) // 512) * 512, b"\0")
    wide = machine != "x86"
    directories = [(0, 0)] * 16
    if section:
        directories[2] = (_ADDRESS, len(section))
    if certificates:
        directories[4] = (_OFFSET + len(section), len(certificates))
    if managed:
        directories[14] = (0x2000, 72)
    optional = struct.pack("<H", 0x20B if wide else 0x10B).ljust(108 if wide else 92, b"\0")
    optional += struct.pack("<I", 16) + b"".join(struct.pack("<II", *one) for one in directories)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    head += struct.pack("<4sHHIIIHH", b"PE\0\0", MACHINES[machine], 1, 0, 0, 0, len(optional), 0x22) + optional
    head += struct.pack("<8sIIIIIIHHI", b".rsrc", len(section), _ADDRESS, len(section), _OFFSET, 0, 0, 0, 0, 0)
    return head.ljust(_OFFSET, b"\0") + section + certificates


def resources(*versions: bytes) -> bytes:
    """A section of resources; each version resource is one of a further language."""
    directory = struct.Struct("<IIHHHH")
    leaf = 16 + 8 + 16 + 8 + 16 + 8 * len(versions)
    levels = directory.pack(0, 0, 0, 0, 0, 1) + struct.pack("<II", 16, 0x80000000 | 24)
    levels += directory.pack(0, 0, 0, 0, 0, 1) + struct.pack("<II", 1, 0x80000000 | 48)
    levels += directory.pack(0, 0, 0, 0, 0, len(versions))
    levels += b"".join(struct.pack("<II", 0x0400 + at, leaf + 16 * at) for at in range(len(versions)))
    data = leaf + 16 * len(versions)
    entries = content = b""
    for version in versions:
        entries += struct.pack("<IIII", _ADDRESS + data + len(content), len(version), 0, 0)
        content += version.ljust(-(-len(version) // 4) * 4, b"\0")
    return levels + entries + content


def version_resource(
    texts: Mapping[int, Mapping[str, str]], numbers: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> bytes:
    """What a resource compiler makes of a VERSIONINFO statement."""
    a, b, c, d = numbers
    fixed = struct.pack("<13I", 0xFEEF04BD, 0x10000, *(a << 16 | b, c << 16 | d) * 2, 0x3F, 0, 0x40004, 1, 0, 0, 0)
    tables = [
        _node(
            f"{language:04x}04b0",
            b"",
            [_node(name, f"{text}\0".encode("utf-16-le"), (), text=True) for name, text in table.items()],
            text=True,
        )
        for language, table in texts.items()
    ]
    return _node("VS_VERSION_INFO", fixed, [_node("StringFileInfo", b"", tables, text=True)])


def _node(key: str, value: bytes, children: Sequence[bytes] = (), *, text: bool = False) -> bytes:
    body = f"{key}\0".encode("utf-16-le")
    body += b"\0" * (-(6 + len(body)) % 4) + value
    for child in children:
        body += b"\0" * (-(6 + len(body)) % 4) + child
    return struct.pack("<HHH", 6 + len(body), len(value) // 2 if text else len(value), int(text)) + body


def certificate_table(message: bytes) -> bytes:
    size = 8 + len(message)
    return (struct.pack("<IHH", size, 0x0200, 2) + message).ljust(size + 7 & ~7, b"\0")


def signed(signed_by: Sequence[tuple[str, str]]) -> bytes:
    """A signature by the first, in which the others nest; every certificate is issued by `Test CA`."""
    authority = _name("Test Authority", "Test CA")
    certificates = certificate(authority, authority, 1)
    infos = b""
    if signed_by:
        subject = _name(*signed_by[0])
        certificates += certificate(subject, authority, 2)
        nested = b""
        if len(signed_by) > 1:
            values = der(0x31, signed(signed_by[1:]))
            nested = der(0xA1, der(0x30, der(0x06, bytes.fromhex("2b060104018237020401")), values))
        infos = der(
            0x30,
            der(0x02, b"\1"),
            der(0x30, authority, der(0x02, b"\2")),
            _algorithm(),
            der(0xA0, der(0x30, der(0x06, b"\x2a"), der(0x31))),
            _algorithm(),
            der(0x04, bytes(256)),
            nested,
        )
    return message(certificates, infos)


def message(certificates: bytes, infos: bytes) -> bytes:
    """A PKCS #7 message of the certificates and the signatures given."""
    content = der(0x30, der(0x06, bytes.fromhex("2b060104018237020104")), der(0xA0, der(0x30)))
    body = der(0x30, der(0x02, b"\1"), der(0x31, _algorithm()), content, der(0xA0, certificates), der(0x31, infos))
    return der(0x30, der(0x06, bytes.fromhex("2a864886f70d010702")), der(0xA0, body))


def certificate(subject: bytes, issuer: bytes, serial: int) -> bytes:
    validity = der(0x30, der(0x17, b"200101000000Z"), der(0x17, b"300101000000Z"))
    body = der(
        0x30,
        der(0xA0, der(0x02, b"\2")),
        der(0x02, bytes([serial])),
        _algorithm(),
        issuer,
        validity,
        subject,
        der(0x30, _algorithm(), der(0x03, bytes(65))),
    )
    return der(0x30, body, _algorithm(), der(0x03, bytes(65)))


def _name(organisation: str, name: str) -> bytes:
    pairs = ((b"\x55\x04\x06", "RU"), (b"\x55\x04\x0a", organisation), (b"\x55\x04\x03", name))
    return der(0x30, *(der(0x31, der(0x30, der(0x06, kind), der(0x0C, text.encode()))) for kind, text in pairs if text))


def _algorithm() -> bytes:
    return der(0x30, der(0x06, bytes.fromhex("608648016503040201")), der(0x05))


def der(tag: int, *parts: bytes) -> bytes:
    """A value with a definite length."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
