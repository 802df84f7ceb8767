"""Who signed: Team ID, identifier and authority of written and of real files."""

import os
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.macos.code_signature import Signature, detached, signature, signer

from tests.support.macho_writer import cms, detached_signature, fat, signed_macho

KASPERSKY = ("com.kaspersky.kav", "2Y8XE5CQ94", "Kaspersky Lab UK Limited")
# Files of public packages: what `codesign -dv` says of them, as their makers sign all they publish.
REAL = {
    "claude-arm64": ("com.anthropic.claude-code", "Q6L2SF6YDW", "Anthropic PBC"),
    "copilot-arm64": ("copilot", "VEKTX9H2N7", "GitHub"),
    "sentry-cli": ("sentry-cli-Darwin-universal", "97JCY7859U", "GetSentry LLC"),
    "esbuild-arm64": ("a.out", "", ""),
    "fsevents.node": ("fsevents.node", "", ""),
    "_psutil_osx.abi3.so": ("_psutil_osx.abi3.so", "", ""),
}


def part(data: bytes, offset: int, size: int) -> bytes:
    return data[offset : offset + size]


def test_signed_by_a_developer() -> None:
    assert signature(partial(part, signed_macho(*KASPERSKY))) == Signature(
        archs=("arm64",),
        identifier="com.kaspersky.kav",
        team_id="2Y8XE5CQ94",
        authority="Developer ID Application: Kaspersky Lab UK Limited (2Y8XE5CQ94)",
        organisation="Kaspersky Lab UK Limited",
        adhoc=False,
    )


def test_ad_hoc_and_unsigned() -> None:
    assert signature(partial(part, signed_macho("a.out", arch="x86_64"))) == Signature(("x86_64",), "a.out", adhoc=True)
    assert signature(partial(part, signed_macho())) == Signature(("arm64",))
    assert signature(partial(part, b"#!/bin/sh\n")) is None


def test_the_architecture_that_is_signed_counts() -> None:
    found = signature(partial(part, fat(signed_macho(arch="x86_64"), signed_macho(*KASPERSKY))))
    assert found is not None
    assert (found.archs, found.team_id) == (("x86_64", "arm64"), "2Y8XE5CQ94")


def test_long_identifiers() -> None:
    name = "com.example." + "x" * 300
    found = signature(partial(part, signed_macho(name, "ABCDE12345", "Acme")))
    assert found is not None
    assert (found.identifier, found.team_id) == (name, "ABCDE12345")


def test_the_store_is_not_the_maker() -> None:
    assert signer(cms("Apple Mac OS Application Signing", "Apple Inc.", "")) == ("Apple Mac OS Application Signing", "")
    assert signer(cms("Software Signing", "Apple Inc.", "")) == ("Software Signing", "Apple Inc.")


def test_every_truncation() -> None:
    data = signed_macho(*KASPERSKY)
    for end in range(0, len(data), 7):
        signature(partial(part, data[:end]))
    message = cms("Developer ID Application: Acme", "Acme", "ABCDE12345")
    for end in range(len(message)):
        signer(message[:end])


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=700))
def test_damage(noise: bytes, at: int) -> None:
    data = signed_macho(*KASPERSKY)
    signature(partial(part, data[:at] + noise + data[at + len(noise) :]))
    signer(noise)


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    folder = os.environ.get("PHASEOUT_MACHO", "")
    file = Path(folder) / name
    if not folder or not file.is_file():
        pytest.skip(f"{name} is not in the folder that PHASEOUT_MACHO names")
    with file.open("rb") as handle:

        def read(offset: int, size: int) -> bytes:
            handle.seek(offset)
            return handle.read(size)

        found = signature(read)
    identifier, team, organisation = REAL[name]
    assert found is not None
    assert (found.identifier, found.team_id, found.organisation) == (identifier, team, organisation)
    assert found.adhoc is not bool(team)
    assert found.authority == (f"Developer ID Application: {organisation} ({team})" if team else "")


def test_a_signature_in_files() -> None:
    files = detached_signature(*KASPERSKY)
    found = detached(files["CodeDirectory"], files["CodeSignature"])
    assert found == Signature(
        (),
        "com.kaspersky.kav",
        "2Y8XE5CQ94",
        "Developer ID Application: Kaspersky Lab UK Limited (2Y8XE5CQ94)",
        "Kaspersky Lab UK Limited",
    )
    wrapped = bytes.fromhex("fade0b01") + (len(files["CodeSignature"]) + 8).to_bytes(4, "big") + files["CodeSignature"]
    assert detached(files["CodeDirectory"], wrapped) == found
    adhoc = detached(files["CodeDirectory"], b"")
    assert adhoc is not None
    assert adhoc.adhoc


@given(st.binary(max_size=120), st.binary(max_size=60))
def test_arbitrary_files_of_a_signature(directory: bytes, message: bytes) -> None:
    detached(directory, message)
    detached(detached_signature(*KASPERSKY)["CodeDirectory"][:40] + directory, message)
