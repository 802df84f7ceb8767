"""GLPI and FusionInventory: XML of agents, JSON of GLPI 10."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.inventories.conftest import JSON, broken, one, read_bytes

XML = b"""<?xml version="1.0" encoding="UTF-8" ?>
<REQUEST>
  <CONTENT>
    <ACCESSLOG><LOGDATE>2026-01-02 03:04:05</LOGDATE></ACCESSLOG>
    <HARDWARE><NAME>WS-17</NAME><OSNAME>Microsoft Windows 10 Pro</OSNAME></HARDWARE>
    <OPERATINGSYSTEM>
      <KERNEL_NAME>MSWin32</KERNEL_NAME><FULL_NAME>Microsoft Windows 10 Pro</FULL_NAME><VERSION>10.0.19045</VERSION>
      <TIMEZONE><NAME>CET</NAME><OFFSET>+0100</OFFSET></TIMEZONE>
    </OPERATINGSYSTEM>
    <SOFTWARES>
      <NAME>Kaspersky Endpoint Security &amp; more</NAME><PUBLISHER>AO Kaspersky Lab</PUBLISHER><VERSION>11.1</VERSION>
      <FROM>registry</FROM><GUID>{90120000-0010-0409-0000-0000000FF1CE}</GUID>
      <UNINSTALL_STRING>MsiExec.exe /X{9}</UNINSTALL_STRING><FOLDER>C:\\P</FOLDER><USERNAME>ada</USERNAME>
    </SOFTWARES>
    <SOFTWARES><FROM>uwp</FROM><NAME>TikTok</NAME></SOFTWARES>
    <SOFTWARES><VERSION>1</VERSION></SOFTWARES>
    <PROCESSES><CMD>"C:\\Program Files\\K\\avp.exe" -r</CMD><PID>4</PID><USER>SYSTEM</USER></PROCESSES>
    <PROCESSES><CMD>C:\\Program Files\\K\\klnagent.exe -x</CMD><PID>5</PID></PROCESSES>
    <ANTIVIRUS><COMPANY>Kaspersky</COMPANY><NAME>KES</NAME><ENABLED>1</ENABLED></ANTIVIRUS>
    <VERSIONCLIENT>GLPI-Agent_v1.7</VERSIONCLIENT>
  </CONTENT>
  <DEVICEID>x</DEVICEID>
  <QUERY>INVENTORY</QUERY>
