"""What is compressed in an image, unpacked into one temporary file, so that it can be read at any place.

Neither gzip nor zstd can begin in the middle. The file has no name where the system can do that, only the user who
scans may read it, and it is gone when the scan ends, however it ends. Zeros take no room in it.

References:
    RFC 1952 (gzip), RFC 8878 (zstd), https://tukaani.org/xz/xz-file-format.txt; tempfile of Python (TemporaryFile)
"""

import errno
import shutil
import tempfile
from collections.abc import Callable
from io import BufferedIOBase
from typing import Any, BinaryIO, cast

from phaseout.host.images.stored import Part, Stored
from phaseout.model.nouns import Cause
from phaseout.parsers.encodings import zstandard

_CHUNK = 1 << 20
_MOST = 32 << 30  # bytes of everything that one image holds, unpacked


class CannotUnpackError(OSError):
    """It cannot be unpacked, or not whole.

    Args:
        why: for the report.
        cause: the cause of the problem.
        remedy: what helps, where that is known.

    Attributes:
        part: the beginning, as far as it was unpacked.
    """

    def __init__(self, why: str, cause: Cause = "damaged", remedy: str = "") -> None:
        super().__init__(errno.EINVAL, why)
        self.why = why
        self.cause = cause
        self.remedy = remedy
        self.part: Stored | None = None


class Unpacking:
    """The temporary file, and what was unpacked into it."""

    def __init__(self) -> None:
        self._spool: _Spool | None = None
        self._room = 0

    def unpacked(self, stored: Stored) -> Stored:
        """The content of something stored, unpacked where it is compressed.

        Raises:
            CannotUnpackError: it is compressed and cannot be unpacked whole.
            OSError: it cannot be read.
        """
        open_packed = _opener(stored.read(0, 6))
        if open_packed is None:
            return stored
        if self._spool is None:
            self._room = min(_MOST, shutil.disk_usage(tempfile.gettempdir()).free // 2)
            self._spool = _Spool()
        spool, start = self._spool, self._spool.size
        try:
            with stored.stream() as file, open_packed(file) as content:
                while data := content.read1(_CHUNK):  # not `read`, which loses what came before the damage
                    if spool.size + len(data) > self._room:
                        why = f"not unpacked further: it takes more than {self._room >> 20} MiB"
                        raise CannotUnpackError(why, "limit", "let TMPDIR name a folder with more room")  # noqa: TRY301
                    spool.add(data)
        except Exception as error:  # every format has errors of its own
            if not isinstance(error, CannotUnpackError):
                error = CannotUnpackError(f"compressed, and damaged: {str(error) or type(error).__name__}")
            error.part = Part(spool, start, spool.size - start)
            raise error from None
        return Part(spool, start, spool.size - start)


class _Spool(Stored):
    """The temporary file. Zeros take no room in it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115
        self.size = 0

    def add(self, data: bytes) -> None:
        """Writes at the end."""
        if data.count(0) != len(data):
            self._file.seek(self.size)
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        self.size += len(data)

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes."""
        size = max(0, min(size, self.size - offset))
        self._file.seek(offset)
        data = self._file.read(size)
        return data if len(data) == size else data.ljust(size, b"\0")  # zeros at the end

    def __del__(self) -> None:
        """Closes it, which deletes it."""
        self._file.close()


def _opener(head: bytes) -> Callable[[BinaryIO], BufferedIOBase] | None:
    """What reads the content of a file that begins so; `None` if it is not compressed."""
    if head.startswith(b"\x1f\x8b"):
        from gzip import GzipFile

        return lambda file: GzipFile(fileobj=file)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd
    if head.startswith(b"\xfd7zXZ\0"):
        from lzma import LZMAFile

        return LZMAFile
    if head.startswith(b"BZh"):
        from bz2 import BZ2File

        return BZ2File
    return None


def zstd_content(data: bytes, size: int) -> bytes:
    """At most so many bytes of what one frame of zstd holds, whatever follows it.

    Raises:
        OSError: it is damaged, or no library is there.
    """
    found: bytes = b""
    try:
        found = _library().ZstdDecompressor().decompress(data, size)
    except CannotUnpackError:
        raise
    except Exception as error:
        raise CannotUnpackError(f"compressed, and damaged: {error}") from error
    return found


def _zstd(file: BinaryIO) -> BufferedIOBase:
    return cast("BufferedIOBase", _library().ZstdFile(file))


def _library() -> Any:
    try:
        return zstandard.library()
    except ImportError as error:
        raise CannotUnpackError(
            "compressed with zstd: a library is missing", "unsupported", zstandard.REMEDY
        ) from error
