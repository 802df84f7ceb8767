"""Lists of installed software out of management systems: Intune, Configuration Manager, Kaspersky Security Center.

CSV, JSON (lists of objects) or XML (attributes, elements or cells of a sheet). Columns are recognised by their
headings, in any order and in several languages; reports and views spell them differently (`ApplicationName`,
`Application name`, `ProductName0`, `Details_Table0_ProductName`). Several machines may be in one file, in any order.

References:
    https://learn.microsoft.com/intune/intune-service/fundamentals/reports-export-graph-available-reports
    (AppInvRawData, AppInvByDevice, AppInvAggregate); https://learn.microsoft.com/intune/configmgr/develop/reference/core/clients/client-classes/sms_installedsoftware-client-wmi-class;
    RFC 4180
"""

import functools
import re
import unicodedata
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from phaseout.inventories.delimited import Heading, Row, heading_of, table
from phaseout.inventories.device_apps import App, Device, device_inventory, is_personal, kaspersky_agents
from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document, Members
from phaseout.inventories.inventory_builder import Rows, platform_of, text
from phaseout.model.counting import counted
from phaseout.model.nouns import Inventory, Problem
from phaseout.parsers.encodings.xml_elements import elements

_MOST = 1_000_000  # different programs; the rows themselves cost eight bytes each
_DAMAGED = 10_000  # rows
_HEADINGS_MOST = 1_000  # columns of a table
_OF_MANY = ("This list is of many devices together and does not say on which of them a program is.",)
# What a heading means, without blanks, punctuation, accents and letter case. English spellings are those of the tools;
# the others are translations as the portals use them in their pages, no export in them was seen.
_SPELLINGS: Mapping[str, str] = {
    "name": """
        applicationname appname application productname arpdisplayname displayname softwarename softwaretitle
        normalizedname discoveredapps discoveredapp programname anwendungsname anwendung produktname anzeigename
        softwareprodukt software nomdelapplication nomdelogiciel nomduproduit nombredelaaplicación nombredeaplicación
        nombredelproducto nomeapplicazione nomedellapplicazione nomeprodotto nomedoaplicativo nomedaaplicação
        toepassingsnaam naamvantoepassing productnaam アプリケーション名 アプリ名 製品名 应用程序名称 应用名称
        應用程式名稱
        названиеприложения имяприложения наименованиепрограммы программа nazwaaplikacji programnamn appnamn
        applikationsnamn programnavn appnavn applikationsnavn sovelluksennimi ohjelmannimi sovellus názevaplikace
        názevproduktu názovaplikácie alkalmazásneve alkalmazásnév terméknév 애플리케이션이름 앱이름 응용프로그램이름
        제품이름
        назвапрограми applicationtitle applicationsdisplayname appfriendlyname""",
    "vendor": """
        applicationpublisher publisher softwarepublisher softwarevendor normalizedpublisher manufacturer vendor
        company vendorname publishername
        herausgeber hersteller anwendungsherausgeber éditeur éditeurdelapplication editor editordelaaplicación
        editordoaplicativo fabricante autore editore fornecedor uitgever uitgevervantoepassing 発行元 公開元 製造元
        发布者
        發行者 издатель издательприложения производитель wydawca wydawcaaplikacji producent utgivare programutgivare
        tillverkare leverantör udgiver leverandør utgiver produsent julkaisija valmistaja toimittaja vydavatel výrobce
        vydavateľ výrobca közzétevő kiadó gyártó 게시자 제조업체 공급업체 видавець""",
    "version": """
        applicationversion productversion version normalizedversion softwareversion appversion displayversion
        applicationshortversion applicationsversionname versionnumber prodversion
        anwendungsversion produktversion versión versione versão versie versiondelapplication
        versióndelaaplicación versionedellapplicazione versioneapplicazione versãodoaplicativo versãodaaplicação
        toepassingsversie バージョン アプリケーションのバージョン アプリのバージョン 版本 应用程序版本 應用程式版本
        версия версияприложения
        номерверсии wersja wersjaaplikacji programversion versjon programversjon appversjon versio sovelluksenversio
        sovellusversio verze verzeaplikace verzia verziaaplikácie verzió alkalmazásverzió alkalmazásverziója
        verziószám 버전 애플리케이션버전 앱버전 uygulamaü версія""",
    "device": """
        devicename device computername netbios computer machinename netbiosname resourcename systemname pscomputername
        hostname host gerätename gerät nomdelappareil nomdelordinateur nombredeldispositivo nombrededispositivo
        nomedispositivo nomedeldispositivo nomedodispositivo nomedocomputador apparaatnaam デバイス名 コンピューター名
        设备名称
        裝置名稱 имяустройства устройство имякомпьютера nazwaurządzenia enhetsnamn enhet datornamn enhedsnavn enhed
        computernavn enhetsnavn laitteennimi laite tietokoneennimi názevzařízení zařízení názevpočítače
        názovzariadenia eszköznév eszközneve eszköz számítógépnév 장치이름 디바이스이름 컴퓨터이름
        імяпристрою devicefriendlyname friendlyname displayedname""",
    "platform": """
        platform plattform plateforme plataforma piattaforma operatingsystem osdescription platforma 平台
        プラットフォーム
        платформа типоперационнойсистемы ympäristö käyttöjärjestelmä 플랫폼 deviceplatform os""",
    "os_version": "osversion betriebssystemversion versiondusystèmedexploitation",
    "user": "username userprincipalname upn emailaddress primaryuser benutzername registereduser",
    "code": "productcode softwarecode productid identifyingnumber",
    "bundle": """
        bundleid bundleidentifier packagename applicationspackagename packageid apppackageid appidentifier
        applicationidentifier""",
    "path": "installedlocation installlocation installationfolder",
    "uninstall": "uninstallstring",
    "installed": "installdate",
    "device_id": "deviceid intunedeviceid deviceguid udid resourceid",
    "serial": "serialnumber deviceserialnumber hardwareserial",
    "ownership": "ownership deviceownership ownertype manageddeviceownertype deviceownershiplevel deviceownershiptype",
    "count": "devicecount installcount",
    # Of the list of devices of Kaspersky Security Center: a version of these means that the program is there.
    "agent": "версияагентаадминистрирования networkagentversion",
    "protection": "версиязащиты protectionversion версияпрограммыбезопасности",
}
# A column that is only called this is the program where nothing else names one, and else the machine.
_PLAIN = (
    "name",
    "nom",
    "nombre",
    "nome",
    "naam",
    "名称",
    "名前",
    "имя",
    "nazwa",
    "namn",
    "navn",
    "nimi",
    "název",
    "이름",
)
_TABLE = re.compile(r"(?i)^details?_table\d*_")
NEEDED = (
    "a list of programs needs headings such as ApplicationName (or Product Name, DisplayName), ApplicationPublisher "
    "(or Publisher, Vendor), ApplicationVersion (or Version), DeviceName (or Computer Name)"
)
_VERSION = re.compile(r"[vV]?\d[\w.+~:() -]*|")
_LARGEST = 64 << 20  # bytes of XML
_ELEMENTS = 2_000_000
_DEPTH = 8  # of JSON around the rows
_SNIFFED = 3  # members and rows by which JSON is recognised, at each depth

