"""Elements of an XML file in the order in which they end, whatever encoding it is in.

The bytes decide the encoding, not the declaration: some files that declare UTF-16 are saved as UTF-8.
A document type is skipped, and refused where it declares anything, such as entities. Nothing is fetched.

References:
    https://www.w3.org/TR/xml/#sec-guessing (detection of encodings); https://docs.python.org/3/library/pyexpat.html
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.model.regex import regex

_PIECE = 8192
_DEPTH = 64
_ELEMENTS = 50_000
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DECLARED = regex(
    rb"""<\?xml[^>]{0,80}?encoding\s*=\s*["']((?:windows-|cp)125[0-8]|iso-8859-\d{1,2})["']""", re.IGNORECASE
)


_FORBIDDEN = regex("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Every `&` except those of the five predefined entities; character references are checked.
_AMPERSAND = regex(r"&(?!(?:amp|lt|gt|quot|apos);)(?:(#(?:[0-9]{1,9}|[xX][0-9a-fA-F]{1,8}));)?")


class Element(NamedTuple):
    """One element.

    Attributes:
        path: its name and those of all around it, without namespaces: `Task/Actions/Exec`.
        attributes: as written, prefixes included.
        text: its own text without blanks around it.
    """

    path: str
    attributes: dict[str, str]
    text: str


def elements(data: bytes, most: int = _ELEMENTS) -> Iterator[Element]:
    """The elements, the outermost last. A caller that stops early has the rest not parsed.

    Args:
        data: the file.
        most: elements that any of its kind may have.

    Raises:
        ValueError: it is not XML, has a document type with declarations, or is deeper or larger than any of its kind.
    """
    from xml.parsers import expat

    reader = _Reader(most)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    encoded = _allowed(decoded(data)).encode("utf-8", "replace")
    for at in range(0, max(len(encoded), 1), _PIECE):
        try:
            parser.Parse(encoded[at : at + _PIECE], at + _PIECE >= len(encoded))
        except expat.ExpatError as error:
            yield from reader.ended
            raise ValueError(f"not XML: {error}") from None
        yield from reader.ended
        reader.ended.clear()


def decoded(data: bytes) -> str:
    """The text of an XML file."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", "replace")
    if data[:1] == b"\0":
        return data.decode("utf-16-be", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    declared = _DECLARED.match(data)
    try:
        return data.decode(declared[1].decode() if declared else "cp1252", "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


def _allowed(text: str) -> str:
    """The text with what XML forbids replaced: control characters, references to them, and a bare `&`.

    Many programs write the names that they find into XML as they are; one odd name must not cost the whole file.
    """
    if _FORBIDDEN.search(text) is not None:
        text = _FORBIDDEN.sub("\ufffd", text)
    if "&" in text and "<![CDATA[" not in text:
        text = _AMPERSAND.sub(_reference, text)
    return text


def _reference(found: re.Match[str]) -> str:
    if found[1] is None:
        return "&amp;"
    try:
        number = found[1][1:]
        char = chr(int(f"0{number}", 16) if number[0] in "xX" else int(number))
    except (ValueError, OverflowError):
        return "\ufffd"
    return "\ufffd" if _FORBIDDEN.match(char) is not None else found[0]


class _Reader:
    def __init__(self, most: int) -> None:
        self._most = most
        self.ended: list[Element] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= _DEPTH or self._count > self._most:
            raise ValueError("too many elements, or too deep")
        name = tag.rpartition(":")[2]
        self._open.append((f"{self._open[-1][0]}/{name}" if self._open else name, attributes, []))

    def text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def end(self, _: str) -> None:
        path, attributes, texts = self._open.pop()
        self.ended.append(Element(path, attributes, "".join(texts).strip()))

    @staticmethod
    def doctype(_name: str, _system: str | None, _public: str | None, has_declarations: object) -> None:
        if has_declarations:
            raise ValueError("a document type with declarations is refused")
