"""Elements of an XML file in the order in which they end, whatever encoding it is in.

The encoding is told by the bytes, not by the declaration: files are saved as UTF-8 that call themselves UTF-16.
Document types, and with them declarations of entities, are refused.

References:
    https://www.w3.org/TR/xml/#sec-guessing (detection of encodings); https://docs.python.org/3/library/pyexpat.html
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_PIECE = 8192
_DEPTH = 64
_ELEMENTS = 50_000
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,80}?encoding\s*=\s*["']((?:windows-|cp)125[0-8]|iso-8859-\d{1,2})["']""", re.IGNORECASE
)


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
    """The elements, the outermost last. Whoever has enough stops early: nothing behind is parsed.

    Args:
        data: the file.
        most: elements that any of its kind may have.

    Raises:
        ValueError: it is no XML, has a document type, or is deeper or larger than any of its kind.
    """
    from xml.parsers import expat

    reader = _Reader(most)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    encoded = decoded(data).encode("utf-8", "replace")
    for at in range(0, max(len(encoded), 1), _PIECE):
        try:
            parser.Parse(encoded[at : at + _PIECE], at + _PIECE >= len(encoded))
        except expat.ExpatError as error:
            raise ValueError(f"no XML: {error}") from None
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
    def doctype(*_: object) -> None:
        raise ValueError("a document type is refused")