_Columns = dict[str, int]


class _Line(NamedTuple):
    """One row of the list, whatever it was written in.

    Attributes:
        number: of its line or row.
        columns: the meanings that its headings have.
        values: what stands under them.
        wrong: what was wrong with it, in words.
    """

    number: int
    columns: Collection[str]
    values: Mapping[str, str]
    wrong: str = ""


class _Listed:
    """A machine of the list, with its programs by number, each before the row it stands in. There may be very many."""

    __slots__ = ("_rows", "about", "programs")

    def __init__(self, about: Device) -> None:
        self.about = about
        self.programs = array("I")
        self._rows: Rows | None = None

    @property
    def rows(self) -> Rows:
        """What was wrong with its rows, and its items."""
        if self._rows is None:
            self._rows = Rows("discovered apps")
        return self._rows


def fits(document: Document) -> bool:
    """A heading for the name, and one for the vendor, the version or the device, within the first lines."""
    start = document.start.lstrip()
    if start.startswith(b"<"):
        return len(document.whole()) <= _LARGEST and next(_xml_rows(document.whole()), None) is not None
    if start[:1] in (b"{", b"["):
        members = document.members()
        return bool(members) and _sniffed(members, start[:1] == b"[", _DEPTH)
    return heading_of(document, _known) is not None


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each device, in the order of their names; one for the file where it names none."""
    lines, place = _lines(document)
    programs: dict[App, int] = {}
    devices: dict[tuple[str, str], _Listed] = {}
    first_lost, lost = "", 0  # rows of which no device is known
    nameless, taken = 0, 0
    for line in lines:
        where = f"{document.name}{place}{line.number}"
        values = line.values
        if lost + nameless > max(_DAMAGED, taken):  # or millions of rows that say nothing would take minutes
            raise BrokenError(where, f"more than {_DAMAGED:,} rows are damaged, and more than are not", "damaged")
        if (not values and line.wrong) or ("device" in line.columns and not _named(values)):
            first_lost = first_lost or f"{where}: {line.wrong or 'no device is named'}"
            lost += 1
            continue
        device = _device(document, devices, line)
        if line.wrong:
            device.rows.problem(Problem(where, line.wrong, "damaged"))
        apps = list(_apps(line))
        if not apps and "name" in line.columns:
            device.rows.damaged(where, "a row without the name of an application")
            nameless += 1
        for app in apps:
            taken += 1
            if len(programs) >= _MOST and app not in programs:
                raise BrokenError(where, f"more than {_MOST:,} different programs", "limit")
            device.programs.extend((programs.setdefault(app, len(programs)), line.number))
    if lost and not devices:
        yield Problem(document.name, f"{counted(lost, 'row')} not readable, the first is {first_lost}", "damaged")
    listed = list(programs)
    programs.clear()  # tens of megabytes, where there are hundreds of thousands
    for key in sorted(devices):
        device = devices.pop(key)
        if lost:
            why = f"{counted(lost, 'row')} without a device, which may be of any; the first is {first_lost}"
            device.rows.problem(Problem(document.name, why, "damaged"))
        yield device_inventory(
            device.about,
            "list of discovered apps",
            "",
            device.rows,
            (
                (f"{document.name}{place}{line}", listed[number])
                for number, line in zip(device.programs[::2], device.programs[1::2], strict=True)
            ),
            personal_apps=document.personal_apps,
        )


def _lines(document: Document) -> tuple[Iterator[_Line], str]:
    """The rows, and what stands between the name of the file and the number of a row."""
    start = document.start.lstrip()
    if start.startswith(b"<"):
        return _xml_lines(document), ": row "
    if start[:1] in (b"{", b"["):
        return _json_lines(document), ": row "
    found = table(document, _known)
    if found is None:
        raise BrokenError(document.name, NEEDED)
    heading, rows = found
    return _csv_lines(heading, rows), ":"


def _csv_lines(heading: Heading, rows: Iterator[Row]) -> Iterator[_Line]:
    columns = _columns(heading.names)
    for row in rows:
        fields = row.fields if len(row.fields) <= len(heading.names) else _put_together(row.fields, columns, heading)
        values = {meaning: text(fields[at]) for meaning, at in columns.items() if at < len(fields)}
        yield _Line(row.line, columns, values, row.wrong)


def _json_lines(document: Document) -> Iterator[_Line]:
    number = 0
    for where, raw in document.values(lists=True):
        try:
            value = msgspec.json.decode(raw)
        except JSON_ERRORS as error:
            raise BrokenError(where, f"no JSON: {error}") from error
        for row in _json_rows(value, in_list=False, depth=_DEPTH):
            number += 1
            yield _named_fields(number, row) if row else _Line(number, (), {}, "no object where a row should be")


def _json_rows(value: Any, *, in_list: bool, depth: int) -> Iterator[Mapping[str, Any]]:
    """The objects in lists, or in a `value`, whose members are headings of programs."""
    if isinstance(value, dict):
        if in_list and _columns(tuple(value), strict=True):
            yield value
        elif depth:
            for name, inner in value.items():
                yield from _json_rows(inner, in_list=name == "value", depth=depth - 1)
    elif isinstance(value, list) and depth:
        of_rows = any(isinstance(inner, dict) and _columns(tuple(inner), strict=True) for inner in value[:_SNIFFED])
        for inner in value:
            if of_rows and not isinstance(inner, dict):
                yield {}
            yield from _json_rows(inner, in_list=True, depth=depth - 1)


def _sniffed(members: Members, in_list: bool, depth: int) -> bool:
    """Whether there is such a row among the first values, without decoding the others."""
    if in_list and _columns(tuple(members), strict=True):
        return True
    for name, raw in list(members.items())[:_SNIFFED] if depth else ():
        first = bytes(raw).lstrip()[:1]
        try:
            values = msgspec.json.decode(raw, type=list[msgspec.Raw]) if first == b"[" else [raw]
            for value in values[:_SNIFFED] if first in (b"[", b"{") else ():
                inner = msgspec.json.decode(value, type=Members)
                if _sniffed(inner, first == b"[" or name == "value", depth - 1):
                    return True
        except JSON_ERRORS:
            continue
    return False


def _xml_lines(document: Document) -> Iterator[_Line]:
    data = document.whole()
    if len(data) > _LARGEST:
        raise BrokenError(document.name, f"larger than {_LARGEST >> 20} MiB of XML", "limit")
    number = 0
    try:
        for row in _xml_rows(data):
            number += 1
            yield _named_fields(number, row)
    except ValueError as error:
        yield _Line(number + 1, ("device",), {}, f"cut off or damaged: {error}")


def _xml_rows(data: bytes) -> Iterator[Mapping[str, str]]:
    """Rows in attributes, in child elements, or in cells under a row of headings (SpreadsheetML).

    Raises:
        ValueError: it is no XML, or ends early.
    """
    children: dict[int, dict[str, str]] = {}  # by depth: the texts of the elements whose parent has not ended
    cells: list[str] = []
    headings: list[str] = []
    for element in elements(data, _ELEMENTS):
        depth, name = element.path.count("/"), element.path.rpartition("/")[2]
        own = children.pop(depth + 1, {})
        attributes = {key.rpartition(":")[2]: value for key, value in element.attributes.items()}
        if name == "Cell":
            index = attributes.get("Index", "")
            missing = int(index) - 1 - len(cells) if index.isdigit() and len(index) < 4 else 0
            cells.extend("" for _ in range(missing))
            cells.append(own.get("Data", element.text))
        elif name == "Row" and cells:
            if headings:
                yield dict(zip(headings, cells, strict=False))
            elif _columns(cells):
                headings = cells
            cells = []
        elif _columns(tuple(row := {**attributes, **own})):
            yield row
        else:
            children.setdefault(depth, {})[attributes.get("Name") or attributes.get("N") or name] = element.text


def _named_fields(number: int, row: Mapping[str, Any]) -> _Line:
    names = tuple(row)
    columns = _columns(names)
    return _Line(number, columns, {meaning: text(row[names[at]]) for meaning, at in columns.items()})


def _device(document: Document, devices: dict[tuple[str, str], _Listed], line: _Line) -> _Listed:
    """The device of a row; of those that share a name, each is one of its own if the list gives them ids."""
    values = line.values
    name = _named(values) or document.stem
    key = (name.casefold(), values.get("device_id", "") or values.get("serial", ""))
    device = devices.get(key)
    owner = values.get("ownership", "")
    if device is None:
        device = devices[key] = _Listed(
            Device(
                name=name,
                system=values.get("platform", ""),
                os_version=values.get("os_version", ""),
                device_id=values.get("device_id", ""),
                serial=values.get("serial", ""),
                owner=owner,
                notes=_OF_MANY if "device" not in line.columns and "count" in line.columns else (),
            )
        )
    elif is_personal(owner):  # one row that says so is enough
        device.about = device.about._replace(owner=owner)
    return device


def _named(values: Mapping[str, str]) -> str:
    """What a device is called: its name, or else what tells it from others."""
    return values.get("device", "") or values.get("serial", "") or values.get("device_id", "")


def _apps(line: _Line) -> Iterator[App]:
    """The program of a row; in Kaspersky's list of devices, those that its columns of versions stand for."""
    values = line.values
    if "name" not in line.columns:
        yield from kaspersky_agents(values.get("agent", ""), values.get("protection", ""))
    elif values.get("name"):
        yield App(**{field: values.get(field, "") for field in App._fields})


