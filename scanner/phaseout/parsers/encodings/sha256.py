"""SHA-256 without OpenSSL: on Windows its library takes far longer to load than all that is digested here.

References:
    https://docs.python.org/3/library/hashlib.html (the digests that come with Python itself).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # not CPython
            from hashlib import sha256

__all__ = ["sha256"]
