"""Thrift's binary protocol: messages of a call, its reply, and the values in them.

Gives and takes plain values: `str` (a string), `bool`, `float`, `I32` and `I64`, `list`, `dict` (a map) and `Fields`
(a struct: number of the field → value). The smaller integers are read as `I32`, a set is read as a list.

Raises `ThriftError` for anything but a message, and `EOFError` where the stream ends inside of one.

References:
    https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md (strict encoding)
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

Read = Callable[[int], bytes]  # exactly so many bytes, or EOFError

CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4
_VERSION = 0x8001
_BOOL, _BYTE, _DOUBLE, _I16, _I32, _I64, _STRING, _STRUCT, _MAP, _SET, _LIST = 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15
_NUMBERS = {_BYTE: ">b", _DOUBLE: ">d", _I16: ">h", _I32: ">i", _I64: ">q"}
_LARGEST = 1 << 24  # bytes of a string
_MOST = 1 << 16  # members of a container
_DEEPEST = 16


class ThriftError(ValueError):
    """Bytes that are not a Thrift message, or a message beyond any sensible size."""


class I32(int):
    """A number of 32 bits."""


class I64(int):
    """A number of 64 bits."""


class Fields(dict[int, Any]):
    """A struct: number of the field → value."""


class Message(NamedTuple):
    """A call or a reply. `sequence` is whatever the caller chose; the reply repeats it."""

    name: str
    kind: int
    sequence: int
    fields: Fields


def read_message(read: Read) -> Message:
    """The next message of a stream."""
    version, kind = struct.unpack(">HxB", read(4))
    if version != _VERSION:
        raise ThriftError("no message of Thrift's binary protocol")
    name = _text(read)
    (sequence,) = struct.unpack(">i", read(4))
    return Message(name, kind, sequence, _fields(read, 0))


def write_message(message: Message) -> bytes:
    """The bytes of a message."""
    head = struct.pack(">HxB", _VERSION, message.kind)
    return head + _encode(message.name)[1] + struct.pack(">i", message.sequence) + _encode(message.fields)[1]


def _value(read: Read, kind: int, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ThriftError("too deep")
    if kind == _STRING:
        return _text(read)
    if kind == _BOOL:
        return read(1) != b"\0"
    if kind in _NUMBERS:
        form = _NUMBERS[kind]
        (number,) = struct.unpack(form, read(struct.calcsize(form)))
        return number if kind == _DOUBLE else I64(number) if kind == _I64 else I32(number)
    if kind == _STRUCT:
        return _fields(read, depth + 1)
    if kind == _MAP:
        keys, values = read(2)
        return {_key(read, keys): _value(read, values, depth + 1) for _ in range(_count(read))}
    if kind in {_LIST, _SET}:
        members = read(1)[0]
        return [_value(read, members, depth + 1) for _ in range(_count(read))]
    raise ThriftError(f"no type {kind}")


def _fields(read: Read, depth: int) -> Fields:
    found = Fields()
    while kind := read(1)[0]:
        (number,) = struct.unpack(">h", read(2))
        found[number] = _value(read, kind, depth + 1)
    return found


def _key(read: Read, kind: int) -> Any:
    if kind in {_STRUCT, _MAP, _SET, _LIST}:
        raise ThriftError("a container as key")
    return _value(read, kind, 0)


def _count(read: Read) -> int:
    (count,) = struct.unpack(">i", read(4))
    if not 0 <= count <= _MOST:
        raise ThriftError(f"{count} members")
    return int(count)


def _text(read: Read) -> str:
    (length,) = struct.unpack(">i", read(4))
    if not 0 <= length <= _LARGEST:
        raise ThriftError(f"a text of {length} bytes")
    return read(length).decode("utf-8", "replace")


def _encode(value: Any) -> tuple[int, bytes]:
    """Type and bytes. The types in an empty map or list do not matter: strings and maps are stated."""
    if isinstance(value, str):
        data = value.encode("utf-8", "backslashreplace")
        return _STRING, struct.pack(">i", len(data)) + data
    if isinstance(value, bool):
        return _BOOL, b"\1" if value else b"\0"
    if isinstance(value, I64):
        return _I64, struct.pack(">q", value)
    if isinstance(value, int):
        return _I32, struct.pack(">i", value)
    if isinstance(value, float):
        return _DOUBLE, struct.pack(">d", value)
    if isinstance(value, Fields):
        parts = [(number, *_encode(each)) for number, each in value.items()]
        return _STRUCT, b"".join(struct.pack(">bh", kind, number) + data for number, kind, data in parts) + b"\0"
    if isinstance(value, dict):
        pairs = [(_encode(key), _encode(each)) for key, each in value.items()]
        key_type, value_type = (pairs[0][0][0], pairs[0][1][0]) if pairs else (_STRING, _STRING)
        data = b"".join(key[1] + each[1] for key, each in pairs)
        return _MAP, struct.pack(">bbi", key_type, value_type, len(pairs)) + data
    members = [_encode(each) for each in value]
    head = struct.pack(">bi", members[0][0] if members else _MAP, len(members))
    return _LIST, head + b"".join(data for _, data in members)
