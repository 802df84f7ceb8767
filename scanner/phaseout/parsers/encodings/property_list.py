"""Property lists: the files in which macOS and its software keep nearly everything.

References:
    https://www.apple.com/DTDs/PropertyList-1.0.dtd (XML); CFBinaryPList.c of Core Foundation, published with
    https://github.com/swiftlang/swift-corelibs-foundation (binary).
"""

from collections.abc import Mapping
from typing import Any

from phaseout.model.regex import regex

_DECLARATION = regex(rb"\s*<\?xml[^>]{0,200}\?>")
_ENCODING = regex(rb"""encoding\s*=\s*["']([\w.:-]{1,40})""")
_BRITTLE = regex(rb"<(/?)(?:date|data)>")
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_OF_EXPAT = frozenset(("utf-8", "utf-16", "us-ascii", "iso-8859-1"))  # others it reads byte by byte, if at all
_OTHER_NAMES = {"x-mac-roman": "mac_roman", "macroman": "mac_roman"}


def property_list(data: bytes) -> Any:
    """The value of an XML or binary property list, in any encoding; `None` for any other file.

    What it gives are the types of `plistlib`; dates and data of a file with a mistake in it are given as texts. Keys
    are texts; nothing else about the shape of the value is certain.
    """
    import plistlib

    if data.startswith(b"bplist"):
        return _loaded(plistlib.loads, data, plistlib.FMT_BINARY, _Dictionary)
    if b"<" not in data[:4096]:
        return None
    if _encoding(data) in _OF_EXPAT:
        value = _loaded(plistlib.loads, data.lstrip(), plistlib.FMT_XML)
        if value is not None:
            return value
    # Expat takes no byte that is wrong in its encoding, and plistlib no date before the year 1.
    return _loaded(plistlib.loads, _BRITTLE.sub(rb"<\1string>", _as_utf8(data)), plistlib.FMT_XML)


def mapping(data: bytes) -> Mapping[str, Any] | None:
    """The dictionary in a property list; `None` if it holds something else, which is rare."""
    value = property_list(data)
    return value if isinstance(value, dict) else None


def text(value: object) -> str:
    """A text or number as text; empty for everything else, since nothing else is one to a reader."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def texts(value: object) -> list[str]:
    """The texts of a list."""
    return [text(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []


class _Dictionary(dict[str, Any]):
    """The binary form can say any value for a key; Core Foundation refuses all but texts, and so do we."""

    def __setitem__(self, key: object, value: object) -> None:
        if not isinstance(key, str):
            raise TypeError("a key that is not text")
        super().__setitem__(key, value)


def _loaded(loads: Any, data: bytes, fmt: Any, dictionary: type[dict[str, Any]] = dict) -> Any:
    try:
        return loads(data, fmt=fmt, dict_type=dictionary)
    except Exception:  # noqa: BLE001  (plistlib raises whatever the damage leads to)
        return None


def _as_utf8(data: bytes) -> bytes:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            found = data[len(mark) :].decode(encoding, "replace").encode("utf-8", "replace")
            return _DECLARATION.sub(b"", found, count=1).lstrip()
    name = _encoding(data)
    try:
        found = data.decode(_OTHER_NAMES.get(name, name), "replace").encode("utf-8", "replace")
    except (LookupError, ValueError):
        found = data.decode("utf-8", "replace").encode()
    return _DECLARATION.sub(b"", found, count=1).lstrip()


def _encoding(data: bytes) -> str:
    """The encoding that an XML declaration names, in lower case."""
    declaration = _DECLARATION.match(data)
    found = _ENCODING.search(declaration[0]) if declaration else None
    return found[1].decode().lower() if found else "utf-8"
