"""manifest.json of both families of browsers."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.browsers.chrome_manifest import Manifest, is_id, manifest, store

# The key of Chrome's own PDF viewer, whose identifier is well known.
KEY = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDN6hM0rsDYGbzQPQfOygqlRtQgKUXMfnSjhIBL7LnReAVBEd7ZmKtyN2qmSasMl4HZpMhVe2rPWV"
    "VwBDl6iyNE/Kok6E6v6V3vCLGsOpQAuuNVye/3QxzIldzG/jQAdWZiyXReRVapOhZtLjGfywCvlWq7Sl/e3sbc0vWybSDI2QIDAQAB"
)


def read(**members: object) -> Manifest:
    return manifest(json.dumps(members).encode())


def test_a_whole_manifest() -> None:
    found = read(
        name="__MSG_n__",
        version="1.2",
        version_name="1.2 beta",
        author="Kaspersky Lab",
        update_url="https://clients2.google.com/service/update2/crx",
        default_locale="en",
        key=KEY,
    )
    assert found == Manifest(
        "__MSG_n__",
        "1.2",
        "Kaspersky Lab",
        "extension",
        "https://clients2.google.com/service/update2/crx",
        "en",
        "mhjfbmdgcfjbbpaeojofohoefgiehjai",
    )
    assert store(found.update_url) == "Chrome Web Store"
    assert is_id(found.id)


@pytest.mark.parametrize(
    ("members", "vendor"),
    [
        ({"author": {"email": "a@b.c"}}, "a@b.c"),
        ({"author": {"name": "Ada"}}, "Ada"),
        ({"author": "Ada", "developer": {"name": "Lab", "url": "x"}}, "Lab"),
        ({"author": ["Ada"], "developer": "Lab"}, ""),
    ],
)
def test_vendor(members: dict[str, object], vendor: str) -> None:
    assert read(**members).vendor == vendor


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"theme": {}}, "theme"),
        ({"app": {"background": {}}}, "app"),
        ({"app": {"urls": []}}, "hosted app"),
        ({"dictionaries": {}}, "dictionary"),
        ({"langpack_id": "de"}, "language pack"),
        ({}, "extension"),
    ],
)
def test_kind(members: dict[str, object], kind: str) -> None:
    assert read(**members).kind == kind


def test_identifier_of_mozilla_and_a_damaged_key() -> None:
    assert read(browser_specific_settings={"gecko": {"id": "a@b"}}, key=KEY).id == "a@b"
    assert read(applications={"gecko": {"id": "a@b"}}).id == "a@b"
    assert read(key="x").id == ""
    assert read(key=["x"]).id == ""


def test_every_real_manifest_is_read(corpora: Path) -> None:
    top = corpora / "packages/osv-scalibr/extractor/filesystem/misc/chrome/extensions/testdata"
    found = {path.relative_to(top).parts[0]: manifest(path.read_bytes()) for path in top.rglob("*manifest.json")}
    assert {name: (one.name, one.version, one.vendor) for name, one in found.items()} == {
        "aapbdbdomjkkjkaonfhkkikfgjllcleb": (
            "__MSG_8969005060131950570__",
            "2.0.16",
            "google-translate-chrome-extension-owners@google.com",
        ),
        "caaadbdomjkkjkaonfhkkikfgjllcleb": ("CryptoX Blockchain Wallet", "1.2.85", ""),
        "ghbmnnjooekpmoecnnnilnnbdlolhkhi": ("__MSG_extName__", "1.89.1", "docs-hosted-app-own@google.com"),
        "nolocaleoekpmoecnnnilnnbdlolhkhi": ("__MSG_extName__", "1.89.1", "docs-hosted-app-own@google.com"),
        "invalid-manifest.json": ("", "", ""),
    }


@given(
    st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from((*Manifest._fields, "author", "key", "app")), st.none() | st.text() | st.lists(st.integers())
    ).map(lambda value: json.dumps(value).encode())
)
@settings(max_examples=100)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    try:
        found = manifest(data)
    except ValueError:
        return
    assert all(isinstance(one, str) for one in found)
