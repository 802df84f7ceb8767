"""Objects that macOS has written with NSKeyedArchiver, as plain values.

References:
    Apple, "NSKeyedArchiver"; NSKeyedArchiver.swift in https://github.com/swiftlang/swift-corelibs-foundation
    (`$objects`, `$top`, `$class`).
"""

from collections.abc import Mapping
from typing import Any

_DEPTH = 24
_VALUES = 50_000  # an archive may name one object many times


def unarchived(archive: Mapping[str, Any], key: str = "root") -> Any:
    """The object of that name at the top: dictionaries, lists and texts as such, any other as a dictionary.

    `None` where there is no value, and in place of what leads back to itself.
    """
    objects, top = archive.get("$objects"), archive.get("$top")
    if not isinstance(objects, list) or not isinstance(top, dict) or key not in top:
        return None
    return _Reader(objects).value(top[key], 0)


class _Reader:
    def __init__(self, objects: list[Any]) -> None:
        self._objects = objects
        self._left = _VALUES
        self._above: set[int] = set()  # the objects that are being read

    def value(self, reference: Any, depth: int) -> Any:
        self._left -= 1
        if depth > _DEPTH or self._left < 0:
            return None
        number = getattr(reference, "data", None)  # plistlib.UID
        if not isinstance(number, int):
            return self._plain(reference, depth)
        if number in self._above or not 0 <= number < len(self._objects):
            return None
        self._above.add(number)
        found = self._plain(self._objects[number], depth)
        self._above.discard(number)
        return found

    def _plain(self, found: Any, depth: int) -> Any:
        if isinstance(found, list):
            return [self.value(one, depth + 1) for one in found]
        if isinstance(found, dict):
            return self._object(found, depth + 1)
        return None if found == "$null" else found

    def _object(self, found: dict[str, Any], depth: int) -> Any:
        if "NS.keys" in found:
            keys, values = self.value(found["NS.keys"], depth), self.value(found.get("NS.objects"), depth)
            pairs = zip(keys, values, strict=False) if isinstance(keys, list) and isinstance(values, list) else ()
            return {key: value for key, value in pairs if isinstance(key, str)}
        for key in ("NS.objects", "NS.string", "NS.data", "NS.relative"):
            if key in found:
                return self.value(found[key], depth)
        uuid = found.get("NS.uuidbytes")
        if isinstance(uuid, bytes) and len(uuid) == 16:
            text = uuid.hex().upper()
            return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
        return {key: self.value(value, depth) for key, value in found.items() if key != "$class"}
