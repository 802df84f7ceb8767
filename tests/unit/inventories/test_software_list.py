"""CSV of discovered apps and installed software, in its many spellings."""

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.inventories.delimited import Heading, table
from phaseout.inventories.document import Document
from phaseout.model.nouns import Inventory, Problem

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
    assert (phone.host.platform, [(item.kind, item.name) for item in phone.items]) == ("ios", [("app", "TikTok")])
    assert "app" not in phone.unseen[-1].kinds
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
        "Programnamn;Utgivare;Version",
        "Programnavn;Udgiver;Programversion",
        "Sovelluksen nimi;Julkaisija;Sovelluksen versio",
        "Název aplikace;Vydavatel;Verze aplikace",
        "Alkalmazás neve;Közzétevő;Alkalmazás verziója",
        "애플리케이션 이름,게시자,버전",
        "Nome do aplicativo,Editor,Versão do aplicativo",
        "Details_Table0_ProductName,Details_Table0_Publisher0,Details_Table0_ProductVersion",
        "Name,Vendor,Version",
        "#TYPE Selected.System.Management.Automation.PSCustomObject\nDisplayName,Publisher,DisplayVersion",
        "All software\n\nCollection: All Systems\nProduct Name,Publisher,Version",
    ],
)
def test_headings_of_many_reports(heading: str) -> None:
    delimiter = next(one for one in "\t;," if one in heading.splitlines()[-1])
    data = f"{heading}\n" + delimiter.join(("Kaspersky Free", "Kaspersky", "21")) + "\n"
    for encoded in (data.encode(), data.encode("utf-8-sig"), data.encode("utf-16"), data.encode("utf-16-be")):
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
    assert "needs headings such as ApplicationName" in broken(b"a,b,c\n1,2,3\n").why
    monkeypatch.setattr("phaseout.inventories.software_list._MOST", 2)
    assert "different programs" in broken(INTUNE.replace("Bob", "Eve").encode()).why


ROWS = "ApplicationName,ApplicationPublisher,ApplicationVersion,DeviceName,Platform\n"


def programs(rows: str) -> dict[str, list[tuple[str, str, str]]]:
    hosts = [one for one in read_bytes((ROWS + rows).encode(), "apps.csv") if isinstance(one, Inventory)]
    return {host.host.name: [(item.name, item.vendor, item.version) for item in host.items] for host in hosts}


@pytest.mark.parametrize(
    ("row", "name", "vendor"),
    [
        ("Free, for Windows,AO Kaspersky Lab,1.2,PC-1,Windows", "Free, for Windows", "AO Kaspersky Lab"),
        ("Reader,Foo, Inc.,1.2,PC-1,Windows", "Reader", "Foo, Inc."),
        ("A, B, C,Foo, Inc.,1.2,PC-1,Windows", "A, B, C", "Foo, Inc."),
        ("Free,for Windows,Kaspersky,1.2,PC-1,Windows", "Free,for Windows", "Kaspersky"),
        ('19" Monitor Tool,Foo,1.2,PC-1,Windows', '19" Monitor Tool', "Foo"),
        ('"Free" edition,Foo,1.2,PC-1,Windows', "Free edition", "Foo"),
        ('"Free\nedition",Foo,1.2,PC-1,Windows', "Free\nedition", "Foo"),
        ("Reader,Foo,1.2,PC-1,Windows,,", "Reader", "Foo"),
    ],
)
def test_delimiters_and_quotes_out_of_place(row: str, name: str, vendor: str) -> None:
    assert programs(f"{row}\nlast,Bar,2,PC-1,Windows\n") == {"PC-1": [(name, vendor, "1.2"), ("last", "Bar", "2")]}


def test_a_row_that_was_put_together_is_said() -> None:
    (found,) = read_bytes((ROWS + "Free, for Windows,AO Kaspersky Lab,1.2,PC-1,Windows\n").encode(), "apps.csv")
    assert isinstance(found, Inventory)
    assert found.runs[0].status == "partial"
    assert (found.runs[0].problems[0].where, found.runs[0].problems[0].why) == (
        "apps.csv:2",
        "6 fields under 5 headings",
    )


