"""The record in which Windows keeps a certificate in the registry or in a file.

References:
    https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetcertificatecontextproperty (the
    identifiers); https://blog.nviso.eu/2019/08/28/extracting-certificates-from-the-windows-registry/ (the layout)
"""

import struct

_CERTIFICATE = 32  # CERT_CERT_PROP_ID


def stored_certificate(data: bytes) -> bytes | None:
    """The DER data of the certificate; `None` if the record has none, as that of a list or a key has none.

    Raises:
        ValueError: a property runs beyond the end.
    """
    at = 0
    while at + 12 <= len(data):
        kind, _, size = struct.unpack_from("<III", data, at)
        at += 12
        if at + size > len(data):
            raise ValueError(f"the property {kind} runs beyond the end")
        if kind == _CERTIFICATE:
            return data[at : at + size]
        at += size
    return None
