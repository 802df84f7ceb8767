"""Thrift's binary protocol: messages of a call, its reply, and the values in them.

Gives and takes plain values: `str` (a string), `bool`, `float`, `I32` and `I64`, `list`, `dict` (a map) and `Fields`
(a struct: number of the field → value). The smaller integers are read as `I32`, a set is read as a list.

Raises `ThriftError` for anything but a message and for a message beyond any sensible size, and `EOFError` where the
stream ends inside of one.

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
_LARGEST = 1 << 24  # bytes of a message
_MOST = 1 << 18  # values of a message
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


class _Reader:
    """Reads the values of one message, which together have a largest size."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._bytes = _LARGEST
        self._values = _MOST

    def __call__(self, size: int) -> bytes:
        self._bytes -= size
        if self._bytes < 0:
            raise ThriftError(f"a message of more than {_LARGEST} bytes")
        return self._read(size)

    def count(self) -> int:
        """The number of members of a container."""
        (count,) = struct.unpack(">i", self(4))
        if count < 0:
            raise ThriftError(f"{count} members")
        self.spend(count)
        return int(count)

    def spend(self, values: int) -> None:
        """Counts values that are to be read."""
        self._values -= values
        if self._values < 0:
            raise ThriftError(f"a message of more than {_MOST} values")


def read_message(read: Read) -> Message:
    """The next message of a stream."""
    reader = _Reader(read)
    version, kind = struct.unpack(">HxB", reader(4))
    if version != _VERSION:
        raise ThriftError("no message of Thrift's binary protocol")
    name = _text(reader)
    (sequence,) = struct.unpack(">i", reader(4))
    return Message(name, kind, sequence, _fields(reader, 0))


def write_message(message: Message) -> bytearray:
    """The bytes of a message."""
    out = bytearray(struct.pack(">HxB", _VERSION, message.kind))
    _write(message.name, out)
    out += struct.pack(">i", message.sequence)
    _write(message.fields, out)
    return out


def _value(read: _Reader, kind: int, depth: int) -> Any:
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
        return {_key(read, keys): _value(read, values, depth + 1) for _ in range(read.count())}
    if kind in {_LIST, _SET}:
        members = read(1)[0]
        return [_value(read, members, depth + 1) for _ in range(read.count())]
    raise ThriftError(f"no type {kind}")


def _fields(read: _Reader, depth: int) -> Fields:
    found = Fields()
    while kind := read(1)[0]:
        read.spend(1)
        (number,) = struct.unpack(">h", read(2))
        found[number] = _value(read, kind, depth + 1)
    return found


def _key(read: _Reader, kind: int) -> Any:
    if kind in {_STRUCT, _MAP, _SET, _LIST}:
        raise ThriftError("a container as key")
    return _value(read, kind, 0)


def _text(read: Read) -> str:
    (length,) = struct.unpack(">i", read(4))
    if length < 0:
        raise ThriftError(f"a text of {length} bytes")
    return read(length).decode("utf-8", "replace")


def _type(value: Any) -> int:
    if isinstance(value, str):
        return _STRING
    if isinstance(value, bool):
        return _BOOL
    if isinstance(value, I64):
        return _I64
    if isinstance(value, int):
        return _I32
    if isinstance(value, float):
        return _DOUBLE
    if isinstance(value, Fields):
        return _STRUCT
    return _MAP if isinstance(value, dict) else _LIST


def _write(value: Any, out: bytearray) -> None:
    """Adds a value: into one buffer, since an answer may have a hundred thousand rows.

    The types in an empty map or list do not matter: strings and maps are stated.
    """
    kind = _type(value)
    if kind == _STRING:
        data = value.encode("utf-8", "backslashreplace")
        out += struct.pack(">i", len(data))
        out += data
    elif kind == _BOOL:
        out += b"\1" if value else b"\0"
    elif kind in _NUMBERS:
        out += struct.pack(_NUMBERS[kind], value)
    elif kind == _STRUCT:
        for number, each in value.items():
            out += struct.pack(">bh", _type(each), number)
            _write(each, out)
        out += b"\0"
    elif kind == _MAP:
        key_type, value_type = next(((_type(key), _type(each)) for key, each in value.items()), (_STRING, _STRING))
        out += struct.pack(">bbi", key_type, value_type, len(value))
        for key, each in value.items():
            _write(key, out)
            _write(each, out)
    else:
        out += struct.pack(">bi", _type(value[0]) if value else _MAP, len(value))
        for each in value:
            _write(each, out)