</REQUEST>
"""


def test_xml() -> None:
    found = one(XML, "x.ocs")
    assert (found.host.name, found.host.platform, found.tool) == ("WS-17", "windows", "GLPI-Agent_v1.7")
    assert found.scanned_at == "2026-01-02T02:04:05Z"
    by_kind = {item.kind: item for item in found.items}
    program = by_kind["program"]
    assert (program.name, program.user, program.path) == ("Kaspersky Endpoint Security & more", "ada", "C:\\P")
    assert program.ids["product_code"] == "{90120000-0010-0409-0000-0000000FF1CE}"
    assert program.details["uninstall"] == "MsiExec.exe /X{9}"
    assert by_kind["app"].name == "TikTok"
    assert sorted(item.path for item in found.items if item.kind == "process") == [
        "C:\\Program Files\\K\\avp.exe",
        "C:\\Program Files\\K\\klnagent.exe",
    ]
    assert (by_kind["security_product"].state, by_kind["security_product"].vendor) == ("running", "Kaspersky")
    assert found.runs[0].left_out == {"damaged": 1}


def test_json() -> None:
    document = {
        "action": "inventory",
        "content": {
            "hardware": {"name": "linux-1"},
            "operatingsystem": {"kernel_name": "linux", "full_name": "Fedora 31", "name": "Fedora", "version": "31"},
            "softwares": [{"name": "kesl", "publisher": "Kaspersky Lab", "from": "rpm", "version": "12"}, 3],
            "processes": [
                {"cmd": "/opt/kaspersky/kesl/libexec/kesl --x", "pid": 3, "user": "root"},
                {"cmd": "[kthreadd]"},
            ],
            "versionclient": "GLPI-Agent_v1.7",
        },
        "deviceid": "linux-1-2026",
    }
    found = one(json.dumps(document).encode())
    assert [(item.kind, item.name, item.path) for item in found.items] == [
        ("package", "kesl", ""),
        ("process", "kesl", "/opt/kaspersky/kesl/libexec/kesl"),
        ("process", "kthreadd", ""),
    ]
    assert found.unseen[0].source == "glpi softwares"


def test_entities_and_damage_are_refused() -> None:
    bomb = XML.replace(b"<REQUEST>", b'<!DOCTYPE a [<!ENTITY b "x">]><REQUEST>')
    assert "a document type with declarations is refused" in broken(bomb).why
    assert "not XML" in broken(XML[:500]).why
    assert "no GLPI inventory" in broken(b'{"content": 3, "deviceid": "x"}').why


@pytest.mark.parametrize(
    "odd", ["Maker\uffff\uffff", "Maker&#0;", "Maker&#x1F;", "Ma\x01ker", "A&T", "&nbsp;", "&#99999999;"]
)
def test_what_xml_forbids_costs_no_computer(odd: str) -> None:
    found = one(XML.replace(b"AO Kaspersky Lab", odd.encode()), "x.ocs")
    assert len(found.items) == 5
    maker = next(item.vendor for item in found.items if item.kind == "program")
    assert maker
    assert not any(char in maker for char in "\0\1\x1f\uffff")


def test_a_file_that_was_cut_off_is_incomplete() -> None:
    found = one(XML[: XML.index(b"<PROCESSES>")], "x.ocs")
    assert [item.name for item in found.items] == ["TikTok", "Kaspersky Endpoint Security & more"]
    assert "cut off or damaged" in found.unseen[0].why


def test_names_and_identity_and_odd_members() -> None:
    bios = b"<BIOS><SSN>PF3ABC12</SSN></BIOS><HARDWARE><UUID>4C4C4544-0042-3510-8052-B4C04F4A3132</UUID></HARDWARE>"
    data = XML.replace(b"<HARDWARE><NAME>WS-17</NAME>", bios + b"<HARDWARE2>").replace(
        b"Pro</OSNAME></HARDWARE>", b"Pro</OSNAME></HARDWARE2>"
    )
    found = one(data.replace(b"<DEVICEID>x", b"<DEVICEID>ws-2-2026-01-02-03-04-05"), "x.ocs")
    assert found.host.name == "ws-2"
    assert [one.kind for one in found.host.identity] == ["smbios_uuid", "serial"]
    document = {"content": {"hardware": None, "softwares": {"name": "kesl"}, "processes": None}, "deviceid": "ws-3"}
    single = one(json.dumps(document).encode())
    assert (single.host.name, [item.name for item in single.items]) == ("ws-3", ["kesl"])


CAPTURES = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures/ocs"


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures of OCS here")
def test_captures() -> None:
    plain, wire = (one(path.read_bytes(), path.name) for path in sorted(CAPTURES.iterdir()))
    assert plain.items
    assert [item.name for item in plain.items] == [item.name for item in wire.items]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(("hardware", "softwares", "processes", "bios", "versionclient")), JSON))
def test_odd_members_never_raise(content: dict[str, Any]) -> None:
    for found in read_bytes(json.dumps({"content": content, "deviceid": "x"}).encode()):
        assert found is not None


@pytest.mark.slow
def test_the_real_agent() -> None:
    agent = shutil.which("fusioninventory-inventory")
    if agent is None:
        pytest.skip("fusioninventory-inventory is not installed")
    result = subprocess.run([agent], capture_output=True, check=True, timeout=600)
    found = one(result.stdout)
    assert len(found.items) > 50
    assert {"package", "process"} <= {item.kind for item in found.items}
