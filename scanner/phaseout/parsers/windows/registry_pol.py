"""Files of group policies that hold registry values: `Registry.pol`, and what Windows keeps of them as `ntuser.pol`.

References:
    [MS-GPREG] 2.2.1 (Registry Policy Message Syntax), 3.2.5.1 (values whose names begin with `**`)
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.parsers.windows.registry_values import Value, decode

_SIGNATURE = b"PReg\x01\x00\x00\x00"
_OPEN, _SEPARATOR, _CLOSE, _NUL = (mark.encode("utf-16-le") for mark in ("[", ";", "]", "\0"))
_LONGEST = 16_383  # characters of a name, as the registry allows it


class PolicyValue(NamedTuple):
    """One value that a policy sets: its key below the hive, its name, and what it is set to."""

    key: str
    name: str
    value: Value


def values(data: bytes) -> Iterator[PolicyValue]:
    """The values of a file in their order; those that only delete something are left out.

    Raises:
        ValueError: it is no such file, or is cut off; what comes before has been yielded.
    """
    if data[: len(_SIGNATURE)] != _SIGNATURE:
        raise ValueError("it does not begin as such a file does")
    at = len(_SIGNATURE)
    while at < len(data):
        at = _expect(data, at, _OPEN)
        key, at = _text(data, at)
        at = _expect(data, at, _SEPARATOR)
        name, at = _text(data, at)
        at = _expect(data, at, _SEPARATOR)
        kind, at = _number(data, at)
        at = _expect(data, at, _SEPARATOR)
        size, at = _number(data, at)
        at = _expect(data, at, _SEPARATOR)
        if at + size > len(data):
            raise ValueError(f"cut off in a value of {size} bytes")
        content = data[at : at + size]
        at = _expect(data, at + size, _CLOSE)
        if name.startswith("**"):
            continue
        try:
            yield PolicyValue(key, name, decode(kind, content))
        except ValueError:
            yield PolicyValue(key, name, content)


def _expect(data: bytes, at: int, mark: bytes) -> int:
    if data[at : at + 2] != mark:
        raise ValueError(f'no "{mark.decode("utf-16-le")}" at byte {at}')
    return at + 2


def _text(data: bytes, at: int) -> tuple[str, int]:
    """The text there, and where it ends."""
    end = at
    while data[end : end + 2] != _NUL:
        end += 2
        if end - at > 2 * _LONGEST or end >= len(data):
            raise ValueError(f"a name without an end at byte {at}")
    return data[at:end].decode("utf-16-le", "replace"), end + 2


def _number(data: bytes, at: int) -> tuple[int, int]:
    if at + 4 > len(data):
        raise ValueError(f"cut off at byte {at}")
    return int.from_bytes(data[at : at + 4], "little"), at + 4
