"""The head of a Python distribution's metadata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.languages.python_metadata import Metadata, from_name, metadata

OPENTIP = b"""\
Metadata-Version: 2.1
Name: opentip
Version: 1.2
Summary: Tools and Python API for accessing Kaspersky OpenTIP
Home-page: https://github.com/KasperskyLab/OpenTIP-scanner
Author: Kaspersky Lab
Author-email: igosha@kaspersky.com
Project-URL: Bug Tracker, https://github.com/KasperskyLab/OpenTIP-scanner/phaseout/issues
Requires-Python: >=3.8

## OpenTIP scanner

Name: not-a-field
Author: nobody
"""


def test_fields_of_the_head() -> None:
    expected = Metadata("opentip", "1.2", "Kaspersky Lab", "https://github.com/KasperskyLab/OpenTIP-scanner")
    assert metadata(OPENTIP) == expected
    assert metadata(OPENTIP.replace(b"\n", b"\r\n")) == expected
    assert metadata(b"\xef\xbb\xbf" + OPENTIP.replace(b"Name:", b"NAME:", 1)) == expected


def test_the_body_says_nothing() -> None:
    assert metadata(b"Version: 1\n\nName: x\nAuthor: y\n") == Metadata("", "1", "", "")


@pytest.mark.parametrize(
    ("head", "vendor"),
    [
        ("Author: Ada\nMaintainer: Bob", "Ada"),
        ("Author-email: Ada Lovelace <ada@example.org>\nMaintainer: Bob", "Ada Lovelace"),
        ('Author-email: "Lab, Inc." <a@example.org>, Bob <b@example.org>', "Lab, Inc., Bob"),
        ("Author-email: a@example.org", "a@example.org"),
        ("Author: UNKNOWN\nMaintainer: Bob", "Bob"),
        ("Maintainer-email: Bob <b@example.org>", "Bob"),
        ("Author:\nAuthor-email:\nName: x", ""),
        ("Author: first\nAuthor: second", "first"),
        ("Author: Лаборатория", "Лаборатория"),
    ],
)
def test_vendor_is_the_author_in_words(head: str, vendor: str) -> None:
    assert metadata(head.encode()).vendor == vendor


def test_home_page_of_the_project_urls() -> None:
    head = b"Project-URL: Issues, https://a\nProject-URL: Source Code, https://b\nproject-url: Homepage, https://c\n"
    assert metadata(head).homepage == "https://b"


def test_bytes_that_are_no_utf_8_are_spelled_out() -> None:
    assert metadata(b"Name: x\xff\n").name == r"x\xff"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("pip-23.0.1.dist-info", ("pip", "23.0.1")),
        ("argcomplete-2.0.0-py3.11.egg-info", ("argcomplete", "2.0.0")),
        ("lxml-4.9.2-py3.11-linux-x86_64.egg", ("lxml", "4.9.2")),
        ("cryptography.egg-info", ("cryptography", "")),
        (".egg-info", ("", "")),
    ],
)
def test_names_of_folders(entry: str, told: tuple[str, str]) -> None:
    assert from_name(entry) == told


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    assert all(isinstance(field, str) for field in metadata(data))


@given(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), max_size=40))
def test_a_name_comes_back(name: str) -> None:
    kept = name.strip()
    assert metadata(f"Version: 1\nName: {name}\n".encode()).name == ("" if kept == "UNKNOWN" else kept)


@given(st.text(max_size=60))
def test_any_name_of_a_folder(entry: str) -> None:
    assert len(from_name(entry)) == 2
