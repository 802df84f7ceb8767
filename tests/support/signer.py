"""Test keys, and signatures of theirs in minisign's format. Nothing here may sign anything that is released."""

import base64
import hashlib
from typing import NamedTuple

from phaseout.rules import ed25519
from phaseout.rules.packs import Keys


class Signer(NamedTuple):
    """A key pair that everybody knows."""

    identifier: bytes
    secret: bytes

    @property
    def name(self) -> str:
        """The key id as minisign prints it."""
        return self.identifier[::-1].hex().upper()

    @property
    def public(self) -> str:
        """The second line of the file of a public key."""
        return base64.b64encode(b"Ed" + self.identifier + self._point()).decode()

    def sign(self, message: bytes, comment: str = "a test", *, hashed: bool = True) -> bytes:
        """The content of a signature file."""
        own = self.raw(hashlib.blake2b(message).digest() if hashed else message)
        lines = (
            b"untrusted comment: test keys only",
            base64.b64encode((b"ED" if hashed else b"Ed") + self.identifier + own),
            b"trusted comment: " + comment.encode(),
            base64.b64encode(self.raw(own + comment.encode())),
        )
        return b"\n".join(lines) + b"\n"

    def raw(self, message: bytes) -> bytes:
        """An Ed25519 signature (RFC 8032, section 5.1.6)."""
        scalar, prefix = self._halves()
        once = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % ed25519._ORDER
        point = ed25519._encoded(ed25519._times(once, ed25519._BASE))
        digest = hashlib.sha512(point + self._point() + message).digest()
        answer = (once + int.from_bytes(digest, "little") * scalar) % ed25519._ORDER
        return point + answer.to_bytes(32, "little")

    def _point(self) -> bytes:
        return ed25519._encoded(ed25519._times(self._halves()[0], ed25519._BASE))

    def _halves(self) -> tuple[int, bytes]:
        digest = hashlib.sha512(self.secret).digest()
        scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        return scalar, digest[32:]


ADA, BOB, EVE, DAN = (Signer(bytes([number] * 8), bytes([number] * 32)) for number in (1, 2, 3, 4))
KEYS = Keys(version=1, threshold=2, keys=(ADA.public, BOB.public, EVE.public))
