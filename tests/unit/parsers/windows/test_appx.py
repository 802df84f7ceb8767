"""Names and manifests of app packages."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.appx import FullName, Manifest, common_name, full_name, manifest, publisher_id

MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10" xmlns:uap="x">
  <Identity Name="Kaspersky.ShellEx22" Publisher="CN=Kaspersky Lab, O=Kaspersky Lab" Version="22.0.0.0"
    ProcessorArchitecture="x64" />
  <Properties>
    <DisplayName>Kaspersky</DisplayName><PublisherDisplayName>AO Kaspersky Lab</PublisherDisplayName>
  </Properties>
  <Applications><Application><uap:VisualElements DisplayName="no"/></Application></Applications>
</Package>"""


@pytest.mark.parametrize(
    ("publisher", "expected"),
    [
        ("CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US", "8wekyb3d8bbwe"),
        ("CN=Microsoft Windows, O=Microsoft Corporation, L=Redmond, S=Washington, C=US", "cw5n1h2txyewy"),
        ("CN=C357A519-CEE3-4675-9EF4-44DE1D99A5D6", "amge560j0aq9g"),
        ("CN=Skype Software Sarl, O=Microsoft Corporation, L=Luxembourg, S=Luxembourg, C=LU", "kzf8qxf38zg5c"),
    ],
)
def test_known_publishers(publisher: str, expected: str) -> None:
    assert publisher_id(publisher) == expected


def test_full_names() -> None:
    found = full_name("Microsoft.BingWeather_4.23.10923.0_x64__8wekyb3d8bbwe")
    assert found == FullName("Microsoft.BingWeather", "4.23.10923.0", "x64", "", "8wekyb3d8bbwe")
    assert found.family == "Microsoft.BingWeather_8wekyb3d8bbwe"
    bundle = full_name("Microsoft.Zune_2019.1.0.1_neutral_~_8wekyb3d8bbwe")
    assert bundle is not None
    assert bundle.resource == "~"
    for text in ("", "A_1.0_x64__8wekyb3d8bbwe", "A_1.0.0.0_x64__8wekyb3d8bbwi", "A_1.0.0.0_x64__8wekyb3d8bbwe\\x"):
        assert full_name(text) is None


@pytest.mark.parametrize(
    ("publisher", "expected"),
    [
        ("CN=Kaspersky Lab, O=Kaspersky Lab", "Kaspersky Lab"),
        ('CN="Example, ""the"" Inc.", C=US', 'Example, "the" Inc.'),
        ("O=Example; cn = Other", "Other"),
        ("CN=C357A519-CEE3-4675-9EF4-44DE1D99A5D6", ""),
        ("O=Example", ""),
        ("", ""),
    ],
)
def test_common_names(publisher: str, expected: str) -> None:
    assert common_name(publisher) == expected


def test_manifests() -> None:
    whole = Manifest(
        "Kaspersky.ShellEx22", "CN=Kaspersky Lab, O=Kaspersky Lab", "22.0.0.0", "x64", "Kaspersky", "AO Kaspersky Lab"
    )
    for encoding in ("utf-8", "utf-16"):
        assert manifest(MANIFEST.encode(encoding)) == whole
    bundle = b'<Bundle><Identity Name="A" Publisher="CN=B" Version="1.0.0.0"/><Packages/></Bundle>'
    assert manifest(bundle) == Manifest("A", "CN=B", "1.0.0.0", "", "", "")


@pytest.mark.parametrize("data", [b"", b"<Package/>", b"<Package><Identity/></Package>", b"\xff\xfe<"])
def test_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(ValueError):
        manifest(data)


@given(st.text())
def test_texts_raise_nothing(text: str) -> None:
    full_name(text)
    common_name(text)
    assert len(publisher_id(text)) == 13


@given(st.integers(0, len(MANIFEST)), st.binary(max_size=3))
def test_damaged_manifests_raise_nothing_else(at: int, instead: bytes) -> None:
    data = MANIFEST.encode()
    with contextlib.suppress(ValueError):
        manifest(data[:at] + instead + data[at + len(instead) + 1 :])
