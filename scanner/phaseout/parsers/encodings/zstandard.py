"""Zstandard, which Python reads from version 3.14 on, and before with the library of the extra `image`.

References:
    RFC 8878; https://docs.python.org/3/library/compression.zstd.html; https://pypi.org/project/backports.zstd/
"""

import io
from importlib import import_module
from typing import Any

REMEDY = "pip install 'phaseout[image]', or run phaseout with Python 3.14 or later"


class ZstandardError(ValueError):
    """It is damaged."""


def library() -> Any:
    """The module that reads it.

    Raises:
        ImportError: nothing here does.
    """
    try:
        return import_module("compression.zstd")
    except ImportError:
        return import_module("backports.zstd")


def unpacked(data: bytes, most: int = 64 << 20) -> bytes:
    """What was compressed, or the beginning of it.

    Args:
        data: the frames.
        most: bytes that are given at most.

    Raises:
        ImportError: nothing here reads Zstandard.
        ZstandardError: it is damaged.
    """
    module = library()
    try:
        with module.ZstdFile(io.BytesIO(data)) as content:
            found: bytes = content.read(most)
    except (module.ZstdError, EOFError) as error:
        raise ZstandardError(f"is damaged: {error}") from error
    return found
