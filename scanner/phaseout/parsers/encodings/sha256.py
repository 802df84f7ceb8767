"""SHA-256, with OpenSSL only where it is loaded already.

On Windows its library takes far longer to load than all that a scan digests; a command that digests the inventories of
many hosts loads it, since it is five times as fast.

References:
    https://docs.python.org/3/library/hashlib.html (the digests that come with Python itself).
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hashlib import _Hash
    from hashlib import sha256 as _own
else:
    try:
        from _sha2 import sha256 as _own  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256 as _own
        except ImportError:  # not CPython
            from hashlib import sha256 as _own


def sha256(data: bytes = b"") -> "_Hash":
    """A digest of the bytes, to which more can be added."""
    loaded: Any = sys.modules.get("hashlib")
    found: _Hash = (loaded.sha256 if loaded else _own)(data)
    return found
