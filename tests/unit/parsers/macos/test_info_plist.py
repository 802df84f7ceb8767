"""What bundles say about themselves, and who holds the rights."""

import plistlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.macos.info_plist import bundle, holder


def test_versions() -> None:
    both = bundle(plistlib.dumps({"CFBundleShortVersionString": "21.3", "CFBundleVersion": "21.3.0.150"}))
    assert both is not None
    assert (both.version, both.build) == ("21.3", "21.3.0.150")
    one = bundle(plistlib.dumps({"CFBundleVersion": 15}))
    assert one is not None
    assert one.version == "15"
    assert bundle(b"no property list") is None


def test_wrong_types_are_no_facts() -> None:
    odd = bundle(plistlib.dumps({"CFBundleIdentifier": ["a"], "CFBundleName": {"b": "c"}, "NSExtension": "d"}))
    assert odd is not None
    assert set(odd) == {""}


def test_extension_point() -> None:
    found = bundle(plistlib.dumps({"NSExtension": {"NSExtensionPointIdentifier": "com.apple.FinderSync"}}))
    assert found is not None
    assert found.extension_point == "com.apple.FinderSync"


# XML reads a carriage return as a line feed: there the two forms rightly differ.
VALUES = (
    st.text(st.characters(exclude_characters="\r"), max_size=8) | st.integers(0, 99) | st.booleans() | st.floats(0, 9)
)
NESTED = VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.sampled_from(["CFBundleName", "a"]), VALUES)
KEYS = ["CFBundleIdentifier", "CFBundleName", "CFBundleVersion", "NSHumanReadableCopyright", "NSExtension", "x"]


@given(st.dictionaries(st.sampled_from(KEYS), NESTED))
def test_both_forms_tell_the_same(values: dict[str, Any]) -> None:
    try:
        document = plistlib.dumps(values)
    except ValueError:  # a character that XML does not have
        return
    assert bundle(document) == bundle(plistlib.dumps(values, fmt=plistlib.FMT_BINARY))


@pytest.mark.parametrize(
    "content",
    [
        "<dict><!-- <key>CFBundleName</key><string>no</string> --><key>CFBundleName</key><string>yes</string></dict>",
        "<dict><key>CFBundleName</key><string><![CDATA[yes]]></string></dict>",
        "<dict ><key>a</key><dict ><key>b</key><true/></dict ><key>CFBundleName</key><string>yes</string></dict>",
        "<dict><key>CFBundleName</key><string>&#121;es</string></dict>",
        "<dict><key>a</key><array/><key>b</key><dict/><key>CFBundleName</key>\n\t<string>yes</string></dict>",
    ],
)
def test_unusual_documents(content: str) -> None:
    found = bundle(f'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">{content}</plist>\n'.encode())
    assert found is not None
    assert found.name == "yes"


def test_cut_off_documents_are_none() -> None:
    assert bundle(plistlib.dumps({"CFBundleName": "a", "b": ["c"]})[:-12]) is None


@pytest.mark.parametrize(
    ("notice", "name"),
    [
        ("Copyright © 2010-2024 Kaspersky Lab. All rights reserved.", "Kaspersky Lab"),
        ("2.1.2, © 1995-2010 Apple Inc. All Rights Reserved.", "Apple Inc"),
        ("Software Update version 4.0, Copyright © 2000-2009, Apple Inc. All rights reserved.", "Apple Inc"),
        ("© 2024 AO Kaspersky Lab", "AO Kaspersky Lab"),
        ("© Kaspersky Lab, 2012. Все права защищены.", "Kaspersky Lab"),
        ("Copyright (c) 1997–2024 Some GmbH, Berlin.", "Some GmbH, Berlin."),
        ("Copyright 2024 by Example, Inc", "Example, Inc"),
        ("Copyright Acme 2010-present", "Acme"),
        ("Copyright 3M 2020", "3M"),
        ("版权所有 © 2020 腾讯公司", "腾讯公司"),
        ("iTunes 10.5.3", ""),
        ("Copyright © 2024", ""),
        ("", ""),
    ],
)
def test_holders(notice: str, name: str) -> None:
    assert holder(notice) == name


def test_real_files(corpora: Path) -> None:
    folder = corpora / "packages/osv-scalibr/extractor/filesystem/os/macapps/testdata"
    chrome = bundle((folder / "ValidXML.plist").read_bytes())
    assert chrome is not None
    assert (chrome.id, chrome.name, chrome.version) == ("com.google.Chrome", "Chrome", "130.0.6723.69")
    binary = bundle((folder / "BinaryApp.plist").read_bytes())
    assert binary is not None
    assert (binary.name, binary.version) == ("gMacInformation", "202410231131")
    older = bundle((corpora / "osquery/plist/test_info.plist").read_bytes())
    assert older is not None
    assert older.id == "com.apple.PhotoBooth"


@given(st.text(max_size=200))
def test_arbitrary_notices(notice: str) -> None:
    assert len(holder(notice)) <= len(notice)


@pytest.mark.parametrize(
    ("short", "build", "version"),
    [
        ("$PKG_VERSION", "1.9.6", "1.9.6"),
        ("$(MARKETING_VERSION)", "42.1", "42.1"),
        ("${VERSION}", "$(BUILD)", ""),
        ("Acme Device Manager", "1.3.2", "1.3.2"),
        ("Acme Device Manager", "", "Acme Device Manager"),
        ("4.0 (build 400)", "400", "4.0 (build 400)"),
        ("", "7778.181", "7778.181"),
    ],
)
def test_versions_that_were_never_filled_in(short: str, build: str, version: str) -> None:
    values = {"CFBundleShortVersionString": short, "CFBundleVersion": build}
    found = bundle(plistlib.dumps({**values, "CFBundleIdentifier": "$(PRODUCT_BUNDLE_IDENTIFIER)"}))
    assert found is not None
    assert (found.version, found.id) == (version, "")