def test_rows_of_no_known_device_are_counted_at_every_device() -> None:
    rows = "a,b,c,d,e,f,g,h\nReader,Foo,1,,Windows\nReader,Foo,1,PC-1,Windows\n"
    (found,) = read_bytes((ROWS + rows).encode(), "apps.csv")
    assert isinstance(found, Inventory)
    assert [item.name for item in found.items] == ["Reader"]
    assert "2 rows without a device, which may be of any; the first is apps.csv:2" in found.unseen[0].why
    assert (
        "1 row not readable, the first is apps.csv:2" in broken((ROWS + "a,b,c,d,e,f,g,h\n").encode(), "apps.csv").why
    )


def test_an_open_quote_costs_its_own_line() -> None:
    rows = '"Free,Kaspersky,1,PC-1,Windows\n' + "".join(f"App {n},Foo,1,PC-1,Windows\n" for n in range(300))
    found = programs(rows)["PC-1"]
    assert len(found) == 301
    assert ("Free", "Kaspersky", "1") in found


def test_machines_that_share_a_name_are_told_apart_by_their_ids() -> None:
    data = (
        "DeviceId,DeviceName,SerialNumber,ApplicationName,ApplicationPublisher,Ownership,Platform\n"
        "0f1e2d3c-0000-4000-8000-0123456789ab,PC1,PF3ABC12,A,X,Company,Windows\n"
        "0f1e2d3c-0000-4000-8000-0123456789ac,PC1,PF3ABC13,B,X,Company,Windows\n"
        ",,PF3ABC14,C,X,Company,Windows\n"
        "0f1e2d3c-0000-4000-8000-0123456789ad,Phone,,TikTok,ByteDance,Personal,Android\n"
    )
    found = [one for one in read_bytes(data.encode()) if isinstance(one, Inventory)]
    assert [(one.host.name, [item.name for item in one.items]) for one in found] == [
        ("PC1", ["A"]),
        ("PC1", ["B"]),
        ("PF3ABC14", ["C"]),
        ("Phone", []),
    ]
    assert len({one.host.identity for one in found}) == 4
    phone = found[-1]
    assert phone.runs[0].left_out == {"an app on a personal phone or tablet": 1}
    assert any(one.cause == "not_asked" for one in phone.unseen)


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from('ab",; \n\r\t0.')))
def test_every_line_is_accounted_for(body: str) -> None:
    heading = Heading(",", ("ApplicationName", "Publisher"))
    document = Document(io.BytesIO(b"ApplicationName,Publisher\n" + body.encode()), "x")
    found = table(document, lambda one: one == heading)
    assert found is not None
    said = "".join("".join(row.fields) for row in found[1])
    kept = [char for char in body if char in "ab0."]
    assert sorted(char for char in said if char in "ab0.") == sorted(kept)


KSC = "Имя\tТип операционной системы\tДомен\tВерсия Агента администрирования\tВерсия защиты\r\n"


def test_devices_of_kaspersky_security_center() -> None:
    """The headings are those of a table that somebody imported such an export into; the rows are ours."""
    rows = "PC-1\tMicrosoft Windows 10\tD\t14.2.0.26967\t12.1.0.506\r\nPC-2\tMicrosoft Windows 10\tD\t\t\r\n"
    managed, other = read_bytes((KSC + rows).encode("utf-16"), "ksc.csv")
    assert isinstance(managed, Inventory)
    assert isinstance(other, Inventory)
    assert [(item.name, item.vendor, item.version) for item in managed.items] == [
        ("Kaspersky Security Center Network Agent", "Kaspersky", "14.2.0.26967"),
        ("Kaspersky security application", "Kaspersky", "12.1.0.506"),
    ]
    assert (other.host.name, other.items, other.runs[0].left_out) == ("PC-2", (), {})
    assert other.unseen


