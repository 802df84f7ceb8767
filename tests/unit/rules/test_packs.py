"""Rule packs, and what somebody might try with them."""

import datetime as dt
import io
import re
import tarfile
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.rules.packs import (
    LIMIT,
    Keys,
    PackError,
    read_members,
    rule_files,
    verified,
    write_manifest,
    write_pack,
)
from phaseout.rules.pinned_keys import PINNED

from tests.support.signer import ADA, BOB, DAN, EVE, KEYS

FILES = {"rules/roles.toml": b"# roles\n", "rules/vendors/acme.toml": b"# acme\n" * 90, "rules/measures/act.toml": b""}


def manifest(files: dict[str, bytes] = FILES, **changed: Any) -> bytes:
    about: dict[str, Any] = {
        "serial": 7,
        "made": dt.date(2026, 11, 26),
        "review_by": dt.date(2027, 5, 26),
        "minimum_version": "0.2.0",
    }
    return write_manifest(files, **(about | changed))


def pack(**changed: Any) -> bytes:
    encoded = manifest(**changed)
    return write_pack(encoded, (ADA.sign(encoded), BOB.sign(encoded)), FILES)


WHOLE = pack()


def refused(content: bytes, why: str, keys: Keys = KEYS) -> None:
    with pytest.raises(PackError, match=re.escape(why)):
        verified(content, keys, "0.2.0")


