"""One file of somebody's inventories, read with limits: unpacked, its encoding told, line by line or whole.

References:
    RFC 1952 (gzip: several members may follow each other); RFC 8259 (JSON); https://github.com/ndjson/ndjson-spec
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

import msgspec

LIMIT = 512 << 20  # bytes of one document, unpacked
_COMMAS = 20_000_000  # in a JSON document: what they part becomes values of a hundred bytes each
_BUFFER = 1 << 18
_START = 1 << 16
_ENDINGS = (".gz", ".json", ".ndjson", ".jsonl", ".cdx", ".bom", ".spdx", ".xml", ".ocs", ".csv", ".tsv", ".log")
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

Members = dict[str, msgspec.Raw]
JSON_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # of a decoder over hostile input


class BrokenError(ValueError):
    """A document, or a part of it, that cannot be judged. The text says where and why."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


class Document:
    """A file under way.

    Args:
        stream: where its bytes come from. It is read once, front to back.
        name: what the user calls it; it stands in every message.

    Attributes:
        name: the same.
        start: the first 64 KiB of the first line that is not blank, by which formats are told.
        line: the number of the line that `lines` gave last.
        by_line: whether each line is a JSON value of its own; `None` before `members` was asked for, or without JSON.
        no_json: why what looks like JSON is none.

    Raises:
        BrokenError: from every method: too large, damaged, not readable.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._rest = _buffered(stream, name)
        self.line = 0
        self._first = b""
        blank = 0
        while not self._first.strip():
            blank += len(self._first)
            if blank > _START:
                raise BrokenError(name, f"begins with more than {_START >> 10} KiB of blank lines")
            self._first = self._read_line()
            self.line += 1
            if not self._first:
                break
        self.start = self._first[:_START]
        self.by_line: bool | None = None
        self.no_json = ""
        self._members: Members = {}

    @property
    def stem(self) -> str:
        """The file's name without folder and endings: what a host goes by that has no name of its own."""
        name = self.name.replace("\\", "/").rpartition("/")[2]
        while name.lower().endswith(_ENDINGS):
            name = name.rpartition(".")[0]
        return name if name and name != "-" else "unknown"

    def members(self) -> Members:
        """The members of the first JSON object in it, be it the whole, the first line or the first of a list.

        Empty where it holds no JSON.
        """
        if self.by_line is not None:
            return self._members
        start = self.start.lstrip()
        if start[:1] not in (b"{", b"["):
            return {}
        for data in self._attempts():
            _bounded(self.name, data)
            try:
                found = _first_members(data)
            except JSON_ERRORS as error:
                self.no_json = f"no JSON: {error}"
                continue
            self.no_json = ""
            self._members = found
            break
        return self._members

    def values(self) -> Iterator[tuple[str, msgspec.Raw]]:
        """Place and text of each JSON value: one a line, or the whole; the values of a list one by one."""
        if self.by_line is None:
            self.members()
        if not self.by_line:
            yield from self._spread(self.name, self.whole())
            return
        for number, line in self.lines():
            yield from self._spread(f"{self.name}:{number}", line)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of each line that is not blank."""
        line = self._first
        while line:
            if not line.isspace():
                yield self.line, line
            line = self._read_line()
            self.line += 1

    def whole(self) -> bytes:
        """All of it."""
        try:
            self._first += self._rest.read()
        except (OSError, EOFError, zlib.error) as error:
            raise BrokenError(self.name, _why(error)) from error
        return self._first

    def _attempts(self) -> Iterator[bytes]:
        """The first line, and if that is no JSON value of its own, everything."""
        self.by_line = True
        yield self._first
        self.by_line = False
        yield self.whole()

    def _spread(self, where: str, data: bytes) -> Iterator[tuple[str, msgspec.Raw]]:
        _bounded(where, data)
        try:
            if data.lstrip()[:1] != b"[":
                yield where, msgspec.json.decode(data, type=msgspec.Raw)
                return
            values = msgspec.json.decode(data, type=list[msgspec.Raw])
        except JSON_ERRORS as error:
            raise BrokenError(where, f"no JSON: {error}") from error
        for number, value in enumerate(values):
            yield f"{where}[{number}]", value

    def _read_line(self) -> bytes:
        try:
            return self._rest.readline()
        except (OSError, EOFError, zlib.error) as error:
            raise BrokenError(self.name, _why(error)) from error


def _first_members(data: bytes) -> Members:
    if data.lstrip()[:1] != b"[":
        return msgspec.json.decode(data, type=Members)
    values = msgspec.json.decode(data, type=list[msgspec.Raw])
    return msgspec.json.decode(values[0], type=Members) if values else {}


class _Limited(io.RawIOBase):
    """A stream with its first bytes put back, which ends with an error at the limit."""

    def __init__(self, start: bytes, stream: BinaryIO, name: str, limit: int) -> None:
        super().__init__()
        self._start = start
        self._stream = stream
        self._name = name
        self._left = limit

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """The next bytes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._start:
            data, self._start = self._start[: len(view)], self._start[len(view) :]
        else:
            data = self._stream.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise BrokenError(self._name, f"larger than {LIMIT >> 20} MiB")
        view[: len(data)] = data
        return len(data)


def _buffered(stream: BinaryIO, name: str) -> BinaryIO:
    """The stream unpacked, in UTF-8 and without a byte order mark."""
    try:
        start = stream.read(4)
        if start[:2] == b"\x1f\x8b":
            packed = io.BufferedReader(_Limited(start, stream, name, LIMIT), _BUFFER)
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=packed))
            start = stream.read(4)
        limited = cast("BinaryIO", io.BufferedReader(_Limited(start, stream, name, LIMIT), _BUFFER))
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                text = limited.read()[2:].decode(encoding, "replace")
                return io.BytesIO(text.encode("utf-8", "replace"))
        if start.startswith(b"\xef\xbb\xbf"):
            limited.read(3)
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenError(name, _why(error)) from error
    return limited


def _bounded(where: str, data: bytes) -> None:
    if data.count(b",") > _COMMAS:
        raise BrokenError(where, f"more than {_COMMAS:,} values: no inventory is that large")


def _why(error: Exception) -> str:
    if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
        return f"damaged gzip: {error}"
    strerror = error.strerror if isinstance(error, OSError) else ""
    return f"cannot be read: {strerror or error}"