def test_versions_report_of_kaspersky_security_center() -> None:
    data = (
        "Отчет о версиях программ\n\nГруппа;Устройство;Программа;Номер версии\n"
        "Серверы;PC-1;Kaspersky Endpoint Security для Windows;12.1.0.506\n"
    )
    found = one(data.encode())
    assert (found.host.name, found.items[0].name, found.items[0].version) == (
        "PC-1",
        "Kaspersky Endpoint Security для Windows",
        "12.1.0.506",
    )


SSRS = (
    '<?xml version="1.0" encoding="utf-8"?><Report Name="R"><Table0><Detail_Collection>'
    '<Detail Details_Table0_Netbios_Name0="WS-1" Details_Table0_ProductName="Free" Details_Table0_Publisher0="Foo"'
    ' Details_Table0_ProductVersion="21"/></Detail_Collection></Table0></Report>'
)
ELEMENTS = (
    "<Rows><Row><ComputerName>WS-1</ComputerName><ProductName>Free</ProductName><Publisher>Foo</Publisher>"
    "<Version>21</Version></Row></Rows>"
)
PROPERTIES = (
    '<Objects><Object><Property Name="PSComputerName">WS-1</Property><Property Name="DisplayName">Free</Property>'
    '<Property Name="Publisher">Foo</Property><Property Name="DisplayVersion">21</Property></Object></Objects>'
)
SHEET = (
    '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"'
    ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table>'
    "<Row><Cell><Data>Software</Data></Cell></Row>"
    "<Row>"
    + "".join(f"<Cell><Data>{name}</Data></Cell>" for name in ("Group", "Device", "Application"))
    + "<Cell><Data>Publisher</Data></Cell><Cell><Data>Version number</Data></Cell></Row>"
    '<Row><Cell ss:Index="2"><Data>WS-1</Data></Cell><Cell><Data>Free</Data></Cell><Cell><Data>Foo</Data></Cell>'
    "<Cell><Data>21</Data></Cell></Row></Table></Worksheet></Workbook>"
)


@pytest.mark.parametrize(
    "data",
    [
        SSRS,
        ELEMENTS,
        PROPERTIES,
        SHEET,
        '[{"DeviceName": "WS-1", "ApplicationName": "Free", "Publisher": "Foo", "Version": 21}]',
        '[\n {"DeviceName": "WS-1", "ApplicationName": "Free",\n "Publisher": "Foo", "Version": "21"}\n]',
        '{"Count": 1, "values": [{"DeviceName": "WS-1", "AppName": "Free", "Publisher": "Foo", "Version": "21"}]}',
    ],
)
def test_the_same_list_as_xml_and_json(data: str) -> None:
    for encoded in (data.encode(), data.encode("utf-16")):
        found = one(encoded, "list.xml")
        (item,) = found.items
        assert (found.host.name, item.name, item.vendor, item.version) == ("WS-1", "Free", "Foo", "21")
        assert found.runs[0].status == "ok"


def test_products_that_an_api_of_kaspersky_wraps() -> None:
    product = '{"type": "params", "value": {"DisplayName": "KES", "ProdVersion": "12"}}'
    products = f'{{"KES": {{"type": "params", "value": {{"11.0": {product}}}}}}}'
    found = one(f'{{"PxgRetVal": {products}}}'.encode(), "pc-9.json")
    assert [(item.name, item.version) for item in found.items] == [("KES", "12")]
    listed = '[{"type": "params", "value": {"DisplayName": "VPN ", "DisplayVersion": "2", "Publisher": "K"}}]'
    found = one(f'{{"PxgRetVal": {{"GNRL_EA_PARAM_1": {listed}}}}}'.encode(), "pc-9.json")
    assert [(item.name, item.vendor, item.version) for item in found.items] == [("VPN", "K", "2")]


def test_xml_that_is_cut_off_keeps_what_there_is() -> None:
    found = one(ELEMENTS.removesuffix("</Rows>").encode(), "list.xml")
    assert (found.items[0].name, found.runs[0].status) == ("Free", "partial")


