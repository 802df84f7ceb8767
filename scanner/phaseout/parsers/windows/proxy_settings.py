"""The records in which Windows keeps the proxy of a connection and that of its services.

References:
    None is published. Compared with records of five user hives and with those that Wine writes (dlls/wininet and
    dlls/winhttp, internet.c and session.c): numbers of four bytes, and texts in the ANSI code page after their length.
"""

import struct
from typing import NamedTuple

_PROXY, _SCRIPT = 2, 4  # flags of WinINET
_NONE = 1  # access type of WinHTTP: no proxy


class ProxySettings(NamedTuple):
    """A proxy (`host:port` or `http=…;https=…`) and the address of a script; empty where none is in use."""

    proxy: str
    script: str = ""


def wininet_settings(data: bytes) -> ProxySettings:
    """What a record of a connection says, such as `DefaultConnectionSettings`.

    Raises:
        ValueError: a text runs beyond the end.
    """
    if len(data) < 12:
        return ProxySettings("")
    flags = struct.unpack_from("<I", data, 8)[0]
    proxy, at = _text(data, 12)
    _, at = _text(data, at)
    script, _ = _text(data, at)
    return ProxySettings(proxy if flags & _PROXY else "", script if flags & _SCRIPT else "")


def winhttp_settings(data: bytes) -> ProxySettings:
    """What the record `WinHttpSettings` says.

    Raises:
        ValueError: a text runs beyond the end.
    """
    if len(data) < 12 or struct.unpack_from("<I", data, 8)[0] == _NONE:
        return ProxySettings("")
    return ProxySettings(_text(data, 12)[0])


def _text(data: bytes, at: int) -> tuple[str, int]:
    """The text there and where it ends; a record may end where a text would begin."""
    if at + 4 > len(data):
        return "", len(data)
    size = struct.unpack_from("<I", data, at)[0]
    end = at + 4 + size
    if end > len(data):
        raise ValueError(f"a text of {size} bytes runs beyond the end")
    return data[at + 4 : end].partition(b"\0")[0].decode("latin-1"), end
