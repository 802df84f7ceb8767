"""CycloneDX and SPDX: the shapes that syft, trivy and cdxgen write, made small."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.inventories.conftest import JSON, broken, one, read_bytes

SYFT: dict[str, Any] = {
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {
        "timestamp": "2026-01-02T03:04:05+01:00",
        "tools": {"components": [{"type": "application", "author": "anchore", "name": "syft", "version": "1.18.1"}]},
        "component": {"bom-ref": "x", "type": "file", "name": "/"},
    },
    "components": [
        {
            "type": "library",
            "publisher": "Kaspersky Lab <support@kaspersky.com>",
            "name": "kesl",
            "version": "12.1.0-1543",
            "purl": "pkg:deb/debian/kesl@12.1.0-1543?arch=amd64&distro=debian-12",
            "properties": [{"name": "syft:location:0:path", "value": "/var/lib/dpkg/status"}],
        },
        {
            "type": "library",
            "group": "@kaspersky",
            "name": "hexa-ui",
            "version": "6.1",
            "purl": "pkg:npm/%40kaspersky/hexa-ui@6.1",
            "properties": [{"name": "syft:location:0:path", "value": "/srv/app/package-lock.json"}],
        },
        {"type": "application", "name": "tool", "version": "1", "components": [{"type": "library", "name": "inner"}]},
        {"type": "operating-system", "name": "debian", "version": "12", "description": "Debian GNU/Linux 12"},
        {"type": "data", "name": "a table"},
        {"type": "library", "version": "1"},
        7,
    ],
}


def test_syft() -> None:
    found = one(json.dumps(SYFT).encode(), "folder/ws-17.cdx.json")
    assert (found.host.name, found.host.platform, found.host.os) == ("ws-17", "linux", "Debian GNU/Linux 12")
    assert (found.tool, found.scanned_at) == ("syft 1.18.1 (CycloneDX 1.6)", "2026-01-02T02:04:05Z")
    kinds = {item.name: (item.kind, item.vendor, item.path) for item in found.items}
    assert kinds == {
        "kesl": ("package", "Kaspersky Lab", ""),
        "@kaspersky/hexa-ui": ("library", "", "/srv/app/package-lock.json"),
        "tool": ("program", "", ""),
        "inner": ("library", "", ""),
    }
    (run,) = found.runs
    assert run.left_out == {"part of the operating system": 1, "not software": 1, "damaged": 2}
    damaged, hidden = found.unseen
    assert "components[5]: a component without a name" in damaged.why
    assert {"process", "service", "driver"} <= set(hidden.kinds)
    assert "package" not in hidden.kinds


def test_trivy_and_a_device() -> None:
    trivy = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "metadata": {
            "tools": [{"vendor": "aquasecurity", "name": "trivy", "version": "0.50"}],
            "component": {"type": "container", "name": "registry/app:1"},
        },
        "components": [
            {"type": "library", "name": "zlib1g", "supplier": {"name": "Mark <m@x>"}, "purl": "pkg:none/zlib1g@1"}
        ],
    }
    found = one(json.dumps(trivy, indent=2).encode())
    assert (found.host.name, found.tool) == ("registry/app:1", "trivy 0.50 (CycloneDX 1.5)")
    assert [(item.kind, item.vendor) for item in found.items] == [("package", "Mark")]


def test_cdxgen_of_a_running_system() -> None:
    def component(category: str, name: str, **members: object) -> dict[str, object]:
        return {"name": name, "properties": [{"name": "cdx:osquery:category", "value": category}], **members}

    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "metadata": {"component": {"type": "operating-system", "name": "Debian+GNU/Linux", "version": "12"}},
        "components": [
            component("processes", "avp", type="data", version="4711", purl="pkg:swid/avp@4711"),
            component("windows_programs", "Kaspersky+Free", type="application", purl="pkg:swid/Kaspersky%2BFree"),
            component("etc_hosts", "127.0.0.1", type="data", purl="pkg:swid/127.0.0.1"),
            component("deb_packages", "g++", type="library", purl="pkg:deb/g%2B%2B@12"),
        ],
    }
    found = one(json.dumps(document).encode())
    assert found.host.os == "Debian GNU/Linux"
    assert [(item.kind, item.name, item.version) for item in found.items] == [
        ("package", "g++", ""),
        ("process", "avp", ""),
        ("program", "Kaspersky Free", ""),
    ]
    assert found.runs[0].left_out == {"not software": 1}


def test_spdx_2() -> None:
    document = {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "root",
        "creationInfo": {"created": "2026-01-02T03:04:05Z", "creators": ["Organization: Anchore", "Tool: syft-1.18.1"]},
        "packages": [
            {
                "name": "kesl",
                "SPDXID": "SPDXRef-Package-1",
                "versionInfo": "12.1",
                "supplier": "Organization: Kaspersky Lab (support@kaspersky.com)",
                "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:rpm/kesl@12.1"}],
            },
            {
                "name": "zlib",
                "supplier": "NOASSERTION",
                "originator": "Person: Mark Brown (b@x.org)",
                "versionInfo": "",
            },
            {"name": "/", "SPDXID": "SPDXRef-DocumentRoot-Directory-", "primaryPackagePurpose": "FILE"},
            {"name": "debian", "primaryPackagePurpose": "OPERATING-SYSTEM"},
            {"versionInfo": "1"},
        ],
    }
    found = one(json.dumps(document).encode(), "ws.spdx.json.gz")
    assert (found.host.name, found.host.platform, found.tool) == ("ws", "linux", "syft-1.18.1 (SPDX-2.3)")
    assert [(item.kind, item.name, item.vendor) for item in found.items] == [
        ("library", "zlib", "Mark Brown"),
        ("package", "kesl", "Kaspersky Lab"),
    ]
    assert found.runs[0].left_out["damaged"] == 1


def test_spdx_3() -> None:
    document = {
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {"type": "CreationInfo", "created": "2026-01-02T03:04:05Z"},
            {"type": "Organization", "spdxId": "urn:1", "name": "Kaspersky Lab"},
            {
                "type": "software_Package",
                "name": "opentip",
                "software_packageVersion": "1.2",
                "software_packageUrl": "pkg:pypi/opentip@1.2",
                "suppliedBy": "urn:1",
            },
        ],
    }
    (item,) = one(json.dumps(document).encode()).items
    assert (item.kind, item.name, item.vendor, item.version) == ("library", "opentip", "Kaspersky Lab", "1.2")


@pytest.mark.parametrize(
    "data",
    [
        b'{"bomFormat":"CycloneDX","components":7}',
        b'{"spdxVersion":"SPDX-2.3","packages":{}}',
        b'{"bomFormat":"CycloneDX","metadata":[]}',
    ],
)
def test_wrong_shapes(data: bytes) -> None:
    assert broken(data).why.startswith(("no CycloneDX", "no SPDX"))


MEMBERS = ("name", "version", "purl", "type", "group", "publisher", "supplier", "properties", "components", "evidence")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), JSON)))
def test_odd_components_never_raise(components: list[dict[str, Any]]) -> None:
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}
    data = json.dumps(document, ensure_ascii=True).encode()
    for found in read_bytes(data):
        assert found is not None
