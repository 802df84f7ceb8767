"""One inventory file, read with limits: unpacked, decoded to UTF-8, line by line or whole.

References:
    RFC 1952 (gzip: several members may follow each other); RFC 1950 (zlib); PKWARE, APPNOTE.TXT (zip); RFC 8259 (JSON);
    https://github.com/ndjson/ndjson-spec
"""

import errno
import io
import itertools
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, TypeVar, cast

import msgspec
from msgspec.structs import replace

from phaseout.model.counting import counted
from phaseout.model.nouns import Cause, Problem

LIMIT = 512 << 20  # bytes of one document, unpacked, that is read line by line
WHOLE = 64 << 20  # bytes of one that must be in memory as a whole, and of one line
_OLD = 16 << 20  # bytes of what version 0.1 wrote, which is decoded twice
_COMMAS = 4_000_000  # in a JSON document: what they separate becomes values of up to a hundred bytes each
_MEMBERS = 1_000  # files in a zip archive
_OF_FINDER = ("__MACOSX/", ".DS_Store")  # what macOS adds to an archive about the files in it
_BLANK = 1_000_000  # blank lines of a file
_JOINED = 100_000  # lines of one value among others
_NOISE = 20  # lines before the first value, such as warnings of the program that wrote it
_BUFFER = 1 << 18
_START = 1 << 16
_SNIFFED = 1 << 10  # bytes by which compression and encoding are recognised
_UTF_16 = 32  # at least one byte in so many is zero: the high half of a comma or a line end
_PACKED = 1 << 14  # bytes that are unpacked together
_ANY = 32 + zlib.MAX_WBITS  # zlib or gzip
_ENDINGS = (
    *(".gz", ".json", ".ndjson", ".jsonl", ".cdx", ".bom", ".spdx", ".spdx3", ".syft", ".xml", ".ocs", ".csv", ".tsv"),
    *(".log", ".zip", ".txt", ".tag"),
)
_ROTATED = re.compile(r"(?i)\.log[.-]\d{1,14}$")  # as logrotate and osquery name older logs
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_WITHOUT_CONTROL = bytes(0x20 if code < 0x20 and code not in b"\t\n\r" else code for code in range(0x100))
_REPLACED = rb"\ufffd"
# A pair of surrogates, half of one, or any other character that is escaped.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL
)
_NO_CHARACTERS = "some of its bytes are no characters; they are read as U+FFFD or blanks, and names may be damaged"
_STRING = re.compile(rb'"[^"]*"')  # where no escapes are left

Members = dict[str, msgspec.Raw]
_T = TypeVar("_T")
JSON_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # of a decoder given hostile input


class BrokenError(ValueError):
    """A document, or a part of it, that cannot be judged. The text says where and why."""

    def __init__(self, where: str, why: str, cause: Cause = "damaged") -> None:
        super().__init__(f"{where}: {why}")
        self.problem = Problem(where, why, cause)


