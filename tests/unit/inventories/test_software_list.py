"""CSV of discovered apps and installed software, in its many spellings."""

import pytest
from phaseout.model.nouns import Inventory

from tests.unit.inventories.conftest import broken, one, read_bytes

INTUNE = (
    "ApplicationKey,ApplicationName,ApplicationPublisher,ApplicationVersion,DeviceName,OSVersion,Platform,UserName\r\n"
    "1,Kaspersky Free,AO Kaspersky Lab,21.3,WS-2,10.0,Windows,Ada\r\n"
    "2,7-Zip,Igor Pavlov,23,WS-1,10.0,Windows,Bob\r\n"
    "1,Kaspersky Free,AO Kaspersky Lab,21.3,WS-1,10.0,Windows,Bob\r\n"
    "3,TikTok,ByteDance,1,PHONE,17,iOS,Ada\r\n"
    "4,,Nobody,1,WS-1,10.0,Windows,Bob\r\n"
)


def test_intune() -> None:
    phone, first, second = read_bytes(INTUNE.encode(), "fleet.csv")
    assert isinstance(first, Inventory)
    assert isinstance(second, Inventory)
    assert isinstance(phone, Inventory)
    assert (first.host.name, [item.name for item in first.items]) == ("WS-1", ["7-Zip", "Kaspersky Free"])
    assert (second.host.name, second.host.os_version, second.items[0].user) == ("WS-2", "10.0", "Ada")
    assert second.items[0].evidence[0].where == "fleet.csv:2"
    assert first.runs[0].left_out == {"damaged": 1}
    assert phone.runs[0].left_out == {"on a phone or tablet": 1}
    assert "process" in second.unseen[-1].kinds


@pytest.mark.parametrize(
    "heading",
    [
        "Application name,Application publisher,Application version",
        "ARPDisplayName0,Publisher0,ProductVersion0",
        "Product Name,Publisher,Version",
        "Anwendungsname;Herausgeber;Version",
        "Nom de l'application\tÉditeur\tVersion",
        '"sep=;"\nAnwendungsname;Hersteller;Version'.replace('"', ""),
        "应用名称,发布者,版本",
    ],
)
def test_headings_of_many_reports(heading: str) -> None:
    delimiter = next(one for one in "\t;," if one in heading.splitlines()[-1])
    data = f"{heading}\n" + delimiter.join(("Kaspersky Free", "Kaspersky", "21")) + "\n"
    for encoded in (data.encode(), data.encode("utf-8-sig"), data.encode("utf-16")):
        found = one(encoded, "ws-17.csv")
        (item,) = found.items
        assert (found.host.name, item.name, item.vendor, item.version) == ("ws-17", "Kaspersky Free", "Kaspersky", "21")


def test_configuration_manager() -> None:
    data = (
        "Computer Name,Product Name,Publisher,Version,ProductCode0,UninstallString0,InstalledLocation0\n"
        'WS-1,"Kaspersky ""Free""",Kaspersky,21,{90120000-0010-0409-0000-0000000FF1CE},MsiExec.exe /X{9},C:\\P\n'
    )
    (item,) = one(data.encode()).items
    assert item.name == 'Kaspersky "Free"'
    assert item.ids == {"product_code": "{90120000-0010-0409-0000-0000000FF1CE}"}
    assert (item.details["uninstall"], item.path) == ("MsiExec.exe /X{9}", "C:\\P")


def test_code_page_of_windows_and_short_rows() -> None:
    data = "DeviceName,ApplicationName,Publisher,Version\nWS,Büro,Müller\nWS\n".encode("cp1252")
    found = one(data)
    assert [(item.name, item.vendor, item.version) for item in found.items] == [("Büro", "Müller", "")]
    assert found.runs[0].left_out == {"damaged": 1}


def test_foreign_and_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no inventory of a known kind" in broken(b"a,b,c\n1,2,3\n").why
    monkeypatch.setattr("phaseout.inventories.software_list._MOST", 2)
    assert "different programs" in broken(INTUNE.replace("Bob", "Eve").encode()).why
    assert broken(b"Product Name,Publisher\nx," + b"y" * 100_000 + b"\n").why
