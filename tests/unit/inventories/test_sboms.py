"""CycloneDX and SPDX: the shapes that syft, trivy and cdxgen write, made small."""

import base64
import json
import os
from pathlib import Path
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
    assert run.left_out == {
        "part of the operating system": 1,
        "what the document is about": 1,
        "not software": 1,
        "damaged": 2,
    }
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


KESL = {"type": "library", "name": "kesl", "version": "12.1", "publisher": "Kaspersky Lab"}
KESL["purl"] = "pkg:deb/debian/kesl@12.1"


def bom(**members: Any) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", **members}).encode()


def names(data: bytes) -> list[str]:
    return [item.name for item in one(data).items]


@pytest.mark.parametrize("kind", ["application", "library", "framework"])
def test_what_the_document_is_about_is_listed_with_its_parts(kind: str) -> None:
    about = {"type": kind, "name": "site", "publisher": "AO Kaspersky Lab", "components": [KESL]}
    assert names(bom(metadata={"component": about}, components=[])) in (["kesl", "site"], ["site", "kesl"])
    folder = one(bom(metadata={"component": {"type": "file", "name": "/", "components": [KESL]}}))
    assert [item.name for item in folder.items] == ["kesl"]
    assert folder.runs[0].left_out == {"what the document is about": 1}


def test_null_is_as_if_it_were_not_there() -> None:
    nothing = dict.fromkeys(("properties", "components", "supplier", "evidence", "group", "authors", "manufacturer"))
    assert names(bom(components=[{**KESL, **nothing}])) == ["kesl"]
    for empty in (bom(components=None), bom(metadata=None), bom()):
        found = one(empty)
        assert found.items == ()
        assert found.unseen[-1].what == "All software"


@pytest.mark.parametrize("mark", [{"scope": "excluded"}, {"isExternal": True}])
def test_what_is_only_referred_to_is_counted(mark: dict[str, Any]) -> None:
    found = one(bom(components=[{**KESL, **mark}, {**KESL, "scope": "optional"}]))
    assert len(found.items) == 1
    assert found.runs[0].left_out == {"not installed, only referred to": 1}


def test_odd_members_cost_no_component() -> None:
    odd = {**KESL, "properties": "x", "supplier": "Maker", "evidence": 3, "components": {}, "hashes": [None]}
    assert names(bom(components=[odd, {**KESL, "name": "b"}])) == ["b", "kesl"]
    maker = {"type": "application", "name": "a", "authors": [{"name": "AO Kaspersky Lab"}]}
    assert one(bom(components=[maker])).items[0].vendor == "AO Kaspersky Lab"


@pytest.mark.parametrize("version", ["1.2", "1.4", "1.7"])
def test_xml(version: str) -> None:
    data = f"""<?xml version="1.0"?>
<b:bom xmlns:b="http://cyclonedx.org/schema/bom/{version}" version="1">
  <b:metadata><b:timestamp>2026-01-02T03:04:05Z</b:timestamp>
    <b:tools><b:tool><b:name>cyclonedx-maven</b:name><b:version>2</b:version></b:tool></b:tools>
    <b:component type="container"><b:name>registry/app</b:name></b:component></b:metadata>
  <b:components>
    <b:component type="library"><b:supplier><b:name>Kaspersky Lab</b:name></b:supplier><b:name>kesl</b:name>
      <b:version>12.1</b:version><b:purl>pkg:deb/debian/kesl@12.1</b:purl>
      <b:properties><b:property name="syft:location:0:path">/x</b:property></b:properties>
      <b:components><b:component type="library"><b:name>inner</b:name></b:component></b:components></b:component>
    <b:component type="library"><b:name>gone</b:name><b:scope>excluded</b:scope></b:component>
    <b:component type="data"><b:name>table</b:name></b:component>
  </b:components>
  <b:vulnerabilities><b:component type="library"><b:name>no</b:name></b:component></b:vulnerabilities>
</b:bom>""".encode()
    found = one(data, "x.xml")
    assert (found.host.name, found.tool) == ("registry/app", f"cyclonedx-maven 2 (CycloneDX {version})")
    assert [(item.kind, item.name, item.vendor, item.version) for item in found.items] == [
        ("library", "inner", "", ""),
        ("package", "kesl", "Kaspersky Lab", "12.1"),
    ]
    left = {"what the document is about": 1, "not installed, only referred to": 1, "not software": 1}
    assert found.runs[0].left_out == left
    cut = one(data[: data.index(b"<b:vuln") - 20], "x.xml")
    assert "kesl" in [item.name for item in cut.items]
    assert cut.runs[0].status == "partial"
    declared = data.replace(b"<b:bom", b'<!DOCTYPE a [<!ENTITY e "x">]><b:bom')
    assert "document type" in broken(declared, "x.xml").why


SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {
            "name": "kesl",
            "supplier": "Organization: Kaspersky Lab",
            "externalRefs": [
                {"referenceType": "http://spdx.org/rdf/references/purl", "referenceLocator": "pkg:deb/debian/kesl@12.1"}
            ],
        }
    ],
}


def test_wrappers_and_package_urls_by_address() -> None:
    statement = {"_type": "https://in-toto.io/Statement/v1", "predicate": SPDX, "subject": []}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    envelope = {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []}
    for document in (SPDX, {"sbom": SPDX}, statement, envelope, {"predicate": json.loads(bom(components=[KESL]))}):
        (item,) = one(json.dumps(document).encode()).items
        assert (item.kind, item.name, item.vendor) == ("package", "kesl", "Kaspersky Lab")


def test_spdx_tag_value() -> None:
    data = b"""SPDXVersion: SPDX-2.3
# a comment
Creator: Tool: syft-1.18
Created: 2026-01-02T03:04:05Z

PackageName: kesl
SPDXID: SPDXRef-1
PackageVersion: 12.1
PackageSupplier: Organization: Kaspersky Lab (support@kaspersky.com)
PackageComment: <text>several
PackageName: not one
lines</text>
ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/kesl@12.1
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-1

PackageName: /
SPDXID: SPDXRef-DocumentRoot-Directory-x
PackageName: other
PackageOriginator: NOASSERTION
FileName: ./x
FileCopyrightText: NONE
"""
    found = one(data, "ws.spdx")
    assert (found.host.name, found.tool, found.scanned_at) == ("ws", "syft-1.18 (SPDX-2.3)", "2026-01-02T03:04:05Z")
    assert [(item.kind, item.name, item.vendor, item.version) for item in found.items] == [
        ("library", "other", "", ""),
        ("package", "kesl", "Kaspersky Lab", "12.1"),
    ]
    assert found.runs[0].left_out == {"what the document is about": 1}


def spdx_3(*elements: dict[str, Any]) -> bytes:
    context = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
    return json.dumps({"@context": context, "@graph": elements}).encode()


def test_spdx_3_identifiers_and_makers() -> None:
    maker = {"type": "Organization", "spdxId": "urn:k", "name": "Kaspersky Lab"}
    identifier = {"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": KESL["purl"]}
    apart = {**identifier, "spdxId": "urn:i"}
    for identifiers in ([identifier], identifier, ["urn:i"]):
        for makers in ({"originatedBy": ["urn:k"]}, {"suppliedBy": "urn:k"}, {"originatedBy": [maker]}):
            package = {"type": "software_Package", "name": "kesl", "externalIdentifier": identifiers, **makers}
            (item,) = one(spdx_3(maker, apart, package)).items
            assert (item.kind, item.vendor, item.ids["purl"]) == ("package", "Kaspersky Lab", KESL["purl"])
    alone = {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "type": "software_Package", "name": "a"}
    assert names(json.dumps(alone).encode()) == ["a"]


def test_syft_json() -> None:
    document = {
        "artifacts": [
            {
                "name": "kesl",
                "version": "12.1",
                "type": "deb",
                "purl": KESL["purl"],
                "metadata": {"maintainer": "K <k@k>"},
            },
            {"name": "a", "type": "java-archive", "metadata": {"manifest": {"main": {"Implementation-Vendor": "V"}}}},
            {
                "name": "b",
                "type": "java-archive",
                "metadata": {"manifest": {"main": [{"key": "Implementation-Vendor"}]}},
            },
            {"version": "1"},
            7,
        ],
        "distro": {"id": "debian", "prettyName": "Debian GNU/Linux 12", "versionID": "12"},
        "descriptor": {"name": "syft", "version": "1.18"},
    }
    found = one(json.dumps(document).encode())
    assert [(item.kind, item.name, item.vendor) for item in found.items] == [
        ("library", "a", "V"),
        ("library", "b", ""),
        ("package", "kesl", "K"),
    ]
    assert found.runs[0].left_out == {"damaged": 2}
    assert (found.host.os, found.tool) == ("Debian GNU/Linux 12", "syft 1.18")