def decoded(data: bytes | msgspec.Raw, kind: type[_T]) -> _T:
    """What phaseout itself wrote. Problems of version 0.1, which knew no causes, are taken for damage.

    Raises:
        msgspec.MsgspecError: it is nothing of that kind.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        if "`cause`" not in str(error) or memoryview(data).nbytes > _OLD:
            raise
    saved = msgspec.json.decode(data)
    lists = [run["problems"] for run in saved["runs"] if isinstance(run, dict) and "problems" in run]
    for problem in itertools.chain.from_iterable(one for one in lists if isinstance(one, list)):
        if isinstance(problem, dict):
            problem.setdefault("cause", "damaged")
    return msgspec.convert(saved, kind)


def documents(stream: BinaryIO, name: str) -> "Iterator[Document]":
    """The document in a file, or those in a zip archive, one after the other.

    Args:
        stream: its bytes, read once, front to back.
        name: what the user calls it.

    Raises:
        BrokenError: it cannot be read.
    """
    try:
        start = stream.read(_SNIFFED)
        if not start.startswith((_ZIP, _EMPTY_ZIP)):
            yield Document(stream, name, start)
            return
        packed = io.BytesIO(_all_of(cast("BinaryIO", _Limited(start, stream, name, LIMIT)), name))
    except OSError as error:
        raise BrokenError(name, _why(error)) from error
    yield from _unzipped(packed, name)


class Document:
    """A file that is being read.

    Args:
        stream: where its bytes come from. It is read once, front to back.
        name: what the user calls it; it stands in every message.
        start: what was read of the stream before.

    Attributes:
        name: the same.
        start: the first 64 KiB of the first line that is not blank; the format is recognised by it.
        line: the number of the line that `lines` gave last.
        by_line: whether each line is a JSON value of its own; `None` before `members` was called, or without JSON.
        no_json: why what looks like JSON is not.
        personal_apps: whether the apps of personal phones are wanted.
        strict: whether a damaged character costs the value that it is in; otherwise it is replaced, and said.

    Raises:
        BrokenError: from every method: too large, damaged, unreadable.
    """

    def __init__(self, stream: BinaryIO, name: str, start: bytes = b"") -> None:
        self.name = name
        self._rest, self._inflated = _buffered(stream, name, start)
        self.line = 0
        self._first = b""
        blank = 0
        while not self._first or self._first.isspace():
            blank += len(self._first)
            if blank > _START:
                raise BrokenError(name, f"begins with more than {_START >> 10} KiB of blank lines", "limit")
            self._first = self._read_line()
            self.line += 1
            if not self._first:
                break
        self.start = self._first[:_START]
        self.by_line: bool | None = None
        self.no_json = ""
        self.personal_apps = False
        self.strict = False
        self._members: Members = {}
        self._broken: Problem | None = None
        self._more = 0
        self._one_value = False
        self._peeked: list[bytes] | None = None

    @property
    def stem(self) -> str:
        """The file's name without folder and endings: the name of a host that has none of its own."""
        name = _ROTATED.sub("", self.name.replace("\\", "/").rpartition("/")[2])
        while name.lower().endswith(_ENDINGS):
            name = name.rpartition(".")[0]
        return name if name and name != "-" else "unknown"

    @property
    def ends_with_brace(self) -> bool:
        """Whether the first line may be a whole JSON object."""
        return self._first[-_SNIFFED:].rstrip().endswith(b"}")

    def skip_noise(self) -> bool:
        """Drops lines before the first JSON value, such as warnings. False, and nothing dropped, if there is none."""
        skipped = [self._first]
        while len(skipped) <= _NOISE and (line := self._read_line()):
            if line.lstrip()[:1] in (b"{", b"["):
                self.line += len(skipped)
                self._first, self.start = line, line[:_START]
                return True
            skipped.append(line)
        self._put_back(skipped[1:])
        return False

    def peek(self) -> list[bytes]:
        """The first lines, without reading past them."""
        if self._peeked is None:
            following: list[bytes] = []
            while len(following) < _NOISE and (line := self._read_part()):
                following.append(line)
                if len(line) > WHOLE:  # the rest of it is still to be read
                    break
            self._put_back(following)
            self._peeked = [self._first, *(line[:_START] for line in following)]
        return self._peeked

    def members(self) -> Members:
        """The members of the first JSON object in it: the whole, the first line, or the first value of a list.

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
                self._members = _first_members(data)
            except JSON_ERRORS as error:
                self.no_json = self.no_json or f"no JSON: {error}"
                continue
            self.no_json = ""
            break
        else:
            self._members = self._mended_members()
        return self._members

    def _mended_members(self) -> Members:
        """The same of a whole file in which some characters are damaged; empty if more than that is wrong."""
        fixed = self._first if self.strict else mended(self._first)
        try:
            members = _first_members(fixed) if fixed != self._first else {}
        except JSON_ERRORS:
            return {}
        if members:
            self._first, self._one_value, self.no_json = fixed, True, ""
            self._break(Problem(self.name, _NO_CHARACTERS, "damaged"))
        return members

    def values(self, *, lists: bool = False) -> Iterator[tuple[str, msgspec.Raw]]:
        """Place and bytes of each JSON value, however the lines are broken. `broken` counts what is not a value.

        Args:
            lists: whether a list is one value; otherwise its values come one by one.
        """
        if self.by_line is None:
            self.members()
        for where, text in self._texts():
            data = text if self.strict else in_utf8(text)
            if data is not text:
                self._break(Problem(where, _NO_CHARACTERS, "damaged"))
            try:
                _bounded(where, data)
                if lists or data.lstrip()[:1] != b"[":
                    yield where, msgspec.json.decode(data, type=msgspec.Raw)
                    continue
                values = msgspec.json.decode(data, type=list[msgspec.Raw])
            except JSON_ERRORS as error:
                self._break(Problem(where, f"no JSON: {error}", "damaged"))
                continue
            except BrokenError as error:
                self._break(error.problem)
                continue
            for number, value in enumerate(values):
                yield f"{where}[{number}]", value

    @property
    def cut(self) -> Problem | None:
        """That the file could be unpacked only up to a fault."""
        if self._inflated is None or not self._inflated.broken:
            return None
        return Problem(self.name, f"damaged gzip or zlib data: {self._inflated.broken}", "damaged")

    @property
    def broken(self) -> Problem | None:
        """The first part that `values` could not read, and how many more there were."""
        if self._broken is None or not self._more:
            return self._broken
        return replace(self._broken, why=f"{self._broken.why} (and {counted(self._more, 'more line')})")

    def _break(self, problem: Problem) -> None:
        if self._broken is None:
            self._broken = problem
        else:
            self._more += 1

    def _texts(self) -> Iterator[tuple[str, bytes]]:
        """Place and bytes of what should be a JSON value each: the whole, or lines that belong together."""
        if not self.by_line and self._one_value:
            yield self.name, self.whole()
            return
        waiting: list[tuple[int, bytes]] = []
        depth = 0
        for number, line in self.lines() if self.by_line else _numbered(self.whole(), self.line):
            if not waiting and _is_value(line):
                yield f"{self.name}:{number}", line
                continue
            if not (waiting or self.strict) and self.by_line and _is_value(fixed := mended(line)):
                self._break(Problem(f"{self.name}:{number}", _NO_CHARACTERS, "damaged"))
                yield f"{self.name}:{number}", fixed
                continue
            opened = _opened(line)
            if opened is None or depth + opened < 0 or len(waiting) >= _JOINED:  # damaged, and perhaps those before it
                yield from _apart(self.name, waiting)
                yield f"{self.name}:{number}", line
                waiting, depth = [], 0
                continue
            waiting.append((number, line))
            depth += opened
            if depth == 0:
                yield f"{self.name}:{waiting[0][0]}", b"".join(one for _, one in waiting)
                waiting = []
        yield from _apart(self.name, waiting)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of each line that is not blank."""
        line = self._first
        blank = 0
        while line:
            if not line.isspace():
                yield self.line, line
            elif (blank := blank + 1) > _BLANK:  # half a gigabyte of them would take minutes
                why = f"more than {_BLANK:,} blank lines: what follows was not read"
                self._break(Problem(f"{self.name}:{self.line}", why, "limit"))
                return
            line = self._next_line()
            self.line += 1

    def _next_line(self) -> bytes:
        """The next line. One of a table that is too long costs itself."""
        while self.start.lstrip()[:1] not in (b"{", b"[", b"<"):
            try:
                return self._read_line()
            except BrokenError as error:
                self.line += 1
                self._break(Problem(f"{self.name}:{self.line}", f"a line {error.problem.why}", "limit"))
                while (rest := self._rest.readline(_BUFFER)) and not rest.endswith(b"\n"):
                    pass
        return self._read_line()

    def whole(self) -> bytes:
        """All of it."""
        try:
            self._first += _all_of(self._rest, self.name, WHOLE - len(self._first))
        except OSError as error:
            raise BrokenError(self.name, _why(error)) from error
        return self._first

    def _attempts(self) -> Iterator[bytes]:
        """The first line; if that is no JSON value of its own, everything; else the first value of several."""
        self.by_line = True
        yield self._first
        self.no_json = ""
        self.by_line = False
        self._one_value = True
        yield self.whole()
        self._one_value = False
        first = next(self._texts(), None)
        if first is not None:
            yield first[1]

    def _put_back(self, lines: list[bytes]) -> None:
        rest = _Limited(b"".join(lines), self._rest, self.name, LIMIT)
        self._rest = cast("BinaryIO", io.BufferedReader(rest, _BUFFER))

    def _read_line(self) -> bytes:
        line = self._read_part()
        if len(line) > WHOLE:
            raise _too_large(self.name)
        return line

    def _read_part(self) -> bytes:
        """The next line, or the beginning of one that is too long."""
        try:
            return self._rest.readline(WHOLE + 1)
        except OSError as error:
            raise BrokenError(self.name, _why(error)) from error