def test_a_list_without_the_headings_that_are_needed() -> None:
    assert "needs headings such as ApplicationName" in broken(b"a;b;c\n1;2;3\n", "x.csv").why
    assert "no inventory of a known kind" in broken(b'{"name": "left-pad", "version": "1.0", "files": []}').why


def test_a_file_of_damaged_rows_is_given_up() -> None:
    rows = "1,,x,1,WS-1,10.0,Windows,Ada\r\n" * 10_002
    heading = INTUNE.splitlines(keepends=True)[0]
    assert "more than 10,000 rows are damaged" in broken((heading + rows).encode(), "x.csv").why
    whole = "".join(f"1,p{number},x,1,WS-1,10.0,Windows,Ada\r\n" for number in range(10_003))
    assert len(one((heading + whole + rows).encode()).items) == 10_003


@pytest.mark.parametrize(
    ("row", "found", "why"),
    [
        ("Rea\0der,Foo,1,PC-1,Windows\n", {"Reader"}, "x.csv:3: zero bytes in it"),
        ("\0" * 4096 + "\n", set(), "1 row without a device, which may be of any; the first is x.csv:3"),
        ("Reader,Foo,1,PC-1,Windows\rViewer,Foo,1,PC-1,Windows\n", {"Reader", "Viewer"}, ""),
        ("\ufeff" + ROWS, set(), ""),  # where two lists were joined
        ("\x1a\n", set(), ""),  # the end of a file of DOS
    ],
)
def test_what_is_wrong_with_a_row_costs_that_row(row: str, found: set[str], why: str) -> None:
    data = f"{ROWS}first,Bar,2,PC-1,Windows\n{row}last,Bar,2,PC-1,Windows\n"
    (inventory,) = read_bytes(data.encode(), "x.csv")
    assert isinstance(inventory, Inventory)
    assert {item.name for item in inventory.items} == {"first", "last"} | found
    assert (inventory.runs[0].status == "partial") == bool(why)
    assert why in "".join(f"{one.where}: {one.why}" for one in inventory.runs[0].problems)


def test_zero_bytes_at_the_beginning_make_no_other_encoding_of_it() -> None:
    (found,) = read_bytes((f"{ROWS}Rea\0der,Foo,1,PC-1,Windows\n").encode(), "x.csv")
    assert isinstance(found, Inventory)
    assert [item.name for item in found.items] == ["Reader"]
    everywhere = f"{ROWS}" + "Rea\0der,Foo,1,PC-1,Windows.\n" * 60  # in every other place
    assert len(everywhere.partition("\n")[2].partition("\n")[0]) % 2
    (found,) = read_bytes(everywhere.encode(), "x.csv")
    assert isinstance(found, Inventory)
    assert len(found.items) == 60
    without_mark = f"{ROWS}リーダー,会社,1,PC-1,Windows\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        assert one(without_mark.encode(encoding), "x.csv").items[0].name == "リーダー"


def test_lines_that_carriage_returns_end_are_counted() -> None:
    data = (ROWS + "".join(f"App {n},Foo,1,PC-1,Windows\n" for n in range(50))).replace("\n", "\r")
    found = one(data.encode(), "x.csv")
    assert {item.evidence[0].where: item.name for item in found.items} == {
        f"x.csv:{n + 2}": f"App {n}" for n in range(50)
    }


def test_a_line_that_is_too_long_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.inventories.document.WHOLE", 1 << 20)
    rows = "Reader,Foo,1,PC-1,Windows\n", f"{'x' * (2 << 20)},Foo,1,PC-1,Windows\n", "Viewer,Foo,1,PC-1,Windows\n"
    inventory, problem = read_bytes((ROWS + "".join(rows)).encode(), "x.csv")
    assert isinstance(inventory, Inventory)
    assert isinstance(problem, Problem)
    assert [(item.name, item.evidence[0].where) for item in inventory.items] == [
        ("Reader", "x.csv:2"),
        ("Viewer", "x.csv:4"),
    ]
    assert (problem.where, problem.cause) == ("x.csv:3", "limit")