def _known(heading: Heading) -> bool:
    return bool(_columns(heading.names))


@functools.lru_cache(maxsize=64)
def _cached_columns(names: tuple[str, ...], strict: bool) -> _Columns:
    plain = [_plain(name) for name in names]
    columns: _Columns = {}
    for meaning, spellings in _HEADINGS.items():
        at = next((plain.index(spelling) for spelling in spellings if spelling in plain), None)
        if at is not None:
            columns[meaning] = at
    if strict and "name" not in columns:
        return {}
    agents = columns.keys() & {"agent", "protection"} and "name" not in columns
    name = next((plain.index(spelling) for spelling in _PLAIN_NAMES if spelling in plain), None)
    if name is not None:
        columns.setdefault("device" if agents or "name" in columns else "name", name)
    known = columns.keys()
    if agents and "device" in known:
        return columns
    return columns if "name" in known and known & {"vendor", "version"} else {}


def _columns(names: Sequence[str], *, strict: bool = False) -> _Columns:
    """Meaning → column; empty where these are no headings of programs.

    Args:
        names: the headings.
        strict: whether a heading must say more than "name", as in JSON, where everything has one.
    """
    return _cached_columns(tuple(names), strict) if len(names) <= _HEADINGS_MOST else {}


def _plain(heading: str) -> str:
    """Letters and digits in small letters, without accents, the table of a report, and the `0` of a view's column."""
    folded = unicodedata.normalize("NFKD", _TABLE.sub("", heading).casefold())
    return "".join(char for char in folded if char.isalnum()).removesuffix("0")


_PLAIN_NAMES = tuple(map(_plain, _PLAIN))
_HEADINGS = {meaning: tuple(map(_plain, spellings.split())) for meaning, spellings in _SPELLINGS.items()}


def _put_together(fields: list[str], columns: Mapping[str, int], heading: Heading) -> list[str]:
    """The fields of a row in which a name has delimiters without quotes; empty if they fit in several ways.

    A version looks like one, and what follows it tells where the name ends.
    """
    more = len(fields) - len(heading.names)
    fitting: list[list[str]] = []
    for meaning in ("name", "vendor"):
        at = columns.get(meaning)
        if at is None or at + more >= len(fields):
            continue
        joined = [*fields[:at], heading.delimiter.join(fields[at : at + more + 1]), *fields[at + more + 1 :]]
        version, platform = columns.get("version"), columns.get("platform")
        versioned = version is None or _VERSION.fullmatch(joined[version].strip())
        if versioned and (platform is None or not joined[platform] or platform_of(joined[platform])):
            fitting.append(joined)
    others = [at for meaning, at in columns.items() if meaning not in ("name", "vendor")]
    same = all([one[at] for at in others] == [fitting[0][at] for at in others] for one in fitting)
    return fitting[0] if fitting and same and "version" in columns else []