def in_utf8(data: bytes) -> bytes:
    """The text with U+FFFD for bytes that are no UTF-8; the same object where there are none."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def mended(data: bytes) -> bytes:
    """JSON with U+FFFD for bytes that are no UTF-8 and for halves of surrogate pairs, and blanks for control bytes."""
    fixed = bytearray(in_utf8(data).translate(_WITHOUT_CONTROL))
    for escape in _ESCAPE.finditer(bytes(fixed)):  # in place: a flood of them costs no memory
        if escape.end() - escape.start() == len(_REPLACED):
            fixed[escape.start() : escape.end()] = _REPLACED
    return bytes(fixed)


def _all_of(stream: BinaryIO, name: str, limit: int = WHOLE) -> bytes:
    """The rest of a stream.

    Raises:
        BrokenError: it is longer than what is kept in memory as a whole.
    """
    pieces: list[bytes] = []
    while piece := stream.read(_BUFFER):
        pieces.append(piece)
        limit -= len(piece)
        if limit < 0:
            raise _too_large(name)
    return b"".join(pieces)


def _too_large(name: str) -> BrokenError:
    return BrokenError(name, f"larger than {WHOLE >> 20} MiB, and not one host a line", "limit")


def _first_members(data: bytes) -> Members:
    if data.lstrip()[:1] != b"[":
        return msgspec.json.decode(data, type=Members)
    values = msgspec.json.decode(data, type=list[msgspec.Raw])
    return msgspec.json.decode(values[0], type=Members) if values else {}


def _is_value(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except JSON_ERRORS:
        return False
    return True


def _opened(line: bytes) -> int | None:
    """How many brackets of a JSON value a line opens more than it closes; `None` if a string does not end in it."""
    rest = _STRING.sub(b"", line.replace(b"\\\\", b"").replace(b'\\"', b""))
    if b'"' in rest:
        return None
    return rest.count(b"{") + rest.count(b"[") - rest.count(b"}") - rest.count(b"]")


def _apart(name: str, lines: list[tuple[int, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Lines that were taken for one value but do not form one: values on single lines are not lost."""
    for number, line in lines:
        yield f"{name}:{number}", line