CAPTURES = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures/sbom"


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures of bills of materials here")
@pytest.mark.parametrize(
    "name",
    [
        *[f"syft.cyclonedx-1.{minor}.{ending}" for minor in (4, 5, 6) for ending in ("json", "xml")],
        *("syft.spdx-2.2.json", "syft.spdx-json", "syft.spdx-tag-value", "syft.syft-json"),
        *("trivy.cyclonedx", "trivy.spdx", "trivy.spdx-json"),
    ],
)
def test_captures_of_one_tree(name: str) -> None:
    found = one((CAPTURES / name).read_bytes(), name)
    kesl = next(item for item in found.items if item.name == "kesl")
    assert (kesl.kind, kesl.version) == ("package", "12.1.0-1543")
    assert found.runs[0].status == "ok"


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures of bills of materials here")
def test_captures_of_other_tools() -> None:
    for path in (*CAPTURES.glob("cyclonedx-xml/*"), *CAPTURES.glob("dotnet/*"), *CAPTURES.glob("spdx3/*")):
        assert one(path.read_bytes(), path.name).runs[0].status == "ok", path.name


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


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), JSON)))
def test_odd_components_never_raise(components: list[dict[str, Any]]) -> None:
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}
    data = json.dumps(document, ensure_ascii=True).encode()
    for found in read_bytes(data):
        assert found is not None


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not here")
def test_github_snapshot_of_syft() -> None:
    found = one((CAPTURES / "syft.github-json").read_bytes(), "syft.github-json")
    assert {(item.kind, item.name, item.version) for item in found.items} >= {
        ("package", "kesl", "12.1.0-1543"),
        ("package", "bash", "5.2.37-2+b5"),
        ("library", "demo", "1.0"),
    }


def test_a_snapshot_counts_what_has_no_package_url() -> None:
    resolved = b'{"b": {"package_url": "pkg:npm/%40s/n@1"}, "c": 5}'
    data = b'{"detector": {"name": "x"}, "manifests": {"a": {"resolved": ' + resolved + b"}}}"
    found = one(data)
    assert [(item.kind, item.name, item.version) for item in found.items] == [("library", "@s/n", "1")]
    assert found.runs[0].left_out == {"damaged": 1}


def test_a_component_without_a_type_is_a_program() -> None:
    """A type is required, and it is better to judge what has none than to leave it out."""
    components = [
        {"name": "Kaspersky Endpoint Security", "publisher": "AO Kaspersky Lab"},
        {"name": "x", "type": "data"},
    ]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components}
    found = one(json.dumps(document).encode())
    assert [(item.kind, item.name) for item in found.items] == [("program", "Kaspersky Endpoint Security")]


CPE = "cpe:2.3:a:ao_kaspersky_lab:endpoint\\:security:12:*:*:*:*:*:*:*"


@pytest.mark.parametrize(
    ("more", "vendor"),
    [
        ({"cpe": CPE}, "ao kaspersky lab"),
        ({"cpe": "cpe:/a:kaspersky:anti%2dvirus:6"}, "kaspersky"),
        ({"cpe": "cpe:2.3:a:*:x:1:*:*:*:*:*:*:*"}, ""),
        ({"cpe": "nothing"}, ""),
        ({"group": "AO Kaspersky Lab"}, "AO Kaspersky Lab"),
        ({"group": "AO Kaspersky Lab", "publisher": "Acme"}, "Acme"),
        ({"cpe": CPE, "purl": "pkg:pypi/kaspersky@1"}, ""),
    ],
)
def test_who_makes_what_is_in_no_register_of_packages(more: dict[str, str], vendor: str) -> None:
    (item,) = one(bom(components=[{"type": "application", "name": "Endpoint Security", **more}])).items
    assert item.vendor == vendor


def test_the_cpe_of_an_spdx_package_names_its_vendor() -> None:
    reference = {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": CPE}
    package = {"SPDXID": "SPDXRef-1", "name": "Endpoint Security", "externalRefs": [reference]}
    (item,) = one(json.dumps({"spdxVersion": "SPDX-2.3", "name": "x", "packages": [package]}).encode()).items
    lines = ("SPDXVersion: SPDX-2.3", "PackageName: Endpoint Security", f"ExternalRef: SECURITY cpe23Type {CPE}", "")
    tagged = "\n".join(lines)
    (again,) = one(tagged.encode(), "x.spdx").items
    identifier = {"type": "ExternalIdentifier", "externalIdentifierType": "cpe23", "identifier": CPE}
    element = {
        "type": "software_Package",
        "spdxId": "urn:1",
        "name": "Endpoint Security",
        "externalIdentifier": [identifier],
    }
    graph = {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [element]}
    (third,) = one(json.dumps(graph).encode()).items
    assert item.vendor == again.vendor == third.vendor == "ao kaspersky lab"
