"""Version resources: languages, the fixed numbers, compilers that count in another way, damage."""

import struct

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.version_resource import version

from tests.support.pe_writer import ENGLISH, NEUTRAL, RUSSIAN, version_resource


def test_english_before_the_first_language() -> None:
    found = version(
        version_resource(
            {
                RUSSIAN: {"CompanyName": "АО «Лаборатория Касперского»", "OriginalFilename": "avp.exe"},
                ENGLISH: {"CompanyName": "AO Kaspersky Lab", "LegalCopyright": "(c)"},
            },
            (21, 3, 10, 391),
        )
    )
    assert found is not None
    assert found.text("CompanyName") == "AO Kaspersky Lab"
    assert found.text("OriginalFilename") == "avp.exe"
    assert found.text("ProductName") == ""
    assert (found.file, found.product) == ("21.3.10.391", "21.3.10.391")
    assert list(found.tables) == [RUSSIAN, ENGLISH]
    assert found.tables[ENGLISH] == {"companyname": "AO Kaspersky Lab"}


def test_texts_are_one_line_and_end_at_their_zero() -> None:
    found = version(version_resource({NEUTRAL: {"ProductName": " Two\r\n lines \0rest"}}))
    assert found is not None
    assert found.text("ProductName") == "Two lines"


def test_lengths_in_bytes_instead_of_letters() -> None:
    data = version_resource({ENGLISH: {"CompanyName": "Acme", "ProductName": "Anvil"}})
    at = data.index("CompanyName".encode("utf-16-le")) - 6
    size, length, kind = struct.unpack_from("<HHH", data, at)
    changed = data[:at] + struct.pack("<HHH", size, length * 2, kind) + data[at + 6 :]
    found = version(changed)
    assert found is not None
    assert found.tables[ENGLISH] == {"companyname": "Acme", "productname": "Anvil"}


def test_one_that_is_cut_off_says_what_is_there() -> None:
    data = version_resource({ENGLISH: {"CompanyName": "Acme", "ProductName": "Anvil"}}, (1, 2, 3, 4))
    found = version(data[: data.index("ProductName".encode("utf-16-le"))])
    assert found is not None
    assert (found.file, found.text("CompanyName"), found.text("ProductName")) == ("1.2.3.4", "Acme", "")


def test_what_is_none() -> None:
    data = version_resource({})
    assert version(b"") is None
    assert version(bytes(200)) is None
    assert version(data.replace("VERSION".encode("utf-16-le"), "version".encode("utf-16-le"))) is None


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    version(data)
    version(version_resource({})[:92] + data)


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(st.sampled_from([ENGLISH, RUSSIAN, NEUTRAL]), st.dictionaries(st.just("CompanyName"), TEXT)))
def test_round_trip(texts: dict[int, dict[str, str]]) -> None:
    found = version(version_resource(texts))
    assert found is not None
    assert found.tables == {
        language: {name.lower(): " ".join(text.split()) for name, text in table.items()}
        for language, table in texts.items()
    }