@pytest.mark.parametrize(
    ("pack", "end", "tail", "least"),
    [
        (gzip.compress, 0.5, b"", 150),
        (zlib.compress, 0.5, b"", 150),
        (gzip.compress, 1, b"junk", 400),
        (gzip.compress, 1, gzip.compress(b"more", mtime=0)[:-6], 400),
    ],
)
def test_of_a_packed_list_that_is_damaged_the_rows_before_the_fault_are_read(
    pack: Callable[[bytes], bytes], end: float, tail: bytes, least: int
) -> None:
    chance = random.Random(7)
    lines = [f"App {chance.getrandbits(64)},Foo,{number},PC-1,Windows\n" for number in range(400)]
    packed = pack((ROWS + "".join(lines)).encode())
    found, *_, problem = read_bytes(packed[: int(len(packed) * end)] + tail, "x.csv")
    assert isinstance(found, Inventory)
    assert isinstance(problem, Problem)
    assert "damaged gzip or zlib data" in problem.why
    assert len({item.name for item in found.items}) >= least


def test_a_flood_of_blank_lines_ends_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.inventories.document._BLANK", 100)
    row = "Reader,Foo,1,PC-1,Windows\n"
    found, problem = read_bytes((ROWS + row + "\n" * 101 + row).encode(), "x.csv")
    assert isinstance(found, Inventory)
    assert isinstance(problem, Problem)
    assert len(found.items) == 1
    assert (problem.where, problem.cause) == ("x.csv:103", "limit")


@pytest.mark.parametrize("at", [-1, -5])
def test_a_wrong_check_sum_costs_no_row(at: int) -> None:
    packed = bytearray(gzip.compress((ROWS + "Reader,Foo,1,PC-1,Windows\n").encode()))
    packed[at] ^= 1
    found, problem = read_bytes(bytes(packed), "x.csv")
    assert isinstance(found, Inventory)
    assert isinstance(problem, Problem)
    assert [item.name for item in found.items] == ["Reader"]
    assert "damaged gzip or zlib data" in problem.why


def test_members_of_gzip_follow_each_other_and_may_be_padded() -> None:
    rows = [f"App {n},Foo,1,PC-1,Windows\n" for n in range(3)]
    packed = b"".join(gzip.compress(part.encode()) for part in (ROWS, *rows))
    assert len(one(packed + b"\0" * 512, "x.csv").items) == 3


def test_what_is_no_row_of_a_list_in_json_costs_itself() -> None:
    row = '{"DeviceName":"PC-1","ApplicationName":"%s","ApplicationVersion":"1"}'
    found = one(f"[{row % 'Reader'},5,{row % 'Viewer'}]".encode(), "x.json")
    assert [item.name for item in found.items] == ["Reader", "Viewer"]
    assert "no object where a row should be" in found.runs[0].problems[0].why


@pytest.mark.parametrize("wrong", [b"\xff", b"\\ud800", b"\x01", b"\0"])
def test_a_character_that_is_none_costs_itself_in_json(wrong: bytes) -> None:
    row = b'{"DeviceName":"PC-1","ApplicationName":"%s","ApplicationVersion":"1"}'
    pair = b"\\ud83d\\ude00 \\\\ud800"  # of surrogates, and a backslash before letters
    inventory, problem = read_bytes(b"[%s,%s,%s]" % (row % b"Reader", row % (b"a" + wrong), row % pair), "x.json")
    assert isinstance(inventory, Inventory)
    assert isinstance(problem, Problem)
    names = {item.name for item in inventory.items}
    assert {"Reader", "\U0001f600 \\ud800"} < names
    assert len(names) == 3
    assert "no characters" in problem.why


def test_what_macos_adds_to_an_archive_is_no_list() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("apps.csv", "DeviceName,SoftwareVendor,SoftwareName,SoftwareVersion\nPC1,kaspersky,free,21\n")
        archive.writestr("__MACOSX/._apps.csv", b"\0\5\x16\7")
    (item,) = one(packed.getvalue(), "apps.zip").items
    assert (item.name, item.vendor, item.version) == ("free", "kaspersky", "21")
