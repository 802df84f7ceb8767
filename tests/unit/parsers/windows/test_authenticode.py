"""Who signed: the certificate that the signature names, signatures within signatures, damage."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.windows.authenticode import Signer, signers, signers_of_message

from tests.support.pe_writer import certificate_table, der, message, signed

LAB = ("AO Kaspersky Lab", "AO Kaspersky Lab")
MICROSOFT = ("Microsoft Corporation", "Microsoft Windows Hardware Compatibility Publisher")


def test_the_certificate_that_the_signature_names() -> None:
    """Not the first one, which is that of the authority."""
    assert signers(certificate_table(signed([LAB]))) == (Signer(*LAB, "Test CA"),)


def test_signatures_within_signatures_and_beside_them() -> None:
    table = certificate_table(signed([LAB, MICROSOFT])) + certificate_table(signed([("", "Jane Doe"), LAB]))
    assert [(one.organisation, one.name) for one in signers(table)] == [LAB, MICROSOFT, ("", "Jane Doe")]


def test_a_signature_whose_certificate_is_missing_names_nobody() -> None:
    stranger = der(0x30, der(0x02, b"\1"), der(0x30, der(0x30), der(0x02, b"\7")))
    whole = signed([LAB])
    assert signers_of_message(whole) != ()
    assert signers_of_message(message(b"", stranger)) == ()
    assert signers_of_message(signed([])) == ()


def test_entries_of_other_types_are_passed_over() -> None:
    other = struct.pack("<IHH", 12, 0x0200, 1) + b"X509" + bytes(4)
    assert len(signers(other + certificate_table(signed([LAB])))) == 1
    assert signers(struct.pack("<IHH", 0, 0x0200, 2) + signed([LAB])) == ()


def test_signatures_without_end_have_one() -> None:
    deep = [(f"Company {at}", "") for at in range(40)]
    assert len(signers(certificate_table(signed(deep)))) == 16


def test_real_catalog() -> None:
    path = Path(os.environ.get("PHASEOUT_WINE", "/none")) / "python" / "python.cat"
    if not path.is_file():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    assert [one.organisation for one in signers_of_message(path.read_bytes())] == ["Python Software Foundation"]


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    signers(data)
    signers_of_message(data)


WHOLE = signed([LAB, MICROSOFT])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(WHOLE)))
def test_mutated_and_truncated_never_raise(changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(WHOLE)
    for at, byte in changes:
        data[at] = byte
    signers_of_message(bytes(data))
    signers_of_message(bytes(data[:end]))
