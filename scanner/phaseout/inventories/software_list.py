"""CSV of installed software out of management systems: Intune's discovered apps, Configuration Manager's software.

Columns are recognised by their headings, in any order and in several languages; reports and views spell them
differently (`ApplicationName`, `Application name`, `ProductName0`, `Details_Table0_ProductName`). Several machines may
be in one file, in any order.

References:
    https://learn.microsoft.com/intune/intune-service/fundamentals/reports-export-graph-available-reports
    (AppInvRawData, AppInvByDevice, AppInvAggregate); https://learn.microsoft.com/intune/configmgr/develop/reference/core/clients/client-classes/sms_installedsoftware-client-wmi-class;
    RFC 4180
"""

import re
import unicodedata
from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from phaseout.inventories.delimited import Heading, heading_of, table
from phaseout.inventories.document import BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, platform_of, text
from phaseout.model.nouns import Evidence, HostInfo, IdType, Inventory, Item, Kind, Platform, Problem, Unseen
from phaseout.parsers.encodings.identity import identities
from phaseout.parsers.windows.packed_guid import guid

_LIMITS = "a list of discovered apps has installed programs only, and those that were reported in time"
_PHONE_LIMITS = "a phone or tablet tells its management system of its apps only, a personal one of managed apps only"
_MOST = 1_000_000  # different programs; the rows themselves cost eight bytes each
_PHONES: frozenset[Platform] = frozenset(("android", "ios"))
# What a heading means, without blanks, punctuation, accents and letter case. English spellings are those of the tools;
# the others are translations as the portals use them in their pages, no export in them was seen.
_SPELLINGS: Mapping[str, str] = {
    "name": """
        applicationname appname application productname arpdisplayname displayname softwarename softwaretitle
        normalizedname discoveredapps discoveredapp programname anwendungsname anwendung produktname anzeigename
        softwareprodukt nomdelapplication nomdelogiciel nomduproduit nombredelaaplicación nombredeaplicación
        nombredelproducto nomeapplicazione nomedellapplicazione nomeprodotto nomedoaplicativo nomedaaplicação
        toepassingsnaam naamvantoepassing productnaam アプリケーション名 アプリ名 製品名 应用程序名称 应用名称
        應用程式名稱
        названиеприложения имяприложения наименованиепрограммы программа nazwaaplikacji programnamn appnamn
        applikationsnamn programnavn appnavn applikationsnavn sovelluksennimi ohjelmannimi sovellus názevaplikace
        názevproduktu názovaplikácie alkalmazásneve alkalmazásnév terméknév 애플리케이션이름 앱이름 응용프로그램이름
        제품이름
        назвапрограми""",
    "vendor": """
        applicationpublisher publisher normalizedpublisher manufacturer vendor company vendorname publishername
        herausgeber hersteller anwendungsherausgeber éditeur éditeurdelapplication editor editordelaaplicación
        editordoaplicativo fabricante autore editore fornecedor uitgever uitgevervantoepassing 発行元 公開元 製造元
        发布者
        發行者 издатель издательприложения производитель wydawca wydawcaaplikacji producent utgivare programutgivare
        tillverkare leverantör udgiver leverandør utgiver produsent julkaisija valmistaja toimittaja vydavatel výrobce
        vydavateľ výrobca közzétevő kiadó gyártó 게시자 제조업체 공급업체 видавець""",
    "version": """
        applicationversion productversion version normalizedversion softwareversion appversion displayversion
        applicationshortversion anwendungsversion produktversion versión versione versão versie versiondelapplication
        versióndelaaplicación versionedellapplicazione versioneapplicazione versãodoaplicativo versãodaaplicação
        toepassingsversie バージョン アプリケーションのバージョン アプリのバージョン 版本 应用程序版本 應用程式版本
        версия версияприложения
        номерверсии wersja wersjaaplikacji programversion versjon programversjon appversjon versio sovelluksenversio
        sovellusversio verze verzeaplikace verzia verziaaplikácie verzió alkalmazásverzió alkalmazásverziója
        verziószám 버전 애플리케이션버전 앱버전 uygulamaü версія""",
    "device": """
        devicename device computername computer machinename netbiosname resourcename systemname pscomputername
        hostname host gerätename gerät nomdelappareil nomdelordinateur nombredeldispositivo nombrededispositivo
        nomedispositivo nomedeldispositivo nomedodispositivo nomedocomputador apparaatnaam デバイス名 コンピューター名
        设备名称
        裝置名稱 имяустройства устройство имякомпьютера nazwaurządzenia enhetsnamn enhet datornamn enhedsnavn enhed
        computernavn enhetsnavn laitteennimi laite tietokoneennimi názevzařízení zařízení názevpočítače
        názovzariadenia eszköznév eszközneve eszköz számítógépnév 장치이름 디바이스이름 컴퓨터이름
        імяпристрою""",
    "platform": """
        platform plattform plateforme plataforma piattaforma operatingsystem osdescription platforma 平台
        プラットフォーム
        платформа ympäristö käyttöjärjestelmä 플랫폼 os""",
    "os_version": "osversion betriebssystemversion versiondusystèmedexploitation",
    "user": "username userprincipalname upn emailaddress primaryuser benutzername registereduser",
    "code": "productcode softwarecode productid identifyingnumber",
    "bundle": "bundleid bundleidentifier packagename packageid applicationidentifier",
    "path": "installedlocation installlocation installationfolder",
    "uninstall": "uninstallstring",
    "installed": "installdate",
    "device_id": "deviceid intunedeviceid",
    "serial": "serialnumber hardwareserial",
    "ownership": "ownership deviceownership ownertype manageddeviceownertype",
    "count": "devicecount installcount",
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
_PERSONAL = frozenset(("personal", "byod", "employee owned", "employeeowned", "employee", "2"))
_NEEDED = (
    "no columns that are understood: needed are headings such as ApplicationName (or Product Name, DisplayName), "
    "ApplicationPublisher (or Publisher, Vendor), ApplicationVersion (or Version), DeviceName (or Computer Name)"
)
_VERSION = re.compile(r"[vV]?\d[\w.+~:() -]*|")
_FIELDS = ("name", "vendor", "version", "user", "code", "bundle", "path", "uninstall", "installed")

_Program = tuple[str, ...]


class _Device(NamedTuple):
    """A machine of the list, with its programs by number and the lines they stand in."""

    name: str
    platform: str
    os_version: str
    device_id: str
    serial: str
    personal: bool
    rows: Rows
    programs: "array[int]"
    lines: "array[int]"


def fits(document: Document) -> bool:
    """A heading for the name, and one for the vendor, the version or the device, within the first lines."""
    return heading_of(document, _known) is not None


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each device, in the order of their names; one for the file where it names none."""
    found = table(document, _known)
    if found is None:
        raise BrokenError(document.name, _NEEDED)
    heading, lines = found
    columns = _columns(heading)
    programs: dict[_Program, int] = {}
    devices: dict[tuple[str, str], _Device] = {}
    first_lost, lost = "", 0  # rows of which no device is known
    for row in lines:
        where = f"{document.name}:{row.line}"
        fields = row.fields if len(row.fields) <= len(heading.names) else _put_together(row.fields, columns, heading)
        values = {meaning: text(fields[at]) for meaning, at in columns.items() if at < len(fields)}
        if not fields or ("device" in columns and not _named(values)):
            first_lost = first_lost or f"{where}: {row.wrong or 'no device is named'}"
            lost += 1
            continue
        device = _device(document, devices, values)
        if row.wrong:
            device.rows.problem(Problem(where, row.wrong, "damaged"))
        program = tuple(values.get(field, "") for field in _FIELDS)
        if not program[0]:
            device.rows.damaged(where, "a row without the name of an application")
            continue
        if len(programs) >= _MOST and program not in programs:
            raise BrokenError(where, f"more than {_MOST:,} different programs", "limit")
        device.programs.append(programs.setdefault(program, len(programs)))
        device.lines.append(row.line)
    if lost and not devices:
        yield Problem(document.name, f"{lost} rows cannot be read, the first is {first_lost}", "damaged")
    listed = list(programs)
    for key in sorted(devices):
        device = devices.pop(key)
        if lost:
            why = f"{lost} rows name no device and may be of any, the first is {first_lost}"
            device.rows.problem(Problem(document.name, why, "damaged"))
        yield _inventory(document, device, listed, of_many="device" not in columns and "count" in columns)


def _device(document: Document, devices: dict[tuple[str, str], _Device], values: Mapping[str, str]) -> _Device:
    """The device of a row; of those that share a name, each is one of its own if the list gives them ids."""
    name = _named(values) or document.stem
    key = (name.casefold(), values.get("device_id", "") or values.get("serial", ""))
    device = devices.get(key)
    if device is None:
        device = devices[key] = _Device(
            name=name,
            platform=values.get("platform", ""),
            os_version=values.get("os_version", ""),
            device_id=values.get("device_id", ""),
            serial=values.get("serial", ""),
            personal=values.get("ownership", "").casefold() in _PERSONAL,
            rows=Rows("discovered apps"),
            programs=array("I"),
            lines=array("I"),
        )
    return device


def _named(values: Mapping[str, str]) -> str:
    """What a device is called: its name, or else what tells it from others."""
    return values.get("device", "") or values.get("serial", "") or values.get("device_id", "")


def _inventory(document: Document, device: _Device, listed: list[_Program], *, of_many: bool) -> Inventory:
    platform = platform_of(device.platform) or "windows"
    phone = platform in _PHONES
    also: tuple[Unseen, ...] = ()
    if phone and device.personal:
        device.rows.leave_out("an app on a personal phone or tablet", len(device.programs))
        also = (Unseen("Apps of a personal device", "they are counted, not listed", kinds=("app",), cause="not_asked"),)
    else:
        for number, line in zip(device.programs, device.lines, strict=True):
            device.rows.add(_item(f"{document.name}:{line}", listed[number], platform))
    notes = ("This list is of many devices together and does not say on which of them a program is.",)
    return inventory(
        HostInfo(
            name=device.name,
            platform=platform,
            os=device.platform,
            os_version=device.os_version,
            notes=notes if of_many else (),
            identity=identities((("serial", device.serial), ("device_id", device.device_id))),
        ),
        "list of discovered apps (CSV)",
        "",
        [device.rows],
        {item.kind for item in device.rows.items},
        _PHONE_LIMITS if phone else _LIMITS,
        also,
    )


def _known(heading: Heading) -> bool:
    return bool(_columns(heading))


def _columns(heading: Heading) -> dict[str, int]:
    """Meaning → column; empty where these are no headings of programs."""
    plain = [_plain(name) for name in heading.names]
    columns: dict[str, int] = {}
    for meaning, spellings in _HEADINGS.items():
        at = next((plain.index(spelling) for spelling in spellings if spelling in plain), None)
        if at is not None:
            columns[meaning] = at
    name = next((plain.index(spelling) for spelling in _PLAIN_NAMES if spelling in plain), None)
    if name is not None:
        columns.setdefault("device" if "name" in columns else "name", name)
    known = columns.keys()
    return columns if "name" in known and known & {"vendor", "version"} else {}


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


def _item(where: str, program: _Program, platform: Platform) -> Item:
    name, vendor, version, user, code, bundle, path, uninstall, installed = program
    kind: Kind = "program" if platform in ("windows", "linux") else "app"
    key = guid(code if code.startswith("{") else f"{{{code}}}")
    ids: dict[IdType, str] = {}
    if key:
        ids["product_code"] = key
    if bundle:
        ids["bundle_id"] = bundle
    return Item(
        kind=kind,
        name=name,
        source="discovered apps",
        vendor=vendor,
        version=version,
        user=user,
        path=path,
        ids=ids,
        details=kept(uninstall=uninstall, installed=installed),
        evidence=(Evidence(where, name),),
    )