def tar(*members: tuple[str, bytes], **about: Any) -> bytes:
    """The members as Python's own tar writes them, in the form that comes nearest to a pack."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in about.items():
                setattr(info, key, value)
            file.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def test_a_pack_is_what_was_signed() -> None:
    found = verified(pack(), KEYS, "0.2.0")
    assert found.manifest.serial == 7
    assert found.files == FILES
    assert found.signed_by == (ADA.name, BOB.name)
    assert rule_files(pack(), "pack 7")["pack 7/vendors/acme.toml"] == FILES["rules/vendors/acme.toml"]


def test_the_same_rules_give_the_same_bytes() -> None:
    encoded = manifest(dict(reversed(FILES.items())))
    assert encoded == manifest()
    assert write_pack(encoded, (BOB.sign(encoded), ADA.sign(encoded)), dict(reversed(FILES.items()))) == pack()


def test_tar_reads_a_pack() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack())) as file:
        assert [one.name for one in file] == sorted(read_members(pack()))
        inside = file.extractfile("rules/vendors/acme.toml")
        assert inside is not None
        assert inside.read() == FILES["rules/vendors/acme.toml"]


def test_a_program_without_keys_accepts_nothing() -> None:
    refused(pack(), "this program has no keys to verify rule packs with, so it accepts none", PINNED)


@pytest.mark.slow
def test_a_changed_byte_in_any_part_is_refused() -> None:
    content, place = pack(), 0
    for name, inside in read_members(content).items():
        body = place + 512
        places = {place, *(place + field for field in (20, 105, 124, 134, 150, 156, 160, 260, 500))}
        places |= {body + part * (len(inside) - 1) // 4 for part in range(5)} if inside else set()
        place = body + len(inside) + -len(inside) % 512
        for one in (*places, place - 1):
            if name.startswith("signatures/") and one < content.index(b"\n", body) and one >= body:
                continue  # the first comment of a signature is free text
            changed = bytearray(content)
            changed[one] ^= 1
            with pytest.raises(PackError):
                verified(bytes(changed), KEYS, "0.2.0")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_and_an_exchanged_file(name: str) -> None:
    members = read_members(pack())
    missing = {key: members[key] for key in members if key != name}
    refused(_joined(missing), f"{name}: in the manifest and not in the pack")
    refused(_joined(members | {name: b"other"}), f"{name}: is not the file that the manifest describes")


def test_an_additional_file() -> None:
    more = read_members(pack()) | {"rules/vendors/more.toml": b""}
    refused(_joined(more), "rules/vendors/more.toml: in the pack and not in the manifest")


def test_signatures() -> None:
    encoded = manifest()
    refused(write_pack(encoded, (ADA.sign(encoded),), FILES), "has 1 signature, and 2 are needed")
    refused(write_pack(encoded, (ADA.sign(encoded), ADA.sign(encoded, "again")), FILES), "has 1 signature")
    refused(write_pack(encoded, (ADA.sign(encoded), DAN.sign(encoded)), FILES), f"key {DAN.name} is unknown or revoked")
    refused(
        write_pack(encoded, (ADA.sign(encoded), BOB.sign(b"other")), FILES), "is not the signature of this manifest"
    )
    forged = BOB._replace(secret=DAN.secret)
    refused(write_pack(encoded, (ADA.sign(encoded), forged.sign(encoded)), FILES), "is not the signature")
    copied = read_members(write_pack(encoded, (ADA.sign(encoded),), FILES))
    copied[f"signatures/{BOB.name}.minisig"] = ADA.sign(encoded)  # one signature under two names
    refused(_joined(copied), "is not the signature of this manifest")
    assert (
        len(verified(write_pack(encoded, tuple(one.sign(encoded) for one in (EVE, BOB, ADA)), FILES), KEYS, "0.2.0")[2])
        == 3
    )


def test_keys_change_by_the_old_threshold() -> None:
    after = Keys(version=2, threshold=2, keys=(BOB.public, EVE.public, DAN.public))
    rotation = pack(keys=after)
    found = verified(rotation, KEYS, "0.2.0").manifest.keys
    assert found == after
    refused(pack(), f"key {ADA.name} is unknown or revoked", after)
    encoded = manifest(keys=after)
    by_the_new = write_pack(encoded, (BOB.sign(encoded), DAN.sign(encoded)), FILES)
    refused(by_the_new, f"key {DAN.name} is unknown or revoked")
    refused(pack(keys=KEYS), "brings keys of version 1, and those here have 1")


@pytest.mark.parametrize(
    "keys",
    [
        Keys(version=2, threshold=1, keys=(ADA.public, BOB.public)),
        Keys(version=2, threshold=3, keys=(ADA.public, BOB.public)),
        Keys(version=2, threshold=2, keys=(ADA.public, ADA.public)),
        Keys(version=2, threshold=2, keys=(ADA.public, BOB._replace(secret=ADA.secret).public)),
        Keys(version=2, threshold=2, keys=(ADA.public, "no key")),
    ],
)
def test_keys_that_protect_nothing_are_refused(keys: Keys) -> None:
    with pytest.raises(PackError, match=r"^keys: "):
        manifest(keys=keys)
    encoded = manifest()
    read = msgspec.json.decode(encoded)
    unusable = msgspec.json.encode(read | {"keys": msgspec.to_builtins(keys)})
    members = read_members(pack()) | {"manifest.json": unusable}
    members |= {f"signatures/{one.name}.minisig": one.sign(unusable) for one in (ADA, BOB)}
    refused(_joined(members), "keys: ")


def test_a_pack_for_a_newer_program() -> None:
    refused(pack(minimum_version="0.3.0"), "is for phaseout 0.3.0 and later; this is 0.2.0")
    refused(pack(minimum_version="0.10.0"), "is for phaseout 0.10.0")
    assert verified(pack(minimum_version="0.1.9"), KEYS, "0.2.0")


@pytest.mark.parametrize(
    "changed",
    [{"format": "phaseout-rules/2"}, {"serial": 0}, {"serial": 1 << 40}, {"more": 1}, {"review_by": "2020-01-01"}],
)
def test_a_manifest_of_another_form(changed: dict[str, object]) -> None:
    encoded = msgspec.json.encode(msgspec.json.decode(manifest()) | changed)
    members = read_members(pack()) | {"manifest.json": encoded}
    members |= {f"signatures/{one.name}.minisig": one.sign(encoded) for one in (ADA, BOB)}
    refused(_joined(members), "manifest.json: ")


@pytest.mark.parametrize(
    "name",
    ["../etc/passwd", "/etc/passwd", "rules/../x.toml", "rules/vendors/../../x.toml", "rules/vendors/A.toml", ""],
)
def test_a_name_that_leads_elsewhere(name: str) -> None:
    refused(tar((name, b"x"), mode=0o644), "is not a rule pack")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_plain_file(kind: bytes) -> None:
    link = tar(("rules/roles.toml", b""), type=kind, linkname="/etc/shadow", mode=0o644)
    refused(link, "rules/roles.toml: not stored as the plain file")


def test_a_name_twice() -> None:
    header = read_members(pack())["manifest.json"]
    one = _joined({"manifest.json": header})[: -2 * 512]
    refused(one + pack(), "manifest.json: there twice, or not in order")


def test_bombs() -> None:
    import gzip

    refused(bytes(LIMIT + 1), "is larger than 8 MiB")
    refused(gzip.compress(pack()), "is not a rule pack, which is a tar file without compression")
    huge = tar(("rules/roles.toml", b""), mode=0o644)
    size = huge[:124] + b"77777777777" + huge[135:]
    refused(size, "rules/roles.toml: not stored as the plain file")
    many = b"".join(_joined({f"rules/vendors/v{number:04}.toml": b""})[:-1024] for number in range(1200))
    refused(many + bytes(1024), "is damaged")


@given(st.integers(min_value=0, max_value=20_000))
def test_a_part_of_a_pack_is_no_pack(length: int) -> None:
    with pytest.raises(PackError):
        read_members(WHOLE[: length % len(WHOLE)])


@given(st.binary(max_size=2000))
def test_any_bytes(content: bytes) -> None:
    with pytest.raises(PackError):
        read_members(content)
    with pytest.raises(PackError):
        read_members(content.ljust(1024, b"\0")[:1024] + bytes(1024) + b"x")


def _joined(members: dict[str, bytes]) -> bytes:
    """Members as a pack stores them, whatever they are."""
    from phaseout.rules.packs import _header

    content = b"".join(
        _header(name, len(members[name])) + members[name] + bytes(-len(members[name]) % 512) for name in sorted(members)
    )
    return content + bytes(1024)