def _numbered(data: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(io.BytesIO(data), first):
        if not line.isspace():
            yield number, line


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
            count = min(len(view), len(self._start))
            view[:count], self._start = self._start[:count], self._start[count:]
        else:
            count = self._stream.readinto(view)  # type: ignore[attr-defined]
        self._left -= count
        if self._left < 0:
            raise BrokenError(self._name, f"larger than {LIMIT >> 20} MiB", "limit")
        return count


class _Member(io.RawIOBase):
    """The content of one file in a zip archive; what is wrong with it is an `OSError`."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        super().__init__()
        self._archive = archive
        self._member: zipfile.ZipInfo | IO[bytes] = member

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """The next bytes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        try:
            if isinstance(self._member, zipfile.ZipInfo):
                self._member = self._archive.open(self._member)
            data = self._member.read(len(view))
        except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise OSError(errno.EIO, f"cannot be unpacked: {error}") from error
        view[: len(data)] = data
        return len(data)


class _Inflated(io.RawIOBase):
    """The content of a gzip stream, of all its members, or of a zlib stream, as OCS keeps what its agents sent.

    Attributes:
        broken: why it ends before its end, if it does; what stands before the fault is given.
    """

    def __init__(self, packed: BinaryIO, *, members: bool) -> None:
        super().__init__()
        self.broken = ""
        self._members = members  # whether others may follow the first
        self._packed = packed
        self._waiting = b""
        self._inflate = zlib.decompressobj(_ANY)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """The next bytes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = b""
        while not data and not self.broken:
            packed = self._waiting or self._packed.read(_PACKED)
            if self._inflate.eof:
                if not packed or not self._members:
                    break
                packed = packed.lstrip(b"\0")  # members may be padded
                if packed:
                    self._inflate = zlib.decompressobj(_ANY)
            elif not packed:
                self.broken = "it ends before its end marker"
            self._waiting = b""
            if packed:
                data = self._unpacked(packed, len(view))
        view[: len(data)] = data
        return len(data)

    def _unpacked(self, packed: bytes, room: int) -> bytes:
        before = self._inflate.copy()
        try:
            data = self._inflate.decompress(packed, room)
            self._waiting = self._inflate.unconsumed_tail or self._inflate.unused_data
        except zlib.error as error:
            self.broken = str(error)
            data = _before_the_fault(before, packed, room)
        return data


def _before_the_fault(inflate: "zlib._Decompress", packed: bytes, room: int) -> bytes:
    """As much as can be unpacked of damaged bytes."""
    data = b""
    try:
        for at in range(len(packed)):
            data += inflate.decompress(packed[at : at + 1], room)
            if len(data) >= room:
                break
    except zlib.error:
        pass
    return data[:room]


def _buffered(stream: BinaryIO, name: str, start: bytes) -> tuple[BinaryIO, _Inflated | None]:
    """The stream unpacked, in UTF-8 and without a byte order mark, and what unpacks it."""
    inflated: _Inflated | None = None
    try:
        start = start or stream.read(_SNIFFED)
        if start[:2] == b"\x1f\x8b" or _is_zlib(start):
            packed = io.BufferedReader(_Limited(start, stream, name, LIMIT), _BUFFER)
            inflated = _Inflated(cast("BinaryIO", packed), members=start[:1] == b"\x1f")
            stream = cast("BinaryIO", io.BufferedReader(inflated, _BUFFER))
            start = stream.read(_SNIFFED)
        limited = cast("BinaryIO", io.BufferedReader(_Limited(start, stream, name, LIMIT), _BUFFER))
        encoding = _encoding(start)
        if encoding:
            text = _all_of(limited, name, WHOLE).decode(encoding, "replace").removeprefix("\ufeff")
            return io.BytesIO(text.encode("utf-8", "replace")), inflated
        if start.startswith(b"\xef\xbb\xbf"):
            limited.read(3)
    except OSError as error:
        raise BrokenError(name, _why(error)) from error
    return limited, inflated


def _is_zlib(start: bytes) -> bool:
    """Whether these are the first bytes of a zlib stream and not text: `x^` begins both."""
    return start[:1] == b"\x78" and start[1:2] in (b"\x01", b"\x9c", b"\xda")


def _encoding(start: bytes) -> str:
    """UTF-16 by its mark, or by many zero bytes, all of them in every other place; empty for everything else."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    before, after = start[::2].count(0), start[1::2].count(0)
    fewer, more = sorted((before, after))
    if more * _UTF_16 < len(start) or fewer * _UTF_16 > more:
        return ""  # zero bytes that a disk or a program left
    line_end, encoding = (b"\0\n", "utf-16-be") if before > after else (b"\n\0", "utf-16-le")
    return encoding if start.count(line_end) * 2 >= start.count(b"\n") else ""


def _unzipped(packed: BinaryIO, name: str) -> Iterator[Document]:
    """The files in a zip archive; limits hold for all of them together."""
    try:
        archive = zipfile.ZipFile(packed)
        files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith(_OF_FINDER)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError) as error:
        raise BrokenError(name, f"damaged zip archive: {error}") from error
    if any(one.filename == "[Content_Types].xml" for one in files):
        raise BrokenError(name, "an Office document: save the sheet as CSV", "unsupported")
    if len(files) > _MEMBERS or sum(one.file_size for one in files) > LIMIT:
        why = f"more than {_MEMBERS:,} files or {LIMIT >> 20} MiB in a zip archive: unpack it first"
        raise BrokenError(name, why, "limit")
    if not files:
        raise BrokenError(name, "an empty zip archive")
    if large := next((one.filename for one in files if one.file_size > WHOLE), ""):
        raise BrokenError(f"{name}/{large}", f"larger than {WHOLE >> 20} MiB: unpack it first", "limit")
    broken: BrokenError | None = None
    for one in files:
        place = f"{name}/{one.filename}"
        try:
            yield Document(cast("BinaryIO", io.BufferedReader(_Member(archive, one), _BUFFER)), place)
        except BrokenError as error:
            broken = broken or error  # the others are read
    if broken is not None:
        raise broken


def _bounded(where: str, data: bytes) -> None:
    if data.count(b",") > _COMMAS:
        raise BrokenError(where, f"more than {_COMMAS:,} values: no inventory is that large", "limit")


def _why(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"
