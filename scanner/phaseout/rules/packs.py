"""Rule packs: a release of the rules as one signed file.

A pack is a tar file of `manifest.json`, the rules, and signatures over the manifest, which has the digest of each rule
file. It is written in one way only, and read only if it was written so: there is no room for links, special files,
extensions of tar, or names outside the folders of rules.

References:
    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar interchange format)
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from phaseout.model.counting import counted
from phaseout.model.quoting import quoted
from phaseout.parsers.encodings.sha256 import sha256
from phaseout.rules.minisign import MinisignError, PublicKey, public_key, signature

LIMIT = 8 << 20  # bytes of a pack; that of the shipped rules has a twentieth of it
_MEMBERS = 1100
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_MANIFEST = "manifest.json"
_SIGNATURES = "signatures/"
_RULES = "rules/"
_NAME = re.compile(
    r"manifest\.json|signatures/[0-9A-F]{16}\.minisig"
    r"|rules/roles\.toml|rules/(?:vendors|measures)/[a-z0-9][a-z0-9_-]{0,70}\.toml",
    re.ASCII,
)
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}", re.ASCII)


class PackError(Exception):
    """A pack that must not be used, and why."""


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may sign packs: `threshold` of `keys`, which are public keys of minisign.

    A set with a greater version replaces the one before. It counts only in a pack that the old set signed. A key that
    is no longer in the set is revoked.
    """

    version: int
    threshold: int
    keys: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is signed. `files` has the SHA-256 of each rule file, and `keys` sign the packs after this one."""

    format: Literal["phaseout-rules/1"]
    serial: int
    made: dt.date
    review_by: dt.date
    minimum_version: str
    files: dict[str, str]
    keys: Keys | None = None


class Pack(NamedTuple):
    """A verified pack: rule files by name, and the ids of the keys that signed it."""

    manifest: Manifest
    files: dict[str, bytes]
    signed_by: tuple[str, ...]


def verified(content: bytes, keys: Keys, version: str) -> Pack:
    """The pack, if its holders signed it and nothing in it was changed, added or taken away.

    Args:
        content: of the file.
        keys: that count.
        version: of this program.

    Raises:
        PackError: the pack must not be used.
    """
    if not keys.keys:
        raise PackError("this program has no keys to verify rule packs with, so it accepts none")
    members = read_members(content)
    encoded = members.pop(_MANIFEST, None)
    if encoded is None:
        raise PackError("has no manifest.json")
    signed_by = _signers(
        encoded, {name: members.pop(name) for name in [*members] if name.startswith(_SIGNATURES)}, keys
    )
    manifest = read_manifest(encoded)
    _compare(manifest, members)
    if manifest.keys is not None:
        _usable(manifest.keys)
        if manifest.keys.version <= keys.version:
            raise PackError(f"brings keys of version {manifest.keys.version}, and those here have {keys.version}")
    if _numbers(manifest.minimum_version) > _numbers(version):
        raise PackError(f"is for phaseout {manifest.minimum_version} and later; this is {version}")
    return Pack(manifest, members, signed_by)


def read_manifest(encoded: bytes) -> Manifest:
    """A manifest from its JSON; nothing says yet that it is signed.

    Raises:
        PackError: it is damaged or of another format.
    """
    try:
        manifest = msgspec.json.decode(encoded, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PackError(f"manifest.json: {error}") from None
    if not 0 < manifest.serial < 1 << 31:
        raise PackError(f"manifest.json: serial {manifest.serial} is not a number from 1 on")
    if not _VERSION.fullmatch(manifest.minimum_version):
        raise PackError("manifest.json: minimum_version must be three numbers with dots")
    if manifest.review_by <= manifest.made:
        raise PackError("manifest.json: review_by must lie after made")
    return manifest


def write_manifest(
    files: Mapping[str, bytes],
    *,
    serial: int,
    made: dt.date,
    review_by: dt.date,
    minimum_version: str,
    keys: Keys | None = None,
) -> bytes:
    """The manifest of some rule files as JSON: the same for the same arguments.

    Raises:
        PackError: an argument that no reader would accept.
    """
    if keys is not None:
        _usable(keys)
    manifest = Manifest(
        format="phaseout-rules/1",
        serial=serial,
        made=made,
        review_by=review_by,
        minimum_version=minimum_version,
        files={name: sha256(files[name]).hexdigest() for name in sorted(files)},
        keys=keys,
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    read_manifest(encoded)
    return encoded


def write_pack(manifest: bytes, signatures: tuple[bytes, ...], files: Mapping[str, bytes]) -> bytes:
    """The pack: the same for the same arguments, in whatever order.

    Raises:
        PackError: something that no reader would accept.
    """
    _compare(read_manifest(manifest), files)
    members = {_MANIFEST: manifest, **files}
    for one in signatures:
        try:
            members[f"{_SIGNATURES}{signature(one).name}.minisig"] = one
        except MinisignError as error:
            raise PackError(str(error)) from None
    content = b""
    for name in sorted(members):
        content += _header(name, len(members[name])) + members[name] + bytes(-len(members[name]) % _BLOCK)
    content += _END
    read_members(content)
    return content


def read_members(content: bytes) -> dict[str, bytes]:
    """Name → content of what a pack holds; nothing says yet that it is signed.

    Raises:
        PackError: it is not a pack, or one that was written differently.
    """
    if len(content) > LIMIT:
        raise PackError(f"is larger than {LIMIT >> 20} MiB")
    members: dict[str, bytes] = {}
    last, place = "", 0
    while (header := content[place : place + _BLOCK]) != bytes(_BLOCK):
        name = header[:100].rstrip(b"\0").decode("ascii", "backslashreplace")
        if len(header) < _BLOCK or len(members) == _MEMBERS:
            raise PackError(
                "is not a rule pack" if not members else "ends in the middle" if not header else "is damaged"
            )
        if not members and header[257:262] != b"ustar":
            raise PackError("is not a rule pack, which is a tar file without compression")
        if not _NAME.fullmatch(name):
            raise PackError(f"is not a rule pack: {quoted(name)} has no place in one")
        digits = header[124:135]
        if not digits.isdigit() or header != _header(name, size := int(digits.decode(), 8) if _octal(digits) else 0):
            raise PackError(f"{name}: not stored as the plain file that a pack holds")
        if name <= last:
            raise PackError(f"{name}: there twice, or not in order")
        place += _BLOCK
        members[name] = content[place : place + size]
        padding = content[place + size : place + size + -size % _BLOCK]
        if len(members[name]) < size or padding != bytes(-size % _BLOCK):
            raise PackError(f"{name}: ends in the middle")
        place += size + len(padding)
        last = name
    if content[place:] != _END:
        raise PackError("has something after its end, or its end is missing")
    return members


def rule_files(content: bytes, shown: str) -> dict[str, bytes]:
    """Name → content of the rule files of a pack that was verified when it was installed.

    Args:
        content: of the pack.
        shown: what stands before the names instead of `rules`.

    Raises:
        PackError: it is damaged.
    """
    members = read_members(content)
    return {shown + name.removeprefix("rules"): members[name] for name in members if name.startswith(_RULES)}


def _header(name: str, size: int) -> bytes:
    head = name.encode("ascii").ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + f"{size:011o}\0".encode()
    head += b"00000000000\0"
    tail = b"0".ljust(101, b"\0") + b"ustar\00000"
    total = sum(head) + 8 * ord(" ") + sum(tail)
    return (head + f"{total:06o}\0 ".encode() + tail).ljust(_BLOCK, b"\0")


def _octal(digits: bytes) -> bool:
    return not digits.strip(b"01234567")


def _compare(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    for name in sorted({*manifest.files, *files}):
        if name not in files:
            raise PackError(f"{name}: in the manifest and not in the pack")
        if name not in manifest.files:
            raise PackError(f"{name}: in the pack and not in the manifest")
        if sha256(files[name]).hexdigest() != manifest.files[name]:
            raise PackError(f"{name}: is not the file that the manifest describes")


def _usable(keys: Keys) -> list[PublicKey]:
    try:
        found = [public_key(one) for one in keys.keys]
    except MinisignError as error:
        raise PackError(f"keys: {error}") from None
    if not len({key.point for key in found}) == len({key.name for key in found}) == len(found):
        raise PackError("keys: one is there twice")
    if not 2 <= keys.threshold <= len(found):
        raise PackError(f"keys: a threshold of {keys.threshold} of {len(found)} keys protects nothing")
    return found


def _signers(manifest: bytes, files: Mapping[str, bytes], keys: Keys) -> tuple[str, ...]:
    """The ids of the keys that signed. One signature that is wrong makes the pack wrong: nothing may be added to it."""
    known = {key.name: key for key in _usable(keys)}
    signers: list[str] = []
    for file, content in files.items():
        try:
            one = signature(content)
        except MinisignError as error:
            raise PackError(f"{file}: {error}") from None
        if one.name not in known:
            raise PackError(f"{file}: key {one.name} is unknown or revoked")
        if file != f"{_SIGNATURES}{one.name}.minisig" or not one.is_of(known[one.name], manifest):
            raise PackError(f"{file}: is not the signature of this manifest by key {one.name}")
        signers.append(one.name)
    if len(signers) < keys.threshold:
        raise PackError(f"has {counted(len(signers), 'signature')}, and {keys.threshold} are needed")
    return tuple(signers)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
