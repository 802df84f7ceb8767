"""Certificates that a system or a program trusts, each once, with every place where it lies."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.certificate import Certificate, certificate, encoded
from phaseout.sources.kit.parsed import damaged

_MOST = 20_000  # certificates
_USUAL = 4 << 10  # bytes of one
_known = lru_cache(512)(certificate)  # a system has the same ones in its bundle, in single files and in that of Java
_EFFECT = "while it stays, a holder of its key can pose as any web site or program to what trusts this store"


class _Found(NamedTuple):
    certificate: Certificate
    path: str
    evidence: list[Evidence]


class TrustAnchors:
    """The certificates of the stores of one host, collected store by store."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Found] = {}
        self._full = False

    def add(self, data: bytes, where: str, store: str, user: str = "", path: str = "") -> Iterator[Problem | LeftOut]:
        """Takes one certificate.

        Args:
            data: its DER data.
            where: the file or key it was read from.
            store: the store, in words.
            user: the user for whom it is trusted; empty for everybody.
            path: the file it lies in, if that is to be deleted.
        """
        try:
            read = _known(data) if len(data) <= _USUAL else certificate(data)
        except ValueError as error:
            yield from damaged(where, f"is damaged: {error}")
            return
        key = user, read.fingerprint
        known = self._found.get(key)
        if known is None and len(self._found) >= _MOST:
            if not self._full:
                yield Problem(where, f"more than {_MOST} certificates: the rest was not read", "limit")
            self._full = True
            return
        if known is not None:
            yield LeftOut("listed as another item")
        else:
            known = self._found[key] = _Found(read, path, [])
        known.evidence.append(Evidence(where, f"{store}: {read.subject.text}"))

    def add_file(self, data: bytes, path: str, store: str, user: str = "") -> Iterator[Problem | LeftOut]:
        """Takes every certificate of a file, PEM or DER."""
        empty = True
        for one in encoded(data):
            empty = False
            if one is None:
                yield from damaged(path, "is damaged: a certificate that is no base64")
            else:
                yield from self.add(one, path, store, user, path)
        if empty:
            yield LeftOut("a setting" if data.strip() else "an empty entry")

    def items(self) -> Iterator[Item]:
        """An item for every certificate, for each user who trusts it."""
        for (user, _), one in self._found.items():
            read = one.certificate
            yield Item(
                kind="certificate",
                name=read.subject.text or read.fingerprint,
                state="leftover",
                vendor=read.subject.organisation,
                path=one.path,
                user=user,
                ids={"certificate_sha256": read.fingerprint, "key_sha256": read.key},
                details={"certificate_issuer": read.issuer.text, "effect": _EFFECT},
                evidence=tuple(one.evidence),
            )
